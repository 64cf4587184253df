#include "trial/match.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

json::value value(std::string_view text) { return parse_json(text).value(); }

bool fits(std::string_view expected, std::string_view actual) { return trial::match(value(expected), value(actual), nullptr).empty(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(matching)

BOOST_AUTO_TEST_CASE(objects_are_partial_and_arrays_are_whole) {
    BOOST_TEST(fits(R"({"a":1})", R"({"a":1,"b":2})"));
    BOOST_TEST(!fits(R"({"a":1,"c":null})", R"({"a":1,"b":2})"));
    BOOST_TEST(!fits(R"({"a":{"b":1}})", R"({"a":{"b":2}})"));
    BOOST_TEST(fits("[1,2]", "[1,2]"));
    BOOST_TEST(!fits("[1]", "[1,2]"));
    BOOST_TEST(!fits("[2,1]", "[1,2]"));
    BOOST_TEST(fits("[{}]", R"([{"a":1}])"));
    BOOST_TEST(!fits("1", "\"1\""));
    BOOST_TEST(fits("1", "1.0"));
}

BOOST_AUTO_TEST_CASE(each_matcher_takes_what_it_says_and_nothing_else) {
    const std::vector<std::tuple<std::string, std::string, std::string>> table{
        {R"({"$exactly":{"a":1}})", R"({"a":1})", R"({"a":1,"b":2})"},
        {R"({"$matches":"^a+$"})", R"("aa")", R"("ab")"},
        {R"({"$matches":"1"})", R"("21")", "21"},
        {R"({"$range":[1,3]})", "3", "3.5"},
        {R"({"$range":[null,3]})", "-100", "4"},
        {R"({"$range":[1,null]})", "1", "\"1\""},
        {R"({"$type":"array"})", "[]", "{}"},
        {R"({"$contains":[3,1]})", "[1,2,3]", "[1,2]"},
        {R"({"$contains":[1,1]})", "[1,2,1]", "[1,2]"},
        {R"({"$inOrder":[1,3]})", "[1,2,3]", "[3,2,1]"},
        {R"({"$anyOrder":[3,1,2]})", "[1,2,3]", "[1,2,3,4]"},
        {R"({"$each":{"$type":"number"}})", "[1,2]", "[1,\"2\"]"},
        {R"({"$size":2})", "[1,2]", "[1]"},
        {R"({"$size":{"$range":[1,2]}})", R"({"a":1})", "{}"},
        {R"({"$not":1})", "2", "1"},
        {R"({"$oneOf":[1,"a"]})", "\"a\"", "2"},
        {R"({"a":{"$absent":true}})", "{}", R"({"a":null})"},
        {R"({"a":{"$absent":false}})", R"({"a":null})", "{}"},
        {R"("${ . > 2 }")", "3", "2"},
        {R"({"$type":"number","$range":[0,9]})", "5", "10"},
    };
    for (const auto& [matcher, good, bad] : table) {
        BOOST_TEST(fits(matcher, good), matcher << " takes " << good);
        BOOST_TEST(!fits(matcher, bad), matcher << " does not take " << bad);
    }
}

BOOST_AUTO_TEST_CASE(a_mismatch_tells_both_places) {
    const auto found = trial::match(value(R"({"a":[{"b":1},{"b":2}]})"), value(R"({"a":[{"b":1},{"b":3}],"c":0})"), nullptr);
    BOOST_TEST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].pointer == "/a/1/b");
    BOOST_TEST(found[0].path == "/a/1/b");
    BOOST_TEST(found[0].expected == "2");
    BOOST_TEST(found[0].actual == "3");
}

BOOST_AUTO_TEST_CASE(a_condition_sees_everything_that_was_seen) {
    BOOST_TEST(trial::match(value(R"("${ . == $seen.limit }")"), 4, value(R"({"limit":4})")).empty());
    BOOST_TEST(!trial::match(value(R"("${ . == $seen.limit }")"), 5, value(R"({"limit":4})")).empty());
    // One that fails is no match, and says why.
    const auto failed = trial::match(value(R"("${ .a.b }")"), 5, nullptr);
    BOOST_TEST_REQUIRE(failed.size() == 1u);
    BOOST_TEST(failed[0].actual.find("the condition failed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(mistakes_of_matchers_are_found_before_anything_runs) {
    const std::vector<std::pair<std::string, std::string>> table{
        {R"({"$matchs":"a"})", "there is no matcher `$matchs`; did you mean `$matches`?"},
        {R"({"a":[{"$range":[1]}]})", "`$range` takes [LOW, HIGH]"},
        {R"({"$type":"text"})", "`$type` takes null, boolean"},
        {R"({"$contains":1})", "`$contains` takes a list"},
        {R"({"$absent":1})", "`$absent` takes true or false"},
        {R"({"$matches":"("})", "`$matches`"},
        {R"({"a":"${ .a | }"})", "the condition does not compile"},
    };
    for (const auto& [matcher, told] : table) {
        const auto found = trial::check_matchers(value(matcher));
        BOOST_TEST_REQUIRE(found.size() == 1u, matcher);
        BOOST_TEST(found[0].message.find(told) != std::string::npos, matcher << ": " << found[0].message);
    }
    BOOST_TEST(trial::check_matchers(value(R"({"$exactly":{"$anything":"${ | }"}})")).empty());
}

BOOST_AUTO_TEST_SUITE_END()
