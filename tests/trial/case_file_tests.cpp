#include "trial/case_file.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

/// What is told of a file, each mistake rendered.
std::string told(std::string_view text) {
    std::string out;
    for (const auto& d : trial::read_cases(text, "a.test.yaml").diagnostics) out += render(d, text) + "\n";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(case_files)

BOOST_AUTO_TEST_CASE(the_members_of_a_case_stand_before_those_of_its_file) {
    const auto read = trial::read_cases(R"(
given: { flow: shared.yaml, agent: a/shared, clock: '2030-01-01T00:00:00Z', secrets: { S: s } }
answers: [ { call: f, value: shared } ]
cases:
  - { name: one, then: { status: completed } }
  - name: two
    given: { agent: a/own/with/slashes, workflow: { document: {} } }
    answers: [ { call: f, replies: [ { error: timeout }, { value: 1, delay: PT5S } ] } ]
    then: { status: completed }
)", "a.test.yaml");
    BOOST_TEST_REQUIRE(read.file.has_value());
    const auto& one = read.file->cases[0];
    BOOST_TEST(one.given.flow == "shared.yaml");
    BOOST_TEST(one.given.key == "shared");
    BOOST_TEST(one.answers.size() == 1u);
    const auto& two = read.file->cases[1];
    BOOST_TEST(two.given.flow.empty());
    BOOST_TEST(two.given.workflow.is_object());
    BOOST_TEST(two.given.key == "own/with/slashes");
    BOOST_TEST(two.given.secrets.size() == 1u);
    BOOST_TEST_REQUIRE(two.answers.size() == 2u);
    BOOST_TEST(two.answers[0].replies[0].error.status == 408);
    BOOST_TEST((two.answers[0].replies[1].delay == std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_CASE(every_mistake_is_told_with_its_place_and_what_to_do) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"cases: []", "a.test.yaml:1:8: error: `cases` must"},
        {"case: []", "did you mean `cases`"},
        {"cases:\n  - name: x\n    given: { flow: f.yaml }\n    thn: {}\n    then: { status: completed }\n", "a.test.yaml:4:5: error: entry 1 of `cases` has the unknown property `thn`; did you mean `then`?"},
        {"cases:\n  - { name: x, then: { status: done }, given: { flow: f } }\n", "a.test.yaml:2:"},
        {"cases:\n  - { name: x, then: { status: completed } }\n", "this case names no flow"},
        {"cases:\n  - { name: x, given: { flow: f, state: {} }, then: { status: completed } }\n", "add `agent: NAME/KEY`"},
        {"cases:\n  - { name: x, given: { flow: f }, then: { status: completed } }\n  - { name: x, given: { flow: f }, then: { status: completed } }\n", "two cases are named \"x\""},
        {"cases:\n  - { name: x, given: { flow: f }, when: [ { wait: PT } ], then: { status: completed } }\n", "a.test.yaml:2:"},
        {"cases:\n  - { name: x, given: { flow: f, clock: yesterday }, then: { status: completed } }\n", "a.test.yaml:2:"},
        {"cases:\n  - { name: x, given: { flow: f }, answers: [ { call: f } ], then: { status: completed } }\n", "a.test.yaml:2:"},
        {"cases:\n  - { name: x, given: { flow: f }, then: { output: { $rnge: [1, 2] } } }\n", "did you mean `$range`"},
        {"functions: { f: { safety: sometimes } }\ncases:\n  - { name: x, given: { flow: f }, then: { status: completed } }\n", "a.test.yaml:1:"},
        {"functions: { f: { input: { type: 5 } } }\ncases:\n  - { name: x, given: { flow: f }, then: { status: completed } }\n", "a.test.yaml:1:"},
        {"a: b: c", "a.test.yaml:1:"},
        {"", "a case file starts with `given:` and `cases:`"},
        {"cases:\n  - { name: x, given: { flow: f }, answers: [ { call: f } ], then: { status: completed } }\n", "entry 1 of `answers` does not say what the answer is"},
        {"cases:\n  - { name: x, given: { flow: f }, answers: [ { call: f } ], then: { status: completed } }\n", "give one of `value`, `text`, `error`, `silence`, `replies` or `cassette`"},
        {"cases:\n  - { name: x, given: { flow: f }, when: [ { wait: 3 days } ], then: { status: completed } }\n", "`wait` takes an ISO 8601 duration, but is `3 days`"},
        {"cases:\n  - { name: x, given: { flow: f }, always: [ .a ], then: { status: completed } }\n", "entry 1 of `always` takes an expression, but is `.a`"},
        {"cases:\n  - { name: x, given: { flow: f, agent: desk }, then: { status: completed } }\n", "`agent` takes NAME/KEY, but is `desk`"},
        {"cases:\n  - { name: x, given: { flow: f }, when: [ { approve: a, by: b } ], then: { status: completed } }\n", "`- approve: { task: ask, by: maria }`"},
        {"cases:\n  - { name: x, given: { flow: f } }\n", "a case that expects nothing would always hold"},
        {"cases:\n  - { name: x, given: { flow: f }, then: {} }\n", "`then` expects nothing"},
        {"cases:\n  - { name: x, given: { flow: f }, then: { snapshot: [ouput] } }\n", "`snapshot` takes true, or a list of status, output"},
        {"cases:\n  - { name: x, given: { flow: f }, then: { output: { a: 1, $absent: true } } }\n", "the matcher `$absent` stands beside the member `a`"},
        {"[]", "a.test.yaml:1:1: error: the file must be an object"},
    };
    for (const auto& [text, expected] : table) {
        const auto all = told(text);
        BOOST_TEST(all.find(expected) != std::string::npos, text << "\n" << all);
    }
}

BOOST_AUTO_TEST_CASE(hostile_files_end_in_an_error) {
    BOOST_TEST(!told(std::string(100'000, '[')).empty());
    BOOST_TEST(!told("cases:\n  - &a [*a]\n").empty());
    BOOST_TEST(!told(std::string("\0\xff", 2)).empty());
    BOOST_TEST(!told("cases: " + std::string(10'000, '-')).empty());
}

BOOST_AUTO_TEST_SUITE_END()
