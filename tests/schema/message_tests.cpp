// What authors read: which violation, where, in which words.
#include "base/json.hpp"
#include "schema/validator.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

schema::validator compiled(std::string_view text, const schema::compile_options& options = {}) {
    return schema::validator::compile(parse_json(text).value(), options).value();
}

/// "instance|message" of all violations, one a line.
std::string told(std::string_view schema, std::string_view value) {
    std::string out;
    for (const auto& v : compiled(schema).validate(parse_json(value).value())) out += v.instance + "|" + v.message + "\n";
    return out;
}

std::string mistake_in(std::string_view schema) {
    const auto made = schema::validator::compile(parse_json(schema).value());
    return made.has_error() ? made.error().detail : std::string("no mistake");
}

constexpr std::string_view order = R"({
    "type": "object",
    "properties": {"id": {"type": "string", "pattern": "^o-[0-9]+$"}, "amount": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01},
                   "state": {"enum": ["open", "shipped", "lost"]}, "lines": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["sku"]}}},
    "required": ["id", "amount"], "additionalProperties": false})";

}  // namespace

BOOST_AUTO_TEST_SUITE(schema_messages)

BOOST_AUTO_TEST_CASE(a_valid_value_has_no_violations) {
    BOOST_TEST(told(order, R"({"id":"o-1","amount":0.07,"state":"open","lines":[{"sku":"a"}]})") == "");
}

BOOST_AUTO_TEST_CASE(a_wrong_type_names_both_types) {
    BOOST_TEST(told(order, "[]") == "|must be an object, but is an array\n");
    BOOST_TEST(told(R"({"type":["string","null"]})", "1") == "|must be a string or null, but is a number\n");
    BOOST_TEST(told(R"({"type":"integer"})", "1.5") == "|must be an integer, but is a number with a fraction\n");
}

BOOST_AUTO_TEST_CASE(deep_violations_come_before_shallow_ones) {
    BOOST_TEST(told(order, R"({"amount":1,"lines":[{}]})") == "/lines/0|must have the property `sku`\n|must have the property `id`\n");
}

BOOST_AUTO_TEST_CASE(an_unknown_property_suggests_the_one_that_was_meant) {
    BOOST_TEST(told(order, R"({"id":"o-1","amout":1})") ==
               "|has the unknown property `amout`; did you mean `amount`?\n|must have the property `amount`\n");
    BOOST_TEST(told(R"({"$ref":"#/$defs/a","unevaluatedProperties":false,"$defs":{"a":{"properties":{"colour":true}}}})", R"({"color":1})") ==
               "|has the unknown property `color`; did you mean `colour`?\n");
    BOOST_TEST(told(R"({"properties":{"a":true,"b":true},"additionalProperties":false})", R"({"zzzz":1})") ==
               "|has the unknown property `zzzz`; it may have `a` and `b`\n");
}

BOOST_AUTO_TEST_CASE(choices_are_listed_and_the_nearest_is_suggested) {
    BOOST_TEST(told(order, R"({"id":"o-1","amount":1,"state":"shiped"})") ==
               "/state|must be one of \"open\", \"shipped\", \"lost\"; did you mean \"shipped\"?\n");
    BOOST_TEST(told(R"({"const":{"a":[1]}})", "1") == "|must be {\"a\":[1]}\n");
}

BOOST_AUTO_TEST_CASE(numbers_strings_and_sizes_name_their_limits) {
    BOOST_TEST(told(order, R"({"id":"o-1","amount":0})") == "/amount|must be greater than 0\n");
    BOOST_TEST(told(order, R"({"id":"o-1","amount":0.005})") == "/amount|must be a multiple of 0.01\n");
    BOOST_TEST(told(order, R"({"id":"x","amount":1})") == "/id|must match the pattern `^o-[0-9]+$`\n");
    BOOST_TEST(told(order, R"({"id":"o-1","amount":1,"lines":[]})") == "/lines|must have at least 1 item, but has 0\n");
    BOOST_TEST(told(R"({"maxLength":2})", R"("äöü")") == "|must be at most 2 characters long, but has 3\n");
    BOOST_TEST(told(R"({"maximum":18446744073709551614})", "18446744073709551615") == "|must be at most 18446744073709551614\n");
    BOOST_TEST(told(R"({"uniqueItems":true})", "[1,2,1.0]") == "|must not hold equal items, but items 0 and 2 are\n");
    BOOST_TEST(told(R"({"contains":{"type":"string"}})", "[1]") == "|must have at least 1 item that follows the schema of `contains`, but has 0\n");
    BOOST_TEST(told(R"({"propertyNames":{"maxLength":2}})", R"({"abc":1})") ==
               "|has the property name `abc`, which must be at most 2 characters long, but has 3\n");
    BOOST_TEST(told(R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})") == "|must have the property `b`, because it has `a`\n");
}

BOOST_AUTO_TEST_CASE(alternatives_tell_the_closest_branch) {
    constexpr std::string_view shapes = R"({"oneOf":[
        {"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind","radius"]},
        {"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},"required":["kind","side"]},
        {"type":"string"}]})";
    BOOST_TEST(told(shapes, R"({"kind":"square","side":"2"})") == "/side|must be a number, but is a string\n");
    BOOST_TEST(told(shapes, R"({"kind":"circle"})") == "|must have the property `radius`\n");
    BOOST_TEST(told(R"({"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]})", "[]") == "|must be a string, an integer or null, but is an array\n");
    BOOST_TEST(told(R"({"oneOf":[{"minimum":1},{"maximum":5}]})", "3") == "|must follow exactly one of the alternatives, but follows both 0 and 1\n");
}

BOOST_AUTO_TEST_CASE(violations_name_the_place_in_the_schema) {
    const auto found = compiled(R"({"properties":{"a/b":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"number"}}})").validate(parse_json(R"({"a/b":""})").value());
    BOOST_TEST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].instance == "/a~1b");
    BOOST_TEST(found[0].schema == "/$defs/n/type");
    const auto meta = compiled(R"({"$ref":"https://json-schema.org/draft/2020-12/schema"})").validate(parse_json(R"({"minLength":-1})").value());
    BOOST_TEST_REQUIRE(meta.size() == 1u);
    BOOST_TEST(meta[0].schema == "https://json-schema.org/draft/2020-12/meta/validation#/$defs/nonNegativeInteger/minimum");
}

BOOST_AUTO_TEST_CASE(messages_never_quote_the_value) {
    for (const auto* schema : {R"({"type":"integer"})", R"({"enum":["a"]})", R"({"maxLength":1})", R"({"pattern":"^x$"})", R"({"not":{}})", "false"}) {
        BOOST_TEST(told(schema, R"("s3cret")").find("s3cret") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_problem_lists_three_violations_and_carries_all) {
    const auto found = compiled(R"({"required":["a","b","c","d"]})").validate(parse_json("{}").value());
    const auto error = schema::to_problem(found, "the input", "/do/0/x");
    BOOST_TEST(error.detail ==
               "The input does not follow its schema: it must have the property `a`; it must have the property `b`; it must have the property `c`; and 1 more.");
    BOOST_TEST(error.status == 400);
    BOOST_TEST(error.instance == "/do/0/x");
    BOOST_TEST(error.extra.at("violations").as_array().size() == 4u);
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_schema_name_their_place) {
    BOOST_TEST(mistake_in(R"({"properties":{"a":{"minLength":-1}}})") == "The schema at `/properties/a/minLength` must be a whole number that is not negative.");
    BOOST_TEST(mistake_in(R"({"type":"strng"})") ==
               "The schema at `/type` must be one of null, boolean, integer, number, string, array, object; did you mean \"string\"?");
    BOOST_TEST(mistake_in(R"({"$ref":"#/$defs/itm","$defs":{"item":{}}})") ==
               "The schema at `/$ref` refers to `#/$defs/itm`, but there is no `itm`; did you mean `item`?");
    BOOST_TEST(mistake_in(R"({"$ref":"#nme","$defs":{"a":{"$anchor":"name"}}})") ==
               "The schema at `/$ref` refers to `#nme`, but there is no such anchor; did you mean `#name`?");
    BOOST_TEST(mistake_in(R"({"$ref":"https://example.com/x"})").find("none could be fetched") != std::string::npos);
    BOOST_TEST(mistake_in(R"({"$ref":"x.json"})").find("is relative") != std::string::npos);
    BOOST_TEST(mistake_in(R"({"pattern":"a("})") == "The schema at `/pattern` is not a regular expression that this engine can use: a group is not closed (at offset 2).");
    BOOST_TEST(mistake_in(R"({"$schema":"http://json-schema.org/draft-07/schema#"})").find("draft 2020-12") != std::string::npos);
    BOOST_TEST(mistake_in(R"({"$defs":{"unused":{"items":[{}]}}})") ==
               "The schema at `/$defs/unused/items` must be a schema: an object, `true` or `false`, but is an array.");
    BOOST_TEST(mistake_in(R"({"properties":{"a":3}})") == "The schema at `/properties/a` must be a schema: an object, `true` or `false`, but is a number.");
    BOOST_TEST(mistake_in("3") == "The schema must be a schema: an object, `true` or `false`, but is a number.");
    BOOST_TEST(mistake_in(R"({"required":"a"})") == "The schema at `/required` must be an array of strings, but is a string.");
}

BOOST_AUTO_TEST_SUITE_END()
