// Events that come before the listen they are for: kept by the run, in order, offered to each listen that begins until one takes them, bounded. The
// driver takes the state through the codec after every event, so each test also shows that what is kept survives a crash.
#include "machine/driver.hpp"
#include "run/control.hpp"
#include "run/migrate.hpp"
#include "run/replay.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;
namespace tt = boost::test_tools;

namespace {

using types = std::set<std::string>;

run::surroundings at(time_point now) {
    run::surroundings world;
    world.now = now;
    return world;
}

constexpr std::string_view asks_then_hears = R"yaml(
  - ask: { call: t.idempotent, with: {} }
  - hear: { listen: { to: { one: { with: { type: paid } } } } }
)yaml";

constexpr std::string_view hears_again_and_again = R"yaml(
  - hear: { listen: { to: { one: { with: { type: a } } } }, export: { as: '($context // []) + .' } }
  - work: { call: t.idempotent, with: {}, then: hear }
)yaml";

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(types)

BOOST_AUTO_TEST_SUITE(machine_kept_events)

BOOST_AUTO_TEST_CASE(an_event_that_comes_before_its_listen_is_taken_when_that_begins) {
    driver d(asks_then_hears);
    d.start();
    BOOST_TEST((run::subscriptions(d.s) == types{"paid"}));
    BOOST_TEST(run::awaited_types(d.s).empty());
    d.event("paid", R"({"sum":5})").event("other", "6");
    BOOST_TEST(d.s.kept_events.size() == 1u);  // no listen takes the other one
    d.complete("ask", "null");
    BOOST_TEST(d.output() == R"([{"sum":5}])");
    BOOST_TEST(d.outcomes() == (std::vector<std::string>{"ask completed", "hear completed"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(between_two_rounds_of_a_loop_nothing_is_lost_and_the_order_stays) {
    driver d(hears_again_and_again);
    d.start().event("a", "1").event("a", "2").event("a", "3");
    BOOST_TEST(d.s.kept_events.size() == 2u);
    d.complete("work", "null");
    BOOST_TEST(d.s.context.text() == "[1,2]");
    d.complete("work", "null");
    BOOST_TEST(d.s.context.text() == "[1,2,3]");
    d.complete("work", "null");
    BOOST_TEST(waits(d));
    BOOST_TEST(d.s.kept_events.empty());
    d.event("a", "4");
    BOOST_TEST(d.s.context.text() == "[1,2,3,4]");
}

BOOST_AUTO_TEST_CASE(the_state_of_an_endless_loop_that_hears_early_events_stays_as_small_as_it_was) {
    driver d(hears_again_and_again);
    d.start().event("a", "1");
    const auto size_after = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            d.event("a", "1");
            d.complete("work", "null");
            d.s.context = run::value_ref();  // the flow's own
        }
        return run::encode(d.s).text.size();
    };
    const auto few = size_after(10), more = size_after(200);
    BOOST_TEST(more <= few + 8);  // the counters are longer
}

BOOST_AUTO_TEST_CASE(a_listen_takes_what_is_kept_as_if_it_came_now) {
    const auto heard = [](const std::string& to, const std::vector<std::pair<std::string, std::string>>& events, std::string_view more = "") {
        driver d("\n  - ask: { call: t.pure, with: {} }\n  - hear: { listen: { to: " + to + " }" + std::string(more) + " }\n");
        d.start(R"({"order":"A-1"})");
        for (const auto& [type, data] : events) d.event(type, data);
        d.complete("ask", R"({"order":"A-1"})");
        return d.s.status == run_status::completed ? d.output() : std::string(to_string(d.s.status)) + " " + std::to_string(d.s.kept_events.size());
    };
    const std::vector<std::pair<std::string, std::string>> events{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"stop", "4"}, {"a", "5"}};
    BOOST_TEST(heard("{ one: { with: { type: a } } }", events) == "[2]");
    BOOST_TEST(heard("{ any: [] }", events) == "[1]");
    BOOST_TEST(heard("{ all: [ { with: { type: a } }, { with: { type: stop } }, { with: { type: b } } ] }", events) == "[1,2,4]");
    BOOST_TEST(heard("{ any: [ { with: { type: a } }, { with: { type: b } } ], until: { one: { with: { type: stop } } } }", events) == "[1,2,3]");
    BOOST_TEST(heard("{ any: [ { with: { type: a } } ], until: 'length == 2' }", events) == "[2,5]");
    BOOST_TEST(heard("{ any: [ { with: { type: a } } ], until: 'length == 2' }", events, ", foreach: { output: { as: '. * 10' } }") == "[20,50]");
    BOOST_TEST(heard("{ one: { with: { type: c } } }", events) == "waiting 0");  // nothing that another listen could take
    BOOST_TEST(heard("{ one: { with: { type: a, data: '${ . > 4 }' } } }", events) == "[5]");
    BOOST_TEST(heard("{ one: { with: { type: a }, correlate: { n: { from: .data, expect: 5 } } } }", events) == "[5]");
}

BOOST_AUTO_TEST_CASE(an_event_that_a_live_listen_leaves_is_kept_for_another_and_a_taken_one_never_comes_again) {
    driver d(R"yaml(
  - first: { listen: { to: { one: { with: { type: t }, correlate: { n: { from: .data, expect: 1 } } } } }, export: { as: '{ first: . }' } }
  - second: { listen: { to: { any: [ { with: { type: t } } ] } }, export: { as: '$context + { second: . }' } }
  - third: { listen: { to: { one: { with: { type: t } } } }, output: { as: '$context + { third: . }' } }
)yaml");
    d.start().event("t", "2");
    BOOST_TEST(waits(d));
    BOOST_TEST(d.s.kept_events.size() == 1u);
    d.event("t", "1");  // the first takes it, and the second what it left
    BOOST_TEST(waits(d));
    BOOST_TEST(d.s.context.text() == R"({"first":[1],"second":[2]})");
    BOOST_TEST(d.s.kept_events.empty());
    d.event("t", "3");
    BOOST_TEST(d.output() == R"({"first":[1],"second":[2],"third":[3]})");
}

BOOST_AUTO_TEST_CASE(what_no_listen_can_take_any_more_is_neither_kept_nor_asked_for) {
    driver d(R"yaml(
  - hear: { listen: { to: { one: { with: { type: t }, correlate: { n: { from: .data, expect: 1 } } } } } }
  - ask: { call: t.pure, with: {} }
  - other: { listen: { to: { one: { with: { type: o, source: /here } } } } }
)yaml");
    d.start();
    BOOST_TEST((run::subscriptions(d.s) == types{"o", "t"}));
    d.event("t", "2");  // the only listen for it is live, and does not want it
    d.event("o", "3");  // another source, which is constant
    BOOST_TEST(d.s.kept_events.empty());
    d.event("t", "1");
    BOOST_TEST((run::subscriptions(d.s) == types{"o"}));
    d.event("t", "1");
    BOOST_TEST(d.s.kept_events.empty());
    d.complete("ask", "null").cancel();
    BOOST_TEST(run::subscriptions(d.s).empty());
}

BOOST_AUTO_TEST_CASE(a_pattern_within_a_loop_tells_what_is_of_use) {
    driver d(R"yaml(
  - each:
      for: { in: '[1, 2]' }
      do:
        - ask: { call: t.pure, with: {} }
        - hear: { listen: { to: { one: { with: { type: 'x\.(a|b)' } } } } }
)yaml");
    d.start();
    BOOST_TEST((run::subscriptions(d.s) == types{""}));
    d.event("x.c", "1").event("x.b", "2").event("x.a", "3");
    BOOST_TEST(d.s.kept_events.size() == 2u);
    d.complete("ask", "null").complete("ask", "null");
    BOOST_TEST(d.output() == "[3]");
}

BOOST_AUTO_TEST_CASE(ways_back_and_loops_tell_whether_a_listen_can_begin_again) {
    const auto repeats = [](std::string_view tasks) {
        driver d(tasks);
        std::string out;
        for (const auto& each : d.s.workflow->listens) out += d.s.workflow->tasks[each.task].name + (each.repeats ? "+ " : " ");
        return out;
    };
    const std::string hear = "{ listen: { to: { one: { with: { type: t } } } } }";
    const std::string back = "{ set: { x: 1 }, then: b }";
    BOOST_TEST(repeats("\n  - a: " + hear + "\n  - b: " + hear + "\n  - c: { set: { x: 1 } }\n") == "a b ");
    BOOST_TEST(repeats("\n  - a: " + hear + "\n  - b: " + hear + "\n  - c: " + back + "\n  - d: " + hear + "\n") == "a b+ d ");
    BOOST_TEST(repeats("\n  - a: " + hear + "\n  - b: { do: [ x: " + hear +
                       " ] }\n  - c: { switch: [ again: { when: .x, then: b } ] }\n  - d: " + hear + "\n") == "a d x+ ");
    BOOST_TEST(repeats("\n  - a: { for: { in: '[1]' }, do: [ x: " + hear + " ] }\n  - b: { fork: { branches: [ y: " + hear + " ] } }\n") == "x+ y ");
    BOOST_TEST(repeats("\n  - a: { try: [ x: " + hear + " ], catch: { retry: { limit: { attempt: { count: 2 } } }, do: [ y: " + hear + " ] } }\n") ==
               "x+ y+ ");
    BOOST_TEST(repeats("\n  - a: { try: [ x: " + hear + " ], catch: { do: [ y: " + hear + " ] } }\n") == "x y ");
    BOOST_TEST(repeats("\n  - a: { listen: { to: { any: [], until: 'length == 2' } }, foreach: { do: [ x: " + hear + " ] } }\n") == "a x+ ");
    BOOST_TEST(repeats("\n  - a: { try: [ x: " + hear + " ], catch: { then: a } }\n  - b: " + hear + "\n") == "b x+ ");
}

BOOST_AUTO_TEST_CASE(a_partly_complete_until_and_a_listen_that_fails_have_taken_their_events) {
    driver d(R"yaml(
  - hear: { listen: { to: { any: [ { with: { type: a } } ], until: { all: [ { with: { type: x } }, { with: { type: y } } ] } } } }
  - again: { listen: { to: { one: { with: { type: x } } } } }
)yaml");
    d.start().event("x", "1").event("y", "2");
    BOOST_TEST(waits(d));
    BOOST_TEST(d.s.kept_events.empty());

    driver f(R"yaml(
  - guarded: { try: [ hear: { listen: { to: { one: { with: { subject: '${ .order.number }' } } } } } ], catch: { do: [ later: { set: { x: 1 } } ] } }
  - again: { listen: { to: { any: [] } } }
)yaml");
    f.start(R"({"order":"no object"})").event("a", "1", R"("subject":"x")");
    BOOST_TEST(waits(f));
    f.event("a", "2");
    BOOST_TEST(f.output() == "[2]");
}

BOOST_AUTO_TEST_CASE(a_run_keeps_a_bounded_number_of_events_and_its_history_says_once_which_went) {
    driver d(asks_then_hears);
    d.start();
    for (std::size_t i = 0; i < run::most_kept_events + 3; ++i) d.event("paid", R"("private )" + std::to_string(i) + "\"");
    BOOST_TEST(d.s.kept_events.size() == run::most_kept_events);
    BOOST_TEST(d.s.dropped_events == 3u);
    BOOST_TEST_REQUIRE(d.steps.size() == 1u);
    const auto& told = d.steps.front();
    BOOST_TEST(told.function == "listen");
    BOOST_TEST(told.outcome == "dropped");
    BOOST_TEST(told.result.text().find(R"({"id":"e1","source":"/test","type":"paid"})") != std::string::npos);
    BOOST_TEST(told.result.text().find("private") == std::string::npos);
    d.complete("ask", "null");
    BOOST_TEST(d.output() == R"(["private 3"])");
}

BOOST_AUTO_TEST_CASE(a_run_keeps_a_bounded_number_of_bytes) {
    driver d(asks_then_hears);
    d.start();
    const std::string large = "\"" + std::string(run::most_kept_bytes / 4, 'x') + "\"";
    d.event("paid", "1");
    for (int i = 0; i < 4; ++i) d.event("paid", large);
    BOOST_TEST(d.s.kept_events.size() == 3u);
    BOOST_TEST(d.s.dropped_events == 2u);
    d.event("paid", "\"" + std::string(run::most_kept_bytes, 'x') + "\"");  // alone too much: it does not push the others out
    BOOST_TEST(d.s.kept_events.size() == 3u);
    BOOST_TEST(d.s.dropped_events == 3u);
}

BOOST_AUTO_TEST_CASE(many_kept_events_are_blobs_and_not_written_with_every_checkpoint) {
    driver d(asks_then_hears);
    d.start();
    for (int i = 0; i < 100; ++i) d.event("paid", "\"" + std::string(500, 'x') + std::to_string(i) + "\"");
    const auto written = run::encode(d.s);
    BOOST_TEST(written.text.size() < 12'000u);
    BOOST_TEST(written.blobs.size() == 96u);
    BOOST_TEST(written.text.find(R"("format":2)") != std::string::npos);  // an earlier version must not lose them
    d.complete("ask", "null");
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_state_of_an_earlier_version_is_subscribed_as_it_was_and_goes_on) {
    driver d("\n  - one: { listen: { to: { one: { with: { type: a } } } } }\n  - two: { listen: { to: { one: { with: { type: b } } } } }\n");
    d.start();
    auto text = run::encode(d.s).text;
    const std::string marks = R"(,"listening":["a"],"heard":[0])";
    const auto at = text.find(marks);
    BOOST_TEST_REQUIRE(at != std::string::npos, text);
    text.erase(at, marks.size());
    auto old = run::decode(text, d.s.id, d.s.workflow, d.s.raw_input, {});
    BOOST_TEST_REQUIRE(old.has_value());
    BOOST_TEST((run::subscriptions(*old) == types{"a"}));
    old->listens_late = false;  // as its owner does when it has it
    BOOST_TEST((run::subscriptions(*old) == types{"a", "b"}));
    old->status = run_status::waiting;
    d.s = std::move(*old);
    d.event("b", "2").event("a", "1");
    BOOST_TEST(d.output() == "[2]");
}

BOOST_AUTO_TEST_CASE(a_suspended_run_keeps_its_early_events_too) {
    driver d(asks_then_hears);
    d.start().event("paid", "1");
    (void)run::suspend(d.s, {}, at(d.now));
    d.event("paid", "2");
    BOOST_TEST(d.s.kept_events.size() == 1u);
    (void)run::unsuspend(d.s, {}, at(d.now));
    BOOST_TEST(d.s.kept_events.size() == 2u);
    d.complete("ask", "null");
    BOOST_TEST(d.output() == "[1]");
}

BOOST_AUTO_TEST_CASE(a_retried_task_hears_again_and_what_came_before_the_failure_is_still_there) {
    driver d(R"yaml(
  - outer:
      do:
        - hear: { listen: { to: { one: { with: { type: a } } } } }
        - ask: { call: t.idempotent, with: {} }
        - more: { listen: { to: { one: { with: { type: b } } } } }
)yaml");
    d.start().event("a", "1").event("b", "2").fail("ask", make_problem(problem_type::communication, "no"));
    BOOST_TEST((d.s.status == run_status::faulted));
    BOOST_TEST(run::subscriptions(d.s).empty());
    const auto world = at(d.now);
    BOOST_TEST_REQUIRE(run::retry(d.s, "outer", world).has_value());
    BOOST_TEST((run::subscriptions(d.s) == types{"a", "b"}));
    d.event("a", "3").complete("ask", "null");
    BOOST_TEST(d.output() == "[2]");
}

BOOST_AUTO_TEST_CASE(a_rewound_run_offers_what_it_keeps_to_the_listen_it_stands_at) {
    driver d("\n  - hear: { listen: { to: { one: { with: { type: a } } } } }\n  - ask: { call: t.idempotent, with: {}, then: hear }\n");
    d.start().event("a", "1").event("a", "2");
    BOOST_TEST(d.s.kept_events.size() == 1u);
    run::past_run past;
    past.id = d.s.id;
    past.workflow = d.s.workflow;
    past.input = d.s.raw_input;
    past.until = d.now;
    for (const auto& step : d.steps) {
        past.steps.push_back({step.seq, d.s.workflow->tasks[step.task].pointer, step.function, step.key, step.digest, step.attempt, step.outcome,
                              step.started_at, step.ended_at, step.result.text()});
    }
    const auto world = at(d.now);
    auto point = run::last_entry(past, 0, world);
    BOOST_TEST_REQUIRE(point.has_value());
    (void)run::give_up(d.s, world);
    (void)run::rewind(d.s, std::move(point->state), point->at, world);
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"ask"}),
               tt::per_element());  // it went through the listen again, by the event that was kept
    BOOST_TEST(d.s.kept_events.empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_moves_to_another_definition_takes_its_events_along) {
    driver d(asks_then_hears);
    driver to(
        "\n  - ask: { call: t.idempotent, with: {} }\n  - before: { set: { x: 1 } }\n  - hear: { listen: { to: { one: { with: { type: paid } } } } "
        "}\n");
    d.start().event("paid", "7");
    BOOST_TEST(run::migrate(d.s, to.s.workflow).empty());
    d.complete("ask", "null");
    BOOST_TEST(d.output() == "[7]");
}

BOOST_AUTO_TEST_SUITE_END()
