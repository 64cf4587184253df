// SIGKILL before and after every checkpoint of the support-desk flow in turn; a new process goes on. Whatever the moment: the same output, the same state,
// one line in the ledger, one event.
#include "system/desk.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

struct result_of_story {
    bool crashed = false;
    std::string output;  ///< canonical, without ids
    std::string state;
    std::string news;    ///< what the second message was answered
    std::size_t ledger = 0;
    std::set<std::string> events;
};

/// Ids derive from the run's own: they differ from run to run, everything else must not.
json::value without_ids(json::value value) {
    if (auto* object = value.if_object()) {
        for (const auto* name : {"id", "approval", "refundId", "decidedAt", "at"}) object->erase(name);
        for (auto& [key, member] : *object) member = without_ids(member);
    } else if (auto* array = value.if_array()) {
        for (auto& item : *array) item = without_ids(item);
    }
    return value;
}

enum class command { none, run, approve };

/// The whole story with one crash in one of its two commands, recovered by new processes.
result_of_story tell(const std::string& store, command crashing, const std::string& crash_at) {
    const desk d(store);
    result_of_story out;
    const variables crash{{"PAWL_CRASH_AT", crash_at}};
    const auto first = d.ask_for_refund(crashing == command::run ? crash : variables{});
    out.crashed = first.signal == SIGKILL;
    if (crashing == command::run && !out.crashed) return out;
    BOOST_TEST_REQUIRE((out.crashed || first.code == 4), first);
    const auto run = d.newest_run();
    BOOST_TEST_REQUIRE(!run.empty());
    for (int tries = 0; d.status_of(run) != "completed"; ++tries) {
        BOOST_TEST_REQUIRE(tries < 8, "the run does not end: " << to_pretty_text(d.document_of(run)));
        if (const auto approval = d.pending_approval()) {
            const bool crash_now = crashing == command::approve && !out.crashed;
            const auto decided = d.approve(*approval, crash_now ? crash : variables{});
            if (crash_now && decided.signal != SIGKILL) return out;
            if (crash_now) out.crashed = true;
        } else {
            const auto resumed = d.at().run({"runs", "resume", run, "--detach", "--json"});
            BOOST_TEST_REQUIRE((resumed.code == 0 || resumed.code == 4), resumed);
        }
    }
    out.output = to_canonical_text(without_ids(d.document_of(run).as_object().at("output")));
    out.state = to_canonical_text(without_ids(d.state()));
    const auto news = d.ask_for_news();
    BOOST_TEST_REQUIRE(news.code == 0, news);
    out.news = to_canonical_text(without_ids(news.document().as_object().at("output")));
    out.ledger = d.ledger_lines();
    out.events = d.delivered_events();
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_processes)

BOOST_AUTO_TEST_CASE(a_kill_at_any_checkpoint_changes_nothing_of_the_outcome) {
    for (const auto& store : store_kinds()) {
        const auto whole = tell(store, command::none, "");
        BOOST_TEST(whole.ledger == 1u);
        BOOST_TEST(whole.events.size() == 2u);  // one of the refund, one of the news
        int kills = 0;
        for (const auto which : {command::run, command::approve}) {
            for (const std::string moment : {"before-commit:", "after-commit:"}) {
                int n = 1;
                for (;; ++n) {
                    BOOST_TEST_CONTEXT(store << ", " << (which == command::run ? "run" : "approve") << ", " << moment << n) {
                        const auto after = tell(store, which, moment + std::to_string(n));
                        if (!after.crashed) break;
                        ++kills;
                        BOOST_TEST(after.output == whole.output);
                        BOOST_TEST(after.state == whole.state);
                        BOOST_TEST(after.news == whole.news);
                        BOOST_TEST(after.ledger == 1u);
                        BOOST_TEST(after.events.size() == whole.events.size());
                    }
                }
                BOOST_TEST(n > 2, "too few checkpoints for a flow of this length");
            }
        }
        BOOST_TEST_MESSAGE(store << ": killed at " << kills << " moments");
        std::cout << "kill matrix on " << store << ": " << kills << " kills\n";
    }
}

BOOST_AUTO_TEST_SUITE_END()
