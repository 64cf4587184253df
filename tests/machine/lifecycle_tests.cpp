// What others are told of a run and its tasks (dsl.md, "Lifecycle Events").
#include "machine/driver.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;
namespace tt = boost::test_tools;

namespace {

struct told_driver : driver {
    using driver::driver;
    told_driver& begin(std::string_view input = "null") {
        tell = true;
        start(input);
        return *this;
    }
    /// "a started", "workflow completed"
    std::vector<std::string> told() const {
        std::vector<std::string> out;
        for (const auto& e : lifecycle) {
            // A task's creation always stands before its start: nothing to learn from it here.
            if (e.phase == run::lifecycle_phase::created) continue;
            out.push_back((e.task == flow::no_task ? std::string("workflow") : s.workflow->tasks[e.task].name) + " " + std::string(run::to_string(e.phase)));
        }
        return out;
    }
    std::size_t distinct_ids() const {
        std::set<std::string> ids;
        for (const auto& e : lifecycle) ids.insert(e.id);
        return ids.size();
    }
};

std::vector<std::string> list(std::initializer_list<std::string> items) { return items; }
problem communication() { return make_problem(problem_type::communication, "secret content"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle)

BOOST_AUTO_TEST_CASE(nothing_is_told_unless_somebody_asks) {
    driver d("\n  - a: { set: { n: 1 } }\n");
    d.start();
    BOOST_TEST(d.lifecycle.empty());
}

BOOST_AUTO_TEST_CASE(tasks_are_created_started_and_completed_in_order) {
    told_driver d(R"(
  - a: { set: { n: 1 } }
  - skipped: { if: '${ false }', set: { n: 2 } }
  - b: { do: [ { c: { set: { n: 3 } } } ] }
)");
    d.begin();
    BOOST_TEST(d.told() == list({"workflow started", "a started", "a completed", "b started", "c started", "c completed", "b completed", "workflow completed"}), tt::per_element());
    BOOST_TEST(d.lifecycle.size() == 11u);  // with three creations
    BOOST_TEST((d.lifecycle[1].phase == run::lifecycle_phase::created));
    BOOST_TEST(d.distinct_ids() == d.lifecycle.size());
}

BOOST_AUTO_TEST_CASE(an_error_faults_its_task_and_the_scopes_it_leaves_and_a_retry_is_told) {
    told_driver d(R"(
  - outer:
      try: [ { scope: { do: [ { ask: { call: t.pure } } ] } } ]
      catch: { retry: { limit: { attempt: { count: 2 } } }, do: [ { mend: { set: { ok: true } } } ] }
)");
    d.begin().fail("ask", communication());
    d.fail("ask", communication());
    BOOST_TEST(d.told() == list({"workflow started", "outer started", "scope started", "ask started", "ask faulted", "scope faulted", "outer retried", "scope started", "ask started",
                                 "ask faulted", "scope faulted", "mend started", "mend completed", "outer completed", "workflow completed"}),
               tt::per_element());
    BOOST_TEST(d.distinct_ids() == d.lifecycle.size());  // the second attempt has events of its own
    const auto faulted = std::find_if(d.lifecycle.begin(), d.lifecycle.end(), [](const auto& e) { return e.phase == run::lifecycle_phase::faulted; });
    BOOST_TEST_REQUIRE(faulted->error.has_value());
    BOOST_TEST(type_name_of(faulted->error->type) == "communication");
}

BOOST_AUTO_TEST_CASE(what_loses_a_race_or_is_cancelled_is_told_so) {
    told_driver d(R"(
  - race:
      fork: { compete: true, branches: [ { quick: { call: t.pure } }, { slow: { do: [ { ask: { call: t.once } } ] } } ] }
)");
    d.begin().complete("quick", "1");
    BOOST_TEST(d.told() == list({"workflow started", "race started", "quick started", "slow started", "ask started", "quick completed", "slow cancelled", "ask cancelled",
                                 "race completed", "workflow completed"}),
               tt::per_element());
    told_driver c("\n  - a: { do: [ { b: { call: t.once } } ] }\n");
    c.begin().cancel();
    BOOST_TEST(c.told() == list({"workflow started", "a started", "b started", "a cancelled", "b cancelled", "workflow cancelled"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(end_completes_the_scopes_around_it) {
    told_driver d(R"(
  - outer: { do: [ { last: { set: { n: 1 }, then: end } }, { never: { set: { n: 2 } } } ] }
)");
    d.begin();
    BOOST_TEST(d.told() == list({"workflow started", "outer started", "last started", "last completed", "outer completed", "workflow completed"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(iterations_and_visits_have_events_of_their_own) {
    told_driver d(R"(
  - loop: { for: { in: '${ [1, 2, 3] }' }, do: [ { body: { set: '${ . }' } } ] }
)");
    d.begin();
    BOOST_TEST(d.distinct_ids() == d.lifecycle.size());
    const auto told = d.told();
    BOOST_TEST(std::count(told.begin(), told.end(), "body completed") == 3);
}

BOOST_AUTO_TEST_CASE(a_listen_starts_and_completes_a_correlation_of_the_workflow) {
    told_driver d("\n  - a: { listen: { to: { one: { with: { type: x } } } } }\n");
    d.begin().event("y").event("x");
    BOOST_TEST(d.told() == list({"workflow started", "a started", "workflow correlation-started", "workflow correlation-completed", "a completed", "workflow completed"}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(ids_are_the_same_when_a_crash_makes_it_happen_again) {
    const std::string tasks = "\n  - a: { call: t.pure }\n  - b: { set: { n: 1 } }\n";
    told_driver first(tasks), second(tasks);
    first.begin().complete("a", "1");
    second.begin().recover();
    second.complete("a", "1");
    BOOST_TEST_REQUIRE(first.lifecycle.size() == second.lifecycle.size());
    for (std::size_t i = 0; i < first.lifecycle.size(); ++i) BOOST_TEST(first.lifecycle[i].id == second.lifecycle[i].id);
}

BOOST_AUTO_TEST_SUITE_END()
