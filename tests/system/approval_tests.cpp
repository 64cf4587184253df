// Humans and processes: decisions from another process while the run is followed, after it was left, twice, too late; following another process's run.
#include "system/desk.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string asking_flow = R"(document: { dsl: '1.0.3', namespace: test, name: asking, version: '1.0.0' }
do:
  - ask:
      call: approval.request
      with: { title: 'May I?', proposal: { amount: 5 } }
)";

struct asking {
    temporary_folder folder;
    place at;
    explicit asking(const std::string& store, const std::string& flow = asking_flow) {
        folder.write("pawl.yaml", "name: asking\n");
        folder.write("ask.yaml", flow);
        at = {folder.path(), store_variables(store)};
    }
    std::string approval() const {
        std::string id;
        wait_for(
            [&] {
                const auto list = at.run({"approvals", "list", "--json"});
                if (list.code != 0) return false;
                const auto all = list.document();
                if (!all.as_array().empty()) id = std::string(all.as_array().front().as_object().at("id").as_string());
                return !id.empty();
            },
            "an approval appears");
        return id;
    }
};

std::string member(const json::value& document, std::string_view name) { return to_text(document.as_object().at(name)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(decisions)

BOOST_AUTO_TEST_CASE(a_run_that_is_followed_goes_on_when_another_process_approves) {
    for (const auto& store : store_kinds()) {
        const asking a(store);
        auto waiting = a.at.start({"run", "ask.yaml"});
        const auto id = a.approval();
        wait_for([&] { return waiting.err().find("pawl approvals approve " + id.substr(0, 8)) != std::string::npos; }, "the follower says how to approve");
        const auto decided = a.at.run({"approvals", "approve", id.substr(0, 8), "--by", "eva", "--comment", "fine"});
        BOOST_TEST(decided.code == 0, decided);
        const auto end = waiting.wait();
        BOOST_TEST(end.code == 0, end);
        BOOST_TEST(end.out.find("\"by\": \"eva\"") != std::string::npos, end);
        BOOST_TEST(end.err.find('\x1b') == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_run_that_was_left_is_driven_on_by_the_process_that_decides) {
    for (const auto& store : store_kinds()) {
        const asking a(store);
        const auto left = a.at.run({"run", "ask.yaml", "--detach", "--json"});
        BOOST_TEST_REQUIRE(left.code == 4, left);
        BOOST_TEST(member(left.document(), "status") == "\"waiting\"");
        BOOST_TEST(member(left.document(), "waitingFor").find("\"May I?\"") != std::string::npos);
        const auto decided = a.at.run({"approvals", "reject", a.approval(), "--by", "eva"});
        BOOST_TEST(decided.code == 0, decided);
        const auto shown = a.at.run({"runs", "resume", std::string(left.document().as_object().at("id").as_string()), "--json"});
        BOOST_TEST(shown.code == 0, shown);
        BOOST_TEST(member(shown.document(), "output").find("\"rejected\"") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(the_first_decision_stands) {
    const asking a("sqlite");
    a.at.run({"run", "ask.yaml", "--detach"});
    const auto id = a.approval();
    BOOST_TEST(a.at.run({"approvals", "approve", id, "--by", "eva"}).code == 0);
    const auto second = a.at.run({"approvals", "reject", id, "--by", "max"});
    BOOST_TEST(second.code == 1);
    BOOST_TEST(second.err.find("already decided: approved by eva") != std::string::npos, second);
}

BOOST_AUTO_TEST_CASE(an_expired_approval_faults_as_a_timeout_and_cannot_be_decided) {
    const asking a("sqlite", R"(document: { dsl: '1.0.3', namespace: test, name: asking, version: '1.0.0' }
do:
  - ask:
      call: approval.request
      with: { title: 'May I?', expires: PT0.5S }
)");
    const auto end = a.at.run({"run", "ask.yaml", "--json"});
    BOOST_TEST(end.code == 2, end);
    BOOST_TEST(member(end.document(), "error").find("/timeout\"") != std::string::npos, end);
    const auto all = a.at.run({"approvals", "list", "--all", "--json"}).document();
    const auto& row = all.as_array().at(0).as_object();
    BOOST_TEST(row.at("status").as_string() == "expired");
    const auto late = a.at.run({"approvals", "approve", std::string(row.at("id").as_string())});
    BOOST_TEST(late.code == 1);
    BOOST_TEST(late.err.find("expired") != std::string::npos, late);
}

BOOST_AUTO_TEST_CASE(a_waiting_run_can_be_cancelled_and_its_approval_is_withdrawn) {
    for (const auto& store : store_kinds()) {
        const asking a(store);
        const auto left = a.at.run({"run", "ask.yaml", "--detach", "--json"});
        const std::string run(left.document().as_object().at("id").as_string());
        const auto id = a.approval();
        const auto cancelled = a.at.run({"runs", "cancel", run, "--by", "eva"});
        BOOST_TEST(cancelled.code == 0, cancelled);
        BOOST_TEST(a.at.run({"runs", "resume", run}).code == 3);
        BOOST_TEST(a.at.run({"approvals", "approve", id}).code == 1);
        BOOST_TEST(a.at.run({"runs", "cancel", run}).code == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_second_process_follows_a_run_from_the_store_and_takes_it_over_when_the_first_dies) {
    for (const auto& store : store_kinds()) {
        const asking a(store);
        auto first = a.at.start({"run", "ask.yaml"});
        const auto id = a.approval();
        const std::string run(a.at.run({"runs", "list", "--json"}).document().as_array().front().as_object().at("id").as_string());
        auto second = a.at.start({"runs", "resume", run});
        wait_for([&] { return second.err().find("another pawl process drives this run") != std::string::npos; }, "the second follows");
        first.send(SIGKILL);
        first.wait();
        BOOST_TEST(a.at.run({"approvals", "approve", id, "--by", "eva"}).code == 0);
        const auto end = second.wait();
        BOOST_TEST(end.code == 0, end);
        BOOST_TEST(end.out.find("\"approved\"") != std::string::npos, end);
    }
}

BOOST_AUTO_TEST_CASE(two_runs_at_once_do_not_disturb_each_other_on_one_store) {
    for (const auto& store : store_kinds()) {
        const asking a(store);
        auto one = a.at.start({"run", "ask.yaml"});
        a.approval();
        a.folder.write("plain.yaml", "document: { dsl: '1.0.3', namespace: test, name: plain, version: '1.0.0' }\ndo:\n  - a: { set: { x: 1 } }\n");
        const auto other = a.at.run({"run", "plain.yaml"});
        BOOST_TEST(other.code == 0, other);
        BOOST_TEST(one.running());
        one.send(SIGTERM);
        BOOST_TEST(one.wait().code == 4);
    }
}

BOOST_AUTO_TEST_SUITE_END()
