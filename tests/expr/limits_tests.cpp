// Whatever the program and the input are, an evaluation ends: with outputs, or with one error, soon and within its memory.
#include "support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace pawl;
using namespace pawl::expr::tests;

namespace {

/// A tenth of the default work, so that the slowest build is quick too.
expr::limits fewer() {
    expr::limits bounds;
    bounds.steps = 2'000'000;
    bounds.value_bytes = 32 * 1024 * 1024;
    bounds.string_bytes = 8 * 1024 * 1024;
    bounds.regex_steps = 200'000;
    return bounds;
}

void check_limit(const std::string& program, const std::string& in_message, const expr::limits& bounds = fewer(), const json::value& input = nullptr) {
    const auto result = run(program, input, {}, bounds, 1000);
    BOOST_TEST_CONTEXT(program) {
        BOOST_TEST(result.compiled);
        BOOST_TEST(result.limited);
        BOOST_TEST(result.error.find(in_message) != std::string::npos, result.error);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_limits)

BOOST_AUTO_TEST_CASE(endless_generators_are_lazy) {
    BOOST_TEST(lines("first(range(1e12))") == "0");
    BOOST_TEST(lines("[limit(3; 1 | repeat(. * 2))]") == "[2,2,2]");
    BOOST_TEST(lines("isempty(range(1e12))") == "false");
    BOOST_TEST(lines("any(range(1e12); . == 3)") == "true");
    BOOST_TEST(lines("label $out | range(1e12) | if . == 2 then ., break $out else empty end") == "2");
}

BOOST_AUTO_TEST_CASE(outputs_are_pulled_one_by_one_and_the_rest_is_never_computed) {
    const auto program = expr::program::compile("1, 2, (def f: f; f)").value();
    expr::limits bounds;
    bounds.steps = 1'000'000'000'000;  // the third output never comes
    const json::value input;
    auto running = program.evaluate(input, {}, bounds);
    BOOST_TEST(to_text(running.next().value().value()) == "1");
    BOOST_TEST(to_text(running.next().value().value()) == "2");
}

BOOST_AUTO_TEST_CASE(loops_written_as_recursion_run_in_constant_stack) {
    BOOST_TEST(lines("0 | until(. >= 60000; . + 1)") == "60000");
    BOOST_TEST(lines("def f: if . >= 60000 then . else . + 1 | f end; 0 | f") == "60000");
    BOOST_TEST(lines("last(limit(60000; repeat(1)))") == "1");
    BOOST_TEST(lines("[0 | while(. < 100000; . + 1)] | length") == "100000");
    BOOST_TEST(lines("last(0 | recurse(if . < 100000 then . + 1 else empty end))") == "100000");
}

BOOST_AUTO_TEST_CASE(endless_work_ends_with_a_limit) {
    check_limit("def f: f; f", "steps");
    check_limit("[range(1e10)]", "limit");
    check_limit("last(range(1e12))", "steps");
    check_limit("def f: 1 + f; f", "deep");
    check_limit("def f: [f]; f", "deep");
    check_limit("def f: f, f; f", "deep");
    check_limit("def f(g): f(g | g); f(.)", "limit");
    check_limit("def f(x): x + f(x); f(1)", "deep");
    check_limit("reduce repeat(1) as $x (0; . + $x)", "steps");
    check_limit("\"x\" * 1e9", "string");
    check_limit("reduce range(1e9) as $i (\"\"; . + \"0123456789012345678901234567890123456789\")", "string");
    check_limit("[repeat(\"x\" * 100000)]", "limit");
    check_limit("null | .[400000000] = 1", "bytes");
    check_limit("[range(5000) | [1]] | combinations", "limit");
}

BOOST_AUTO_TEST_CASE(a_limit_cannot_be_caught_by_the_program) {
    check_limit("try (def f: f; f) catch 1", "steps");
    check_limit("(def f: 1 + f; f) // 2", "deep");
    check_limit("[.[]?, (def f: f; f)?]", "steps");
}

BOOST_AUTO_TEST_CASE(deep_values_end_with_a_limit_not_a_crash) {
    check_limit("reduce range(60000) as $_ ([]; [.])", "nested");
    check_limit("reduce range(60000) as $_ (null; {a: .})", "nested");
    check_limit("reduce range(100000) as $_ ([]; [.]) | [..]", "deep");
    // Values that deep live and die without recursion.
    BOOST_TEST(lines("reduce range(60000) as $_ ([]; [.]) | length") == "1");
    BOOST_TEST(lines("[limit(3; reduce range(100000) as $_ ([]; [.]) | ..)] | length") == "3");
    json::value deep = json::array();
    for (int i = 0; i < 5'000; ++i) deep = json::array{std::move(deep)};
    check_limit("[.[] | ..]", "deep", fewer(), deep);
    check_limit(".", "nested", fewer(), deep);
    BOOST_TEST(run("tojson | length", deep).outputs.at(0) == json::value(10'002));
}

BOOST_AUTO_TEST_CASE(a_small_value_that_shares_its_parts_is_not_written_out_without_end) {
    auto bounds = fewer();
    bounds.steps = 200'000;
    bounds.string_bytes = bounds.result_bytes = 256 * 1024;
    const std::string doubled = "reduce range(60) as $i (1; [., .]) | ";
    for (const std::string written : {".", "{a: ., b: .}", "first(., 1)"}) check_limit(doubled + written, "JSON", bounds);
    for (const std::string written : {"tojson", "tostring", "\"\\(.)\"", "@json", "@html", "@base64", "@base32d", "@uri", "@urid", "@json \"a \\(.)\"", "{(tojson): 1}", "[tojson, 1] | join(\",\")"}) {
        check_limit(doubled + written, "string is longer", bounds);
    }
    for (const auto& visited : std::initializer_list<std::string>{"[..]", "flatten", "[leaf_paths]", "last(tostream)", ". == (" + doubled + " .)", "walk(.)", "map_values(tojson)", "[paths]"}) check_limit(doubled + visited, "limit", bounds);
    const auto raised = run(doubled + "error", nullptr, {}, bounds);
    BOOST_TEST(raised.error.starts_with("[[[[["));
    BOOST_TEST(raised.error.size() < 3'000u);
}

BOOST_AUTO_TEST_CASE(catastrophic_regular_expressions_end) {
    check_limit("(\"a\" * 40) | test(\"(a+)+$b\")", "backtracking");
    check_limit("(\"a\" * 4000) | [match(\"(a|aa)+$b\"; \"g\")]", "limit");
    check_limit("[range(10000)] | map((\"a\" * 40) + \"\\(.)\" | test(\"(a+)+$b\")?)", "limit");
}

BOOST_AUTO_TEST_CASE(work_that_grows_with_the_data_costs_steps) {
    expr::limits bounds;
    bounds.steps = 100'000;
    const json::value text(std::string(1'000'000, 'x'));
    check_limit("[range(1000) as $i | . | ascii_upcase | length] | add", "steps", bounds, text);
    check_limit("[range(1000) as $i | tojson | length] | add", "steps", bounds, text);
    check_limit("[range(1000) as $i | split(\"y\") | length] | add", "steps", bounds, text);
}

BOOST_AUTO_TEST_CASE(each_bound_is_configurable) {
    expr::limits bounds;
    bounds.outputs = 3;
    auto result = run("range(10)", nullptr, {}, bounds);
    BOOST_TEST(result.outputs.size() == 3u);
    BOOST_TEST(result.limited);
    bounds = {};
    bounds.depth = 10;
    check_limit("def f(n): if n == 0 then 0 else 1 + f(n - 1) end; f(20)", "10 calls", bounds);
    check_limit("reduce range(20) as $_ (1; [.])", "10 levels", bounds);
    bounds = {};
    bounds.string_bytes = 10;
    check_limit(". + \"abc\"", "limit of 10", bounds, "12345678");
    check_limit("[range(10)] | join(\",\")", "limit of 10", bounds);
    bounds = {};
    bounds.result_bytes = 100;
    check_limit("[range(100)]", "limit of 100 bytes", bounds);
    check_limit("range(100) | \"x\" * .", "limit of 100 bytes", bounds);
    bounds = {};
    bounds.value_bytes = 10'000;
    check_limit("[range(1000)]", "10000 bytes", bounds);
}

BOOST_AUTO_TEST_CASE(texts_nested_too_deep_do_not_compile) {
    for (const std::string open : {"(", "[", "{a:", "-", "[.[", "if ", "try ", "\"\\(", ". as [", "reduce ", "def f: ", "[{a:(", "label $x | "}) {
        std::string text;
        for (int i = 0; i < 10'000; ++i) text += open;
        BOOST_TEST(!run(text, nullptr).compiled, open);
    }
    std::string sum = "1";
    for (int i = 0; i < 20'000; ++i) sum += "+.";
    const auto result = run(sum, 1);
    BOOST_TEST(!result.compiled);
    BOOST_TEST(result.error.find("nests") != std::string::npos, result.error);
    std::string pipe = ".", list = "1";
    for (int i = 0; i < 20'000; ++i) {
        pipe += "|.";
        list += ",1";
    }
    BOOST_TEST(lines(pipe) == "null");
    BOOST_TEST(lines("[" + list + "] | length") == "20001");
}

BOOST_AUTO_TEST_SUITE_END()
