// Regular expressions on long texts: bounded, and the same matches as on short ones.
#include "expr/program.hpp"
#include "expr/regex_guard.hpp"

#include <boost/test/unit_test.hpp>

#include <ctime>

using namespace pawl;

namespace {

json::value evaluate(std::string_view text, const json::value& input) {
    const auto program = expr::program::compile(text);
    BOOST_TEST_REQUIRE(program.has_value());
    const auto value = program->evaluate_one(input);
    if (value.has_error()) return json::value{{"error", value.error().message}};
    return *value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_regex_guard)

BOOST_AUTO_TEST_CASE(guards_stand_behind_loops_and_nowhere_else) {
    const auto guarded = [](std::string_view pattern, bool extended = false) { return expr::guarded_pattern(pattern, extended); };
    BOOST_TEST(guarded("[a-z]+@") == "[a-z]+(?:|)@");
    BOOST_TEST(guarded("a*?b{2,}c{3}d?") == "a*?(?:|)b{2,}(?:|)c{3}d?");
    BOOST_TEST(guarded("(?:a+)(?<n>b*)(?#c+)") == "(?:a+(?:|))(?<n>b*(?:|))(?#c+)");
    BOOST_TEST(guarded("[]+*]\\+[[:alpha:]+]\\x{41}\\p{L}\\Qa+\\E") == "[]+*]\\+[[:alpha:]+]\\x{41}\\p{L}\\Qa+\\E");
    BOOST_TEST(guarded("a+ # b+\nc+", true) == "a+(?:|) # b+\nc+(?:|)");
    BOOST_TEST(guarded("a++b") == "a++(?:|)b");
    for (const std::string broken : {"[", "\\", "(?#", "a{", "(?", "[[:", "\\Q", "\\x{"}) BOOST_TEST(guarded(broken) == broken);
}

BOOST_AUTO_TEST_CASE(a_loop_before_a_literal_ends_in_time_on_a_megabyte) {
    const json::value text(std::string(1'000'000, 'a'));
    for (const std::string program : {"test(\"[a-z]+@\")", "[match(\"[a-z]+@\"; \"g\")] | length", "test(\"(a*)*b\")", "test(\"(?<x>[a-z]{1,})@\")", "test(\"a.*?b\")"}) {
        const auto started = std::clock();
        evaluate(program, text);
        const auto seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
        BOOST_TEST_MESSAGE(program << ": " << seconds << " s");
        BOOST_TEST(seconds < 10.0, program << " took " << seconds << " s");
    }
}

BOOST_AUTO_TEST_CASE(long_prose_is_searched_to_its_end) {
    std::string prose;
    while (prose.size() < 1'000'000) prose += "the lamp that came was broken, ";
    BOOST_TEST(to_text(evaluate("test(\"[a-z]+@\")", json::value(prose))) == "false");
    BOOST_TEST(to_text(evaluate("match(\"[a-z]+@[a-z]+\").string", json::value(prose + "write to ada@home"))) == "\"ada@home\"");
}

BOOST_AUTO_TEST_CASE(long_texts_match_as_short_ones) {
    for (const std::string pattern : {"[a-z]+@[a-z]+", "(?<user>\\w+)@(?<host>\\w+)", "x*", "(?i)ADA+", "a{2,3}?", "(?<=b)c+", "\\d+(?=z)", "(a|b)*c"}) {
        const std::string sample = "ada@home bcc aab 12z ";
        const auto program = "[match(" + to_text(json::value(pattern)) + "; \"g\") | select(.offset < 15) | .string]";
        const auto brief = evaluate(program, json::value(sample));
        const auto lengthy = evaluate(program, json::value(sample + std::string(2'000, '.')));
        BOOST_TEST(to_text(brief) == to_text(lengthy), pattern);
    }
}

BOOST_AUTO_TEST_SUITE_END()
