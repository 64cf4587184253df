// A live run goes on in another version of its definition, or is refused with every reason.
#include "machine/driver.hpp"
#include "run/migrate.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;

namespace {

/// The definition that a driver of these tasks would run.
std::shared_ptr<const flow::workflow> version(std::string_view tasks) { return driver(tasks).s.workflow; }

}  // namespace

BOOST_AUTO_TEST_SUITE(migration)

BOOST_AUTO_TEST_CASE(a_waiting_run_goes_on_where_its_task_stands_now) {
    driver d("\n  - a: { call: t.once, export: { as: '{ a: . }' } }\n  - w: { wait: PT1H }\n  - out: { set: { old: true } }\n");
    d.start().complete("a", "7");
    const auto key_before = d.steps.at(0).key;
    const auto to = version("\n  - intro: { set: { x: 1 } }\n  - a: { call: t.once }\n  - w: { wait: PT5H }\n  - more: { call: t.pure }\n  - out: { set: { new: '${ $context.a }' } }\n");
    BOOST_TEST(run::migrate(d.s, to).empty());
    BOOST_TEST(d.s.workflow == to);
    d.pass(1h);  // the wait that began keeps its own end
    d.complete("more", "1");
    BOOST_TEST((d.s.status == run_status::completed));
    BOOST_TEST(d.output() == R"({"new":7})");
    BOOST_TEST(!key_before.empty());
}

BOOST_AUTO_TEST_CASE(calls_loops_tries_and_branches_under_way_move_with_their_names) {
    driver d(R"(
  - both:
      fork:
        branches:
          - one: { for: { in: '${ [1, 2] }' }, do: [ { ask: { call: t.pure, with: { n: '${ $item }' } } } ] }
          - two: { try: [ { dare: { call: t.once } } ], catch: { do: [ { mend: { set: { mended: true } } } ] } }
)");
    d.start().complete("ask", "10");
    const auto key = d.call("ask").key;
    const auto to = version(R"(
  - before: { set: { x: 1 } }
  - both:
      fork:
        branches:
          - two: { try: [ { dare: { call: t.once } } ], catch: { do: [ { first: { set: { n: 1 } } }, { mend: { set: { mended: new } } } ] } }
          - one: { for: { in: '${ [1, 2] }' }, do: [ { ask: { call: t.pure } }, { after: { set: '${ . + 1 }' } } ] }
)");
    BOOST_TEST(run::migrate(d.s, to).empty());
    BOOST_TEST(d.call("ask").key == key);
    d.complete("ask", "20");
    d.fail("dare", make_problem(problem_type::communication, "no"));
    BOOST_TEST(d.output() == R"([{"mended":"new"},21])");
}

BOOST_AUTO_TEST_CASE(every_live_frame_without_a_target_is_named_and_nothing_is_changed) {
    driver d("\n  - outer: { do: [ { gone: { call: t.once } } ] }\n");
    d.start();
    const auto before = d.s.workflow;
    const auto obstacles = run::migrate(d.s, version("\n  - outer: { do: [ { other: { call: t.once } } ] }\n"));
    BOOST_TEST_REQUIRE(obstacles.size() == 1u);
    BOOST_TEST(obstacles[0].task == "gone");
    BOOST_TEST(obstacles[0].pointer == "/do/0/outer/do/0/gone");
    BOOST_TEST(d.s.workflow == before);
    d.complete("gone", "1");
    BOOST_TEST((d.s.status == run_status::completed));
}

BOOST_AUTO_TEST_CASE(what_became_something_else_is_refused) {
    const auto reasons = [](std::string_view now, std::string_view then) {
        driver d(now);
        d.start();
        std::string all;
        for (const auto& o : run::migrate(d.s, version(then))) all += o.why + " ";
        return all;
    };
    BOOST_TEST(reasons("\n  - a: { call: t.once }\n", "\n  - a: { call: t.pure }\n").find("calls `t.pure`") != std::string::npos);
    BOOST_TEST(reasons("\n  - a: { call: t.once }\n", "\n  - a: { wait: PT1S }\n").find("another kind") != std::string::npos);
    BOOST_TEST(reasons("\n  - a: { for: { each: x, in: '${ [1] }' }, do: [ { b: { call: t.once } } ] }\n", "\n  - a: { for: { each: y, in: '${ [1] }' }, do: [ { b: { call: t.once } } ] }\n")
                   .find("local names") != std::string::npos);
    BOOST_TEST(reasons("\n  - a: { fork: { branches: [ { b: { call: t.once } }, { c: { call: t.once } } ] } }\n", "\n  - a: { fork: { branches: [ { b: { call: t.once } } ] } }\n")
                   .find("number of branches") != std::string::npos);
    BOOST_TEST(reasons("\n  - a: { listen: { to: { one: { with: { type: x } } } } }\n", "\n  - a: { listen: { to: { one: { with: { type: y } } } } }\n").find("listens") != std::string::npos);
    BOOST_TEST(reasons("\n  - a: { listen: { to: { one: { with: { type: x } } } } }\n", "\n  - z: { set: { n: 1 } }\n  - a: { listen: { to: { one: { with: { type: x } } } } }\n").empty());
}

BOOST_AUTO_TEST_CASE(a_run_that_yielded_goes_on_with_the_tasks_it_was_about_to_enter) {
    driver d("\n  - a: { set: { n: 1 } }\n  - b: { set: { n: 2 } }\n");
    d.budget = 1;
    d.start();
    BOOST_TEST(d.last.yielded);
    BOOST_TEST(run::migrate(d.s, version("\n  - a: { set: { n: 1 } }\n  - x: { set: { n: 5 } }\n")).size() == 1u);
    BOOST_TEST(run::migrate(d.s, version("\n  - x: { set: { n: 5 } }\n  - b: { set: { n: 3 } }\n")).empty());
    d.resume();
    BOOST_TEST(d.output() == R"({"n":3})");
}

BOOST_AUTO_TEST_SUITE_END()
