#include "expr/program.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

expr::program compiled(std::string_view text) {
    static const std::vector<std::string> names{"steps", "context", "input"};
    return expr::program::compile(text, names).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_analysis)

BOOST_AUTO_TEST_CASE(uses_of_variables_come_with_their_static_paths) {
    const auto program = compiled("$steps.classify.intent == \"refund\" and ($context[\"a b\"].c | length) > .[$input.n]");
    const auto& uses = program.analyse().variables;
    BOOST_REQUIRE(uses.size() == 3u);
    BOOST_TEST(uses[0].variable == "steps");
    BOOST_TEST((uses[0].path == std::vector<std::string>{"classify", "intent"}));
    BOOST_TEST(uses[0].offset == 0u);
    BOOST_TEST(uses[0].exact);
    BOOST_TEST((uses[1].path == std::vector<std::string>{"a b", "c"}));
    BOOST_TEST((uses[2].path == std::vector<std::string>{"n"}));
}

BOOST_AUTO_TEST_CASE(a_dynamic_step_ends_a_static_path) {
    const auto program = compiled("$steps.list[].name, $steps[$input].x, $context");
    for (const auto& use : program.analyse().variables) {
        if (use.variable == "steps") BOOST_TEST(!use.exact);
        if (use.variable == "steps" && use.offset == 0) BOOST_TEST((use.path == std::vector<std::string>{"list"}));
        if (use.variable == "context") BOOST_TEST((use.exact && use.path.empty()));
    }
    BOOST_TEST(program.analyse().variables.size() == 4u);
}

BOOST_AUTO_TEST_CASE(programs_that_may_yield_many_or_none_are_known) {
    for (const std::string text : {".a", ".a + 1", "map(.x)", "[.[]]", "if .a then 1 else 2 end", "reduce .[] as $x (0; . + $x)", "length | tostring", "\"\\(.a)\"",
                                   "def f: . + 1; f | f", "def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac", ".a |= . + 1", ". as {a: $x} | $x",
                                   "any(.[]; . > 1)", "test(\"a\")", "test(\"a\"; \"i\")", "sub(\"a\"; \"b\")", "gsub(\"(?<x>a)\"; .x)", "join(\",\")", "walk(.)", "until(. > 9; . + 1)",
                                   "def twice(f): f | f; twice(. + 1)", "def add($n): . + $n; add(1)", "path(.a)", "pick(.a)", "ascii", "split(\", *\"; null)",
                                   "try .a catch null", "sort_by(.a, .b)", "to_entries", "with_entries(.value += 1)", "error", ".a // 1"}) {
        BOOST_TEST(!compiled(text).analyse().may_yield_many, text);
        BOOST_TEST(!compiled(text).analyse().may_yield_none, text);
    }
    for (const std::string text : {".[]", "1, 2", "range(3)", ".. | .a", "path(.[])", "match(\"a\"; \"g\")", "match(.re)", "capture(\"a\"; .flags)", "scan(\"a\")", "splits(\"a\")", "sub(\"a\"; \"b\", \"c\")",
                                   "test(\"a\", \"b\")", "def twice(f): f | f; twice(.[])", "def outer(f): def inner: f; inner; outer(1, 2)", "walk(.[]?)", "until(. > 9; . + 1, . + 2)", "limit(3; .[])", "recurse", "def f: 1, f; f", ". as [$a, $b] | .[]"}) {
        BOOST_TEST(compiled(text).analyse().may_yield_many, text);
    }
    for (const std::string text : {"empty", "select(.a)", "first(.[])", "limit(1; .[])", "nth(2; .[])", "match(\"a\")", "capture(\"(?<x>a)\")", "match(\"a\"; \"i\")", ".a?", "try error", "if . then empty else 1 end", "label $x | break $x"}) {
        BOOST_TEST(!compiled(text).analyse().may_yield_many, text);
        BOOST_TEST(compiled(text).analyse().may_yield_none, text);
    }
}

BOOST_AUTO_TEST_CASE(what_depends_on_nothing_is_folded) {
    const auto constant = [](std::string_view text) { return compiled(text).analyse().constant; };
    BOOST_TEST(constant("1 + 2 * 3").value() == json::value(7));
    BOOST_TEST((constant("{a: [1, -2], b: \"x\\(1)\"}").value() == json::value{{"a", {1, -2}}, {"b", "x1"}}));
    BOOST_TEST(constant("\"a\" == \"b\"").value() == json::value(false));
    BOOST_TEST(constant("if 1 > 2 then \"x\" else \"y\" end").value() == json::value("y"));
    BOOST_TEST(!constant(".a").has_value());
    BOOST_TEST(!constant("$context").has_value());
    BOOST_TEST(!constant("1 / 0").has_value());
    // What fails, fails when it runs.
    BOOST_TEST(compiled("1 / 0").evaluate_one(nullptr).error().message.find("divisor is zero") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
