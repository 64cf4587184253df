#include "flow/yaml.hpp"

#include <boost/test/unit_test.hpp>

#include <ctime>

using namespace pawl;
using namespace pawl::flow;

namespace {

json::value read(std::string_view text) {
    auto document = read_yaml(text, "test.yaml");
    if (document.has_error()) {
        BOOST_ERROR(render(document.error(), text));
        return {};
    }
    return std::move(document->value);
}

diagnostic refused(std::string_view text, const yaml_limits& limits = {}) {
    auto document = read_yaml(text, "test.yaml", limits);
    if (document.has_error()) return document.error();
    BOOST_ERROR("was read, but should be refused: " + std::string(text.substr(0, 60)));
    return {};
}

std::string at(const yaml_document& document, std::string_view pointer, std::size_t offset = 0) {
    const auto mark = document.mark_of(pointer, offset);
    return std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

std::string place_of(const diagnostic& d) { return d.code + " " + std::to_string(d.mark.line) + ":" + std::to_string(d.mark.column); }

std::string repeated(std::string_view part, std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += part;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_yaml)

BOOST_AUTO_TEST_CASE(plain_scalars_follow_the_core_schema) {
    const auto v = read(
        "a: [on, off, yes, no, y, n]\nb: [true, True, FALSE]\nc: [~, null, Null, ]\nd:\ne: [017, 0o17, 0x1F, -5, +7, 9007199254740993]\n"
        "f: [18446744073709551615, 18446744073709551616, 1.5, -.5, 1e3, 6.]\ng: ['12', \"true\", '~', 1.0.3, 12:30:45, 2026-01-01, 1_000]\n");
    BOOST_TEST(to_text(v) == R"({"a":["on","off","yes","no","y","n"],"b":[true,true,false],"c":[null,null,null],"d":null,)"
                             R"("e":[17,15,31,-5,7,9007199254740993],"f":[18446744073709551615,18446744073709551616,1.5,-0.5,1000,6],)"
                             R"("g":["12","true","~","1.0.3","12:30:45","2026-01-01","1_000"]})");
    BOOST_TEST(v.at("e").at(5).is_int64());
    BOOST_TEST(v.at("f").at(0).is_uint64());
    BOOST_TEST(v.at("f").at(1).is_double());
}

BOOST_AUTO_TEST_CASE(keys_are_the_text_they_are_written_as) {
    BOOST_TEST(to_text(read("on: 1\n404: x\ntrue: y\n'a b': z\n? long\n: v\n")) == R"({"on":1,"404":"x","true":"y","a b":"z","long":"v"})");
}

BOOST_AUTO_TEST_CASE(standard_tags_decide_the_type) {
    BOOST_TEST(to_text(read("[!!str 12, !!int \"12\", !!float 1, !!bool true, !!null '', ! 5]")) == R"(["12",12,1,true,null,"5"])");
    BOOST_TEST(place_of(refused("a: !!int x")) == "bad-tag 1:4");
    BOOST_TEST(place_of(refused("a: !mine x")) == "unknown-tag 1:4");
    BOOST_TEST(place_of(refused("a: !!binary aGk=")) == "unknown-tag 1:4");
    BOOST_TEST(place_of(refused("a: !!set {x}")) == "unknown-tag 1:4");
}

BOOST_AUTO_TEST_CASE(aliases_are_copies_within_limits) {
    BOOST_TEST(to_text(read("a: &x {b: [1]}\nc: *x\nd: [*x, &y 2, *y]\n")) == R"({"a":{"b":[1]},"c":{"b":[1]},"d":[{"b":[1]},2,2]})");
    BOOST_TEST(place_of(refused("a: &x [1, *x]")) == "cyclic-alias 1:11");
    BOOST_TEST(place_of(refused("a: *nothing")) == "yaml-syntax 1:4");
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int k = 0; k < 9; ++k) bomb += ", " + before;
        bomb += "]\n";
    }
    BOOST_TEST(refused(bomb).code == "too-many-values");
    const auto text = "a: &x " + std::string(1'000'000, 'x') + "\nb: [" + repeated("*x, ", 4000) + "]";
    BOOST_TEST(refused(text).code == "too-large");
    BOOST_TEST(refused(repeated("&a [", 700) + repeated("]", 175), {.max_bytes = 10000, .max_depth = 100, .max_nodes = 1000}).code == "too-deep");
}

BOOST_AUTO_TEST_CASE(what_the_language_does_not_allow_is_refused_with_its_place) {
    BOOST_TEST(place_of(refused("a: 1\nb: 2\na: 3\n")) == "duplicate-key 3:1");
    BOOST_TEST(place_of(refused("a: {b: 1, b: 2}")) == "duplicate-key 1:11");
    BOOST_TEST(place_of(refused("x: &d {a: 1}\ny:\n  <<: *d\n")) == "merge-key 3:3");
    BOOST_TEST(place_of(refused("? [a]\n: 1\n")) == "non-scalar-key 1:3");
    BOOST_TEST(place_of(refused("? {a: b}\n: 1\n")) == "non-scalar-key 1:3");
    BOOST_TEST(place_of(refused("~: 1\n")) == "empty-key 1:1");
    BOOST_TEST(place_of(refused("a: &x b\n*x : 1\n")) == "alias-as-key 2:1");
    BOOST_TEST(place_of(refused("a: .inf")) == "bad-number 1:4");
    BOOST_TEST(place_of(refused("a: [1, -.INF]")) == "bad-number 1:8");
    BOOST_TEST(place_of(refused("a: .nan")) == "bad-number 1:4");
    BOOST_TEST(place_of(refused("a: 1e999")) == "bad-number 1:4");
    BOOST_TEST(refused("a: 1\n---\nb: 2\n").code == "several-documents");
    BOOST_TEST(refused(",").code == "several-documents");
    BOOST_TEST(place_of(refused("")) == "empty-file 1:1");
    BOOST_TEST(place_of(refused("# only a comment\n")) == "empty-file 1:1");
    BOOST_TEST(place_of(refused("a:\n\tb: 1\n")) == "tab-indentation 2:1");
    BOOST_TEST(place_of(refused("a: \"x\ny: 1\n")) == "yaml-syntax 1:4");
    BOOST_TEST(place_of(refused("a: [1")).starts_with("yaml-syntax "));
    BOOST_TEST(place_of(refused("a: {b: [1}")).starts_with("yaml-syntax "));
    BOOST_TEST(place_of(refused("a: b: c\n")) == "yaml-syntax 1:5");
    BOOST_TEST(place_of(refused("a: x\xff\n")) == "not-utf8 1:5");
    BOOST_TEST(place_of(refused(std::string("a: b\nc: \x04", 9))) == "control-character 2:4");
    BOOST_TEST(refused("a: \"\\ud83d\\ude00\"").code == "yaml-syntax");
}

BOOST_AUTO_TEST_CASE(every_value_and_key_has_its_place) {
    const auto text = "a: 1\nb:\n  - x\n  - k: &n !!str v\n    l:\nm: [p, {q: r}]\n\xc3\xa9: \xc3\xa9 z\n";
    const auto document = read_yaml(text, "t").value();
    BOOST_TEST(at(document, "/a") == "1:4");
    BOOST_TEST(at(document, "/b/0") == "3:5");
    BOOST_TEST(at(document, "/b/1/k") == "4:17");
    BOOST_TEST(document.key_mark_of("/b/1/k").column == 5u);
    BOOST_TEST(at(document, "/b/1/l") == "5:5");
    BOOST_TEST(at(document, "/m/1/q") == "6:12");
    BOOST_TEST(at(document, "/\xc3\xa9", 3) == "7:8");
    BOOST_TEST(at(document, "/m/7/nothing") == "6:4");
    BOOST_TEST(to_text(*document.find("/m/1")) == R"({"q":"r"})");
    BOOST_TEST(document.find("/m/2") == nullptr);
}

BOOST_AUTO_TEST_CASE(an_offset_in_a_text_maps_to_its_line_and_column) {
    const auto text =
        "plain: abc def\nmulti: abc\n  def\n\n  ghi\nsingle: 'it''s x'\ndouble: \"a\\n\\u00e9\\x41z\"\n"
        "folded_quote: \"ab\n   cd\\\n   ef\"\nliteral: |\n  one\n    two\n\n  three\nstripped: |2-\n    one\n   two\n"
        "folded: >\n  one\n  two\n\n  three\n    four\n  five\nlast: x\n";
    const auto document = read_yaml(text, "t").value();
    const auto of = [&](std::string_view key, std::string_view part) {
        const auto& value = document.value.as_object().at(key).as_string();
        const auto offset = std::string_view(value).find(part);
        BOOST_TEST_REQUIRE(offset != std::string_view::npos, key << " has no " << part);
        return at(document, "/" + std::string(key), offset);
    };
    BOOST_TEST(of("plain", "def") == "1:12");
    BOOST_TEST(of("multi", "def") == "3:3");
    BOOST_TEST(of("multi", "ghi") == "5:3");
    BOOST_TEST(of("single", "it") == "6:10");
    BOOST_TEST(of("single", "x") == "6:16");
    BOOST_TEST(of("double", "Az") == "7:19");
    BOOST_TEST(of("double", "z") == "7:23");
    BOOST_TEST(of("folded_quote", "cd") == "9:4");
    BOOST_TEST(of("folded_quote", "ef") == "10:4");
    BOOST_TEST(of("literal", "one") == "12:3");
    BOOST_TEST(of("literal", "two") == "13:5");
    BOOST_TEST(of("literal", "three") == "15:3");
    BOOST_TEST(of("stripped", "one") == "17:5");
    BOOST_TEST(of("stripped", "two") == "18:4");
    BOOST_TEST(of("folded", "one") == "20:3");
    BOOST_TEST(of("folded", "two") == "21:3");
    BOOST_TEST(of("folded", "three") == "23:3");
    BOOST_TEST(of("folded", "four") == "24:5");
    BOOST_TEST(of("folded", "five") == "25:3");
}

BOOST_AUTO_TEST_CASE(windows_line_ends_and_a_byte_order_mark_are_fine) {
    const auto document = read_yaml(
                              "\xef\xbb\xbf"
                              "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
                              "t")
                              .value();
    BOOST_TEST(to_text(document.value) == R"({"a":1,"b":"x\ny\n"})");
    BOOST_TEST(at(document, "/b", 2) == "4:3");
}

BOOST_AUTO_TEST_CASE(a_question_mark_within_a_text_is_part_of_it) {
    BOOST_TEST(read("{ title: Really?, next: [ a?, b? c, https://example.com/a?b=c ] }") ==
               (json::object{{"title", "Really?"}, {"next", json::array{"a?", "b? c", "https://example.com/a?b=c"}}}));
    BOOST_TEST(read("a?: 'b?'\nc: \"d?\\x01\"\n") == (json::object{{"a?", "b?"}, {"c", "d?\x01"}}));
    BOOST_TEST(read("? a\n: b\n") == (json::object{{"a", "b"}}));
    const auto document = read_yaml("{ title: Really?, next: x }", "test.yaml");
    BOOST_TEST_REQUIRE(document.has_value());
    BOOST_TEST(at(*document, "/next") == "1:25");
}

BOOST_AUTO_TEST_CASE(what_only_looks_right_is_named) {
    BOOST_TEST(place_of(refused("a:\n  s\xe2\x80\x8b" "et: 1\n")) == "bad-blank 2:4");
    BOOST_TEST(place_of(refused("a:\n  set:\xc2\xa0{ x: 1 }\n")) == "bad-blank 2:7");
    BOOST_TEST(read("'a\xc2\xa0" "b': 1\n") == (json::object{{"a\xc2\xa0" "b", 1}}));
    BOOST_TEST(place_of(refused("a:\n  -\tb:\n      c: 1\n")) == "tab-indentation 2:4");
    BOOST_TEST(place_of(refused("a: 1\rb: 2\r")) == "yaml-syntax 1:5");
    BOOST_TEST(refused("\xff\xfe" "a").message.find("UTF-16") != std::string::npos);
    BOOST_TEST(refused("```yaml\na: 1\n```\n").message.find("Markdown") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hostile_texts_end_quickly) {
    const auto started = std::clock();
    for (const auto* part : {"[",    "{", "- ",  "? ", "{a: ", "[[],", ": ",  "&a ", "!!str ", "'",   "\"", "a: ",
                             "[a: ", "%", "|\n", "\t", "a,",   "{a,",  "{? ", ",",   "]",      "*a ", "a",  "\n"}) {
        const auto outcome = read_yaml(repeated(part, 1'000'000), "t");
        if (outcome.has_error()) BOOST_TEST(!outcome.error().message.empty());
    }
    std::string stairs;
    for (int i = 0; i < 10'000; ++i) stairs += std::string(static_cast<std::size_t>(i % 900), ' ') + "a:\n";
    BOOST_TEST(read_yaml(stairs, "t").has_error());
    BOOST_TEST(refused(repeated("[", 10'000) + repeated("]", 10'000)).code == "too-deep");
    BOOST_TEST(refused(repeated("- ", 10 * 1024 * 1024)).code == "too-deep");
    BOOST_TEST(refused(repeated("a,", 10 * 1024 * 1024) + "x").code == "too-large");
    BOOST_TEST(refused("[" + repeated("1,", 4'000'000) + "]").code == "too-many-values");
    const auto seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
    BOOST_TEST_MESSAGE("hostile texts took " << seconds << " s of processor time");
    BOOST_TEST(seconds < 120.0);
}

BOOST_AUTO_TEST_SUITE_END()
