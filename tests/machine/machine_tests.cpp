#include "machine/driver.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;
namespace tt = boost::test_tools;

namespace {
const std::vector<std::string> none;
std::vector<std::string> list(std::initializer_list<std::string> items) { return items; }
problem communication() { return make_problem(problem_type::communication, "no answer"); }
}  // namespace

BOOST_AUTO_TEST_SUITE(machine)

BOOST_AUTO_TEST_CASE(pure_tasks_run_to_the_end_in_one_event) {
    driver d(R"(
  - a: { set: { n: 1 } }
  - b: { set: { n: '${ .n + 1 }' }, export: { as: '{ seen: .n }' } }
  - c: { set: '${ { n: .n, context: $context, in: $workflow.input } }' }
)");
    d.start(R"({"x":1})");
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.output() == R"({"n":2,"context":{"seen":2},"in":{"x":1}})");
    BOOST_TEST(d.steps.empty());
}

BOOST_AUTO_TEST_CASE(directives_go_on_exit_end_and_jump) {
    driver d(R"(
  - first: { set: { trace: [first] }, then: third }
  - second: { set: '${ .trace += ["second"] }', then: end }
  - third: { set: '${ .trace += ["third"] }', then: second }
)");
    d.start();
    BOOST_TEST(d.output() == R"({"trace":["first","third","second"]})");

    driver nested(R"(
  - outer:
      do:
        - one: { set: { n: 1 }, then: exit }
        - two: { set: { n: 2 } }
  - after: { set: '${ .n + 10 }' }
)");
    nested.start();
    BOOST_TEST(nested.output() == "11");
}

BOOST_AUTO_TEST_CASE(a_skipped_task_passes_its_input_on_and_its_then_is_ignored) {
    driver d(R"(
  - maybe: { if: .go, set: { n: 1 }, then: end }
  - last: { set: '${ . + { last: 1 } }' }
)");
    d.start(R"({"go":false})");
    BOOST_TEST(d.output() == R"({"go":false,"last":1})");
}

BOOST_AUTO_TEST_CASE(a_call_waits_for_its_outcome_and_keeps_its_key) {
    driver d(R"(
  - ask: { call: t.pure, with: { q: '${ .q }' } }
  - tell: { set: '${ { a: . } }' }
)");
    d.start(R"({"q":42})");
    BOOST_TEST((d.s.status == run_status::running));
    BOOST_TEST(d.last.calls.size() == 1u);
    BOOST_TEST(d.call("ask").arguments.text() == R"({"q":42})");
    BOOST_TEST(d.call("ask").key.size() == 52u);
    d.complete("ask", "7");
    BOOST_TEST(d.output() == R"({"a":7})");
    BOOST_TEST(d.outcomes() == list({"ask completed"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(switch_takes_the_first_case_that_holds_or_the_default) {
    constexpr auto flow = R"(
  - choose:
      switch:
        - big: { when: .n > 10, then: large }
        - other: { then: small }
  - large: { set: large, then: end }
  - small: { set: small, then: end }
)";
    driver d(flow);
    d.start(R"({"n":11})");
    BOOST_TEST(d.output() == "\"large\"");
    driver e(flow);
    e.start(R"({"n":1})");
    BOOST_TEST(e.output() == "\"small\"");
}

BOOST_AUTO_TEST_CASE(for_carries_output_from_one_iteration_to_the_next) {
    driver d(R"~(
  - loop:
      for: { each: x, at: i, in: .items }
      while: $x != "stop"
      do:
        - add: { set: '${ { items: .items, got: ((.got // []) + ["\($i)\($x)"]) } }' }
      output: { as: .got }
)~");
    d.start(R"({"items":["a","b","stop","c"]})");
    BOOST_TEST(d.output() == R"(["0a","1b"])");
}

BOOST_AUTO_TEST_CASE(keys_differ_by_iteration_and_visit_but_not_by_attempt) {
    driver d(R"(
  - loop:
      for: { each: x, in: '[1, 2]' }
      do:
        - again:
            try:
              - pay: { call: t.idempotent, with: { x: '${ $x }' } }
            catch: { errors: { with: { type: communication } }, retry: { limit: { attempt: { count: 3 } } } }
)");
    d.start();
    const auto first = d.call("pay").key;
    const auto frame = d.call("pay").id;
    d.fail("pay", communication());
    BOOST_TEST(d.call("pay").key == first);
    BOOST_TEST(d.call("pay").id != frame);
    BOOST_TEST(d.call("pay").attempt == 2u);
    d.complete("pay", "1");
    BOOST_TEST(d.call("pay").key != first);
    d.complete("pay", "2");
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.outcomes() == list({"pay faulted", "pay completed", "pay completed"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(retries_back_off_exponentially_and_then_give_up) {
    driver d(R"(
  - again:
      try:
        - call: { call: t.pure, with: {} }
      catch:
        retry: { delay: PT1S, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } }
        do:
          - handle: { set: '${ { gaveUp: $error.status } }' }
)");
    d.start();
    d.fail("call", communication());
    BOOST_TEST((d.s.status == run_status::waiting));
    BOOST_TEST((d.s.due_at() == d.now + 1s));
    d.pass(999ms);
    BOOST_TEST(d.open_calls() == none, tt::per_element());
    d.pass(1ms);
    d.fail("call", communication());
    BOOST_TEST((d.s.due_at() == d.now + 2s));
    d.pass(2s);
    d.fail("call", communication());
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.output() == R"({"gaveUp":500})");
}

BOOST_AUTO_TEST_CASE(a_catch_that_only_retries_hands_the_last_error_on) {
    for (const std::string limit : {"limit: { attempt: { count: 2 } }", "delay: PT1S, limit: { duration: PT1.5S }", "when: .detail == \"try 1\"", "exceptWhen: .detail == \"try 2\""}) {
        BOOST_TEST_INFO_SCOPE(limit);
        driver d("\n  - again:\n      try: [ { call: { call: t.pure, with: {} } } ]\n      catch: { errors: { with: { type: communication } }, retry: { " + limit + " } }\n");
        d.start();
        auto last = communication();
        for (int tries = 1; tries <= 2 && d.s.status != run_status::faulted; ++tries) {
            last.detail = "try " + std::to_string(tries);
            d.fail("call", last);
            if (d.s.status == run_status::waiting) d.pass(1s);
        }
        BOOST_TEST_REQUIRE((d.s.status == run_status::faulted));
        BOOST_TEST(d.s.error->detail == "try 2");
        BOOST_TEST(d.s.error->instance == "/do/0/again/try/0/call");
    }
}

BOOST_AUTO_TEST_CASE(after_the_last_try_do_then_or_a_catch_without_retry_end_the_error) {
    for (const std::string how : {"retry: { limit: { attempt: { count: 1 } } }, do: [ { mend: { set: mended } } ]", "retry: { limit: { attempt: { count: 1 } } }, then: end", "errors: { with: { type: communication } }"}) {
        BOOST_TEST_INFO_SCOPE(how);
        driver d("\n  - again:\n      try: [ { call: { call: t.pure, with: {} } } ]\n      catch: { " + how + " }\n");
        d.start();
        d.fail("call", communication());
        BOOST_TEST((d.s.status == run_status::completed));
    }
}

BOOST_AUTO_TEST_CASE(an_error_nobody_catches_faults_the_run_with_its_place) {
    driver d(R"(
  - outer:
      try:
        - inner: { raise: { error: { type: https://example.com/errors/odd, status: 418, title: Odd } } }
      catch: { errors: { with: { status: 503 } } }
)");
    d.start();
    BOOST_TEST((d.s.status == run_status::faulted));
    BOOST_TEST(d.s.error->instance == "/do/0/outer/try/0/inner");
    BOOST_TEST(d.s.error->status == 418);
}

BOOST_AUTO_TEST_CASE(catch_sees_the_error_as_dot_and_by_name) {
    driver d(R"(
  - outer:
      try:
        - inner: { raise: { error: { type: communication, status: 503, title: T } } }
      catch:
        as: oops
        when: .status == 503 and $oops.title == "T"
        do: [ { say: { set: '${ $oops.status }' } } ]
        then: end
  - never: { set: never }
)");
    d.start();
    BOOST_TEST(d.output() == "503");
}

BOOST_AUTO_TEST_CASE(a_task_that_is_late_times_out_and_its_call_is_abandoned) {
    driver d(R"(
  - guarded:
      try:
        - slow: { call: t.pure, with: {}, timeout: { after: PT5S } }
      catch: { errors: { with: { type: timeout } }, do: [ { late: { set: '${ $error.status }' } } ] }
)");
    d.start();
    d.pass(5s);
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.output() == "408");
    BOOST_TEST(d.abandoned.size() == 1u);
    BOOST_TEST(d.abandoned[0].reason == "timeout");
    BOOST_TEST(d.outcomes() == list({"slow timeout"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(the_workflow_timeout_ends_the_run_and_cannot_be_caught) {
    driver d(R"(
  - guarded:
      try: [ { slow: { wait: PT1H } } ]
      catch: { do: [ { late: { set: caught } } ] }
)", "timeout: { after: PT1M }\n");
    d.start();
    d.pass(1min);
    BOOST_TEST((d.s.status == run_status::faulted));
    BOOST_TEST(d.error_type() == "timeout");
}

BOOST_AUTO_TEST_CASE(wait_ends_at_its_time_with_its_input) {
    driver d("  - pause: { wait: { seconds: 30 } }\n  - after: { set: '${ .x + 1 }' }\n");
    d.start(R"({"x":1})");
    BOOST_TEST((d.s.status == run_status::waiting));
    d.pass(30s);
    BOOST_TEST(d.output() == "2");
}

BOOST_AUTO_TEST_CASE(fork_joins_in_declared_order) {
    driver d(R"(
  - both:
      fork:
        branches:
          - a: { call: t.pure, with: { n: a } }
          - b: { call: t.pure, with: { n: b } }
)");
    d.start();
    BOOST_TEST(d.open_calls() == list({"a", "b"}), tt::per_element());
    d.complete("b", "2").complete("a", "1");
    BOOST_TEST(d.output() == "[1,2]");
}

BOOST_AUTO_TEST_CASE(a_competing_fork_ends_with_the_winner_and_abandons_the_rest) {
    driver d(R"(
  - race:
      fork:
        compete: true
        branches:
          - a: { call: t.pure, with: { n: a } }
          - b: { call: t.pure, with: { n: b } }
          - c: { wait: PT1H }
)");
    d.start();
    d.complete("b", "2");
    BOOST_TEST(d.output() == "2");
    BOOST_TEST(d.abandoned.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_branch_that_is_skipped_does_not_win_a_race) {
    driver d(R"(
  - race:
      fork:
        compete: true
        branches:
          - never: { if: .go, set: { won: never } }
          - slow: { wait: PT1S, output: { as: '{ won: "slow" }' } }
)");
    d.start(R"({"go":false})");
    BOOST_TEST((d.s.status == run_status::waiting));
    d.pass(1s);
    BOOST_TEST(d.output() == R"({"won":"slow"})");

    driver nobody(R"(
  - race: { fork: { compete: true, branches: [ { a: { if: .go, set: { n: 1 } } }, { b: { if: .go, set: { n: 2 } } } ] } }
)");
    nobody.start(R"({"go":false})");
    BOOST_TEST((nobody.s.status == run_status::completed));
    BOOST_TEST(nobody.output() == R"({"go":false})");  // nothing ran: the input goes on, as with any task that is skipped
}

BOOST_AUTO_TEST_CASE(an_error_in_one_branch_fails_the_fork) {
    driver d(R"(
  - outer:
      try:
        - both:
            fork:
              branches:
                - a: { call: t.pure, with: { n: a } }
                - b: { call: t.pure, with: { n: b } }
      catch: { do: [ { say: { set: '${ $error.instance }' } } ] }
)");
    d.start();
    d.fail("a", communication());
    BOOST_TEST(d.output() == "\"/do/0/outer/try/0/both/fork/branches/0/a\"");
    BOOST_TEST(d.abandoned.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_value_that_doubles_at_every_turn_faults_the_task_that_makes_it_too_large) {
    driver d(R"(
  - seed: { set: '${ "x" * 2000000 }' }
  - grow: { set: '${ [., .] }', then: grow }
)");
    d.start();
    BOOST_TEST((d.s.status == run_status::faulted));
    BOOST_TEST(d.s.error->instance == "/do/1/grow");
    BOOST_TEST(d.s.error->type == type_uri(problem_type::expression));
    BOOST_TEST(d.s.error->detail.find("larger than the limit of 16777216 bytes of JSON") != std::string::npos, d.s.error->detail);

    driver branches(R"(
  - seed: { set: '${ "x" * 6000000 }' }
  - both: { fork: { branches: [ a: { set: '${ . }' }, b: { set: '${ . }' } ] } }
  - again: { fork: { branches: [ a: { set: '${ . }' }, b: { set: '${ . }' } ] } }
)");
    branches.start();
    BOOST_TEST((branches.s.status == run_status::faulted));
    BOOST_TEST(branches.s.error->instance == "/do/2/again");
    BOOST_TEST(branches.s.error->detail.find("The branches of task `again` yield 24") != std::string::npos, branches.s.error->detail);
}

BOOST_AUTO_TEST_CASE(recovery_repeats_idempotent_calls_and_never_at_most_once_ones) {
    driver d("  - pay: { call: t.idempotent, with: { x: 1 } }\n");
    d.start();
    const auto key = d.call("pay").key;
    d.recover();
    BOOST_TEST_REQUIRE(d.last.calls.size() == 1u);
    BOOST_TEST(d.last.calls[0].recovered);
    BOOST_TEST(d.call("pay").key == key);

    driver once("  - pay: { call: t.once, with: { x: 1 } }\n");
    once.start();
    once.recover();
    BOOST_TEST((once.s.status == run_status::faulted));
    BOOST_TEST(once.s.error->title == "Unknown Outcome");
    BOOST_TEST(once.outcomes() == list({"pay unknown"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(a_parked_call_waits_and_is_asked_when_due) {
    driver d("  - ask: { call: t.idempotent, with: {} }\n");
    d.start();
    d.park("ask", 1h);
    BOOST_TEST((d.s.status == run_status::waiting));
    d.recover();
    BOOST_TEST(d.last.calls.empty());
    d.pass(1h);
    BOOST_TEST(d.last.due_calls.size() == 1u);
    d.complete("ask", "\"yes\"");
    BOOST_TEST(d.output() == "\"yes\"");
}

BOOST_AUTO_TEST_CASE(emit_outputs_the_event_with_a_deterministic_id) {
    std::string ids[2];
    for (auto& id : ids) {
        driver d("  - tell: { emit: { event: { with: { type: t.v1, data: { n: '${ .n }' } } } } }\n");
        d.start(R"({"n":1})");
        BOOST_TEST_REQUIRE(d.events.size() == 1u);
        id = d.events[0].id;
        BOOST_TEST(d.s.output->at("specversion").as_string() == "1.0");
        BOOST_TEST(d.s.output->at("data").at("n").as_int64() == 1);
    }
    BOOST_TEST(ids[0] == ids[1]);
}

BOOST_AUTO_TEST_CASE(an_event_that_no_reader_would_take_is_not_emitted) {
    // What is null is as if it were not there (CloudEvents JSON format, 3.1).
    driver d("\n  - tell: { emit: { event: { with: { type: x, id: '${ .id }', subject: '${ .subject }', data: '${ .data }' } } } }\n");
    d.start("{}");
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST_REQUIRE(d.events.size() == 1u);
    const auto& event = d.events.front().event->as_object();
    BOOST_TEST(event.at("id").is_string());
    BOOST_TEST(!event.contains("subject"));
    BOOST_TEST(event.at("data").is_null());

    driver number("\n  - tell: { emit: { event: { with: { type: x, subject: '${ .n }' } } } }\n");
    number.start(R"({"n":5})");
    BOOST_TEST(number.error_type() == "validation");
    BOOST_TEST(number.s.error->detail.find("`subject`") != std::string::npos, number.s.error->detail);
    BOOST_TEST(number.events.empty());

    driver nested("\n  - tell: { emit: { event: { with: { type: x, tenant: '${ .n }' } } } }\n");
    nested.start(R"({"n":{"a":1}})");
    BOOST_TEST(nested.error_type() == "validation");
    driver extension("\n  - tell: { emit: { event: { with: { type: x, tenant: '${ .n }' } } } }\n");
    extension.start(R"({"n":5})");
    BOOST_TEST(extension.events.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_long_pure_stretch_yields_and_goes_on) {
    driver d(R"(
  - loop:
      for: { each: x, in: '[range(100)]' }
      do: [ { add: { set: '${ { sum: ((.sum // 0) + $x) } }' } } ]
)");
    d.budget = 10;
    d.start("{}");
    int rounds = 0;
    while (d.last.yielded) {
        d.resume();
        ++rounds;
    }
    BOOST_TEST(d.output() == R"({"sum":4950})");
    BOOST_TEST(rounds > 10);
}

BOOST_AUTO_TEST_CASE(state_size_does_not_follow_the_age_of_a_loop) {
    driver d(R"(
  - loop:
      for: { each: x, in: '[range(1000)]' }
      do: [ { one: { call: t.pure, with: { x: '${ $x }' }, output: { as: '{ n: $x }' } } } ]
)");
    d.start("{}");
    for (int i = 0; i < 10; ++i) d.complete("one", "{}");
    const auto early = run::encode(d.s).text.size();
    for (int i = 0; i < 900; ++i) d.complete("one", "{}");
    BOOST_TEST(run::encode(d.s).text.size() <= early + 16);
}

BOOST_AUTO_TEST_CASE(large_values_become_blobs_once) {
    driver d(R"(
  - make: { set: '${ { big: ("x" * 5000) } }' }
  - use: { call: t.pure, with: { n: 1 }, output: { as: $input } }
  - again: { call: t.pure, with: { n: 2 } }
)");
    d.start("{}");
    const auto written = run::encode(d.s);
    BOOST_TEST(written.blobs.size() == 1u);
    BOOST_TEST(written.text.size() < 1500u);
}

BOOST_AUTO_TEST_CASE(steps_are_kept_only_where_an_expression_reads_them) {
    driver d(R"(
  - a: { call: t.pure, with: {} }
  - b: { call: t.pure, with: {} }
  - c: { call: t.pure, with: { a: '${ $steps.a.v }' } }
)");
    d.start();
    d.complete("a", R"({"v":1})").complete("b", R"({"v":2})");
    BOOST_TEST(d.call("c").arguments.text() == R"({"a":1})");
    BOOST_TEST(d.s.steps.size() == 1u);
}

BOOST_AUTO_TEST_CASE(schemas_guard_input_output_and_export) {
    driver d("  - a: { set: { n: 1 }, output: { schema: { document: { type: string } } } }\n");
    d.start();
    BOOST_TEST(d.error_type() == "validation");
    driver w("  - a: { set: { n: 1 } }\n", "input: { schema: { document: { type: object, required: [id] } } }\n");
    w.start("{}");
    BOOST_TEST(w.error_type() == "validation");
    BOOST_TEST(w.s.error->detail.find("id") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_export_schema_guards_the_context_also_where_nothing_is_exported) {
    // "defaults to the expression that returns the existing context", which is validated all the same (dsl.md, "Data Flow").
    driver d("\n  - a: { set: { n: 1 }, export: { as: '{ n: .n }' } }\n  - b: { set: {m: 1}, export: { schema: { document: { required: [m] } } } }\n");
    d.start("{}");
    BOOST_TEST(d.error_type() == "validation");
    BOOST_TEST(d.s.error->instance == "/do/1/b");

    driver fits("\n  - a: { set: { n: 1 }, export: { as: '{ n: .n }' } }\n  - b: { set: {m: 1}, export: { schema: { document: { required: [n] } } } }\n");
    fits.start("{}");
    BOOST_TEST(fits.output() == R"({"m":1})");

    driver heard("\n  - l: { listen: { to: { one: { with: { type: x } } } }, foreach: { export: { schema: { document: { type: object } } } } }\n");
    heard.start("{}").event("x");
    BOOST_TEST(heard.error_type() == "validation");
}

BOOST_AUTO_TEST_CASE(an_expression_that_fails_raises_an_expression_error_with_its_place) {
    driver d("  - a: { set: '${ .x + 1 }' }\n");
    d.start(R"({"x":{}})");
    BOOST_TEST(d.error_type() == "expression");
    BOOST_TEST(d.s.error->detail.find("test.yaml:3:") != std::string::npos, d.s.error->detail);
}

BOOST_AUTO_TEST_CASE(cancel_abandons_what_is_open) {
    driver d("  - a: { call: t.pure, with: {} }\n");
    d.start();
    d.cancel();
    BOOST_TEST((d.s.status == run_status::cancelled));
    BOOST_TEST(d.abandoned.size() == 1u);
    d.cancel();
    BOOST_TEST(d.abandoned.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_state_that_is_not_ours_is_refused) {
    driver d("  - a: { call: t.pure, with: {} }\n");
    d.start();
    for (const auto* text : {"", "{}", "[]", "{\"format\":1}", "{\"format\":1,\"values\":[],\"input\":0}", "{\"format\":2,\"values\":[]}",
                             R"({"format":1,"started":1,"input":0,"context":0,"values":[{"v":1}],"frames":[{"id":1,"task":99,"rawInput":0}]})",
                             R"({"format":1,"started":1,"input":0,"context":0,"values":[{"b":"gone"}]})"}) {
        BOOST_TEST(run::decode(text, "run-1", d.s.workflow, {}, {}).has_error(), text);
    }
}

BOOST_AUTO_TEST_CASE(the_state_of_a_loop_does_not_grow_with_its_age) {
    driver d("\n  - loop: { for: { each: n, in: '${ [range(2000)] }' }, do: [ { ask: { call: t.pure, with: { n: '${ $n }' } } } ] }\n");
    d.start();
    std::size_t young = 0;
    for (int i = 0; i < 1'500; ++i) {
        d.complete("ask", "{\"n\":1}");
        if (i == 999) young = run::encode(d.s).text.size();  // four digits from here on
    }
    const auto old = run::encode(d.s);
    BOOST_TEST(old.text.size() == young);
    BOOST_TEST(young < 800u);
    BOOST_TEST(old.blobs.size() == 1u);  // the collection: stored once, referenced by every checkpoint
}

BOOST_AUTO_TEST_SUITE_END()
