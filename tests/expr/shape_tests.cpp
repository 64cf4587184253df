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

std::vector<expr::type_clash> clashes(std::string_view text) {
    static const std::vector<std::string> names{"context", "input", "__now"};
    const auto program = expr::program::compile(text, names);
    BOOST_TEST_REQUIRE(program.has_value(), text);
    return expr::clashes_of(*program);
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

BOOST_AUTO_TEST_CASE(what_always_fails_is_told) {
    for (const std::string_view wrong : {R"j("a" + 1)j",
                                         R"j(1 + "a")j",
                                         R"j({ a: 1 } + "a")j",
                                         R"j([1] + 1)j",
                                         R"j(true + true)j",
                                         R"j("a" - "b")j",
                                         R"j({} - {})j",
                                         R"j("a" / 2)j",
                                         R"j(4 / "2")j",
                                         R"j([1] * 2)j",
                                         R"j("a" % 2)j",
                                         R"j(null - 1)j",
                                         R"j(null * 2)j",
                                         R"j("n: " + (.a | length))j",
                                         R"j({ x: [("a" + 1)] })j",
                                         R"j("\("a" - 1)")j",
                                         R"j(if .a then "a" + 1 else 2 end)j",
                                         R"j(.a // ("a" + 1))j",
                                         R"j((.a | tostring) + 1)j",
                                         R"j(-"a")j",
                                         R"j(("a" + 1) as $x | $x)j",
                                         R"j((.x == 1) + 1)j",
                                         R"j(("a" + 1) == 2)j"}) {
        BOOST_TEST(clashes(wrong).size() == 1u, wrong);
        const auto program = expr::program::compile(wrong, std::vector<std::string>{"context", "input"});
        if (wrong.find("if ") == std::string_view::npos && wrong.find("//") == std::string_view::npos) {
            const json::value input = json::object{{"a", json::object()}, {"x", 1}}, none;
            const std::vector<const json::value*> variables{&none, &none};
            BOOST_TEST(program->evaluate_one(input, variables).has_error(), wrong << " is no error");
        }
    }
}

BOOST_AUTO_TEST_CASE(what_may_succeed_is_not_told) {
    for (const std::string_view right : {R"j("a" + "b")j",
                                         R"j(1 + 2)j",
                                         R"j(null + 1)j",
                                         R"j("a" + null)j",
                                         R"j([1] + [2])j",
                                         R"j({} + {})j",
                                         R"j("a" * 3)j",
                                         R"j(3 * "a")j",
                                         R"j({} * {})j",
                                         R"j("a,b" / ",")j",
                                         R"j([1] - [1])j",
                                         R"j(5 % 2)j",
                                         R"j(.a + 1)j",
                                         R"j("a" + .b)j",
                                         R"j(("a" + 1)?)j",
                                         R"j(try ("a" + 1) catch "b")j",
                                         R"j(("a" + 1) // 2)j",
                                         R"j((.a | length) + 1)j",
                                         R"j("n: \(.a | length)")j",
                                         R"j((.a | tonumber) * 2)j",
                                         R"j($context + { a: 1 })j",
                                         R"j(.items | map(. + 1))j",
                                         R"j(reduce .[] as $x (0; . + $x))j",
                                         R"j((.a // "x") + 1)j",
                                         R"j(if (. | type) == "string" then . + "a" else . + 1 end)j",
                                         R"j(5 | if type == "string" then . + "a" else . + 1 end)j",
                                         R"j(def f: "a" + 1; .a)j",
                                         R"j((.a | first) + 1)j",
                                         R"j([.[] | . * 2] + [1])j",
                                         R"j((now | floor) + 1)j",
                                         R"j(.a -= 1)j",
                                         R"j(-(.a))j"}) {
        BOOST_TEST(clashes(right).empty(), right);
    }
}

BOOST_AUTO_TEST_SUITE_END()
