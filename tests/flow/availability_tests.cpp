// dsl.md, "Runtime expression arguments": every cell of the table, and the two modes of `evaluate`.
#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace pawl;
using namespace pawl::flow_tests;

namespace {

struct place {
    std::string name, form;  ///< `@` is the expression
    std::string available;   ///< names, with blanks around each
};

const std::vector<place>& places() {
    static const std::vector<place> all{
        {"workflow input.from", "input: { from: '@' }\ndo: [ t: { set: { a: 1 } } ]\n", " secrets workflow runtime "},
        {"task if", "do: [ t: { if: '@', set: { a: 1 } } ]\n", " context secrets task workflow runtime "},
        {"task input.from", "do: [ t: { input: { from: '@' }, set: { a: 1 } } ]\n", " context secrets task workflow runtime "},
        {"task definition: set", "do: [ t: { set: { a: '${ @ }' } } ]\n", " context input secrets task workflow runtime authorization "},
        {"task definition: with", "do: [ t: { call: log, with: { message: '${ @ }' } } ]\n", " context input secrets task workflow runtime authorization "},
        {"task definition: switch", "do: [ t: { switch: [ a: { when: '@', then: end } ] } ]\n", " context input secrets task workflow runtime authorization "},
        {"task definition: for.in", "do: [ t: { for: { in: '@' }, do: [ a: { set: { b: 1 } } ] } ]\n", " context input secrets task workflow runtime authorization "},
        {"task output.as", "do: [ t: { output: { as: '@' }, set: { a: 1 } } ]\n", " context input secrets task workflow runtime authorization "},
        {"task export.as", "do: [ t: { export: { as: '@' }, set: { a: 1 } } ]\n", " context input output secrets task workflow runtime authorization "},
        {"workflow output.as", "output: { as: '@' }\ndo: [ t: { set: { a: 1 } } ]\n", " context secrets workflow runtime "},
    };
    return all;
}

bool is_unavailable(const place& p, const std::string& variable) {
    auto text = p.form;
    text.replace(text.find('@'), 1, "$" + variable);
    const auto outcome = compile_text(text);
    for (const auto& d : outcome.diagnostics)
        BOOST_TEST((d.level != severity::error || d.code == "unavailable-variable"), p.name << ": " << render(d, with_document(text)));
    return std::any_of(outcome.diagnostics.begin(), outcome.diagnostics.end(), [](const diagnostic& d) { return d.code == "unavailable-variable"; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_availability)

BOOST_AUTO_TEST_CASE(each_variable_exists_where_the_table_says_and_nowhere_else) {
    for (const auto& p : places()) {
        for (const std::string variable : {"context", "input", "output", "secrets", "task", "workflow", "runtime", "authorization"}) {
            const bool expected = p.available.find(" " + variable + " ") != std::string::npos;
            BOOST_TEST(is_unavailable(p, variable) == !expected, "$" << variable << " in " << p.name << (expected ? " must exist" : " must not exist"));
        }
    }
}

BOOST_AUTO_TEST_CASE(our_own_variables_follow_the_same_rules) {
    for (const auto& p : places()) {
        BOOST_TEST(!is_unavailable(p, "agent"), p.name);
        BOOST_TEST(is_unavailable(p, "steps") == (p.name == "workflow input.from"), p.name);
    }
}

BOOST_AUTO_TEST_CASE(strict_mode_takes_only_what_stands_in_braces_for_an_expression) {
    const auto w = compiled("do:\n  - t: { set: { a: .b, c: '${ .b }', d: '1 + 1' } }\n");
    const auto& value = std::get<flow::set_task>(task_named(*w, "t").body).value;
    const json::value none;
    const std::vector<const json::value*> variables(flow::fixed_variable_count, &none);
    BOOST_TEST(to_text(value.evaluate(json::value{{"b", 5}}, variables).value()) == R"({"a":".b","c":5,"d":"1 + 1"})");
}

BOOST_AUTO_TEST_CASE(loose_mode_tries_every_text_and_keeps_it_when_it_fails) {
    const auto w = compiled("evaluate: { mode: loose }\ndo:\n  - t: { set: { a: .b, c: '${ .b }', d: 1 + 1, e: hello there, f: error, g: .b.c, h: empty, i: '.b, .b' } }\n");
    const auto& value = std::get<flow::set_task>(task_named(*w, "t").body).value;
    const json::value none;
    const std::vector<const json::value*> variables(flow::fixed_variable_count, &none);
    const auto made = value.evaluate(json::value{{"b", 5}}, variables);
    BOOST_TEST_REQUIRE(made.has_value());
    // What does not compile, fails, or yields no value or several, is the text itself.
    BOOST_TEST(to_text(*made) == R"({"a":5,"c":5,"d":2,"e":"hello there","f":"error","g":".b.c","h":"empty","i":".b, .b"})");
    // Within braces it is an expression in both modes, and fails as one.
    const auto failing = compiled("evaluate: { mode: loose }\ndo:\n  - t: { set: { a: '${ .b.c }' } }\n");
    BOOST_TEST(std::get<flow::set_task>(task_named(*failing, "t").body).value.evaluate(json::value{{"b", 5}}, variables).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
