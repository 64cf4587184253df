// What a case says of things that are not there would hold for ever: it is told, with its place and what was meant.
#include "trial/judge.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

constexpr std::string_view pays = R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [
  { ask: { call: approval.request, with: { title: Pay? } } },
  { pay: { call: bank.pay, with: { amount: '${ .amount }' } } },
  { tell: { emit: { event: { with: { source: 'https://example.com/', type: com.example.paid } } } } } ] } }
functions: { bank.pay: { safety: idempotent } }
answers: [ { call: bank.pay, value: { paid: true } } ]
)";

agent::manifest with_agent() {
    agent::manifest out = agent::manifest_without_file("/");
    agent::agent_settings desk;
    desk.name = "desk";
    desk.state_schema = parse_json(R"({"type": "object", "properties": {"status": {"enum": ["new", "paid"]}, "facts": {"type": "object", "properties": {"amount": {"type": "number"}}}}, "additionalProperties": false})").value();
    desk.initial = json::object{{"status", "new"}};
    out.agents.emplace("desk", std::move(desk));
    return out;
}

/// "LINE:COLUMN: MESSAGE" of each trouble that the case has, whatever it expects.
std::string told(const std::string& text, std::size_t which = 0) {
    auto read = trial::read_cases(text, "names.test.yaml");
    for (const auto& d : read.diagnostics) BOOST_ERROR(render(d, text));
    BOOST_TEST_REQUIRE(read.file.has_value());
    const auto project = with_agent();
    trial::runner runner(*read.file, project, {});
    std::string out;
    for (std::size_t i = 0; i <= which; ++i) {
        out.clear();
        for (const auto& each : runner.mistaken_names(read.file->cases.at(i))) {
            const auto mark = read.file->document.mark_of(each.pointer);
            out += std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": " + each.message + "\n";
        }
    }
    return out;
}

std::string of_case(const std::string& rest) { return told(std::string(pays) + "cases:\n  - name: a\n    when: [ { approve: ask } ]\n    " + rest + "\n"); }

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(case_names)

BOOST_AUTO_TEST_CASE(what_would_hold_for_ever_is_told_with_its_place) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"then: { never: [bank.pya] }", "11:21: there is no function and no task `bank.pya`, so this would always hold; did you mean `bank.pay`?"},
        {"then: { state: { $absent: true } }", "`state` is never there (no agent is given), so this holds or fails whatever happens"},
        {"then: { output: { $not: '${ true }' } }", "this condition does not look at what was seen: it is true whatever happens"},
        {"then: { transitions: { $not: { $contains: [pya] } } }", "there is no task `pya`, so this holds or fails whatever happens; did you mean `pay`?"},
        {"then: { transitions: [ask, pay failed, tell] }", "there is no outcome `failed`"},
        {"then: { calls: { $each: { wiht: { $absent: true } } } }", "there is no member `wiht` here, so this holds or fails whatever happens; did you mean `with`?"},
        {"then: { calls: { $not: { $contains: [bank.pya] } } }", "there is no call `bank.pya`"},
        {"then: { calls: { $not: { $contains: [approval.request] } } }", "`calls` are those that the case answers; `approval.request` is among `transitions`"},
        {"then: { events: { $not: { $contains: [com.example.piad] } } }", "there is no event that a flow of this case emits: `com.example.piad`"},
        {"then: { approvals: [ { status: accepted } ] }", "there is no status of a question `accepted`"},
        {"then: { runs: [ { status: { $not: done } } ] }", "there is no status of a run `done`"},
        {"then: { store: { agents: { dsek/1: { $absent: true } } } }", "the project has no agent for `dsek/1`, so this holds or fails whatever happens; did you mean `desk`?"},
        {"then: { output: '${ $seen.statsu != 1 }' }", "there is no member `statsu` here"},
        {"then: { log: { $not: { $contains: [ { level: warn } ] } } }", "there is no level `warn`"},
        {"then: { status: completed }\n    always: ['${ .statsu != \"faulted\" }']", "12:15: there is no member `statsu` here, so this holds or fails whatever happens; did you mean `status`?"},
        {"then: { status: completed }\n    always: ['${ .status != \"fualted\" }']", "there is no status of a run `fualted`, so this holds or fails whatever happens; did you mean `faulted`?"},
        {"then: { status: completed }\n    always: ['${ .state.status != \"paid\" }']", "`state` is never there (no agent is given)"},
        {"then: { status: completed }\n    always: ['${ [.calls[] | select(.function == \"bank.pya\")] | length <= 1 }']", "did you mean `bank.pay`?"},
        {"then: { status: completed }\n    always: ['${ 1 == 1 }']", "it is true whatever happens"},
        {"answers: [ { call: approval.request, value: 1 } ]\n    then: { status: completed }", "decide under `when`: { approve: TASK }"},
        {"answers: [ { task: pya, value: 1 } ]\n    then: { status: completed }", "the flow of this case has no task `pya`"},
        {"table: { task: pya, rows: [ { expect: 1 } ] }", "the flow of this case has no task `pya`, so no row can hold; did you mean `pay`?"},
        {"given: { agent: desk/1 }\n    then: { state: { statsu: { $absent: true } } }", "there is no member `statsu` here"},
        {"given: { agent: desk/1 }\n    then: { state: { status: { $not: piad } } }", "there is no value `piad` here"},
        {"given: { agent: desk/1 }\n    then: { state: { facts: { amuont: { $absent: true } } } }", "did you mean `amount`?"},
        {"given: { agent: desk/1 }\n    then: { meta: { lastEror: { $absent: true } } }", "did you mean `lastError`?"},
    };
    for (const auto& [rest, expected] : table) BOOST_TEST(says(of_case(rest), expected), rest << "\n" << of_case(rest));
}

BOOST_AUTO_TEST_CASE(short_forms_and_conditions_are_understood_within_matchers_too) {
    // Each of these held for ever: a name was held against a whole item.
    const auto findings = [](const std::string& then) {
        const auto text = std::string(pays) + "cases:\n  - { name: a, when: [ { approve: ask } ], then: " + then + " }\n";
        auto read = trial::read_cases(text, "names.test.yaml");
        BOOST_TEST_REQUIRE(read.file.has_value(), then);
        const auto project = with_agent();
        trial::runner runner(*read.file, project, {});
        std::size_t count = 0;
        trial::judge judge(runner, {});
        const auto verdict = judge.examine(read.file->cases.front());
        for (const auto& f : verdict.findings) count += f.wrong ? 100 : 1;
        return count;
    };
    for (const std::string fails : {"{ transitions: { $not: { $contains: [pay] } } }", "{ calls: { $not: { $contains: [bank.pay] } } }", "{ events: { $not: [com.example.paid] } }", "{ calls: { $each: { $not: bank.pay } } }",
                                    "{ transitions: { $oneOf: [ [ask], [pay] ] } }", "{ transitions: [ask, { $oneOf: [tell, ask] }, tell] }", "{ took: { $not: PT0H } }", "{ calls: ['${ .with.amount == 7 }'] }"}) {
        BOOST_TEST(findings(fails) == 1u, fails);
    }
    for (const std::string holds : {"{ transitions: { $not: { $contains: [pay faulted] } } }", "{ transitions: { $oneOf: [ [ask], [ask, pay, tell] ] } }", "{ transitions: [ask, { $oneOf: [pay, ask] }, { $not: pay }] }",
                                    "{ calls: ['${ .with.amount == null }'], took: { $oneOf: [PT1H, PT0H] } }", "{ error: { $not: timeout } }"}) {
        BOOST_TEST(findings(holds) == 0u, holds);
    }
}

BOOST_AUTO_TEST_CASE(matchers_that_hold_for_everything_or_nothing_are_mistakes_of_the_file) {
    for (const auto& [then, expected] : std::vector<std::pair<std::string, std::string>>{{"{ output: { n: { $range: [null, null] } } }", "`$range` with two open ends holds for every number"},
                                                                                         {"{ output: { n: { $range: [5, 1] } } }", "nothing is in this range: 5 is more than 1"},
                                                                                         {"{ took: { $range: [P2D, PT5S] } }", "nothing is in this range"},
                                                                                         {"{ output: { $oneOf: [] } }", "`$oneOf` of nothing never holds"},
                                                                                         {"{ calls: { $contains: [] } }", "`$contains` of nothing always holds; an empty list is `[]`"},
                                                                                         {"{ calls: { $size: many } }", "`$size` takes a number"},
                                                                                         {"{ calls: { $size: -1 } }", "no size is less than 0"}}) {
        const auto read = trial::read_cases(std::string(pays) + "cases:\n  - { name: a, then: " + then + " }\n", "names.test.yaml");
        BOOST_TEST(!read.file.has_value(), then);
        BOOST_TEST_REQUIRE(!read.diagnostics.empty(), then);
        BOOST_TEST(says(read.diagnostics.front().message, expected), read.diagnostics.front().message);
    }
}

BOOST_AUTO_TEST_CASE(what_can_be_otherwise_is_not) {
    for (const std::string rest : {"then: { status: completed, error: { $absent: true }, output: { other: { $absent: true } }, log: [], runs: [ { status: completed } ] }",
                                   "then: { transitions: [ask, pay, tell], calls: [ { function: bank.pay, with: { amount: { $absent: true } }, answers: [value] } ], events: [com.example.paid] }",
                                   "then: { transitions: { $inOrder: [ { task: pay, function: bank.pay }, { function: emit } ], $size: 3 }, took: PT0S, never: [run.workflow] }",
                                   "given: { agent: desk/1 }\n    then: { state: { status: paid, facts: { other: 1 } }, meta: { status: idle }, store: { agents: { desk/2: { $absent: true } } } }",
                                   "then: { status: completed }\n    always: ['${ .status != \"faulted\" or .error.type == \"x\" }', '${ [.calls[] | select(.function == \"bank.pay\")] | length <= 1 }']",
                                   "then: { output: { $exactly: { statsu: 1 } } }"}) {
        BOOST_TEST(of_case(rest).empty(), rest << "\n" << of_case(rest));
    }
}

BOOST_AUTO_TEST_CASE(what_stands_for_all_cases_is_wrong_only_where_no_case_can_mean_it) {
    const std::string file = R"(
always: ['${ .state.status != "piad" }', '${ [.calls[] | select(.function == "f")] | length <= 1 }', '${ .statsu != 1 }']
functions: { f: { safety: pure }, g: { safety: pure } }
answers: [ { task: one, value: 1 }, { task: two, value: 1 }, { task: tow, value: 1 } ]
cases:
  - name: a
    given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { one: { call: f } } ] } }
    then: { output: 1 }
  - name: b
    given: { agent: desk/1, workflow: { document: { dsl: '1.0.3', namespace: t, name: u, version: '1.0.0' }, do: [ { two: { call: g } } ] } }
    then: { output: 1 }
)";
    const auto first = told(file);
    BOOST_TEST(says(first, "2:11: there is no value `piad` here"), first);
    BOOST_TEST(says(first, "there is no member `statsu` here"), first);
    BOOST_TEST(says(first, "no flow of this file has no task") == false, first);
    BOOST_TEST(says(first, "no flow of this file has a task `tow`, so this answer is never given; did you mean `two`?"), first);
    BOOST_TEST(!says(first, "`one`"), first);
    BOOST_TEST(!says(first, "`f`"), first);
    BOOST_TEST(told(file, 1).empty(), told(file, 1));  // told once, not with every case
}

BOOST_AUTO_TEST_SUITE_END()
