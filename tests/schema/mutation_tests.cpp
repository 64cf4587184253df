// A seeded fuzzer: schemas, values and patterns are broken at random; nothing may crash, hang or contradict itself.
// Deterministic. PAWL_FUZZ_ROUNDS and PAWL_FUZZ_SEED ask for more; the sanitizer build is where it bites.
#include "base/json.hpp"
#include "schema/format.hpp"
#include "schema/pattern.hpp"
#include "schema/validator.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

using namespace pawl;

namespace {

std::size_t from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

constexpr std::array<std::string_view, 8> seeds{
    R"({"$id":"https://e.com/a","type":"object","properties":{"a":{"$ref":"#/$defs/x"},"b":{"type":["string","null"],"minLength":1}},"required":["a"],
        "additionalProperties":false,"$defs":{"x":{"$anchor":"x","enum":[1,"b",null]}}})",
    R"({"oneOf":[{"properties":{"k":{"const":"a"}},"required":["k"]},{"properties":{"k":{"const":"b"}}},{"type":"array","prefixItems":[true,{"type":"integer"}]}],
        "unevaluatedProperties":{"type":"number"},"unevaluatedItems":false})",
    R"({"$dynamicAnchor":"n","type":"object","properties":{"c":{"type":"array","items":{"$dynamicRef":"#n"}},"v":{"multipleOf":0.01,"maximum":1e300}}})",
    R"({"if":{"properties":{"a":{"const":1}}},"then":{"required":["b"]},"else":{"not":{"required":["b"]}},"dependentSchemas":{"q":{"minProperties":2}}})",
    R"({"patternProperties":{"^x-[a-z]{1,3}$":{"pattern":"^(a|b)*c?$"}},"propertyNames":{"maxLength":5},"dependentRequired":{"a":["b"]}})",
    R"({"contains":{"minimum":3},"minContains":1,"maxContains":2,"uniqueItems":true,"maxItems":4,"items":{"type":"number"}})",
    R"({"allOf":[{"$ref":"#/$defs/p"},{"anyOf":[{"$ref":"#/$defs/p"},{"type":"string","format":"date-time"}]}],"$defs":{"p":{"properties":{"n":{"$ref":"#"}}}}})",
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"https://json-schema.org/draft/2020-12/schema","exclusiveMinimum":-1})",
};

constexpr std::array<std::string_view, 44> words{
    "$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor", "$defs", "$schema", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "properties",
    "patternProperties", "additionalProperties", "propertyNames", "required", "type", "enum", "const", "items", "prefixItems", "contains", "minContains", "uniqueItems",
    "unevaluatedItems", "unevaluatedProperties", "dependentSchemas", "dependencies", "multipleOf", "maximum", "minLength", "pattern", "format", "$vocabulary", "a", "b", "k",
    "c", "n", "v", "x-ab"};

constexpr std::array<std::string_view, 22> texts{
    "#", "#/$defs/x", "#/properties/a", "#x", "#n", "#/allOf/0", "https://e.com/a", "other.json", "#/%", "#/~2", "//", "?", "urn:x", "string", "object", "a", "b", "^(a|a)*$",
    "(?<n>[a-z]\\p{L})+", "[", "\\u{1F600}", "2026-11-23T14:00:00Z"};

class mutator {
public:
    explicit mutator(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

    json::value scalar() {
        switch (below(9)) {
            case 0: return nullptr;
            case 1: return below(2) == 0;
            case 2: return static_cast<std::int64_t>(below(7)) - 2;
            case 3: return std::numeric_limits<std::uint64_t>::max() - below(3);
            case 4: return std::numeric_limits<std::int64_t>::min();
            case 5: return (static_cast<double>(below(2000)) - 1000) / 100;
            case 6: return 1e308 / static_cast<double>(1 + below(3));
            default: return json::value(texts[below(texts.size())]);
        }
    }

    json::value value(std::size_t depth) {
        if (depth == 0 || below(3) == 0) return scalar();
        if (below(2) == 0) {
            json::array out;
            for (std::size_t i = below(5); i > 0; --i) out.push_back(value(depth - 1));
            return out;
        }
        json::object out;
        for (std::size_t i = below(5); i > 0; --i) out[words[below(words.size())]] = value(depth - 1);
        return out;
    }

    /// Changes one place of `target`; `donor` lends subtrees.
    void mutate(json::value& target, const json::value& donor) {
        json::value& at = pick(target);
        switch (below(6)) {
            case 0: at = scalar(); return;
            case 1: at = value(2); return;
            case 2: {
                json::value copy = donor;
                at = json::value(pick(copy));
                return;
            }
            default: break;
        }
        if (auto* object = at.if_object()) {
            if (below(3) == 0 && !object->empty()) object->erase(object->begin() + static_cast<std::ptrdiff_t>(below(object->size())));
            else (*object)[words[below(words.size())]] = below(2) ? value(2) : json::value(texts[below(texts.size())]);
        } else if (auto* array = at.if_array()) {
            array->push_back(value(2));
        }
    }

    std::string pattern() {
        constexpr std::string_view alphabet = "ab(|)*+?[]^$.\\dwsbpkuxc{}1,23-&<>=!:L\xc3\xa9";
        std::string out;
        for (std::size_t i = below(24); i > 0; --i) out += alphabet[below(alphabet.size())];
        return out;
    }

private:
    json::value& pick(json::value& root) {
        json::value* at = &root;
        while (below(4) != 0) {
            if (auto* object = at->if_object(); object && !object->empty()) at = &(object->begin() + static_cast<std::ptrdiff_t>(below(object->size())))->value();
            else if (auto* array = at->if_array(); array && !array->empty()) at = &(*array)[below(array->size())];
            else break;
        }
        return *at;
    }

    std::mt19937_64 random_;
};

void check_one(const json::value& text, mutator& m, std::size_t& compiled) {
    schema::compile_options options;
    options.assert_format = m.below(2) == 0;
    const auto made = schema::validator::compile(text, options);
    if (made.has_error()) {
        BOOST_TEST(made.error().detail.starts_with("The schema"));
        return;
    }
    ++compiled;
    for (int i = 0; i < 4; ++i) {
        const auto value = i == 0 ? text : m.value(4);
        const bool valid = made->is_valid(value);
        const auto found = made->validate(value, 5);
        BOOST_TEST(valid == found.empty(), "schema " << to_text(text) << " value " << to_text(value));
        for (const auto& v : found) BOOST_TEST(!v.message.empty());
        if (!valid) BOOST_TEST(!schema::to_problem(found, "the value").detail.empty());
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schema_mutations)

BOOST_AUTO_TEST_CASE(broken_schemas_and_values_end_in_an_answer) {
    mutator m(from_environment("PAWL_FUZZ_SEED", 1));
    const auto rounds = from_environment("PAWL_FUZZ_ROUNDS", 3000);
    std::size_t compiled = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        auto schema = parse_json(seeds[m.below(seeds.size())]).value();
        const auto donor = parse_json(seeds[m.below(seeds.size())]).value();
        for (std::size_t n = 1 + m.below(4); n > 0; --n) m.mutate(schema, donor);
        check_one(schema, m, compiled);
    }
    // A fuzzer whose schemas never compile, or always do, tests nothing.
    BOOST_TEST(compiled > rounds / 10);
    BOOST_TEST(compiled < rounds);
    std::cout << "schema mutations: " << rounds << " schemas, " << compiled << " compiled\n";
}

BOOST_AUTO_TEST_CASE(broken_patterns_end_in_an_answer) {
    mutator m(from_environment("PAWL_FUZZ_SEED", 1));
    const auto rounds = from_environment("PAWL_FUZZ_ROUNDS", 3000) * 3;
    std::size_t compiled = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        const auto made = schema::pattern::compile(m.pattern());
        BOOST_TEST((made.value != nullptr) == made.error.empty());
        if (!made.value) continue;
        ++compiled;
        for (const std::string_view text : {"", "ab", "aabb\n1,2\xc3\xa9", "\xc3", "\xff\xff"}) (void)made.value->search(text);
    }
    BOOST_TEST(compiled > rounds / 20);
    std::cout << "pattern mutations: " << rounds << " patterns, " << compiled << " compiled\n";
}

BOOST_AUTO_TEST_CASE(formats_read_any_bytes) {
    mutator m(from_environment("PAWL_FUZZ_SEED", 1));
    constexpr std::string_view alphabet = "019:.-+TZPWYMDHSaf@\"[]/~%#? \\\xff";
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (std::size_t n = m.below(30); n > 0; --n) text += alphabet[m.below(alphabet.size())];
        for (const auto* name : {"date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid", "json-pointer"}) {
            (void)schema::find_format(name)->holds(text);
        }
    }
    BOOST_TEST(!schema::find_format("date")->holds(""));
}

BOOST_AUTO_TEST_SUITE_END()
