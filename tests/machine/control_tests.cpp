// Runs suspended, resumed, terminated and retried: what a suspended run keeps for later, and where a faulted one goes on.
#include "machine/driver.hpp"
#include "run/control.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;

namespace {

run::surroundings at(const driver& d) {
    run::surroundings w;
    w.now = d.now;
    w.agent = &d.agent;
    w.runtime_version = "test";
    w.lifecycle = true;
    return w;
}

/// As a store would give it back.
void store_and_load(driver& d) {
    const auto written = run::encode(d.s);
    std::map<std::string, std::string, std::less<>> blobs;
    for (const auto& b : written.blobs) blobs.emplace(b.digest(), b.text());
    const auto status = d.s.status;
    const auto error = d.s.error;
    auto read = run::decode(written.text, d.s.id, d.s.workflow, d.s.raw_input, blobs);
    BOOST_REQUIRE_MESSAGE(read.has_value(), "not readable: " << written.text);
    d.s = std::move(*read);
    d.s.status = status;
    d.s.error = error;
    BOOST_TEST(run::encode(d.s).text == written.text);
}

run::transition suspend(driver& d, const std::vector<std::string>& unseen = {}) {
    std::vector<run::frame_id> calls;
    for (const auto& name : unseen) calls.push_back(d.call(name).id);
    auto t = run::suspend(d.s, calls, at(d));
    BOOST_TEST((d.s.status == run_status::suspended));
    store_and_load(d);
    return t;
}

run::transition unsuspend(driver& d, const std::vector<std::string>& lost = {}) {
    std::vector<run::frame_id> calls;
    for (const auto& name : lost) calls.push_back(d.call(name).id);
    return run::unsuspend(d.s, calls, at(d));
}

/// Error: the text of the refusal.
result<run::transition> retry(driver& d, std::string_view from = {}) {
    store_and_load(d);
    auto t = run::retry(d.s, from, at(d));
    if (t.has_value()) store_and_load(d);
    return t;
}

problem trouble() { return make_problem(problem_type::communication, "no"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(control)

BOOST_AUTO_TEST_CASE(a_call_that_ends_while_the_run_is_suspended_is_recorded_and_nothing_follows_until_it_is_resumed) {
    driver d("\n  - a: { call: t.pure, export: { as: '{ a: . }' } }\n  - b: { call: t.pure, with: { x: '${ $context.a }' } }\n");
    d.start();
    suspend(d);
    BOOST_TEST(!d.s.due_at());
    d.complete("a", "7");
    BOOST_TEST(d.outcomes() == std::vector<std::string>{"a completed"}, boost::test_tools::per_element());
    BOOST_TEST((d.s.status == run_status::suspended));
    BOOST_TEST(d.open_calls().empty());
    BOOST_TEST(d.last.calls.empty());
    const auto t = unsuspend(d);
    BOOST_TEST(t.calls.size() == 1u);
    BOOST_TEST(d.call("b").arguments.text() == R"({"x":7})");
    d.complete("b", "8");
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(an_error_of_a_suspended_run_is_taken_by_its_try_when_it_is_resumed) {
    driver d("\n  - careful: { try: [ { a: { call: t.once } } ], catch: { as: error, do: [ { note: { set: '${ $error.detail }' } } ] } }\n");
    d.start();
    suspend(d);
    d.fail("a", trouble());
    BOOST_TEST((d.s.status == run_status::suspended));
    store_and_load(d);
    unsuspend(d);
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.output() == "\"no\"");
    BOOST_TEST(d.steps.size() == 1u);  // recorded once, when it ended
}

BOOST_AUTO_TEST_CASE(the_last_call_of_a_suspended_run_does_not_end_it) {
    driver d("\n  - a: { call: t.pure }\n");
    d.start();
    suspend(d);
    d.complete("a", "1");
    BOOST_TEST((d.s.status == run_status::suspended));
    unsuspend(d);
    BOOST_TEST(d.output() == "1");
}

BOOST_AUTO_TEST_CASE(timers_that_fall_due_meanwhile_fire_when_it_is_resumed) {
    driver d("\n  - w: { wait: PT1H }\n  - out: { set: { done: true } }\n");
    d.start();
    suspend(d);
    d.pass(2h);
    BOOST_TEST((d.s.status == run_status::suspended));
    unsuspend(d);
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(an_answer_that_came_in_time_counts_though_the_deadline_passed_while_it_was_suspended) {
    driver d("\n  - a: { call: t.pure, timeout: { after: PT1H } }\n");
    d.start();
    suspend(d);
    d.complete("a", "1");
    d.pass(2h);
    unsuspend(d);
    BOOST_TEST(d.output() == "1");
}

BOOST_AUTO_TEST_CASE(events_wait_in_order_for_the_run_to_be_resumed) {
    driver d("\n  - l: { listen: { to: { any: [ { with: { type: bill } } ], until: '${ length >= 3 }' } } }\n");
    d.start();
    suspend(d);
    d.event("bill", "1").event("bill", "2");
    store_and_load(d);
    d.event("bill", "3");
    BOOST_TEST((d.s.status == run_status::suspended));
    BOOST_TEST(d.s.held_events.size() == 3u);
    unsuspend(d);
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.output() == "[1,2,3]");
}

BOOST_AUTO_TEST_CASE(a_call_that_nobody_has_seen_is_made_when_the_run_is_resumed_and_a_lost_one_as_after_a_crash) {
    driver d("\n  - both: { fork: { branches: [ { seen: { call: t.idempotent } }, { unseen: { call: t.once } }, { risky: { call: t.once } } ] } }\n");
    d.start();
    suspend(d, {"unseen"});
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"seen", "risky"}), boost::test_tools::per_element());
    const auto key = d.call("unseen").key;
    d.recover();  // another engine took over: nothing starts
    BOOST_TEST(d.last.calls.empty());
    BOOST_TEST((d.s.status == run_status::suspended));
    const auto t = unsuspend(d, {"seen", "risky"});
    // "risky" may have had its effect, and its run fails with an unknown outcome; the others are abandoned with it.
    BOOST_TEST((d.s.status == run_status::faulted));
    BOOST_TEST(d.s.error->title == "Unknown Outcome");

    driver e("\n  - both: { fork: { branches: [ { seen: { call: t.idempotent } }, { unseen: { call: t.once } } ] } }\n");
    e.start();
    suspend(e, {"unseen"});
    const auto again = unsuspend(e, {"seen"});
    BOOST_TEST_REQUIRE(again.calls.size() == 2u);
    for (const auto& intent : again.calls) BOOST_TEST(intent.recovered == (e.s.task_of(*e.s.find(intent.frame)).name == "seen"));
    BOOST_TEST(e.call("unseen").key == key);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_paused_before_it_begins_begins_when_it_is_resumed) {
    driver d("\n  - a: { call: t.pure }\n");
    run::suspend(d.s, {}, at(d));
    d.start("5");
    BOOST_TEST((d.s.status == run_status::suspended));
    BOOST_TEST(d.last.calls.empty());
    const auto t = unsuspend(d);
    BOOST_TEST(t.calls.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_suspended_run_can_be_ended) {
    driver d("\n  - a: { call: t.pure }\n");
    d.start();
    suspend(d);
    const auto t = run::terminate(d.s, "Terminated by me.", at(d));
    BOOST_TEST((d.s.status == run_status::cancelled));
    BOOST_TEST(d.s.error->title == "Terminated");
    BOOST_TEST(t.abandoned.size() == 1u);
}

BOOST_AUTO_TEST_CASE(suspended_and_resumed_are_told_and_each_time_with_another_id) {
    driver d("\n  - w: { wait: PT1H }\n");
    d.tell = true;
    d.start();
    const auto first = suspend(d);
    ++d.s.next_step;  // as the core does, which records the command
    const auto gone_on = unsuspend(d);
    ++d.s.next_step;
    const auto second = suspend(d);
    BOOST_TEST_REQUIRE((first.lifecycle.size() == 1u && gone_on.lifecycle.size() == 1u && second.lifecycle.size() == 1u));
    BOOST_TEST((first.lifecycle[0].phase == run::lifecycle_phase::suspended));
    BOOST_TEST((gone_on.lifecycle[0].phase == run::lifecycle_phase::resumed));
    BOOST_TEST((first.lifecycle[0].task == flow::no_task));
    BOOST_TEST(first.lifecycle[0].id != second.lifecycle[0].id);
}

BOOST_AUTO_TEST_CASE(a_faulted_run_goes_on_from_the_task_that_failed_with_its_key_and_context) {
    driver d("\n  - a: { call: t.pure, export: { as: '{ a: . }' } }\n  - block: { do: [ { b: { call: t.idempotent, with: { x: '${ $context.a }' } } } ] }\n  - out: { set: { b: '${ . }', a: '${ $context.a }' } }\n");
    d.start().complete("a", "7");
    const auto key = d.call("b").key;
    d.fail("b", trouble());
    BOOST_TEST((d.s.status == run_status::faulted));
    const auto t = retry(d);
    BOOST_TEST_REQUIRE(t.has_value());
    BOOST_TEST((d.s.status == run_status::running));
    BOOST_TEST_REQUIRE(t->calls.size() == 1u);
    BOOST_TEST(d.call("b").key == key);
    BOOST_TEST(d.call("b").arguments.text() == R"({"x":7})");
    d.complete("b", "8");
    BOOST_TEST(d.output() == R"({"b":8,"a":7})");
    BOOST_TEST(d.steps.back().seq == 3);
}

BOOST_AUTO_TEST_CASE(a_run_can_be_retried_until_it_succeeds) {
    driver d("\n  - each: { for: { in: '${ [1, 2] }' }, do: [ { b: { call: t.idempotent, with: { x: '${ $item }' } } } ] }\n");
    d.start().complete("b", "1");
    const auto key = d.call("b").key;
    for (int i = 0; i < 3; ++i) {
        d.fail("b", trouble());
        BOOST_TEST((d.s.status == run_status::faulted));
        BOOST_TEST_REQUIRE(retry(d).has_value());
        BOOST_TEST(d.call("b").key == key);
        BOOST_TEST(d.call("b").arguments.text() == R"({"x":2})");
    }
    d.complete("b", "2");
    BOOST_TEST(d.output() == "2");
}

BOOST_AUTO_TEST_CASE(what_was_under_way_beside_the_failed_task_is_done_again_and_what_was_done_is_not) {
    driver d("\n  - all: { fork: { branches: [ { done: { call: t.once } }, { under: { call: t.idempotent } }, { slow: { wait: PT1H } }, { fails: { call: t.once } } ] } }\n");
    d.start().complete("done", "1");
    const auto key = d.call("under").key;
    const auto frame = d.call("under").id;
    d.fail("fails", trouble());
    BOOST_TEST(d.abandoned.size() == 1u);
    const auto t = retry(d);
    BOOST_TEST_REQUIRE(t.has_value());
    BOOST_TEST(t->calls.size() == 2u);
    BOOST_TEST(d.call("under").key == key);
    BOOST_TEST(d.call("under").id != frame);  // a child of the first try is over
    d.complete("under", "2").complete("fails", "4").pass(1h);
    BOOST_TEST(d.output() == "[1,2,null,4]");
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_goes_on_where_it_was) {
    driver d("\n  - a: { call: t.pure }\n  - b: { call: t.pure }\n");
    d.start().complete("a", "1").cancel();
    BOOST_TEST_REQUIRE(retry(d).has_value());
    d.complete("b", "2");
    BOOST_TEST(d.output() == "2");
    BOOST_TEST(!d.s.error);
}

BOOST_AUTO_TEST_CASE(a_retry_may_begin_further_out) {
    const auto* flow = "\n  - a: { call: t.pure }\n  - block: { do: [ { first: { call: t.once } }, { second: { call: t.once } } ] }\n";
    driver d(flow);
    d.start().complete("a", "1").complete("first", "2").fail("second", trouble());
    const auto refused = retry(d, "a");
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("block/second") != std::string::npos, refused.error().detail);
    BOOST_TEST((d.s.status == run_status::faulted));
    const auto t = retry(d, "block");
    BOOST_TEST_REQUIRE(t.has_value());
    BOOST_TEST(d.open_calls() == std::vector<std::string>{"first"}, boost::test_tools::per_element());
    d.complete("first", "3").complete("second", "4");
    BOOST_TEST(d.output() == "4");
}

BOOST_AUTO_TEST_CASE(the_time_that_a_run_was_over_is_no_part_of_its_time_outs) {
    driver d("\n  - block: { timeout: { after: PT1H }, do: [ { b: { call: t.idempotent } } ] }\n", "timeout: { after: PT2H }\n");
    d.start().pass(30min);
    d.fail("b", trouble());
    d.now += 24h;
    BOOST_TEST_REQUIRE(retry(d).has_value());
    d.pass(20min);
    BOOST_TEST((d.s.status == run_status::running));
    d.pass(11min);
    BOOST_TEST(d.error_type() == "timeout");
    d.now += 24h;
    BOOST_TEST_REQUIRE(retry(d).has_value());  // the block itself was late: it has its whole time again
    d.pass(50min);
    BOOST_TEST((d.s.status == run_status::running));
    d.complete("b", "1");
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(a_run_that_was_late_as_a_whole_has_its_whole_time_again) {
    driver d("\n  - b: { call: t.idempotent }\n", "timeout: { after: PT2H }\n");
    d.start().pass(3h);
    BOOST_TEST(d.error_type() == "timeout");
    BOOST_TEST_REQUIRE(retry(d).has_value());
    d.pass(1h);
    d.complete("b", "1");
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_retried_says_why) {
    driver completed("\n  - a: { set: { n: 1 } }\n");
    completed.start();
    BOOST_TEST(run::retry(completed.s, "", at(completed)).error().detail.find("completed") != std::string::npos);
    driver output("\n  - a: { set: { n: 1 } }\n", "output: { as: '${ error(\"no\") }' }\n");
    output.start();
    BOOST_TEST((output.s.status == run_status::faulted));
    BOOST_TEST(run::retry(output.s, "", at(output)).error().detail.find("fork") != std::string::npos);
    driver pruned("\n  - a: { call: t.pure }\n");
    pruned.start().cancel();
    pruned.s.halt.reset();
    BOOST_TEST(run::retry(pruned.s, "", at(pruned)).error().detail.find("not stored") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_run_that_failed_while_it_was_handled_goes_on_in_the_handler) {
    driver d("\n  - careful: { try: [ { a: { call: t.once } } ], catch: { do: [ { mend: { call: t.once } } ] } }\n");
    d.start().fail("a", trouble()).fail("mend", trouble());
    BOOST_TEST((d.s.status == run_status::faulted));
    BOOST_TEST_REQUIRE(retry(d).has_value());
    BOOST_TEST(d.open_calls() == std::vector<std::string>{"mend"}, boost::test_tools::per_element());
    d.complete("mend", "1");
    BOOST_TEST(d.output() == "1");
}

BOOST_AUTO_TEST_SUITE_END()
