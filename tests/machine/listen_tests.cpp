// listen in the pure machine: every strategy, filters, correlations, foreach. The driver takes the state through the codec after every event, so that each
// test also shows that a half-consumed listen survives a crash.
#include "machine/driver.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;
namespace tt = boost::test_tools;

namespace {

using types = std::set<std::string>;

driver hears(const std::string& to, std::string_view more = "") {
    driver d("\n  - hear:\n      listen: { to: " + to + std::string(more.empty() ? "" : ", ") + std::string(more) + " }\n");
    d.start(R"({"order":"A-1"})");
    return d;
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(types)

BOOST_AUTO_TEST_SUITE(machine_listen)

BOOST_AUTO_TEST_CASE(one_waits_for_its_event_and_outputs_its_data) {
    auto d = hears("{ one: { with: { type: paid } } }");
    BOOST_TEST(waits(d));
    BOOST_TEST((run::subscriptions(d.s) == types{"paid"}));
    d.event("sent", "1");
    BOOST_TEST(waits(d));
    d.event("paid", R"({"sum":5})");
    BOOST_TEST(d.output() == R"([{"sum":5}])");
    BOOST_TEST(d.outcomes() == (std::vector<std::string>{"hear completed"}), tt::per_element());
    BOOST_TEST(d.steps.at(0).function == "listen");
    BOOST_TEST(run::subscriptions(d.s).empty());
    d.event("paid", "6");  // too late: without effect
    BOOST_TEST(d.output() == R"([{"sum":5}])");
}

BOOST_AUTO_TEST_CASE(all_takes_one_event_for_each_filter_in_the_order_of_arrival) {
    auto d = hears("{ all: [ { with: { type: a } }, { with: { type: b } }, { with: { type: a } } ] }");
    d.event("b", "1").event("b", "2");
    BOOST_TEST((run::subscriptions(d.s) == types{"a"}));
    d.event("a", "3");
    BOOST_TEST(waits(d));
    d.event("a", "4");
    BOOST_TEST(d.output() == "[1,3,4]");
}

BOOST_AUTO_TEST_CASE(any_takes_the_first_that_fits_and_an_empty_any_takes_everything) {
    auto d = hears("{ any: [ { with: { type: a } }, { with: { type: b } } ] }");
    BOOST_TEST((run::subscriptions(d.s) == types{"a", "b"}));
    d.event("c").event("b", "2");
    BOOST_TEST(d.output() == "[2]");
    auto e = hears("{ any: [] }");
    BOOST_TEST((run::subscriptions(e.s) == types{""}));
    e.event("whatever", "7");
    BOOST_TEST(e.output() == "[7]");
}

BOOST_AUTO_TEST_CASE(until_an_expression_over_what_was_consumed_holds) {
    auto d = hears("{ any: [ { with: { type: a } } ], until: '(map(.n) | add) >= 6' }");
    d.event("a", R"({"n":1})").event("b", R"({"n":100})").event("a", R"({"n":2})");
    BOOST_TEST(waits(d));
    d.event("a", R"({"n":3})");
    BOOST_TEST(d.output() == R"([{"n":1},{"n":2},{"n":3}])");
}

BOOST_AUTO_TEST_CASE(events_that_end_the_listening_are_no_part_of_its_output) {
    auto d = hears("{ any: [ { with: { type: a } } ], until: { one: { with: { type: stop } } } }");
    BOOST_TEST((run::subscriptions(d.s) == types{"a", "stop"}));
    d.event("a", "1").event("a", "2").event("stop", "99");
    BOOST_TEST(d.output() == "[1,2]");

    auto both = hears("{ any: [], until: { all: [ { with: { type: x } }, { with: { type: y } } ] } }");
    both.event("y", "98").event("a", "1").event("y", "2").event("x", "99");
    BOOST_TEST(both.output() == "[1,2]");
    auto none = hears("{ any: [], until: { any: [] } }");
    none.event("a", "1");
    BOOST_TEST(none.output() == "[]");
}

BOOST_AUTO_TEST_CASE(events_are_read_as_data_envelope_or_raw) {
    const std::string all = "{ any: [], until: 'length == 2' }";
    auto envelope = hears(all, "read: envelope");
    envelope.event("a", "1").event("b", "2");
    BOOST_TEST(envelope.s.output->at_pointer("/1/type").as_string() == "b");
    BOOST_TEST(envelope.s.output->at_pointer("/1/id").as_string() == "e2");
    auto raw = hears(all, "read: raw");
    raw.event("a", R"({"n":1})").event("b", R"("text")");
    BOOST_TEST(raw.output() == R"(["{\"n\":1}","text"])");
}

BOOST_AUTO_TEST_CASE(filters_compare_constants_patterns_expressions_and_data) {
    const auto takes = [](const std::string& with, std::string_view type, std::string_view data, std::string_view more = {}) {
        auto d = hears("{ one: { with: " + with + " } }");
        d.event(type, data, more);
        BOOST_TEST(!d.s.error, (d.s.error ? d.s.error->detail : std::string()));
        return d.s.status == run_status::completed;
    };
    BOOST_TEST(takes("{ source: /test }", "a", "1"));
    BOOST_TEST(!takes("{ source: /tes }", "a", "1"));
    BOOST_TEST(!takes("{ subject: x }", "a", "1"));
    BOOST_TEST(takes("{ subject: '${ .order }' }", "a", "1", R"("subject":"A-1")"));
    BOOST_TEST(!takes("{ subject: '${ .order }' }", "a", "1", R"("subject":"A-2")"));
    BOOST_TEST(takes("{ type: 'com\\.example\\.(paid|sent)' }", "com.example.sent", "1"));
    BOOST_TEST(!takes("{ type: 'com\\.example\\.(paid|sent)' }", "com.example.sent.late", "1"));
    BOOST_TEST(takes("{ type: 'a(b' }", "a(b", "1"));  // no regular expression, but itself
    BOOST_TEST(takes("{ priority: 3 }", "a", "1", R"("priority":3.0)"));
    BOOST_TEST(takes("{ data: '${ .t > 38 }' }", "a", R"({"t":39})"));
    BOOST_TEST(!takes("{ data: '${ .t > 38 }' }", "a", R"({"t":37})"));
    BOOST_TEST(!takes("{ data: '${ .t > 38 }' }", "a", R"("no object")"));  // fails on this event: it does not match
    BOOST_TEST(takes("{ data: { kind: x, n: { m: '${ .n.m }' } } }", "a", R"({"kind":"x","n":{"m":2,"o":1},"more":true})"));
    BOOST_TEST(!takes("{ data: { kind: x } }", "a", R"({"kind":"y"})"));
}

BOOST_AUTO_TEST_CASE(an_expression_over_the_input_that_fails_faults_the_task) {
    auto d = hears("{ one: { with: { subject: '${ .order.number }' } } }");
    d.event("a", "1", R"("subject":"x")");
    BOOST_TEST(d.error_type() == "expression");
    BOOST_TEST(d.s.error->instance == "/do/0/hear");
}

BOOST_AUTO_TEST_CASE(the_first_value_of_a_correlation_is_what_the_others_must_have) {
    auto d = hears("{ all: [ { with: { type: t }, correlate: { room: { from: .roomid } } }, { with: { type: h }, correlate: { room: { from: .roomid } } } ] }");
    d.event("t", "1", R"("roomid":"kitchen")").event("h", "2", R"("roomid":"bath")").event("h", "3");
    BOOST_TEST(waits(d));
    d.event("h", "4", R"("roomid":"kitchen")");
    BOOST_TEST(d.output() == "[1,4]");
}

BOOST_AUTO_TEST_CASE(a_value_is_pinned_only_by_an_event_that_is_taken) {
    auto d = hears("{ one: { with: { type: t }, correlate: { a: { from: .room }, b: { from: .data.n, expect: 7 } } } }");
    d.event("t", R"({"n":1})", R"("room":"x")").event("t", R"({"n":7})", R"("room":"y")");
    BOOST_TEST(d.output() == R"([{"n":7}])");
}

BOOST_AUTO_TEST_CASE(an_expected_value_is_a_constant_or_an_expression_over_the_input) {
    auto d = hears("{ one: { with: { type: t }, correlate: { order: { from: .data.order, expect: '${ .order }' } } } }");
    d.event("t", R"({"order":"A-2"})");
    BOOST_TEST(waits(d));
    d.event("t", R"({"order":"A-1"})");
    BOOST_TEST(d.output() == R"([{"order":"A-1"}])");
}

BOOST_AUTO_TEST_CASE(foreach_goes_through_the_events_one_at_a_time_with_keys_of_their_own) {
    driver d(R"yaml(
  - hear:
      listen: { to: { any: [ { with: { type: a } } ], until: { one: { with: { type: stop } } } } }
      foreach:
        item: event
        at: i
        do: [ work: { call: t.idempotent, with: { got: '${ $event }', at: '${ $i }', in: '${ . }' } } ]
        output: { as: '{ out: ., i: $i, e: $event }' }
        export: { as: '($context // []) + [$output.out]' }
  - last: { set: { all: '${ . }', context: '${ $context }' } }
)yaml");
    d.start().event("a", "10").event("a", "11").event("stop");
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"work"}), tt::per_element());
    BOOST_TEST(d.call("work").arguments.text() == R"({"got":10,"at":0,"in":10})");
    const auto first = d.call("work").key;
    d.event("a", "12");  // after the end of the listening
    d.complete("work", R"("x")");
    BOOST_TEST(d.call("work").arguments.text() == R"({"got":11,"at":1,"in":11})");
    BOOST_TEST(d.call("work").key != first);
    d.complete("work", R"("y")");
    BOOST_TEST(d.output() == R"({"all":[{"out":"x","i":0,"e":10},{"out":"y","i":1,"e":11}],"context":["x","y"]})");
}

BOOST_AUTO_TEST_CASE(until_is_asked_after_each_event_that_foreach_went_through) {
    driver d(R"yaml(
  - hear:
      listen: { to: { any: [], until: '($context | length) == 2' } }
      foreach: { export: { as: '($context // []) + [$item]' } }
)yaml");
    d.start().event("a", "1").event("b", "2").event("c", "3");
    BOOST_TEST(d.output() == "[1,2]");
}

BOOST_AUTO_TEST_CASE(a_listen_that_never_ends_gathers_nothing) {
    driver d(R"yaml(
  - hear:
      listen: { to: { any: [], until: '${ false }' } }
      foreach: { do: [ work: { call: t.pure, with: { n: '${ $item }' } } ] }
)yaml");
    d.start();
    const auto size_after = [&](int events) {
        for (int i = 0; i < events; ++i) d.event("a", "1").complete("work", R"("a result that would take room")");
        return run::encode(d.s).text.size();
    };
    const auto few = size_after(10), more = size_after(90);
    BOOST_TEST(more <= few + 8);  // the counters are longer
    BOOST_TEST(waits(d));
}

BOOST_AUTO_TEST_CASE(a_timeout_ends_a_listen_and_what_its_foreach_does) {
    driver d(R"yaml(
  - guarded:
      try:
        - hear:
            listen: { to: { any: [], until: 'length == 3' } }
            foreach: { do: [ work: { call: t.pure, with: {} } ] }
            timeout: { after: PT10S }
      catch: { errors: { with: { type: timeout } }, do: [ late: { set: { late: true } } ] }
)yaml");
    d.start().event("a").pass(9s);
    BOOST_TEST(d.open_calls().size() == 1u);
    d.pass(2s);
    BOOST_TEST(d.output() == R"({"late":true})");
    BOOST_REQUIRE(d.abandoned.size() == 1u);
    BOOST_TEST(d.abandoned[0].reason == "timeout");
    BOOST_TEST(run::subscriptions(d.s).empty());
}

BOOST_AUTO_TEST_CASE(an_error_in_foreach_is_an_error_of_the_listen) {
    driver d(R"yaml(
  - hear: { listen: { to: { any: [] } }, foreach: { do: [ no: { raise: { error: { type: https://example.com/no, status: 400 } } } ] } }
)yaml");
    d.start().event("a");
    BOOST_TEST(d.error_type() == "no");
    BOOST_TEST(d.s.error->instance == "/do/0/hear/foreach/do/0/no");
}

BOOST_AUTO_TEST_CASE(every_live_listen_gets_the_event_and_later_ones_wait_for_the_next) {
    driver d(R"yaml(
  - both:
      fork:
        branches:
          - left: { do: [ first: { listen: { to: { one: { with: { type: a } } } } }, second: { listen: { to: { one: { with: { type: a } } } } } ] }
          - right: { listen: { to: { one: { with: { type: a } } } } }
)yaml");
    d.start().event("a", "1");
    BOOST_TEST(waits(d));
    d.event("a", "2");
    BOOST_TEST(d.output() == "[[2],[1]]");
}

BOOST_AUTO_TEST_CASE(a_listen_has_everything_a_task_has) {
    driver d(R"yaml(
  - skipped: { if: .no, listen: { to: { any: [] } } }
  - hear:
      input: { from: '{ wanted: .order }' }
      listen: { to: { one: { with: { subject: '${ .wanted }' } } } }
      output: { as: '.[0]' }
      export: { as: '{ heard: $output }' }
      then: last
  - never: { set: { never: true } }
  - last: { set: '${ $context }' }
)yaml");
    d.start(R"({"order":"A-1"})").event("a", "5", R"("subject":"A-1")");
    BOOST_TEST(d.output() == R"({"heard":5})");
}

BOOST_AUTO_TEST_CASE(a_listen_holds_a_bounded_number_of_events) {
    driver d("\n  - hear: { listen: { to: { any: [], until: { one: { with: { type: stop } } } } } }\n");
    d.start();
    run::surroundings w;
    w.now = d.now;
    const run::value_ref event(json::value{{"id", "1"}, {"source", "/"}, {"type", "a"}});
    for (int i = 0; i < 10'000; ++i) run::event_arrived(d.s, event, w);
    BOOST_TEST(waits(d));
    run::event_arrived(d.s, event, w);
    BOOST_TEST(d.error_type() == "runtime");
    BOOST_TEST(d.s.error->detail.find("10000 events") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
