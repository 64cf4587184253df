// What the compiler makes of C++ types: schemas as constants, values from JSON and back.
#include <pawl/plugin.hpp>

#include <boost/test/unit_test.hpp>

namespace sdk_tests {

namespace sdk = pawl::sdk;
namespace json = boost::json;

enum class color { red, green };
BOOST_DESCRIBE_ENUM(color, red, green)

struct point {
    double x = 0;
    std::optional<int> y;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

struct all {
    std::string text;
    std::vector<point> points;
    std::map<std::string, bool> flags;
    json::value anything;
    std::uint8_t small = 0;
    std::uint64_t large = 0;
    sdk::with_default<std::string, "a \"quoted\"\n"> line;
    sdk::with_default<int, -7> number;
    sdk::with_default<double, 0.125> eighth;
    sdk::with_default<bool, false> flag;
    sdk::with_default<color, color::green> paint;
};
BOOST_DESCRIBE_STRUCT(all, (), (text, points, flags, anything, small, large, line, number, eighth, flag, paint))

std::string refusal(const std::string& text) {
    try {
        sdk::from_json<all>(json::parse(text));
    } catch (const sdk::failure& e) {
        BOOST_TEST(e.problem().at("type") == "validation");
        return e.what();
    }
    return "accepted";
}

}  // namespace sdk_tests

using namespace sdk_tests;

BOOST_AUTO_TEST_SUITE(schemas)

BOOST_AUTO_TEST_CASE(a_schema_is_a_constant_of_the_type) {
    static_assert(sdk::schema_of<bool>() == R"({"type":"boolean"})");
    static_assert(sdk::schema_of<std::int8_t>() == R"({"type":"integer","minimum":-128,"maximum":127})");
    static_assert(sdk::schema_of<std::int64_t>() == R"({"type":"integer"})");
    static_assert(sdk::schema_of<std::uint64_t>() == R"({"type":"integer","minimum":0})");
    static_assert(sdk::schema_of<std::vector<color>>() == R"({"type":"array","items":{"enum":["red","green"]}})");
    static_assert(sdk::schema_of<point>() == R"({"type":"object","properties":{"x":{"type":"number"},"y":{"anyOf":[{"type":"integer","minimum":-2147483648,"maximum":2147483647},)"
                                             R"({"type":"null"}]}},"required":["x"],"additionalProperties":false})");
    const auto schema = json::parse(sdk::schema_of<all>());
    BOOST_TEST(json::serialize(schema.at("required")) == R"(["text","points","flags","anything","small","large"])");
    const auto& fields = schema.at("properties");
    BOOST_TEST(fields.at("line").at("default") == "a \"quoted\"\n");
    BOOST_TEST(fields.at("number").at("default") == -7);
    BOOST_TEST(fields.at("eighth").at("default") == 0.125);
    BOOST_TEST(fields.at("flag").at("default") == false);
    BOOST_TEST(fields.at("paint").at("default") == "green");
    BOOST_TEST(fields.at("anything") == true);
}

BOOST_AUTO_TEST_CASE(decimals_are_written_exactly_or_not_at_all) {
    const auto decimal = [](double value) {
        std::array<char, 64> text{};
        sdk::detail::writer to{text.data()};
        return to.decimal(value) ? std::string(text.data(), to.size) : "none";
    };
    BOOST_TEST(decimal(0) == "0");
    BOOST_TEST(decimal(0.1) == "0.1");
    BOOST_TEST(decimal(-12.05) == "-12.05");
    BOOST_TEST(decimal(3) == "3");
    BOOST_TEST(decimal(1e300) == "none");
    BOOST_TEST(decimal(1.0 / 3) == "none");
}

BOOST_AUTO_TEST_CASE(values_go_in_and_out) {
    const auto text = R"({"text":"t","points":[{"x":1.5},{"x":2,"y":3}],"flags":{"a":true},"anything":[null],"small":255,"large":18446744073709551615})";
    const auto value = sdk::from_json<all>(json::parse(text));
    BOOST_TEST(value.points.size() == 2u);
    BOOST_TEST(!value.points[0].y.has_value());
    BOOST_TEST(*value.points[1].y == 3);
    BOOST_TEST(value.large == 18446744073709551615u);
    BOOST_TEST(*value.line == "a \"quoted\"\n");
    BOOST_TEST((*value.paint == color::green));
    const auto back = sdk::to_json(value);
    BOOST_TEST((sdk::to_json(sdk::from_json<all>(back)) == back));
    BOOST_TEST(back.at("paint") == "green");
    BOOST_TEST(!back.at("points").at(0).as_object().contains("y"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_its_place) {
    const auto with = [](const std::string& member) {
        return R"({"text":"t","points":[],"flags":{},"anything":0,"small":1,"large":2,)" + member + "}";
    };
    BOOST_TEST(refusal(with(R"("number":1)")) == "accepted");
    BOOST_TEST(refusal(with(R"("number":2.0)")) == "accepted");
    BOOST_TEST(refusal("{}") == "`/text` is missing.");
    BOOST_TEST(refusal("[]") == "The value must be an object, but is an array.");
    BOOST_TEST(refusal(with(R"("small":256)")) == "`/small` must be an integer in the range of its type, but is a number.");
    BOOST_TEST(refusal(with(R"("number":1.5)")) == "`/number` must be an integer in the range of its type, but is a number.");
    BOOST_TEST(refusal(with(R"("number":1e300)")) == "`/number` must be an integer in the range of its type, but is a number.");
    BOOST_TEST(refusal(with(R"("paint":"blue")")) == "`/paint` must be one of red, green, but is a string.");
    BOOST_TEST(refusal(with(R"("points":[{"x":1},{"x":"1"}])")) == "`/points/1/x` must be a number, but is a string.");
    BOOST_TEST(refusal(with(R"("flags":{"a":1})")) == "`/flags/a` must be a boolean, but is a number.");
}

BOOST_AUTO_TEST_SUITE_END()
