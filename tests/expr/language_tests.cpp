// What jq's own file does not say: exact integers, our error texts and places, what is left out.
#include "support.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace pawl;
using namespace pawl::expr::tests;

BOOST_AUTO_TEST_SUITE(expr_language)

BOOST_AUTO_TEST_CASE(integers_keep_64_bits) {
    BOOST_TEST(lines("9223372036854775807") == "9223372036854775807");
    BOOST_TEST(lines(". + 1", "9007199254740993") == "9007199254740994");
    BOOST_TEST(lines(". * 3", "3074457345618258602") == "9223372036854775806");
    BOOST_TEST(lines(". + 1", "9223372036854775807") == "9223372036854775808");
    BOOST_TEST(lines(". - 1", "18446744073709551615") == "18446744073709551614");
    BOOST_TEST(lines("-.", "-9223372036854775808") == "9223372036854775808");
    BOOST_TEST(lines(". / 3", "9223372036854775806") == "3074457345618258602");
    BOOST_TEST(lines(". % 10", "9223372036854775807") == "7");
    BOOST_TEST(lines("[., . + 1] | max == .[1], .[0] < .[1]", "9007199254740992") == "true\ntrue");
    BOOST_TEST(lines("tostring, tojson, (tojson | fromjson)", "9007199254740993") == "\"9007199254740993\"\n\"9007199254740993\"\n9007199254740993");
    BOOST_TEST(lines("add", "[9007199254740993,1,1]") == "9007199254740995");
    BOOST_TEST(lines("[range(9007199254740992; 9007199254740995)] | .[1]") == "9007199254740993");
    BOOST_TEST(lines("\"9007199254740993\" | tonumber") == "9007199254740993");
    BOOST_TEST(lines(". == 9007199254740992.0", "9007199254740993") == "false");
    // Past 64 bits, and with fractions: doubles.
    BOOST_TEST(lines(". * .", "9223372036854775807") == "8.507059173023462e+37");
    BOOST_TEST(lines("1 / 3, 1 / 4, 4 / 2, 0.5 + 0.5, 3.0, 1e1000, -0") == "0.3333333333333333\n0.25\n2\n1\n3\n1.7976931348623157e+308\n-0");
}

BOOST_AUTO_TEST_CASE(integral_results_are_integers_to_whoever_reads_them) {
    const auto result = run("4.5 * 2, (10 | sqrt | floor), 1e3", nullptr);
    for (const auto& v : result.outputs) BOOST_TEST(v.is_int64(), to_text(v));
}

BOOST_AUTO_TEST_CASE(unknown_names_come_with_a_suggestion) {
    auto result = run(".a | lenght", nullptr);
    BOOST_TEST(result.error == "unknown function `lenght/0`");
    BOOST_TEST(result.hint == "did you mean `length`?");
    BOOST_TEST(result.offset == 5u);
    result = run("split", nullptr);
    BOOST_TEST(result.hint == "`split` takes 1 argument or 2 arguments");
    result = run("1 + $contxt.a", nullptr, {{"context", 1}});
    BOOST_TEST(result.error == "unknown variable `$contxt`");
    BOOST_TEST(result.hint == "did you mean `$context`?");
    BOOST_TEST(result.offset == 4u);
    BOOST_TEST(run("\"a\" | slug", nullptr).hint.find("double quotes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(syntax_errors_say_where_and_what_was_expected) {
    auto result = run(".a | map(.b", nullptr);
    BOOST_TEST(result.offset == 11u);
    BOOST_TEST(result.error == "unexpected end of the expression, expected `)` to close the arguments of `map`");
    result = run("if . then 1", nullptr);
    BOOST_TEST(result.error.find("expected `end`") != std::string::npos);
    result = run("{a: 1 b: 2}", nullptr);
    BOOST_TEST(result.offset == 6u);
    BOOST_TEST(run("'a'", nullptr).hint == "strings are written with double quotes");
    BOOST_TEST(run("\"abc", nullptr).error == "the string is not closed");
    BOOST_TEST(run("@base65", nullptr).error == "unknown format `@base65`");
    BOOST_TEST(run("1 == 2 == 3", nullptr).error.find("cannot follow") != std::string::npos);
    BOOST_TEST(!run(". as [$a, | .", nullptr).compiled);
    BOOST_TEST(!run("\xff\xfe", nullptr).compiled);
}

BOOST_AUTO_TEST_CASE(habits_of_other_languages_get_a_hint) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"$.items[0]", "JSONPath"},
        {".items[*].price", "`.items[]`"},
        {".a && .b", "`and`"},
        {".a || .b", "`or`"},
        {".a === 1", "`==`"},
        {".a > 1 ? 2 : 3", "if ... then"},
        {"`a`", "double quotes"},
        {".name.upper()", "no methods"},
        {"len(.items)", "`.items | length`"},
        {"length(.items)", "stands before it"},
        {"None", "`null`"},
        {"not .paid", "`.paid | not`"},
        {"not .order.paid", "`.order.paid | not`"},
        {".order-id", "`.\"order-id\"`"},
        {".na\xc3\xafve", "`.\"na\xc3\xafve\"`"},
        {".a == \xe2\x80\x9cx\xe2\x80\x9d", "straight double quotes"},
        {".a\xc2\xa0== 1", "plain space"},
        {".a in [1]", "IN("},
        {".a AND .b", "`and`"},
    };
    for (const auto& [text, hint] : table) {
        const auto result = run(text, nullptr);
        BOOST_TEST(!result.compiled, text);
        BOOST_TEST(result.hint.find(hint) != std::string::npos, text << ": " << result.error << "; hint: " << result.hint);
    }
    // What looks alike and is right.
    for (const std::string text : {"not", "(.a | not)", ".a-.b", ".a - 1", ". as $x | $x.a", ".a?", ".a? // 1", "length", "[.a, not]", "def not: .; not .a"})
        BOOST_TEST(run(text, json::object{}).compiled, text << ": " << run(text, json::object{}).error);
}

BOOST_AUTO_TEST_CASE(what_reaches_outside_is_left_out_and_says_why) {
    for (const std::string text : {"input", "inputs", "debug", "debug(1)", "stderr", "env", "$ENV", "$ENV.PATH", "halt", "halt_error", "halt_error(1)",
                                   "input_filename", "input_line_number", "$__prog_args", "import \"a\" as a; 1", "include \"a\"; 1", "module {}; 1",
                                   "modulemeta", "get_search_list", "a::b", "$a::b"}) {
        const auto result = run(text, nullptr);
        BOOST_TEST(!result.compiled, text);
        BOOST_TEST(result.error.find("left out") != std::string::npos, text << ": " << result.error);
    }
}

BOOST_AUTO_TEST_CASE(now_is_what_the_caller_passes_and_nothing_else) {
    BOOST_TEST(!run("now", nullptr).compiled);
    BOOST_TEST(run("now", nullptr).error.find("no clock") != std::string::npos);
    BOOST_TEST(lines("now | todate", "null", {{"__now", 1425599621}}) == "\"2015-03-05T23:53:41Z\"");
}

BOOST_AUTO_TEST_CASE(runtime_errors_name_the_operation_its_place_and_the_types) {
    auto result = run(".user | .name.first + 1", json::value{{"user", {{"name", "Ada"}}}});
    BOOST_TEST(result.error == "Cannot index string with string (\"first\") (in `.name.first`)");
    BOOST_TEST(result.payload == "Cannot index string with string (\"first\")");
    BOOST_TEST(result.offset == 8u);
    result = run("{a: 1} + 2", nullptr);
    BOOST_TEST(result.error.find("object ({\"a\":1}) and number (2) cannot be added") == 0u, result.error);
    result = run("1 | error({code: 7})", nullptr);
    BOOST_TEST((result.payload == json::value{{"code", 7}}));
    // Errors inside builtins that are written in jq are told at the call.
    result = run(".x | 1 | todate(3)?, with_entries(.)", nullptr);
    BOOST_TEST(!result.compiled);
    result = run(".x | 1 | with_entries(.)", nullptr);
    BOOST_TEST(result.offset == 9u);
}

BOOST_AUTO_TEST_CASE(the_alternative_operator_replaces_null_and_false_but_not_errors) {
    BOOST_TEST(lines("[.a // 1], [.a[] // 2], [(false, 3, null, 4) // 5], [empty // 6]", "{\"a\":[]}") == "[[]]\n[2]\n[3,4]\n[6]");
    BOOST_TEST(lines("(1, error(\"x\")) // 2").starts_with("1\nerror: x"));
    BOOST_TEST(lines("[.[] // 3]").starts_with("error: Cannot iterate over null"));
    BOOST_TEST(lines("((.a, false) // .b) |= 9", "{\"a\":10}") == "{\"a\":9}");
}

BOOST_AUTO_TEST_CASE(evaluate_one_wants_exactly_one_output) {
    const auto one = [](std::string_view text) { return expr::program::compile(text).value().evaluate_one(json::value{1, 2}); };
    BOOST_TEST(one("length").value() == json::value(2));
    BOOST_TEST((one("empty").error().kind == expr::eval_error_kind::no_output));
    BOOST_TEST((one(".[]").error().kind == expr::eval_error_kind::many_outputs));
    BOOST_TEST((one("first(.[])").value() == json::value(1)));
    BOOST_TEST((one("error(\"x\")").error().kind == expr::eval_error_kind::raised));
    BOOST_TEST(one(".[] | select(. > 1)").value() == json::value(2));
}

BOOST_AUTO_TEST_CASE(variables_are_passed_in_the_order_of_their_names) {
    const std::vector<std::string> names{"context", "steps"};
    const auto program = expr::program::compile("$steps.classify.intent + $context.suffix", names).value();
    const json::value context = {{"suffix", "!"}}, steps = {{"classify", {{"intent", "refund"}}}};
    const json::value* const values[] = {&context, &steps};
    BOOST_TEST(program.evaluate_one(nullptr, values).value() == json::value("refund!"));
}

BOOST_AUTO_TEST_CASE(inputs_are_never_changed) {
    const json::value input = {{"a", {1, 2, 3}}, {"b", {{"c", 1}}}};
    const auto before = to_text(input);
    for (const std::string text : {".a |= map(. + 1)", ".a[0] = 9", "del(.a)", ".b.c += 1", ".a + [4]", "reduce range(3) as $i (.; .a[$i] = 0)", ".b + {d: 1}",
                                   "walk(if type == \"number\" then . + 1 else . end)", ".a | sort_by(-.)", "[.a, .a] | .[0][0] = 5 | .[1]"}) {
        BOOST_TEST(run(text, input).error.empty(), text);
        BOOST_TEST(to_text(input) == before, text);
    }
    BOOST_TEST(lines(". as $x | .[0] = 5 | [., $x]", "[1,2]") == "[[5,2],[1,2]]");
    BOOST_TEST(lines("[1,2] as $x | ($x | .[0] = 5) as $y | [$x, $y]") == "[[1,2],[5,2]]");
    BOOST_TEST(lines("reduce range(3) as $i ([]; . as $old | . + [$old | length])") == "[0,1,2]");
}

BOOST_AUTO_TEST_CASE(growing_a_value_in_a_loop_does_not_copy_it_every_time) {
    expr::limits bounds;
    bounds.steps = 2'000'000;  // copying would need thousands of millions
    for (const std::string text : {"reduce range(50000) as $i ([]; . + [$i]) | length", "reduce range(50000) as $i ([]; .[$i] = $i) | length",
                                   "reduce range(50000) as $i ({}; .[\"k\\($i)\"] += 1) | length", "reduce range(50000) as $i ({a: []}; .a |= . + [$i]) | .a | length",
                                   "reduce range(50000) as $i ([]; setpath([$i]; 1)) | length"}) {
        const auto result = run(text, nullptr, {}, bounds);
        BOOST_TEST(result.error == "", text);
        if (!result.outputs.empty()) BOOST_TEST(to_text(result.outputs[0]) == "50000", text);
    }
}

BOOST_AUTO_TEST_CASE(one_program_serves_many_threads) {
    const auto program = expr::program::compile("[.[] | select(test(\"^i[0-9]+$\")) | ltrimstr(\"i\") | tonumber] | add").value();
    json::array names;
    for (int i = 0; i < 100; ++i) names.emplace_back("i" + std::to_string(i));
    const json::value input = names;
    std::vector<int> right(4, 0);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 50; ++i) right[t] += program.evaluate_one(input).value() == json::value(4950) ? 1 : 0;
            });
        }
    }
    for (const int count : right) BOOST_TEST(count == 50);
}

BOOST_AUTO_TEST_CASE(a_running_evaluation_moves_between_threads_and_ends_early) {
    const auto program = expr::program::compile("range(1e9) | [., \"text \\(.)\"]").value();
    const json::value input;
    auto running = program.evaluate(input);
    BOOST_TEST(to_text(*running.next().value()) == "[0,\"text 0\"]");
    std::string second;
    std::jthread([&] { second = to_text(*running.next().value()); }).join();
    BOOST_TEST(second == "[1,\"text 1\"]");
    auto moved = std::move(running);
    BOOST_TEST(to_text(*moved.next().value()) == "[2,\"text 2\"]");
    auto other = program.evaluate(input);
    (void)other;  // never started
}

BOOST_AUTO_TEST_CASE(after_an_error_an_evaluation_is_over) {
    const auto program = expr::program::compile("1, error(\"x\"), 2").value();
    const json::value input;
    auto running = program.evaluate(input);
    BOOST_TEST(running.next().value().has_value());
    BOOST_TEST(!running.next().has_value());
    BOOST_TEST(!running.next().value().has_value());
}

BOOST_AUTO_TEST_CASE(regular_expressions_and_dates_as_the_manual_shows_them) {
    BOOST_TEST(lines("[match(\"a\"; \"gi\").offset], sub(\"(?<x>A)\"; \"<\\(.x)>\"), gsub(\"\"; \"-\")", "\"abA\"") == "[0,2]\n\"ab<A>\"\n\"-a-b-A-\"");
    BOOST_TEST(lines("[gsub(\"p\"; \"a\", \"b\")]", "\"p\"") == "[\"a\",\"b\"]");
    BOOST_TEST(lines("capture(\"(?<a>[a-z]+)-(?<n>[0-9]+)\")", "\"xyzzy-14\"") == "{\"a\":\"xyzzy\",\"n\":\"14\"}");
    BOOST_TEST(lines("[splits(\", *\")], split(\"b\"; null)", "\"ab,cd, ef\"") == "[\"ab\",\"cd\",\"ef\"]\n[\"a\",\",cd, ef\"]");
    BOOST_TEST(lines("[scan(\"(é)(.)\")]", "\"xéaéb\"") == "[[\"é\",\"a\"],[\"é\",\"b\"]]");
    BOOST_TEST(lines("test(\"(\")", "\"a\"").find("is not a valid regex") != std::string::npos);
    BOOST_TEST(lines("test(\"a\"; \"q\")", "\"a\"").find("q is not a valid modifier string") != std::string::npos);
    BOOST_TEST(lines("fromdate, (fromdate | todate), (fromdate | gmtime | mktime)", "\"2015-03-05T23:51:47Z\"") ==
               "1425599507\n\"2015-03-05T23:51:47Z\"\n1425599507");
    BOOST_TEST(lines("strftime(\"%A, %B %d, %Y %Z\"), strflocaltime(\"%H %Z\"), (localtime | mktime)", "1425599507") ==
               "\"Thursday, March 05, 2015 UTC\"\n\"23 UTC\"\n1425599507");
    BOOST_TEST(lines("strptime(\"%Y\")", "\"x\"") == "error: date \"x\" does not match format \"%Y\" (in `strptime(\"%Y\")`)");
}

BOOST_AUTO_TEST_SUITE_END()
