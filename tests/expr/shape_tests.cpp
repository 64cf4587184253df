// What is known of values before the run.
#include "expr/shape.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using expr::shape;

namespace {

shape of(std::string_view text) {
    static const std::vector<std::string> names{"context", "input"};
    const auto program = expr::program::compile(text, names);
    BOOST_TEST_REQUIRE(program.has_value(), text);
    return expr::shape_of(*program);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_shapes)

BOOST_AUTO_TEST_CASE(constructed_objects_are_known_member_by_member) {
    const auto made = of("{ id: .id, limit: 3, name: \"a\\(.b)\", list: [.x], sum: (.a + 1), \"odd key\": (.x == 1) }");
    BOOST_TEST((made.what == shape::kind::object && made.closed && made.certain));
    BOOST_TEST((made.member("id")->what == shape::kind::unknown));
    BOOST_TEST(made.member("limit")->constant.value() == json::value(3));
    BOOST_TEST((made.member("name")->what == shape::kind::string));
    BOOST_TEST((made.member("list")->what == shape::kind::array));
    BOOST_TEST((made.member("sum")->what == shape::kind::number));
    BOOST_TEST((made.member("odd key")->what == shape::kind::boolean));
    BOOST_TEST(made.member("list")->offset > made.member("id")->offset);
    BOOST_TEST(!of("{ (.key): 1 }").closed);
}

BOOST_AUTO_TEST_CASE(additions_and_choices_keep_what_is_sure) {
    const auto added = of("$context + { a: 1 }");
    BOOST_TEST((added.what == shape::kind::object && added.closed && added.rest == std::vector<std::string>{"context"}));
    BOOST_TEST((of(". + { a: 1 }").what == shape::kind::object));
    BOOST_TEST(!of(". + { a: 1 }").closed);
    BOOST_TEST((of("{ a: 1 } + .").member("a")->what == shape::kind::unknown));
    const auto chosen = of("if .x then { a: 1, b: 2 } else { a: 3 } end");
    BOOST_TEST((chosen.closed && !chosen.certain && chosen.members.size() == 2u));
    BOOST_TEST(!chosen.member("a")->constant.has_value());
    BOOST_TEST((of("if .x then 1 else \"a\" end").what == shape::kind::unknown));
    BOOST_TEST((of("$context | .a = 1").member("a")->what == shape::kind::number));
    BOOST_TEST((of(".a.b[0]").what == shape::kind::unknown));
    BOOST_TEST((of("map(.x)").what == shape::kind::array || of("map(.x)").what == shape::kind::unknown));
}

BOOST_AUTO_TEST_SUITE_END()
