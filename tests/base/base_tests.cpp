#include "base/cloud_event.hpp"
#include "base/clock.hpp"
#include "base/diagnostic.hpp"
#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/suggest.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

BOOST_AUTO_TEST_SUITE(base)

// A value that went through a store is the same value: its digest must not tell the two apart.
BOOST_AUTO_TEST_CASE(canonical_text_survives_the_way_through_a_store) {
    for (const json::value& value : {json::value(-0.0), json::value(5.0), json::value(1e17), json::value(-1e300), json::value(0.1)}) {
        const auto stored = parse_json(to_text(value));
        BOOST_REQUIRE(stored.has_value());
        BOOST_TEST(to_canonical_text(*stored) == to_canonical_text(value));
    }
}

BOOST_AUTO_TEST_CASE(json_text_is_readable_and_canonical_text_is_sorted) {
    const auto value = parse_json(R"({"b":2.5,"a":[1,1e3,-0.1,9007199254740993,"\u00e9\n\u0001"],"c":{}})").value();
    BOOST_TEST(to_text(value) == "{\"b\":2.5,\"a\":[1,1000,-0.1,9007199254740993,\"\u00e9\\n\\u0001\"],\"c\":{}}");
    BOOST_TEST(to_canonical_text(value).substr(0, 5) == "{\"a\":");
    BOOST_TEST(to_text(parse_json("1e300").value()) == "1e+300");
    BOOST_TEST(to_text(json::value("\xff!")) == "\"\xef\xbf\xbd!\"");
}

BOOST_AUTO_TEST_CASE(json_errors_name_line_and_column) {
    const auto bad = parse_json("{\n  \"a\": nul\n}");
    BOOST_TEST_REQUIRE(bad.has_error());
    BOOST_TEST(bad.error().detail.find("line 2, column ") != std::string::npos);
    BOOST_TEST(parse_json("1 2").has_error());
    BOOST_TEST(parse_json("").has_error());
    BOOST_TEST(parse_json(std::string(100000, '[')).has_error());
}

BOOST_AUTO_TEST_CASE(merge_patch_follows_rfc_7396) {
    auto target = parse_json(R"({"a":{"b":1,"c":2},"d":3})").value();
    merge_patch(target, parse_json(R"({"a":{"b":null,"x":{"y":1}},"d":[1]})").value());
    BOOST_TEST(to_text(target) == R"({"a":{"c":2,"x":{"y":1}},"d":[1]})");
}

BOOST_AUTO_TEST_CASE(durations_read_and_print) {
    BOOST_TEST(parse_iso8601_duration("PT24H").value().count() == 86'400'000);
    BOOST_TEST(parse_iso8601_duration("P1DT2H3.5S").value().count() == 93'603'500);
    BOOST_TEST(parse_iso8601_duration("P2W").value().count() == 2 * 604'800'000LL);
    for (const auto* bad : {"", "24h", "P", "PT", "P1Y", "P1M", "PT1S1M", "PT-1S", "P1H", "PT99999999999999999999S", "P999999D"}) {
        BOOST_TEST(parse_iso8601_duration(bad).has_error(), bad);
    }
    BOOST_TEST(to_iso8601(milliseconds(93'603'500)) == "P1DT2H3.5S");
    BOOST_TEST(to_iso8601(milliseconds(0)) == "PT0S");
}

BOOST_AUTO_TEST_CASE(times_read_and_print) {
    const auto t = parse_rfc3339("2026-11-23T14:45:00.123+01:00").value();
    BOOST_TEST(to_rfc3339(t) == "2026-11-23T13:45:00.123Z");
    for (const auto* bad : {"", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z"}) {
        BOOST_TEST(parse_rfc3339(bad).has_error(), bad);
    }
}

BOOST_AUTO_TEST_CASE(digests_and_ids) {
    BOOST_TEST(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(to_base32(sha256("abc")).size() == 52u);
    BOOST_TEST(to_base64("foob") == "Zm9vYg==");
    BOOST_TEST(derived_uuid("x") == derived_uuid("x"));
    BOOST_TEST(derived_uuid("x") != derived_uuid("y"));
    const auto first = new_uuid7();
    BOOST_TEST(first.size() == 36u);
    BOOST_TEST(first[14] == '7');
    BOOST_TEST(first != new_uuid7());
    BOOST_TEST(shard_of("support/ticket-1", 64) < 64u);
}

BOOST_AUTO_TEST_CASE(closest_name_is_suggested_only_when_near) {
    const std::vector<std::string> names{"input", "output", "export"};
    BOOST_TEST(closest("ouptut", names).value_or("") == "output");
    BOOST_TEST(!closest("timeout", names).has_value());
    BOOST_TEST(!closest("c", std::vector<std::string>{"a", "b"}).has_value());
    const std::vector<std::string> long_names{"language", "arguments", "call"};
    BOOST_TEST(closest("lang", long_names).value_or("") == "language");
    BOOST_TEST(closest("CALL", long_names).value_or("") == "call");
    BOOST_TEST(!closest("la", long_names).has_value());
}

BOOST_AUTO_TEST_CASE(diagnostics_point_to_characters_not_to_bytes) {
    const auto shown = [](std::string_view source, std::size_t column, std::size_t length) {
        diagnostic d{severity::error, "x", "a.yaml", {1, column}, length, "", "m", ""};
        return render(d, source);
    };
    // Two wide characters take four columns of the terminal, a tab stays one; \r and what a terminal obeys are not shown.
    BOOST_TEST(shown("\xe6\x97\xa5\xe6\x9c\xac foo\n", 8, 3) == "a.yaml:1:4: error: m\n  1 | \xe6\x97\xa5\xe6\x9c\xac foo\n    |      ^~~");
    BOOST_TEST(shown("\tfoo\r\n", 2, 3) == "a.yaml:1:2: error: m\n  1 | \tfoo\n    | \t^~~");
    BOOST_TEST(shown("\x1b[31mfoo", 6, 3) == "a.yaml:1:6: error: m\n  1 | ?[31mfoo\n    |      ^~~");
    const auto cut = shown(std::string(500, 'a') + "foo" + std::string(500, 'b'), 501, 3);
    BOOST_TEST(cut == "a.yaml:1:501: error: m\n  1 | ..." + std::string(60, 'a') + "foo" + std::string(97, 'b') + "...\n    | " + std::string(63, ' ') + "^~~");
    BOOST_TEST(shown_column({1, 8}, "\xe6\x97\xa5\xe6\x9c\xac foo") == 4u);
    BOOST_TEST(shown_column({1, 8}, "") == 8u);
}

BOOST_AUTO_TEST_CASE(diagnostics_show_lines_that_are_no_utf_8) {
    // A first byte with more behind it than a character can have, tails without a first byte, and one cut off: a column each.
    const auto shown = [](const std::string& line, std::size_t column) {
        diagnostic d;
        d.message = "no";
        d.mark = {1, column};
        return render(d, line);
    };
    const std::string bad = "\xef\xbf\xbd";
    BOOST_TEST(shown("\xf0\x90\x80\x80" + std::string(9, '\x80') + "x", 14) == "<input>:1:2: error: no\n  1 | \xf0\x90\x80\x80" + [&] {
        std::string all;
        for (int i = 0; i < 9; ++i) all += bad;
        return all;
    }() + "x\n    |           ^");
    BOOST_TEST(shown("\x80\xffx\xe2\x82", 3) == "<input>:1:2: error: no\n  1 | " + bad + bad + "x" + bad + bad + "\n    |   ^");
    // What moves a cursor or turns the line round takes one column too; a line of tails only is cut like any other.
    BOOST_TEST(shown("a\xe2\x80\xae\xc2\x9bz", 7) == "<input>:1:4: error: no\n  1 | a??z\n    |    ^");
    BOOST_TEST(shown(std::string(100'000, '\x80'), 50'000).size() < 1'000u);
}

BOOST_AUTO_TEST_CASE(diagnostics_show_the_line_with_a_caret) {
    const diagnostic d{severity::error, "unknown-key", "a.yaml", {2, 3}, 4, "/do", "there is no key `dooo`.", "did you mean `do`?"};
    BOOST_TEST(render(d, "x: 1\n  dooo: 2\n") ==
               "a.yaml:2:3: error: there is no key `dooo`.\n  2 |   dooo: 2\n    |   ^~~~\n  hint: did you mean `do`?");
}

BOOST_AUTO_TEST_CASE(problems_match_by_their_last_segment) {
    BOOST_TEST(type_name_of("https://serverlessworkflow.io/spec/1.0.0/errors/timeout") == "timeout");
    const auto error = make_problem(problem_type::timeout, "late", "/do/0/x");
    BOOST_TEST((problem_from_json(to_json(error)) == error));
}

BOOST_AUTO_TEST_CASE(an_event_is_completed_but_never_changed) {
    const event_defaults defaults{"id-1", "/here", time_point(milliseconds(1'700'000'000'000))};
    const auto filled = complete_cloud_event(parse_json(R"({"type":"t","data":1})").value(), defaults).value();
    BOOST_TEST(to_text(filled) == R"({"type":"t","data":1,"specversion":"1.0","id":"id-1","source":"/here","time":"2023-11-14T22:13:20.000Z","datacontenttype":"application/json"})");
    const auto whole = parse_json(R"({"specversion":"1.0","id":"1","source":"/a","type":"t","time":"2020-01-01T00:00:00Z","priority":3})").value();
    BOOST_TEST((complete_cloud_event(whole, defaults).value() == whole));
    BOOST_TEST(event_attribute_text(whole, "source") == "/a");
    BOOST_TEST(event_attribute_text(whole, "priority").empty());
    BOOST_TEST(event_attribute_text(json::value(7), "id").empty());
    for (const auto* wrong : {"[]", "{}", R"({"type":7})", R"({"type":"t","id":""})", R"({"type":"t","my_id":1})", R"({"type":"t","more":{}})",
                              R"({"type":"t","specversion":"0.3"})", R"({"type":"t","data":1,"data_base64":""})"}) {
        const auto refused = complete_cloud_event(parse_json(wrong).value(), defaults);
        BOOST_TEST(refused.has_error(), wrong);
        if (refused.has_error()) BOOST_TEST(refused.error().detail.starts_with("This is no CloudEvent: "), wrong);
    }
    const auto long_id = complete_cloud_event(json::value{{"type", "t"}, {"id", std::string(901, 'x')}}, defaults);
    BOOST_TEST(long_id.error().detail.find("901 bytes") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
