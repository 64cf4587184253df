// `pawl runs pause|resume|terminate|retry|rewind` and `fork --from`: whatever checkpoint the commanding process is killed at, a paused run starts nothing, a resumed or retried one goes on,
// and everything is paid once.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string project = project_with_payments("control");

constexpr std::string_view asking = R"yaml(document: { dsl: '1.0.3', namespace: test, name: asking, version: '1.0.0' }
do:
  - pay: { call: payments.refund, with: { orderId: A-1, amount: 5, currency: EUR, reason: recall }, export: { as: '{ paid: .orderId }' } }
  - ask: { call: approval.request, with: { title: Well } }
  - again: { call: payments.refund, with: { orderId: B-1, amount: 5, currency: EUR, reason: recall }, output: { as: '{ first: $context.paid, second: .orderId }' } }
)yaml";

// The file is what an operator mends.
constexpr std::string_view failing = R"yaml(document: { dsl: '1.0.3', namespace: test, name: failing, version: '1.0.0' }
do:
  - pay: { call: payments.refund, with: { orderId: A-1, amount: 5, currency: EUR, reason: recall }, export: { as: '{ paid: .orderId }' } }
  - block:
      do:
        - look: { run: { shell: { command: 'cat mended.txt' } }, metadata: { safety: pure } }
        - again: { call: payments.refund, with: { orderId: B-1, amount: 5, currency: EUR, reason: recall }, output: { as: '{ first: $context.paid, second: .orderId }' } }
)yaml";

struct controlled {
    temporary_folder folder;
    place at;
    std::string run;

    controlled(const std::string& store, std::string_view flow, int expected) {
        folder.write("pawl.yaml", project);
        folder.write("flow.yaml", flow);
        at = {folder.path(), store_variables(store)};
        const auto left = at.run({"run", "flow.yaml", "--detach", "--json"});
        BOOST_TEST_REQUIRE(left.code == expected, left);
        run = left.document().at("id").as_string();
    }
    json::value shown() const { return at.run({"runs", "show", run, "--json"}).document(); }
    std::string status() const { return std::string(shown().at("status").as_string()); }
    std::size_t paid() const {
        std::istringstream lines(folder.read(".pawl/ledger.jsonl"));
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line);) ++count;
        return count;
    }
    void approve() const {
        const auto waiting = at.run({"approvals", "list", "--json"}).document().as_array();
        BOOST_TEST_REQUIRE(waiting.size() == 1u);
        at.run({"approvals", "approve", std::string(waiting[0].at("id").as_string()), "--json"});
    }
    std::size_t commands(std::string_view function) const {
        std::size_t count = 0;
        const auto document = shown();
        for (const auto& step : document.at("steps").as_array()) count += step.at("function").as_string() == function && step.at("outcome").as_string() == "completed" ? 1 : 0;
        return count;
    }
};

variables crash(const std::string& where) { return where.empty() ? variables{} : variables{{"PAWL_CRASH_AT", where}}; }

/// Every checkpoint of one command: calls `story` with "", then with each place until one is never reached.
void at_every_checkpoint(const std::function<bool(const std::string&)>& story) {
    story("");
    for (const std::string moment : {"before-commit:", "after-commit:"}) {
        int n = 1;
        while (story(moment + std::to_string(n))) ++n;
        BOOST_TEST(n > 1, "the command has no checkpoint");
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(controlled_runs)

BOOST_AUTO_TEST_CASE(a_pause_lasts_wherever_its_process_is_killed_and_what_is_answered_meanwhile_counts_later) {
    for (const auto& store : store_kinds()) {
        at_every_checkpoint([&](const std::string& where) {
            bool killed = false;
            BOOST_TEST_CONTEXT(store << ", " << where) {
                const controlled c(store, asking, 4);
                const auto paused = c.at.run({"runs", "pause", c.run}, crash(where));
                killed = paused.signal == SIGKILL;
                BOOST_TEST((paused.code == 0 || killed), paused);
                if (killed) c.at.run({"runs", "pause", c.run});  // or it is suspended already
                BOOST_TEST(c.status() == "suspended");
                c.approve();
                BOOST_TEST(c.status() == "suspended");
                BOOST_TEST(c.paid() == 1u);
                const auto done = c.at.run({"runs", "resume", c.run, "--json"});
                BOOST_TEST(done.code == 0, done);
                BOOST_TEST(to_canonical_text(c.shown().at("output")) == R"({"first":"A-1","second":"B-1"})");
                BOOST_TEST(c.paid() == 2u);
            }
            return killed;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_resumed_run_goes_on_wherever_the_process_that_resumes_it_is_killed) {
    for (const auto& store : store_kinds()) {
        at_every_checkpoint([&](const std::string& where) {
            bool killed = false;
            BOOST_TEST_CONTEXT(store << ", " << where) {
                const controlled c(store, asking, 4);
                BOOST_TEST_REQUIRE(c.at.run({"runs", "pause", c.run}).code == 0);
                c.approve();
                const auto resumed = c.at.run({"runs", "resume", c.run, "--json"}, crash(where));
                killed = resumed.signal == SIGKILL;
                BOOST_TEST((resumed.code == 0 || killed), resumed);
                if (killed) c.at.run({"runs", "resume", c.run, "--json"});
                BOOST_TEST(c.status() == "completed");
                BOOST_TEST(to_canonical_text(c.shown().at("output")) == R"({"first":"A-1","second":"B-1"})");
                BOOST_TEST(c.paid() == 2u);
            }
            return killed;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_retried_run_goes_on_from_the_task_that_failed_wherever_its_process_is_killed) {
    for (const auto& store : store_kinds()) {
        at_every_checkpoint([&](const std::string& where) {
            bool killed = false;
            BOOST_TEST_CONTEXT(store << ", " << where) {
                const controlled c(store, failing, 2);
                BOOST_TEST(c.paid() == 1u);
                c.folder.write("mended.txt", "yes");
                const auto retried = c.at.run({"runs", "retry", c.run, "--json"}, crash(where));
                killed = retried.signal == SIGKILL;
                BOOST_TEST((retried.code == 0 || killed), retried);
                // The order may be stored and not applied; a second one is then refused, since the run goes on already.
                if (killed && c.status() == "faulted") c.at.run({"runs", "retry", c.run, "--json"});
                if (killed) c.at.run({"runs", "resume", c.run, "--json"});
                BOOST_TEST(c.status() == "completed");
                BOOST_TEST(to_canonical_text(c.shown().at("output")) == R"({"first":"A-1","second":"B-1"})");
                BOOST_TEST(c.paid() == 2u);
                BOOST_TEST((c.commands("retry") == 1u || killed));
            }
            return killed;
        });
    }
}

namespace {

constexpr std::string_view paid_both = R"({"first":"A-1","second":"B-1"})";

/// A run that has paid twice and completed.
struct finished : controlled {
    explicit finished(const std::string& store) : controlled(store, asking, 4) {
        approve();
        BOOST_TEST_REQUIRE(at.run({"runs", "resume", run, "--json"}).code == 0);
        BOOST_TEST_REQUIRE(status() == "completed");
        BOOST_TEST_REQUIRE(paid() == 2u);
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_completed_run_is_rewound_wherever_its_process_is_killed_and_pays_again_what_came_after) {
    for (const auto& store : store_kinds()) {
        at_every_checkpoint([&](const std::string& where) {
            bool killed = false;
            BOOST_TEST_CONTEXT(store << ", " << where) {
                const finished c(store);
                const auto rewound = c.at.run({"runs", "rewind", c.run, "--to", "again", "--json"}, crash(where));
                killed = rewound.signal == SIGKILL;
                BOOST_TEST((rewound.code == 0 || killed), rewound);
                BOOST_TEST((killed || rewound.err.find("again: payments.refund (idempotent)") != std::string::npos), rewound);
                // The order is stored before anything else: whoever drives the run next takes it, and a second one is refused.
                if (killed && c.commands("rewind") == 0) c.at.run({"runs", "rewind", c.run, "--to", "again", "--json"});
                if (killed && c.status() != "completed") c.at.run({"runs", "resume", c.run, "--json"});
                BOOST_TEST(c.status() == "completed");
                BOOST_TEST(to_canonical_text(c.shown().at("output")) == paid_both);
                BOOST_TEST(c.commands("rewind") == 1u);
                BOOST_TEST(c.paid() == 3u);  // the first payment stands, the second was made anew, once
            }
            return killed;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_suspended_run_is_rewound_wherever_its_process_is_killed_and_asks_anew) {
    for (const auto& store : store_kinds()) {
        at_every_checkpoint([&](const std::string& where) {
            bool killed = false;
            BOOST_TEST_CONTEXT(store << ", " << where) {
                const controlled c(store, asking, 4);
                BOOST_TEST_REQUIRE(c.at.run({"runs", "pause", c.run}).code == 0);
                const auto rewound = c.at.run({"runs", "rewind", c.run, "--to", "pay", "--json", "--detach"}, crash(where));
                killed = rewound.signal == SIGKILL;
                BOOST_TEST((rewound.code == 4 || killed), rewound);
                if (killed && c.commands("rewind") == 0) c.at.run({"runs", "rewind", c.run, "--to", "pay", "--json", "--detach"});
                if (killed) c.at.run({"runs", "resume", c.run, "--json", "--detach"});
                BOOST_TEST(c.commands("rewind") == 1u);
                BOOST_TEST(c.paid() == 2u);
                c.approve();  // one approval waits: the first was cancelled with what asked for it
                BOOST_TEST(c.at.run({"runs", "resume", c.run, "--json"}).code == 0);
                BOOST_TEST(to_canonical_text(c.shown().at("output")) == paid_both);
                BOOST_TEST(c.paid() == 3u);
            }
            return killed;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_fork_from_a_task_begins_with_what_the_run_had_then_wherever_its_process_is_killed) {
    for (const auto& store : store_kinds()) {
        at_every_checkpoint([&](const std::string& where) {
            bool killed = false;
            BOOST_TEST_CONTEXT(store << ", " << where) {
                const finished c(store);
                const auto before = to_canonical_text(c.shown());
                const auto forked = c.at.run({"runs", "fork", c.run, "--from", "again", "--json"}, crash(where));
                killed = forked.signal == SIGKILL;
                BOOST_TEST((forked.code == 0 || killed), forked);
                const auto copies = c.at.run({"runs", "list", "--tag", "forkedFrom=" + c.run, "--json"}).document().as_array();
                BOOST_TEST_REQUIRE(copies.size() == 1u);
                const std::string copy(copies[0].at("id").as_string());
                if (killed && copies[0].at("status").as_string() != "completed") c.at.run({"runs", "resume", copy, "--json"});
                const auto shown = c.at.run({"runs", "show", copy, "--json"}).document();
                BOOST_TEST(shown.at("status").as_string() == "completed");
                BOOST_TEST(to_canonical_text(shown.at("output")) == paid_both);
                BOOST_TEST(shown.at("steps").as_array().size() == 2u);  // where it comes from, and the payment
                BOOST_TEST(c.paid() == 3u);
                BOOST_TEST(to_canonical_text(c.shown()) == before);
                const auto nothing = c.at.run({"runs", "rewind", copy, "--to", "pay"});
                BOOST_TEST(nothing.code == 1, nothing);
                BOOST_TEST(nothing.err.find("forked") != std::string::npos, nothing);
            }
            return killed;
        });
    }
}

BOOST_AUTO_TEST_CASE(a_fork_that_begins_with_a_wait_is_stored_as_waiting) {
    constexpr std::string_view resting = R"yaml(document: { dsl: '1.0.3', namespace: test, name: resting, version: '1.0.0' }
do:
  - rest: { wait: { seconds: 2 } }
  - tell: { set: { rested: true } }
)yaml";
    const controlled c("sqlite", resting, 4);
    BOOST_TEST_REQUIRE(c.at.run({"runs", "resume", c.run, "--json"}).code == 0);
    const auto forked = c.at.run({"runs", "fork", c.run, "--from", "rest", "--detach", "--json"});
    BOOST_TEST(forked.code == 4, forked);
    const auto waiting = c.at.run({"runs", "list", "--status", "waiting", "--json"}).document().as_array();
    BOOST_TEST_REQUIRE(waiting.size() == 1u);
    BOOST_TEST(c.at.run({"runs", "resume", std::string(waiting[0].at("id").as_string()), "--json"}).code == 0);
}

BOOST_AUTO_TEST_CASE(many_are_rewound_by_filter_and_what_may_happen_only_once_needs_consent) {
    for (const auto& store : store_kinds()) {
        const controlled c(store, failing, 2);
        BOOST_TEST_REQUIRE(c.at.run({"run", "flow.yaml", "--detach", "--json"}).code == 2);
        c.folder.write("mended.txt", "yes");
        const auto shown = c.at.run({"runs", "rewind", "--all", "--to", "pay", "--dry-run"});
        BOOST_TEST(shown.code == 0, shown);
        BOOST_TEST(shown.err.find("2 would be rewound") != std::string::npos, shown);
        BOOST_TEST(c.status() == "faulted");
        const auto stored = c.at.run({"runs", "rewind", "--all", "--to", "pay"});
        BOOST_TEST(stored.code == 0, stored);
        BOOST_TEST(stored.err.find("2 stored for the next engine") != std::string::npos, stored);
        auto server = c.at.start({"serve"});
        wait_for([&] { return c.at.run({"runs", "list", "--status", "completed", "--json"}).document().as_array().size() == 2u; }, "they do not go on");
        server.send(SIGTERM);
        BOOST_TEST(server.wait().code == 0);
        BOOST_TEST(c.paid() == 6u);  // two runs: one payment each before the fault, two each after
    }
}

BOOST_AUTO_TEST_CASE(what_may_happen_only_once_happens_again_only_with_consent) {
    constexpr std::string_view once = R"yaml(document: { dsl: '1.0.3', namespace: test, name: once, version: '1.0.0' }
do:
  - mark: { run: { shell: { command: 'echo marked >> marks.txt' } } }
)yaml";
    const controlled c("sqlite", once, 0);
    const auto refused = c.at.run({"runs", "rewind", c.run, "--to", "mark"});
    BOOST_TEST(refused.code == 1, refused);
    BOOST_TEST(refused.err.find("add --yes") != std::string::npos, refused);
    BOOST_TEST(refused.err.find("at-most-once") != std::string::npos, refused);
    BOOST_TEST(c.folder.read("marks.txt") == "marked\n");
    const auto done = c.at.run({"runs", "rewind", c.run, "--to", "mark", "--yes"});
    BOOST_TEST(done.code == 0, done);
    BOOST_TEST(c.folder.read("marks.txt") == "marked\nmarked\n");
    const auto unknown = c.at.run({"runs", "rewind", c.run, "--to", "marc"});
    BOOST_TEST(unknown.code == 1, unknown);
    BOOST_TEST(unknown.err.find("did you mean `mark`?") != std::string::npos, unknown);
    const auto unsaid = c.at.run({"runs", "rewind", c.run});
    BOOST_TEST(unsaid.code == 1, unsaid);
    BOOST_TEST(unsaid.err.find("--to") != std::string::npos, unsaid);
}

BOOST_AUTO_TEST_CASE(a_live_run_is_paused_before_it_is_rewound) {
    const controlled c("sqlite", asking, 4);
    const auto refused = c.at.run({"runs", "rewind", c.run, "--to", "pay"});
    BOOST_TEST(refused.code == 1, refused);
    BOOST_TEST(refused.err.find("pawl runs pause") != std::string::npos, refused);
    const auto never = c.at.run({"runs", "fork", c.run, "--from", "again"});
    BOOST_TEST(never.code == 1, never);
    BOOST_TEST(never.err.find("never entered task `again`") != std::string::npos, never);
}

BOOST_AUTO_TEST_CASE(many_are_paused_and_resumed_by_filter) {
    for (const auto& store : store_kinds()) {
        const controlled c(store, asking, 4);
        for (int i = 0; i < 2; ++i) BOOST_TEST_REQUIRE(c.at.run({"run", "flow.yaml", "--detach", "--json"}).code == 4);
        const auto shown = c.at.run({"runs", "pause", "--all", "--workflow", "test/asking", "--dry-run"});
        BOOST_TEST(shown.code == 0, shown);
        BOOST_TEST(shown.err.find("3 would be suspended") != std::string::npos, shown);
        BOOST_TEST(c.status() == "waiting");
        const auto paused = c.at.run({"runs", "pause", "--all", "--workflow", "test/asking"});
        BOOST_TEST(paused.code == 0, paused);
        BOOST_TEST(paused.err.find("3 suspended, 0 not") != std::string::npos, paused);
        BOOST_TEST(c.at.run({"runs", "list", "--status", "suspended", "--json"}).document().as_array().size() == 3u);
        // Nobody drives them: the order is stored, and the next engine takes it.
        const auto resumed = c.at.run({"runs", "resume", "--all"});
        BOOST_TEST(resumed.code == 0, resumed);
        BOOST_TEST(resumed.err.find("3 stored for the next engine") != std::string::npos, resumed);
        auto server = c.at.start({"serve"});
        wait_for([&] { return c.at.run({"runs", "list", "--status", "waiting", "--json"}).document().as_array().size() == 3u; }, "the pause is not lifted");
        const auto ended = c.at.run({"runs", "terminate", "--all"});
        BOOST_TEST(ended.code == 0, ended);
        BOOST_TEST(ended.err.find("3 terminated") != std::string::npos, ended);
        BOOST_TEST(c.status() == "cancelled");
        server.send(SIGTERM);
        BOOST_TEST(server.wait().code == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_says_why) {
    const controlled c("sqlite", failing, 2);
    const auto pause = c.at.run({"runs", "pause", c.run});
    BOOST_TEST(pause.code == 1, pause);
    BOOST_TEST(pause.err.find("over already: faulted") != std::string::npos, pause);
    const auto retry = c.at.run({"runs", "retry", c.run, "--from", "pay"});
    BOOST_TEST(retry.code == 1, retry);
    BOOST_TEST(retry.err.find("block/look") != std::string::npos, retry);
    BOOST_TEST(c.status() == "faulted");
    const auto nobody = c.at.run({"runs", "terminate"});
    BOOST_TEST(nobody.code == 1, nobody);
    BOOST_TEST(nobody.err.find("--all") != std::string::npos, nobody);
}

BOOST_AUTO_TEST_SUITE_END()
