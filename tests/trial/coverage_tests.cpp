// What a run of cases reached, collected from the real machine: each kind of place is missing before a case reaches it, and there after.
#include "trial/judge.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

constexpr std::string_view flow = R"(
given:
  workflow:
    document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }
    do:
      - which:
          switch:
            - big: { when: .n > 10, then: over }
            - small: { when: .n > 5, then: over }
      - guarded: { if: .n == 1, set: { n: 1 } }
      - over: { for: { in: '${ .n as $n | [range($n)] }', each: x }, do: [ { nothing: { set: '${ . }' } } ] }
      - risky:
          try:
            - ask: { call: f }
          catch:
            retry: { delay: PT1S, limit: { attempt: { count: 2 } } }
            do: [ { given-up: { set: { failed: true } } } ]
      - both: { fork: { compete: true, branches: [ { fast: { set: { a: 1 } } }, { slow: { wait: PT1H } } ] } }
functions: { f: { safety: idempotent } }
)";

/// The places that the cases do not reach, as "name lack".
std::vector<std::string> missing(const std::string& cases) {
    static std::size_t seen = 0;
    const auto path = "coverage" + std::to_string(++seen) + ".test.yaml";
    auto read = trial::read_cases(std::string(flow) + cases, path);
    for (const auto& d : read.diagnostics) BOOST_ERROR(render(d));
    BOOST_TEST_REQUIRE(read.file.has_value());
    const auto project = agent::manifest_without_file("/");
    trial::runner runner(*read.file, project, {});
    trial::coverage covered;
    runner.measure(&covered);
    trial::judge judge(runner, {});
    for (const auto& each : read.file->cases) {
        const auto verdict = judge.examine(each);
        BOOST_TEST_INFO_SCOPE(each.name);
        BOOST_TEST(verdict.passed());
    }
    std::vector<std::string> out;
    for (const auto& [file, of] : covered.files()) {
        BOOST_TEST(file == path);
        for (const auto& [key, p] : of.places) {
            BOOST_TEST(p.mark.line > 0u);
            if (p.times == 0) out.push_back(p.name + " " + p.lack);
        }
    }
    return out;
}

bool holds(const std::vector<std::string>& all, std::string_view one) { return std::find(all.begin(), all.end(), one) != all.end(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(coverage)

BOOST_AUTO_TEST_CASE(one_case_leaves_the_other_ways_uncovered) {
    const auto lacks = missing("cases: [ { name: a, input: { n: 0 }, answers: [ { call: f, value: 1 } ], then: { status: completed } } ]\n");
    for (const auto* each : {"case `big` of task `which` was never taken", "case `small` of task `which` was never taken", "`if` of task `guarded` never held",
                             "`for` of task `over` never had exactly one round", "`for` of task `over` never had several rounds", "task `nothing` never ran",
                             "`catch` of task `risky` was never left without a retry", "`retry` of task `risky` never tried again", "task `given-up` never ran",
                             "branch `slow` of task `both` never won"}) {
        BOOST_TEST(holds(lacks, each), each);
    }
    for (const auto* each : {"`switch` of task `which` always had a case that fits", "`if` of task `guarded` always held", "task `ask` never ran", "`for` of task `over` never was without a round",
                             "branch `fast` of task `both` never won"}) {
        BOOST_TEST(!holds(lacks, each), each);
    }
}

BOOST_AUTO_TEST_CASE(more_cases_cover_all_that_can_happen) {
    const auto lacks = missing(R"(cases:
  - { name: none, input: { n: 0 }, answers: [ { call: f, value: 1 } ], then: { status: completed } }
  - { name: one, input: { n: 1 }, answers: [ { call: f, value: 1 } ], then: { status: completed } }
  - { name: six, input: { n: 6 }, answers: [ { call: f, error: runtime } ], then: { status: completed } }
  - { name: many, input: { n: 12 }, answers: [ { call: f, value: 1 } ], then: { status: completed } }
)");
    for (const auto& each : lacks) BOOST_TEST_INFO(each);
    BOOST_TEST(lacks.size() == 2u);
    BOOST_TEST(holds(lacks, "task `slow` never ran"));  // the other one has won before
    BOOST_TEST(holds(lacks, "branch `slow` of task `both` never won"));
}

BOOST_AUTO_TEST_CASE(a_recovered_error_tries_again_but_is_not_caught_for_good) {
    const auto lacks = missing("cases: [ { name: a, input: { n: 0 }, answers: [ { call: f, replies: [ { error: runtime }, { value: 1 } ] } ], then: { status: completed } } ]\n");
    BOOST_TEST(!holds(lacks, "`retry` of task `risky` never tried again"));
    BOOST_TEST(holds(lacks, "`catch` of task `risky` was never left without a retry"));
}

BOOST_AUTO_TEST_SUITE_END()
