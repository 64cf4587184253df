// Events in, with real processes: `pawl events publish`, runs that wake each other, and SIGKILL before and after every checkpoint of flows that listen.
// Whatever the moment: the same output, and each payment once.
#include "system/interrupted.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <iostream>
#include <set>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string project = project_with_payments("listening");

/// Every strategy, one after the other.
constexpr std::string_view listener = R"yaml(document: { dsl: '1.0.3', namespace: test, name: listener, version: '1.0.0' }
do:
  - one: { listen: { to: { one: { with: { type: one } } } }, export: { as: '{ one: . }' } }
  - all:
      listen:
        to:
          all:
            - { with: { type: temperature }, correlate: { room: { from: .subject } } }
            - { with: { type: humidity }, correlate: { room: { from: .subject } } }
      export: { as: '$context + { all: . }' }
  - any: { listen: { to: { any: [ { with: { type: a } }, { with: { type: b } } ] } }, export: { as: '$context + { any: . }' } }
  - each:
      listen: { to: { any: [ { with: { type: bill } } ], until: 'length == 3' } }
      foreach:
        item: bill
        at: i
        do:
          - pay: { call: payments.refund, with: { orderId: '${ $bill.order }', amount: 5, currency: EUR, reason: listened } }
          - note: { call: payments.refund, with: { orderId: '${ "note \($i)" }', amount: 1, currency: EUR, reason: listened } }
        output: { as: '"\($i): \($bill.order)"' }
      export: { as: '$context + { each: . }' }
  - until: { listen: { to: { any: [ { with: { type: y } } ], until: { one: { with: { type: stop } } } } }, export: { as: '$context + { until: . }' } }
  - last: { set: '${ $context }' }
)yaml";

/// What is published before each time the run goes on.
const std::vector<std::vector<std::string>> published{
    {R"({"type":"one","data":1})"},
    {R"({"type":"temperature","subject":"kitchen","data":21})"},
    {R"({"type":"humidity","subject":"bath","data":90})", R"({"type":"humidity","subject":"kitchen","data":40})"},
    {R"({"type":"b","data":"b"})"},
    {R"({"type":"bill","data":{"order":"B-1"}})"},
    {R"({"type":"bill","data":{"order":"B-2"}})", R"({"type":"bill","data":{"order":"B-3"}})"},
    {R"({"type":"y","data":1})", R"({"type":"y","data":2})"},
    {R"({"type":"stop","data":"no part of the output"})"}};

struct story {
    int kills = 0;
    std::string output;
    std::multiset<std::string> paid;
};

std::string only_run(const place& at) {
    const auto listed = at.run({"runs", "list", "--workflow", "test/listener", "--json"});
    if (listed.code != 0) return {};  // there is no store yet
    const auto runs = listed.document();
    return runs.as_array().empty() ? std::string() : std::string(runs.as_array().front().as_object().at("id").as_string());
}

ended go_on(const place& at, const variables& more) {
    const auto id = only_run(at);
    if (id.empty()) return at.run({"run", "listener.yaml", "--detach", "--json"}, more);
    return at.run({"runs", "resume", id, "--detach", "--json"}, more);
}

/// Goes on until the run waits or ends, killed around the n-th checkpoint of every process: before it, then after it, and so on.
ended advance(const place& at, int nth, story& out) {
    for (bool before = true;; before = !before) {
        const auto crash = std::string(before ? "before" : "after") + "-commit:" + std::to_string(nth);
        auto end = go_on(at, nth == 0 ? variables{} : variables{{"PAWL_CRASH_AT", crash}});
        if (end.signal != SIGKILL) return end;
        ++out.kills;
        BOOST_TEST_REQUIRE(out.kills < 300, "it makes no progress");
        if (before) continue;
        const auto id = only_run(at);
        if (id.empty()) continue;
        // After the commit of the last checkpoint nothing is left to do.
        const auto shown = at.run({"runs", "show", id, "--json"});
        if (shown.document().as_object().at("status") == "completed") return shown;
    }
}

story tell(const std::string& store, int nth) {
    const temporary_folder folder;
    folder.write("pawl.yaml", project);
    folder.write("listener.yaml", listener);
    const place at{folder.path(), store_variables(store)};
    story out;
    auto end = advance(at, nth, out);
    for (const auto& events : published) {
        BOOST_TEST_REQUIRE(end.code == 4, end);
        for (const auto& event : events) {
            const auto said = at.run({"events", "publish", "--json"}, {}, event);
            BOOST_TEST_REQUIRE(said.code == 0, said);
            BOOST_TEST_REQUIRE(said.document().as_object().at("runs").as_array().size() == 1u, said);
        }
        end = advance(at, nth, out);
    }
    BOOST_TEST_REQUIRE(end.code == 0, end);
    out.output = to_canonical_text(end.document().as_object().at("output"));
    out.paid = orders_paid(folder);
    return out;
}

constexpr std::string_view pair_listener = R"yaml(document: { dsl: '1.0.3', namespace: test, name: listener, version: '1.0.0' }
do:
  - hear: { listen: { to: { any: [ { with: { type: said } } ], until: 'length == 2' } } }
)yaml";

constexpr std::string_view speaker = R"yaml(document: { dsl: '1.0.3', namespace: test, name: speaker, version: '1.0.0' }
do:
  - say: { emit: { event: { with: { type: said, data: 1 } } } }
  - pause: { wait: { milliseconds: 20 } }
  - again: { emit: { event: { with: { type: said, data: 2 } } } }
)yaml";

/// Asks a human, and only then listens.
constexpr std::string_view early = R"yaml(document: { dsl: '1.0.3', namespace: test, name: listener, version: '1.0.0' }
do:
  - ask: { call: approval.request, with: { title: Well } }
  - hear: { listen: { to: { any: [ { with: { type: said } } ], until: 'length == 2' } } }
)yaml";

std::string pending_approval(const place& at) {
    const auto listed = at.run({"approvals", "list", "--json"});
    if (listed.code != 0 || listed.document().as_array().empty()) return {};
    return std::string(listed.document().as_array().front().as_object().at("id").as_string());
}

struct pair_place {
    temporary_folder folder;
    place at;
    explicit pair_place(const std::string& store) {
        folder.write("listener.yaml", pair_listener);
        folder.write("speaker.yaml", speaker);
        at = {folder.path(), store_variables(store)};
        if (!at.environment.contains("PAWL_STORE")) at.environment["PAWL_STORE"] = "sqlite:" + folder.path() + "/store.sqlite";
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(events_in)

BOOST_AUTO_TEST_CASE(a_kill_at_any_checkpoint_of_a_flow_that_listens_changes_nothing) {
    const std::multiset<std::string> expected{"B-1", "B-2", "B-3", "note 0", "note 1", "note 2"};
    for (const auto& store : store_kinds()) {
        const auto whole = tell(store, 0);
        BOOST_TEST(whole.output == R"({"all":[21,40],"any":["b"],"each":["0: B-1","1: B-2","2: B-3"],"one":[1],"until":[1,2]})");
        BOOST_TEST(whole.paid == expected, boost::test_tools::per_element());
        for (const int nth : {1, 2}) {
            BOOST_TEST_CONTEXT(store << ", every checkpoint " << nth) {
                const auto after = tell(store, nth);
                BOOST_TEST(after.output == whole.output);
                BOOST_TEST(after.paid == expected, boost::test_tools::per_element());
                BOOST_TEST(after.kills >= (nth == 1 ? 25 : 4), "too few checkpoints for a flow of this length");
                std::cout << "kills of a listening flow on " << store << ", checkpoint " << nth << " of each process: " << after.kills << "\n";
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_run_that_emits_wakes_a_run_that_listens_in_another_process) {
    for (const auto& store : store_kinds()) {
        const pair_place pair(store);
        auto listening = pair.at.start({"run", "listener.yaml", "--json"});
        wait_for([&] {
            const auto runs = pair.at.run({"runs", "list", "--status", "waiting", "--json"});
            return runs.code == 0 && !runs.document().as_array().empty();
        }, "the run that listens");
        const auto spoke = pair.at.run({"run", "speaker.yaml"});
        BOOST_TEST(spoke.code == 0, spoke);
        const auto heard = listening.wait();
        BOOST_TEST(heard.code == 0, heard);
        BOOST_TEST(to_text(heard.document().as_object().at("output")) == "[1,2]");
    }
}

BOOST_AUTO_TEST_CASE(a_killed_run_that_emits_is_heard_once_whatever_the_moment) {
    for (const auto& store : store_kinds()) {
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            int n = 1;
            for (bool killed = true; killed; ++n) {
                BOOST_TEST_CONTEXT(store << ", " << moment << n) {
                    const pair_place pair(store);
                    BOOST_TEST(pair.at.run({"run", "listener.yaml", "--detach"}).code == 4);
                    killed = pair.at.run({"run", "speaker.yaml"}, {{"PAWL_CRASH_AT", moment + std::to_string(n)}}).signal == SIGKILL;
                    if (!killed) break;
                    const auto runs = pair.at.run({"runs", "list", "--workflow", "test/speaker", "--json"}).document();
                    const auto again = runs.as_array().empty() ? pair.at.run({"run", "speaker.yaml"})
                                                               : pair.at.run({"runs", "resume", std::string(runs.as_array().front().as_object().at("id").as_string())});
                    BOOST_TEST(again.code == 0, again);
                    std::string heard;
                    wait_for([&] {
                        const auto end = pair.at.run({"runs", "resume", only_run(pair.at), "--detach", "--json"});
                        if (end.code == 0) heard = to_text(end.document().as_object().at("output"));
                        return end.code == 0;
                    }, "the run that listens");
                    BOOST_TEST(heard == "[1,2]");
                }
            }
            BOOST_TEST(n > 2, "too few checkpoints");
        }
    }
}

BOOST_AUTO_TEST_CASE(an_event_that_comes_in_the_step_before_its_listen_survives_a_kill) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            const pair_place pair(store);
            pair.folder.write("early.yaml", early);
            const auto& at = pair.at;
            auto asking = at.start({"run", "early.yaml"});
            wait_for([&] { return !pending_approval(at).empty(); }, "the question");
            const auto id = only_run(at);
            const auto shown = [&] { return at.run({"runs", "show", id, "--json"}).document().as_object(); };
            const auto publish = [&](int n) {
                const auto said = at.run({"events", "publish", "--json"}, {}, R"({"type":"said","source":"/test","id":")" + std::to_string(n) + R"(","data":)" + std::to_string(n) + "}");
                BOOST_TEST_REQUIRE(said.code == 0, said);
                return said.document().as_object().at("runs").as_array().size();
            };
            BOOST_TEST(publish(1) == 1u);
            BOOST_TEST(publish(1) == 0u);  // it has that one
            wait_for([&] { return shown().contains("eventsKept"); }, "the event to be kept");
            const auto asked = shown();
            for (const auto& item : asked.at("waitingFor").as_array()) BOOST_TEST(item.as_object().at("kind") != "event");
            asking.send(SIGKILL);
            BOOST_TEST(asking.wait().signal == SIGKILL);
            BOOST_TEST(publish(2) == 1u);  // while no process drives the run
            BOOST_TEST(at.run({"runs", "resume", id, "--detach"}, {{"PAWL_CRASH_AT", "after-commit:1"}}).signal == SIGKILL);
            BOOST_TEST(to_text(shown().at("eventsKept")) == "2");
            const auto copy = at.run({"runs", "fork", id, "--from", "ask", "--detach", "--json"});
            BOOST_TEST(copy.code == 4, copy);
            BOOST_TEST(to_text(copy.document().as_object().at("eventsKept")) == "2", copy);
            BOOST_TEST(at.run({"runs", "cancel", std::string(copy.document().as_object().at("id").as_string())}).code == 0);
            BOOST_TEST(at.run({"approvals", "approve", pending_approval(at)}).code == 0);
            (void)at.run({"runs", "resume", id, "--detach"});
            BOOST_TEST(to_text(shown().at("status")) == R"("completed")");
            BOOST_TEST(to_text(shown().at("output")) == "[1,2]");
            BOOST_TEST(!shown().contains("eventsKept"));
        }
    }
}

BOOST_AUTO_TEST_CASE(publishing_tells_who_gets_it_and_what_is_no_event) {
    const pair_place pair("sqlite");
    BOOST_TEST(pair.at.run({"run", "listener.yaml", "--detach"}).code == 4);
    const auto said = pair.at.run({"events", "publish"}, {}, R"({"type":"said","id":"7","source":"/shop","data":1})");
    BOOST_TEST(said.code == 0, said);
    BOOST_TEST(said.out.find("published 7 (said): 1 run gets it") != std::string::npos, said);
    BOOST_TEST(said.out.find("pawl runs resume " + only_run(pair.at).substr(0, 8)) != std::string::npos, said);
    const auto twice = pair.at.run({"events", "publish", "--json"}, {}, R"({"type":"said","id":"7","source":"/shop","data":2})");
    BOOST_TEST(twice.document().as_object().at("runs").as_array().empty(), twice);
    const auto filled = twice.document().as_object().at("event").as_object();
    BOOST_TEST(filled.at("specversion") == "1.0");
    BOOST_TEST(filled.contains("time"));
    const std::vector<std::pair<std::string, std::string>> wrong{{"{\"data\":1}", "`type` is missing"},
                                                                 {"[]", "one event is published at a time"},
                                                                 {"7", "must be a JSON object"},
                                                                 {"{", "is not JSON"},
                                                                 {R"({"type":"a","orderId":"x"})", "names are lower-case letters and digits"},
                                                                 {R"({"type":""})", "`type` must be a text that is not empty"},
                                                                 {R"({"type":"a","specversion":"0.3"})", "only 1.0 is known"},
                                                                 {R"({"type":"a","data":1,"data_base64":"AA=="})", "both `data` and `data_base64`"}};
    for (const auto& [text, message] : wrong) {
        const auto end = pair.at.run({"events", "publish"}, {}, text);
        BOOST_TEST(end.code == 1, end);
        BOOST_TEST(end.err.find(message) != std::string::npos, end);
        BOOST_TEST(end.out.empty(), end);
    }
    BOOST_TEST(pair.at.run({"events", "publish", "no-such-file.json"}).code == 1);
    BOOST_TEST(pair.at.run({"run", "speaker.yaml"}).code == 0);
    const auto runs = pair.at.run({"runs", "list", "--workflow", "test/speaker", "--json"}).document();
    const auto emitted = pair.at.run({"events", "list", std::string(runs.as_array().front().as_object().at("id").as_string()), "--json"}).document();
    BOOST_TEST(emitted.as_array().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
