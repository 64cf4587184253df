#include "base/visible.hpp"

#include "base/json.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

BOOST_AUTO_TEST_SUITE(visible_text)

BOOST_AUTO_TEST_CASE(what_a_terminal_would_obey_is_shown_instead) {
    BOOST_TEST(visible("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8e\n\tindented") == "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8e\n\tindented");
    BOOST_TEST(visible("\x1b[31mred\x1b]0;title\x07") == "\\u001b[31mred\\u001b]0;title\\u0007");
    BOOST_TEST(visible("\xc2\x9b" "2J") == "\\u009b2J");
    BOOST_TEST(visible("a\xe2\x80\xae" "b\xe2\x81\xa6" "c\x7f") == "a\\u202eb\\u2066c\\u007f");
    BOOST_TEST(visible("over\rwritten\r\nnext\r") == "over\\u000dwritten\nnext\\u000d");
    BOOST_TEST(visible(std::string_view("a\0b", 3)) == "a\\u0000b");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf_8_are_replaced_one_by_one) {
    // A lone 0x9b is a control sequence to a terminal that does not speak UTF-8.
    BOOST_TEST(visible("a\x9b" "2J") == "a\xef\xbf\xbd" "2J");
    for (const std::string_view bad : {"\xc2", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
        const auto out = visible(bad);
        BOOST_TEST(out.size() == 3 * bad.size());
        BOOST_TEST(out.starts_with("\xef\xbf\xbd"));
    }
}

BOOST_AUTO_TEST_CASE(a_line_stays_a_line) {
    BOOST_TEST(visible_line("one\ntwo\tthree\r\n") == "one\\u000atwo\\u0009three\\u000d\\u000a");
    BOOST_TEST(visible_line("plain") == "plain");
}

BOOST_AUTO_TEST_CASE(json_text_stays_the_same_value) {
    const json::value value = {{"a\xc2\x85", "\x1b\xe2\x80\xa8\x7f\n"}, {"b", 1}};
    BOOST_TEST((parse_json(visible(to_text(value))).value() == value));
    BOOST_TEST((parse_json(visible(to_pretty_text(value))).value() == value));
}

BOOST_AUTO_TEST_SUITE_END()
