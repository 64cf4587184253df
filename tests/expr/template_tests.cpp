#include "expr/template.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

std::string filled(const json::value& source, const json::value& input, expr::template_mode mode = expr::template_mode::strict) {
    const auto made = expr::value_template::compile(source, {}, mode);
    if (!made) return "compile error at " + made.error()[0].pointer + ":" + std::to_string(made.error()[0].error.offset);
    const auto result = made->evaluate(input);
    return result ? to_text(*result) : "error at " + result.error().pointer + ":" + std::to_string(result.error().error.offset);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_template)

BOOST_AUTO_TEST_CASE(a_whole_expression_keeps_its_type_and_embedded_ones_interpolate) {
    const json::value input = {{"n", 5}, {"who", "Ada"}, {"list", {1, 2}}};
    BOOST_TEST(filled("${ .n }", input) == "5");
    BOOST_TEST(filled("  ${ .list }\n", input) == "[1,2]");
    BOOST_TEST(filled("Hello ${ .who }, ${.n + 1} of ${ .list }", input) == "\"Hello Ada, 6 of [1,2]\"");
    BOOST_TEST(filled("${ .n }${ .n }", input) == "\"55\"");
    BOOST_TEST(filled("plain $ { } text", input) == "\"plain $ { } text\"");
}

BOOST_AUTO_TEST_CASE(documents_keep_their_shape_and_the_order_of_their_members) {
    const json::value source = {{"z", 1}, {"a", {{"b", "${ .n }"}, {"c", {true, nullptr, "x ${ .n }"}}}}, {"k", "plain"}};
    BOOST_TEST(filled(source, {{"n", 5}}) == R"({"z":1,"a":{"b":5,"c":[true,null,"x 5"]},"k":"plain"})");
}

BOOST_AUTO_TEST_CASE(braces_in_strings_objects_and_comments_do_not_end_an_expression) {
    BOOST_TEST(filled("${ {a: {b: .n}} }", {{"n", 5}}) == R"({"a":{"b":5}})");
    BOOST_TEST(filled("${ \"}\" + \"\\(\"}\" + {x:1}.y // \"{\")\" }", nullptr) == "\"}}\"");
    BOOST_TEST(filled("${ .n # } a comment\n }", {{"n", 5}}) == "5");
    BOOST_TEST(filled("a ${ \"\\\"}\" } b", nullptr) == "\"a \\\"} b\"");
}

BOOST_AUTO_TEST_CASE(only_the_definition_is_searched_for_expressions) {
    BOOST_TEST(filled("${ .text }", {{"text", "${ 1 + 1 }"}}) == "\"${ 1 + 1 }\"");
    BOOST_TEST(filled("is: ${ .text }", {{"text", "${ 1 + 1 }"}}) == "\"is: ${ 1 + 1 }\"");
    BOOST_TEST(filled({{"${ .n }", 1}}, {{"n", 5}}) == "{\"${ .n }\":1}");
}

BOOST_AUTO_TEST_CASE(errors_name_the_string_and_the_place_in_it) {
    const auto made = expr::value_template::compile({{"a", "${ .x + }"}, {"b/c", {1, "ab ${ lenght } ${ .y"}}}, {});
    BOOST_REQUIRE(!made.has_value());
    BOOST_REQUIRE(made.error().size() == 2u);
    BOOST_TEST(made.error()[0].pointer == "/a");
    BOOST_TEST(made.error()[0].error.offset == 8u);
    BOOST_TEST(made.error()[1].pointer == "/b~1c/1");
    BOOST_TEST(made.error()[1].error.offset == 6u);
    BOOST_TEST(made.error()[1].error.message == "unknown function `lenght/0`");
    BOOST_TEST(filled({{"a", "x ${ .n.m }"}}, {{"n", 5}}) == "error at /a:5");
    BOOST_TEST(filled("${ .a", nullptr) == "compile error at :0");
}

BOOST_AUTO_TEST_CASE(an_expression_in_a_template_yields_exactly_one_value) {
    BOOST_TEST(filled("${ .[] }", json::value{1, 2}) == "error at :2");
    BOOST_TEST(filled("${ empty }", nullptr) == "error at :2");
}

BOOST_AUTO_TEST_CASE(loose_mode_tries_bare_strings_as_expressions) {
    const auto loose = expr::template_mode::loose;
    BOOST_TEST(filled(".n + 1", {{"n", 5}}, loose) == "6");
    BOOST_TEST(filled("hello world", nullptr, loose) == "\"hello world\"");
    BOOST_TEST(filled(".n + 1", {{"n", 5}}) == "\".n + 1\"");
}

BOOST_AUTO_TEST_CASE(parts_and_constness_are_known) {
    const auto made = expr::value_template::compile({{"a", "x ${ .b } ${ .c }"}, {"d", "${ .e }"}}, {}).value();
    BOOST_REQUIRE(made.parts().size() == 3u);
    BOOST_TEST(made.parts()[1].pointer == "/a");
    BOOST_TEST(made.parts()[1].code.text() == " .c ");
    BOOST_TEST(made.parts()[1].offset == 12u);
    BOOST_TEST(!made.is_constant());
    BOOST_TEST(expr::value_template::compile({{"a", "b"}}, {}).value().is_constant());
}

BOOST_AUTO_TEST_CASE(whole_expressions_are_recognised) {
    BOOST_TEST(expr::whole_expression(" ${ .a } ")->text == " .a ");
    BOOST_TEST(expr::whole_expression(" ${ .a } ")->offset == 3u);
    BOOST_TEST(!expr::whole_expression("${ .a } b").has_value());
    BOOST_TEST(!expr::whole_expression("${ .a").has_value());
    BOOST_TEST(!expr::whole_expression(".a").has_value());
    // Deep nesting is refused, not followed.
    std::string deep = "${";
    for (int i = 0; i < 10'000; ++i) deep += "\"\\(";
    BOOST_TEST(!expr::whole_expression(deep).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
