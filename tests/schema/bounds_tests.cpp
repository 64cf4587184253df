// Hostile schemas and values end in an error or a violation, soon, without a crash.
#include "base/json.hpp"
#include "schema/format.hpp"
#include "schema/number.hpp"
#include "schema/pattern.hpp"
#include "schema/validator.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace pawl;

namespace {

result<schema::validator> compile(std::string_view text) { return schema::validator::compile(parse_json(text).value()); }

json::value nested(std::size_t depth) {
    json::value out = 1;
    for (std::size_t i = 0; i < depth; ++i) {
        json::object outer;
        outer.emplace("a", std::move(out));
        out = std::move(outer);
    }
    return out;
}

bool matches(std::string_view pattern, std::string_view text) {
    const auto made = schema::pattern::compile(pattern);
    BOOST_TEST_REQUIRE(made.value, std::string(pattern) << ": " << made.error);
    return made.value->search(text) == schema::match_outcome::yes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schema_bounds)

BOOST_AUTO_TEST_CASE(a_reference_that_always_leads_to_itself_does_not_compile) {
    for (const auto* text : {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})", R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})"}) {
        const auto made = compile(text);
        BOOST_TEST_REQUIRE(made.has_error(), text);
        BOOST_TEST(made.error().detail.find("refers to itself without end") != std::string::npos);
    }
    BOOST_TEST(compile(R"({"properties":{"a":{"$ref":"#"}}})").has_value());
}

BOOST_AUTO_TEST_CASE(other_endless_references_end_in_a_violation) {
    for (const auto* text : {R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", R"({"not":{"$ref":"#"}})", R"({"if":{"$ref":"#"}})", R"({"oneOf":[{"$ref":"#"}]})",
                             R"({"$dynamicRef":"#a","$dynamicAnchor":"a"})"}) {
        const auto made = compile(text);
        BOOST_TEST_REQUIRE(made.has_value(), text);
        BOOST_TEST(!made->is_valid(1));
        const auto found = made->validate(1);
        BOOST_TEST_REQUIRE(!found.empty());
        BOOST_TEST(found[0].message.find("cannot be checked") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(deep_values_are_checked_up_to_a_limit_and_refused_beyond) {
    const auto made = compile(R"({"properties":{"a":{"$ref":"#"}},"additionalProperties":false})").value();
    BOOST_TEST(made.is_valid(nested(256)));
    BOOST_TEST(!made.is_valid(nested(5000)));
    BOOST_TEST(made.validate(nested(5000)).size() == 1u);
}

BOOST_AUTO_TEST_CASE(alternatives_that_explode_are_cut) {
    const auto made = compile(R"({"type":"object","properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}}})").value();
    const auto value = nested(60);
    BOOST_TEST(!made.is_valid(value));
    const auto found = made.validate(value);
    BOOST_TEST_REQUIRE(!found.empty());
    BOOST_TEST(found[0].message.find("10 million steps") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_schema_nested_too_deep_is_refused) {
    std::string text;
    for (int i = 0; i < 120; ++i) text += R"({"not":)";
    text += "true" + std::string(120, '}');
    BOOST_TEST(compile(text).has_value());
    json::value deep = true;
    for (int i = 0; i < 2000; ++i) {
        json::object outer;
        outer.emplace("not", std::move(deep));
        deep = std::move(outer);
    }
    BOOST_TEST(schema::validator::compile(deep).has_error());
}

BOOST_AUTO_TEST_CASE(a_pattern_that_backtracks_without_end_gives_up) {
    const auto made = compile(R"({"pattern":"^(a|a)*$"})").value();
    const auto found = made.validate(json::value(std::string(5000, 'a') + "b"));
    BOOST_TEST_REQUIRE(found.size() == 1u);
    BOOST_TEST(found[0].message.find("needs too long") != std::string::npos);
    BOOST_TEST(!compile(R"({"pattern":"^ab$"})")->is_valid(json::value("\xff\xfe")));
    // Oniguruma's own look-ahead would make these quadratic without a single retry.
    const json::value letters(std::string(1'000'000, 'a'));
    for (const auto* text : {R"({"pattern":"[a-z]+@"})", R"({"pattern":"[a-z]*?@"})", R"({"pattern":"([a-z]{2,})@[a-z]+"})"}) BOOST_TEST(!compile(text)->is_valid(letters));
}

BOOST_AUTO_TEST_CASE(a_large_array_is_checked_for_equal_items_in_no_time) {
    json::array items;
    for (int i = 0; i < 100'000; ++i) items.push_back(json::object{{"id", i}});
    const auto made = compile(R"({"uniqueItems":true})").value();
    BOOST_TEST(made.is_valid(items));
    items.push_back(json::object{{"id", 7.0}});
    BOOST_TEST(!made.is_valid(items));
}

BOOST_AUTO_TEST_CASE(a_value_with_very_many_mistakes_is_told_shortly) {
    json::array items(100'000, json::value("x"));
    BOOST_TEST(compile(R"({"items":{"type":"number"}})")->validate(items).size() == 20u);
    BOOST_TEST(compile(R"({"items":{"type":"number"}})")->validate(items, 3).size() == 3u);
}

BOOST_AUTO_TEST_CASE(ecma_patterns_mean_what_ecma_says) {
    BOOST_TEST(!matches("^a$", "x\na\ny"));
    BOOST_TEST(!matches("^a$", "a\n"));
    BOOST_TEST(!matches("a.c", "a\nc"));
    BOOST_TEST(matches("a[^]c", "a\nc"));
    BOOST_TEST(!matches("a[]", "a"));
    BOOST_TEST(matches("^[a[]+$", "a["));
    BOOST_TEST(matches("^[a&&b]+$", "&ab"));
    BOOST_TEST(matches("^[\\w-]+$", "a-b_9"));
    BOOST_TEST(matches("^[^\\s\\d]+$", "abc"));
    BOOST_TEST(matches("^[\\S]$", "a"));
    BOOST_TEST(matches("^\\u{1F600}\\ud83d\\ude00$", "\U0001F600\U0001F600"));
    BOOST_TEST(matches("^(?<year>\\d{4})-\\k<year>$", "2026-2026"));
    BOOST_TEST(matches("^(a)(b)\\2\\1$", "abba"));
    BOOST_TEST(matches("a{,2}", "a{,2}"));
    BOOST_TEST(matches("^{x}$", "{x}"));
    BOOST_TEST(matches("^\\/\\-\\.$", "/-."));
    BOOST_TEST(matches("^\\p{Script=Greek}+$", "αβγ"));
    BOOST_TEST(matches("(?<=a)b(?!c)", "abd"));
    BOOST_TEST(matches("^[\\b]$", "\b"));
    BOOST_TEST(matches("^x\\0$", std::string_view("x\0", 2)));
    BOOST_TEST(matches("^[a-z]+@[a-z]+(\\.[a-z]{2,3})*?$", "a@b.de.org"));
    BOOST_TEST(matches("^(a{2,}|b+?c)*$", "aaabcaa"));
    BOOST_TEST(matches("", ""));
}

BOOST_AUTO_TEST_CASE(what_ecma_does_not_know_is_a_mistake) {
    for (const auto* text : {"a++", "*a", "a(", "a)", "[a", "\\", "\\A", "\\p{", "\\pL", "(?>a)", "(?#x)", "(*FAIL)", "a|*", "\\ud800", "\\k<no>", "(?(1)a)", "\\u{110000}"}) {
        BOOST_TEST(!schema::pattern::compile(text).value, text);
    }
    BOOST_TEST(!schema::pattern::compile(std::string(500, '(') + std::string(500, ')')).value);
    BOOST_TEST(!schema::pattern::compile(std::string(20'000, 'a')).value);
}

BOOST_AUTO_TEST_CASE(numbers_compare_mathematically) {
    const auto same = [](std::string_view a, std::string_view b) { return schema::equal(parse_json(a).value(), parse_json(b).value()); };
    BOOST_TEST(same("1", "1.0"));
    BOOST_TEST(same("[0]", "[-0.0]"));
    BOOST_TEST(!same("9007199254740993", "9007199254740992.0"));
    BOOST_TEST(!same("18446744073709551615", "18446744073709551616"));
    BOOST_TEST(same(R"({"a":1,"b":2})", R"({"b":2,"a":1})"));
    BOOST_TEST(!same("true", "1"));
}

BOOST_AUTO_TEST_CASE(multiples_are_decided_in_decimal) {
    const auto multiple = [](std::string_view value, std::string_view of) {
        return schema::is_multiple_of(schema::number_of(parse_json(value).value()), schema::number_of(parse_json(of).value()));
    };
    BOOST_TEST(multiple("0.07", "0.01"));
    BOOST_TEST(multiple("-19.99", "0.01"));
    BOOST_TEST(!multiple("0.075", "0.01"));
    BOOST_TEST(multiple("1e300", "1e-300"));
    BOOST_TEST(!multiple("1e-300", "1e300"));
    BOOST_TEST(multiple("18446744073709551615", "5"));
    BOOST_TEST(!multiple("9007199254740993", "2"));
    BOOST_TEST(multiple("0", "7"));
    BOOST_TEST(!multiple("5", "1e18"));
    BOOST_TEST(multiple("-9223372036854775808", "2"));
}

BOOST_AUTO_TEST_CASE(formats_are_annotations_unless_asked) {
    const auto text = parse_json(R"({"format":"ipv4"})").value();
    BOOST_TEST(schema::validator::compile(text)->is_valid("x"));
    schema::compile_options strict;
    strict.assert_format = true;
    BOOST_TEST(!schema::validator::compile(text, strict)->is_valid("x"));
    BOOST_TEST(schema::validator::compile(text, strict)->is_valid(1));
}

BOOST_AUTO_TEST_CASE(formats_hold_for_good_and_not_for_bad_strings) {
    struct sample {
        const char* name;
        std::vector<const char*> good, bad;
    };
    const std::vector<sample> samples{
        {"date-time", {"2026-11-23T14:00:00Z", "2026-11-23t14:00:00.5+01:00", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60-08:00"},
         {"2026-11-23", "2026-11-23 14:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "1998-12-31T22:59:60Z", "2026-11-23T14:00:00", ""}},
        {"date", {"2024-02-29", "2000-02-29"}, {"2023-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "20261-1-01"}},
        {"time", {"14:00:00Z", "14:00:00.123456-23:59"}, {"14:00:00", "14:00Z", "14:60:00Z", "14:00:00.Z", "14:00:00+1:00", "14:00:00+24:00"}},
        {"duration", {"P4Y", "P1Y2M3DT4H5M6S", "PT36H", "P2W", "PT1M1S"}, {"P", "PT", "P1", "4Y", "P1D2H", "P2W1D", "PT1H1S", "P1YT", "P1.5D"}},
        {"email", {"a@example.com", "a.b+c@x.org", "\"a b\"@x.org", "a@[127.0.0.1]", "a@[IPv6:::1]"}, {"a", "@x", "a@", ".a@x", "a..b@x", "a b@x", "a@x..y"}},
        {"hostname", {"localhost", "a-b.example.com"}, {"", "-a", "a-", "a..b", "a_b", ".a", "a."}},
        {"ipv4", {"127.0.0.1", "255.255.255.255"}, {"1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "a.b.c.d"}},
        {"ipv6", {"::", "::1", "1:2:3:4:5:6:7:8", "fe80::1:2", "::ffff:192.168.0.1", "1::", "1:2:3:4:5:6:1.2.3.4"},
         {":", ":::", "1:2:3:4:5:6:7", "1::2::3", "12345::", "::g", "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8:9", "::1.2.3", "1:2:3:4:5:6:7::8"}},
        {"uri", {"https://example.com/a?b#c", "urn:uuid:1"}, {"/a", "a b", "https://[x", ""}},
        {"uri-reference", {"/a", "", "#x", "https://e.com"}, {"a b", "\\\\x"}},
        {"uuid", {"2eb8aa08-aa98-11ea-b4aa-73b441d16380"}, {"2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa98-11ea-b4aa-73b441d163800", ""}},
        {"json-pointer", {"", "/a~1b/0", "/"}, {"a", "/~", "/~2"}},
        {"regex", {"^a$"}, {"a("}},
    };
    for (const auto& s : samples) {
        const auto* rule = schema::find_format(s.name);
        BOOST_TEST_REQUIRE(rule, s.name);
        for (const auto* text : s.good) BOOST_TEST(rule->holds(text), s.name << " should hold for " << text);
        for (const auto* text : s.bad) BOOST_TEST(!rule->holds(text), s.name << " should not hold for " << text);
    }
    BOOST_TEST(!schema::find_format("colour"));
}

BOOST_AUTO_TEST_CASE(one_validator_serves_several_threads) {
    const auto made = compile(R"({"properties":{"a":{"pattern":"^[a-z]+$"},"b":{"anyOf":[{"type":"string"},{"$ref":"#"}]}},"unevaluatedProperties":false})").value();
    const auto good = parse_json(R"({"a":"abc","b":{"b":"x"}})").value();
    const auto bad = parse_json(R"({"a":"ABC","c":1})").value();
    std::vector<std::size_t> wrong(4);
    {
        std::vector<std::jthread> threads;
        for (auto& count : wrong) {
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i) count += !made.is_valid(good) || made.is_valid(bad) || made.validate(bad).size() != 2;
            });
        }
    }
    for (const auto count : wrong) BOOST_TEST(count == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
