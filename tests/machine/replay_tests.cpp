// Where a run stood when it last entered a task, rebuilt from its history: whatever happened to it, it goes on from there as it did then, with new keys.
#include "machine/driver.hpp"
#include "run/control.hpp"
#include "run/replay.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;

namespace {

/// A run with the history that a store would have of it.
struct recorded {
    explicit recorded(std::string_view tasks) : d(tasks) {}

    driver d;
    std::vector<run::past_step> history;
    std::size_t taken = 0;  ///< of driver::steps
    time_point begun = d.now;

    recorded& start(std::string_view input = "null") { return d.start(input), note(); }
    recorded& complete(std::string_view task, std::string_view output) { return d.complete(task, output), note(); }
    recorded& fail(std::string_view task) { return d.fail(task, make_problem(problem_type::communication, "no")), note(); }
    recorded& pass(milliseconds time) { return d.pass(time), note(); }
    recorded& event(std::string_view type, std::string_view data) { return d.event(type, data), note(); }

    run::surroundings world() {
        run::surroundings w;
        w.now = d.now;
        w.agent = &d.agent;
        w.runtime_version = "test";
        return w;
    }

    recorded& note() {
        for (; taken < d.steps.size(); ++taken) keep(d.steps[taken]);
        return *this;
    }
    void keep(const run::step_record& s) {
        history.push_back({s.seq, d.s.workflow->tasks[s.task].pointer, s.function, s.key, s.digest, s.attempt, s.outcome, s.started_at, s.ended_at, s.result.text()});
    }
    /// Something done to the run: its steps, then what was done.
    recorded& control(std::string_view kind, const run::transition& done, std::string body = "{}") {
        for (const auto& s : done.steps) keep(s);
        history.push_back({d.s.next_step++, "", std::string(kind), "", "", 1, "completed", d.now, d.now, std::move(body)});
        return *this;
    }
    recorded& pause() { return control("pause", run::suspend(d.s, {}, world())); }
    recorded& resume() { return control("resume", run::unsuspend(d.s, {}, world())); }
    recorded& retry() { return control("retry", run::retry(d.s, "", world()).value()); }

    result<run::point_in_past> look(std::string_view task, bool has_agent = false) {
        const auto named = run::named_task(*d.s.workflow, task);
        if (named.has_error()) return named.error();
        run::past_run past{d.s.id, d.s.workflow, d.s.raw_input, begun, d.now, history};
        auto w = world();
        w.agent = has_agent ? &d.agent : nullptr;
        return run::last_entry(past, *named, w);
    }
    std::string why(std::string_view task, bool has_agent = false) {
        const auto found = look(task, has_agent);
        return found.has_error() ? found.error().detail : std::string("found");
    }
    /// Takes the run back.
    recorded& rewind(std::string_view task) {
        auto point = look(task);
        BOOST_TEST_REQUIRE(point.has_value(), why(task));
        const auto after = point->after;
        const auto at = point->at.time_since_epoch().count();
        control("rewind", run::give_up(d.s, world()), R"({"to":")" + std::string(task) + R"(","after":)" + std::to_string(after) + R"(,"at":)" + std::to_string(at) + "}");
        for (const auto& s : run::rewind(d.s, std::move(point->state), point->at, world()).steps) keep(s);
        return *this;
    }
    std::string key(std::string_view task) { return d.call(task).key; }
};

constexpr std::string_view three = "\n  - a: { call: t.pure, export: { as: '{ a: . }' } }\n  - b: { call: t.once, with: { x: '${ $context.a }' } }\n  - c: { call: t.idempotent, with: { x: '${ $context.a }', y: '${ . }' } }\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(replay)

BOOST_AUTO_TEST_CASE(a_completed_run_goes_on_from_any_of_its_tasks_with_what_it_had_then_and_with_new_keys) {
    for (const std::string_view task : {"a", "b", "c"}) {
        BOOST_TEST_CONTEXT(task) {
            recorded r(three);
            r.start("1");
            const auto first = r.key("a");
            r.complete("a", "7").complete("b", "8");
            const auto third = r.key("c");
            r.complete("c", "9");
            BOOST_TEST_REQUIRE((r.d.s.status == run_status::completed));
            r.rewind(task);
            BOOST_TEST(r.d.open_calls() == std::vector<std::string>{std::string(task)}, boost::test_tools::per_element());
            if (task == "a") BOOST_TEST(r.key("a") != first);
            if (task == "a") r.complete("a", "70");
            if (task != "c") r.complete("b", "80");
            BOOST_TEST(r.d.call("c").arguments.text() == (task == "a" ? R"({"x":70,"y":80})" : task == "b" ? R"({"x":7,"y":80})" : R"({"x":7,"y":8})"));
            BOOST_TEST(r.key("c") != third);
            r.complete("c", "90");
            BOOST_TEST(r.d.output() == "90");
            BOOST_TEST((r.d.s.status == run_status::completed));
        }
    }
}

BOOST_AUTO_TEST_CASE(it_says_what_has_happened_since) {
    recorded r(three);
    r.start().complete("a", "7").complete("b", "8").complete("c", "9");
    const auto point = r.look("b");
    BOOST_TEST_REQUIRE(point.has_value());
    BOOST_TEST(point->after == 1);
    BOOST_TEST(point->later == (std::vector<std::size_t>{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_run_can_be_rewound_again_also_to_before_where_it_was_rewound_to_and_keys_never_come_twice) {
    recorded r(three);
    r.start().complete("a", "1").complete("b", "2").complete("c", "3");
    std::set<std::string> keys;
    for (const std::string_view task : {"c", "b", "c", "a", "b", "b", "a"}) {
        BOOST_TEST_CONTEXT(task) {
            r.rewind(task);
            const auto fresh = [&](std::string_view name) { BOOST_TEST(keys.insert(r.key(name)).second); };
            if (task == "a") {
                fresh("a");
                r.complete("a", "10");
            }
            if (task != "c") {
                fresh("b");
                r.complete("b", "20");
            }
            fresh("c");
            r.complete("c", "30");
            BOOST_TEST((r.d.s.status == run_status::completed));
            const auto point = r.look("b");
            BOOST_TEST_REQUIRE(point.has_value(), r.why("b"));
            BOOST_TEST(point->later.size() >= 2u);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_last_round_of_a_loop_is_meant) {
    recorded r("\n  - each: { for: { each: n, in: '[1,2,3]' }, do: [ { pay: { call: t.once, with: { n: '${ $n }', seen: '${ $context }' }, export: { as: '[$context[]?, .]' } } } ] }\n");
    r.start().complete("pay", "10").complete("pay", "20").complete("pay", "30");
    r.rewind("pay");
    BOOST_TEST(r.d.call("pay").arguments.text() == R"({"n":3,"seen":[10,20]})");
    r.complete("pay", "31");
    r.rewind("each");
    BOOST_TEST(r.d.call("pay").arguments.text() == R"({"n":1,"seen":null})");
}

BOOST_AUTO_TEST_CASE(tries_with_back_offs_waits_and_time_outs_are_gone_through_at_their_times) {
    recorded r("\n  - careful: { try: [ { a: { call: t.idempotent } } ], catch: { retry: { delay: PT1M, limit: { attempt: { count: 3 } } } } }\n"
               "  - pause: { wait: PT1H }\n"
               "  - late: { try: [ { slow: { call: t.once, timeout: { after: PT5M } } } ], catch: { as: e, do: [ { note: { set: { late: '${ $e.status }' } } } ] } }\n"
               "  - told: { emit: { event: { with: { type: t.done, data: '${ . }' } } } }\n"
               "  - last: { call: t.pure, with: { got: '${ .data.late }' } }\n");
    r.start().fail("a").pass(61s).fail("a").pass(62s).complete("a", "5").pass(1h + 3ms).pass(5min + 2ms);
    BOOST_TEST(r.d.call("last").arguments.text() == R"({"got":408})");
    r.complete("last", "1");
    BOOST_TEST_REQUIRE((r.d.s.status == run_status::completed));
    r.rewind("last");
    BOOST_TEST(r.d.call("last").arguments.text() == R"({"got":408})");
    r.complete("last", "2").rewind("slow");
    r.d.now += 1h;
    BOOST_TEST(r.d.open_calls() == std::vector<std::string>{"slow"}, boost::test_tools::per_element());
    r.complete("slow", R"({"late":0})").complete("last", "3").rewind("a");
    BOOST_TEST(r.d.call("a").attempt == 3u);
    r.fail("a");
    BOOST_TEST((r.d.s.status == run_status::faulted));
}

BOOST_AUTO_TEST_CASE(branches_that_were_under_way_beside_the_task_are_called_again) {
    recorded r("\n  - both: { fork: { branches: [ { one: { call: t.once } }, { two: { do: [ { first: { call: t.pure } }, { second: { call: t.once } } ] } } ] } }\n");
    r.start().complete("first", "1").complete("one", "2").complete("second", "3");
    BOOST_TEST_REQUIRE((r.d.s.status == run_status::completed));
    r.rewind("second");
    auto open = r.d.open_calls();
    std::sort(open.begin(), open.end());
    BOOST_TEST(open == (std::vector<std::string>{"one", "second"}), boost::test_tools::per_element());
    r.complete("second", "30").complete("one", "20");
    BOOST_TEST(r.d.output() == "[20,30]");
}

BOOST_AUTO_TEST_CASE(pauses_retries_and_cancellations_on_the_way_are_gone_through) {
    recorded r(three);
    r.start().pause().complete("a", "7");
    r.d.now += 1min;
    r.resume().fail("b");
    BOOST_TEST_REQUIRE((r.d.s.status == run_status::faulted));
    r.d.now += 1min;
    r.retry();
    BOOST_TEST(r.d.open_calls() == std::vector<std::string>{"b"}, boost::test_tools::per_element());
    r.d.cancel();
    r.note();
    r.d.now += 1min;
    r.retry();
    r.complete("b", "8").pause();
    r.rewind("c");
    BOOST_TEST(r.d.call("c").arguments.text() == R"({"x":7,"y":8})");
    r.complete("c", "9");
    BOOST_TEST((r.d.s.status == run_status::completed));
    r.rewind("a");
    BOOST_TEST(r.d.open_calls() == std::vector<std::string>{"a"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_suspended_run_gives_up_what_is_under_way) {
    recorded r(three);
    r.start().complete("a", "7").pause();
    auto point = r.look("a");
    BOOST_TEST_REQUIRE(point.has_value(), r.why("a"));
    const auto left = run::give_up(r.d.s, r.world());
    BOOST_TEST_REQUIRE(left.abandoned.size() == 1u);
    BOOST_TEST(left.steps.front().outcome == "cancelled");
    const auto t = run::rewind(r.d.s, std::move(point->state), point->at, r.world());
    BOOST_TEST_REQUIRE(t.calls.size() == 1u);
    BOOST_TEST(!r.d.s.suspended_at);
    BOOST_TEST(r.d.s.find(left.abandoned.front().call.id) == nullptr);  // no number comes twice
}

BOOST_AUTO_TEST_CASE(a_listen_that_took_whole_events_is_answered_from_its_recorded_output) {
    recorded r("\n  - l: { listen: { to: { any: [ { with: { type: bill } } ], until: '${ length >= 2 }' } } }\n  - c: { call: t.pure, with: { x: '${ . }' } }\n");
    r.start().event("bill", "1").event("bill", "2");
    BOOST_TEST(r.d.call("c").arguments.text() == R"({"x":[1,2]})");
    r.complete("c", "1").rewind("c");
    BOOST_TEST(r.d.call("c").arguments.text() == R"({"x":[1,2]})");
    r.complete("c", "2").rewind("l");
    BOOST_TEST((r.d.s.status == run_status::waiting));
    r.event("bill", "3").event("bill", "4");
    BOOST_TEST(r.d.call("c").arguments.text() == R"({"x":[3,4]})");
}

BOOST_AUTO_TEST_CASE(a_deadline_of_the_run_is_extended_by_what_has_passed_since) {
    recorded r(three);
    r.start().complete("a", "7");
    r.d.s.deadline = r.d.now + 10min;  // as if its definition had said so
    r.pause();
    auto point = r.look("b");
    BOOST_TEST_REQUIRE(point.has_value());
    point->state.deadline = r.d.now + 10min;
    r.d.now += 1h;
    run::rewind(r.d.s, std::move(point->state), point->at, r.world());
    BOOST_TEST_REQUIRE(r.d.s.deadline.has_value());
    BOOST_TEST((*r.d.s.deadline == r.d.now + 10min));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_rebuilt_is_refused_with_the_reason) {
    recorded r(three);
    r.start().complete("a", "7").fail("b");
    BOOST_TEST(r.why("c") == "The run never entered task `c`.");
    BOOST_TEST(r.why("bb") == "There is no task `bb` in test/machine:1.0.0; did you mean `b`? Its tasks: a, b, c.");
    const auto whole = r.history;
    r.history.erase(r.history.begin());
    BOOST_TEST(r.why("a").find("pruned (step 1 is missing)") != std::string::npos, r.why("a"));
    r.history = whole;
    r.history[0].digest = "another";
    BOOST_TEST(r.why("b").find("another request") != std::string::npos, r.why("b"));
    r.history = whole;
    r.history[0].result = "70";  // then `b` would be another request
    BOOST_TEST(r.why("c").find("at step 2 (t.once, /do/1/b)") != std::string::npos, r.why("c"));
    r.history = whole;
    r.control("migrate", {});
    BOOST_TEST(r.why("b").find("moved to another definition at step 3") != std::string::npos, r.why("b"));
    r.history = whole;
    r.history.insert(r.history.begin(), {1, "", "fork", "", "", 1, "completed", r.d.now, r.d.now, "{}"});
    BOOST_TEST(r.why("b").find("forked") != std::string::npos, r.why("b"));
}

BOOST_AUTO_TEST_CASE(events_gone_through_one_at_a_time_and_a_read_agent_cannot_be_rebuilt) {
    recorded r("\n  - l: { listen: { to: { any: [ { with: { type: bill } } ], until: '${ length >= 1 }' } }, foreach: { item: i, do: [ { p: { call: t.pure, with: { x: '${ $i }' } } } ] } }\n"
               "  - c: { call: t.pure }\n");
    r.start().event("bill", "1").complete("p", "1").complete("c", "1");
    BOOST_TEST_REQUIRE((r.d.s.status == run_status::completed));
    BOOST_TEST(r.why("c").find("`l` went through its events one at a time") != std::string::npos, r.why("c"));
    BOOST_TEST(r.why("l") == "found");

    recorded agent("\n  - a: { call: t.pure }\n  - s: { set: '${ $agent.key }' }\n  - b: { call: t.pure, with: { x: 1 } }\n");
    agent.start().complete("a", "1").complete("b", "2");
    BOOST_TEST(agent.why("b", true).find("`$agent`") != std::string::npos, agent.why("b", true));
    BOOST_TEST(agent.why("a", true) == "found");
}

BOOST_AUTO_TEST_SUITE_END()
