// Extensions in the pure machine: what runs, in which order, with which data, and that it survives the codec after every event.
#include "machine/driver.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;
namespace tt = boost::test_tools;

namespace {

constexpr std::string_view logging = R"yaml(use:
  extensions:
    - logging:
        extend: call
        before:
          - sendLog: { call: t.idempotent, with: { said: '${ "before \($task.name)" }', got: '${ . }' } }
        after:
          - sendLog: { call: t.idempotent, with: { said: '${ "after \($task.name)" }', got: '${ . }', output: '${ $task.output }' } }
)yaml";

}  // namespace

BOOST_AUTO_TEST_SUITE(machine_extensions)

BOOST_AUTO_TEST_CASE(before_and_after_run_around_the_task_and_do_not_touch_its_data) {
    driver d(R"yaml(
  - load: { input: { from: .order }, call: t.pure, with: { id: '${ .id }' }, output: { as: .total }, export: { as: '{ total: . }' } }
  - last: { set: '${ { total: ., context: $context } }' }
)yaml",
             logging);
    d.start(R"({"order":{"id":7}})");
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"sendLog"}), tt::per_element());
    BOOST_TEST(d.call("sendLog").arguments.text() == R"({"said":"before load","got":{"id":7}})");
    const auto before = d.call("sendLog").key;
    d.complete("sendLog", R"({"answer":"of the log"})");
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"load"}), tt::per_element());
    BOOST_TEST(d.call("load").arguments.text() == R"({"id":7})");
    d.complete("load", R"({"total":12})");
    BOOST_TEST(d.call("sendLog").arguments.text() == R"({"said":"after load","got":{"total":12},"output":{"total":12}})");
    BOOST_TEST(d.call("sendLog").key != before);
    d.complete("sendLog", R"({"answer":"of the log"})");
    BOOST_TEST(d.output() == R"({"total":12,"context":{"total":12}})");
}

BOOST_AUTO_TEST_CASE(exit_in_before_skips_the_task_and_puts_its_own_output_in_place) {
    driver d(R"yaml(
  - call1: { call: t.once, with: { endpoint: { uri: 'https://mocked.example/1' } }, output: { as: .content } }
  - call2: { call: t.once, with: { endpoint: { uri: 'https://real.example/1' } } }
)yaml",
             R"yaml(use:
  extensions:
    - mock:
        extend: call
        when: ($task.with.endpoint.uri | startswith("https://mocked")) and $task.call == "t.once" and $task.definition.call == $task.call
        before:
          - answer: { set: { statusCode: 200, content: { foo: bar } }, then: exit }
        after:
          - never: { call: t.pure }
)yaml");
    d.start();
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"call2"}), tt::per_element());
    BOOST_TEST(d.call("call2").input.text() == R"({"foo":"bar"})");
    d.complete("call2", "5");
    BOOST_TEST(d.output() == "5");
}

BOOST_AUTO_TEST_CASE(the_first_extension_is_the_outermost) {
    driver d(R"yaml(  - load: { set: '${ . + ["load"] }' }
)yaml",
             R"yaml(use:
  extensions:
    - one: { extend: all, before: [ a: { call: t.pure, with: { n: 1 } } ], after: [ a: { call: t.pure, with: { n: 4 } } ] }
    - two: { extend: set, before: [ a: { call: t.pure, with: { n: 2 } } ], after: [ a: { call: t.pure, with: { n: 3 } } ] }
)yaml");
    d.start("[]");
    std::set<std::string> keys;
    for (int n = 1; n <= 4; ++n) {
        BOOST_TEST_REQUIRE(d.open_calls().size() == 1u);
        BOOST_TEST(d.call("a").arguments.text() == "{\"n\":" + std::to_string(n) + "}");
        keys.insert(d.call("a").key);
        d.complete("a", "null");
    }
    BOOST_TEST(keys.size() == 4u);
    BOOST_TEST(d.output() == R"(["load"])");
}

BOOST_AUTO_TEST_CASE(directives_of_the_extended_task_count_after_the_extension) {
    driver d(R"yaml(
  - choose: { switch: [ far: { when: .far, then: third }, stop: { then: end } ] }
  - second: { set: second }
  - third: { call: t.pure, then: exit }
  - fourth: { set: fourth }
)yaml",
             R"yaml(use:
  extensions:
    - outer: { extend: switch, after: [ log: { call: t.pure } ] }
    - inner: { extend: switch, after: [ log: { call: t.pure } ] }
)yaml");
    d.start(R"({"far":true})");
    d.complete("log", "1");
    d.complete("log", "2");
    BOOST_TEST(d.open_calls() == (std::vector<std::string>{"third"}), tt::per_element());
    d.complete("third", "3");
    BOOST_TEST(d.output() == "3");

    driver stop(R"yaml(
  - choose: { switch: [ far: { when: .far, then: third }, stop: { then: end } ] }
  - third: { set: third }
)yaml",
                R"yaml(use: { extensions: [ only: { extend: switch, after: [ log: { call: t.pure } ] } ] }
)yaml");
    stop.start(R"({"far":false})");
    BOOST_TEST((stop.s.status == run_status::running));
    stop.complete("log", "1");
    BOOST_TEST(stop.output() == R"({"far":false})");
}

BOOST_AUTO_TEST_CASE(errors_pass_through_an_extension_and_name_the_task_of_the_document) {
    driver d(R"yaml(
  - careful:
      try:
        - load: { call: t.pure }
      catch: { as: e, do: [ tell: { set: { at: '${ $e.instance }', name: '${ $e.title }' } } ] }
)yaml",
             logging);
    d.start();
    d.complete("sendLog", "null");
    auto error = make_problem(problem_type::communication, "no answer");
    d.fail("load", error);
    BOOST_TEST(d.output().find(R"("at":"/do/0/careful/try/0/load")") != std::string::npos, d.output());

    driver in_before(R"yaml(  - load: { call: t.pure }
)yaml",
                     logging);
    in_before.start();
    in_before.fail("sendLog", error);
    BOOST_TEST_REQUIRE(in_before.s.error.has_value());
    BOOST_TEST(in_before.s.error->instance == "/use/extensions/0/logging/before/0/sendLog");
}

BOOST_AUTO_TEST_CASE(extensions_reach_into_loops_branches_and_functions_but_not_into_extensions) {
    driver d(R"yaml(
  - each: { for: { in: '[1, 2]' }, do: [ one: { call: t.pure, with: { n: '${ $item }' } } ] }
  - both: { fork: { branches: [ left: { call: t.pure }, right: { set: { r: 1 } } ] } }
  - own: { call: mine, with: { a: 1 } }
)yaml",
             R"yaml(use:
  functions:
    mine: { call: t.pure, with: { f: '${ .a }' } }
  extensions:
    - count: { extend: call, before: [ tick: { call: t.idempotent, with: { of: '${ $task.reference }' } } ] }
)yaml");
    d.start();
    std::vector<std::string> seen;
    std::set<std::string> keys;
    for (int i = 0; i < 40 && !is_final(d.s.status); ++i) {
        BOOST_TEST_REQUIRE(!d.open_calls().empty());
        const auto name = d.open_calls().front();
        keys.insert(d.call(name).key);
        seen.push_back(name == "tick" ? d.call(name).arguments.text() : name);
        d.complete(name, "0");
    }
    BOOST_TEST(seen == (std::vector<std::string>{R"({"of":"/do/0/each/do/0/one"})", "one", R"({"of":"/do/0/each/do/0/one"})", "one",
                                                 R"({"of":"/do/1/both/fork/branches/0/left"})", "left", R"({"of":"/do/2/own"})",
                                                 R"({"of":"/use/functions/mine"})", "mine"}),
               tt::per_element());
    BOOST_TEST(keys.size() == seen.size());
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(the_task_descriptor_tells_the_raw_output) {
    driver d(R"yaml(
  - load: { set: { total: 5, more: 6 }, output: { as: '{ total, raw: $task.output }' }, export: { as: '{ raw: $task.output, done: $output.total }' } }
  - last: { set: '${ { output: ., context: $context } }' }
)yaml");
    d.start();
    BOOST_TEST(d.output() == R"({"output":{"total":5,"raw":{"total":5,"more":6}},"context":{"raw":{"total":5,"more":6},"done":5}})");
}

BOOST_AUTO_TEST_CASE(the_time_limit_of_a_task_covers_its_extensions) {
    driver d(R"yaml(  - load: { call: t.pure, timeout: { after: PT5S } }
)yaml",
             logging);
    d.start();
    d.pass(6s);
    BOOST_TEST(d.error_type() == "timeout");
    BOOST_TEST(d.s.error->instance == "/do/0/load");
}

BOOST_AUTO_TEST_SUITE_END()
