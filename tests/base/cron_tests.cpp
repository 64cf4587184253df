#include "base/cron.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

/// The first `count` occurrences after `from`, without seconds, separated by blanks.
std::string occurrences(std::string_view cron, std::string_view from, int count) {
    const auto schedule = parse_cron(cron);
    BOOST_TEST_REQUIRE(schedule.has_value(), cron);
    auto at = parse_rfc3339(from).value();
    std::string out;
    for (int i = 0; i < count; ++i) {
        const auto next = schedule->next(at);
        BOOST_TEST_REQUIRE(next.has_value());
        at = *next;
        const auto text = to_rfc3339(at);
        BOOST_TEST(text.substr(16) == ":00.000Z");
        out += (i > 0 ? " " : "") + text.substr(0, 16);
    }
    return out;
}

std::string why_not(std::string_view cron) {
    const auto schedule = parse_cron(cron);
    BOOST_TEST_REQUIRE(schedule.has_error(), cron);
    return schedule.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cron)

BOOST_AUTO_TEST_CASE(the_next_occurrence_is_later_than_now_never_now) {
    BOOST_TEST(occurrences("* * * * *", "2026-11-23T10:00:00.000Z", 2) == "2026-11-23T10:01 2026-11-23T10:02");
    BOOST_TEST(occurrences("* * * * *", "2026-11-23T10:00:59.999Z", 1) == "2026-11-23T10:01");
    BOOST_TEST(occurrences("0 0 * * *", "2026-12-31T00:00:00.000Z", 2) == "2027-01-01T00:00 2027-01-02T00:00");
}

BOOST_AUTO_TEST_CASE(lists_ranges_and_steps) {
    BOOST_TEST(occurrences("*/20 * * * *", "2026-11-23T10:05:00.000Z", 4) == "2026-11-23T10:20 2026-11-23T10:40 2026-11-23T11:00 2026-11-23T11:20");
    BOOST_TEST(occurrences("50/5 9 * * *", "2026-11-23T00:00:00.000Z", 3) == "2026-11-23T09:50 2026-11-23T09:55 2026-11-24T09:50");
    BOOST_TEST(occurrences("5,10-20/5,59 3 * * *", "2026-11-23T00:00:00.000Z", 5) ==
               "2026-11-23T03:05 2026-11-23T03:10 2026-11-23T03:15 2026-11-23T03:20 2026-11-23T03:59");
    BOOST_TEST(occurrences("0 0 1 */6 *", "2026-11-23T00:00:00.000Z", 2) == "2027-01-01T00:00 2027-07-01T00:00");
}

BOOST_AUTO_TEST_CASE(names_and_both_sundays) {
    const auto weekend = "2026-11-28T12:00 2026-11-29T12:00 2026-12-05T12:00";  // the 23rd is a Monday
    BOOST_TEST(occurrences("0 12 * * SAT,sun", "2026-11-23T00:00:00.000Z", 3) == weekend);
    BOOST_TEST(occurrences("0 12 * * 6-7", "2026-11-23T00:00:00.000Z", 3) == weekend);
    BOOST_TEST(occurrences("0 12 * * 0,6", "2026-11-23T00:00:00.000Z", 3) == weekend);
    BOOST_TEST(occurrences("0 0 1 feb-Mar *", "2026-11-23T00:00:00.000Z", 3) == "2027-02-01T00:00 2027-03-01T00:00 2028-02-01T00:00");
    BOOST_TEST(occurrences("0 0 * * */2", "2026-11-23T00:00:00.000Z", 4) == "2026-11-24T00:00 2026-11-26T00:00 2026-11-28T00:00 2026-11-29T00:00");
}

BOOST_AUTO_TEST_CASE(two_restricted_day_fields_mean_either) {
    BOOST_TEST(occurrences("0 0 13 * FRI", "2026-11-10T00:00:00.000Z", 4) == "2026-11-13T00:00 2026-11-20T00:00 2026-11-27T00:00 2026-12-04T00:00");
    BOOST_TEST(occurrences("0 0 25 * FRI", "2026-11-23T00:00:00.000Z", 2) == "2026-11-25T00:00 2026-11-27T00:00");
    // A field that begins with `*` is not restricted: both must fit.
    BOOST_TEST(occurrences("0 0 */2 * MON", "2026-11-01T00:00:00.000Z", 2) == "2026-11-09T00:00 2026-11-23T00:00");
}

BOOST_AUTO_TEST_CASE(leap_days_and_long_months) {
    BOOST_TEST(occurrences("30 6 29 2 *", "2026-11-23T00:00:00.000Z", 2) == "2028-02-29T06:30 2032-02-29T06:30");
    BOOST_TEST(occurrences("0 0 29 2 *", "2096-03-01T00:00:00.000Z", 1) == "2104-02-29T00:00");  // 2100 is none
    BOOST_TEST(occurrences("0 0 31 * *", "2026-11-23T00:00:00.000Z", 3) == "2026-12-31T00:00 2027-01-31T00:00 2027-03-31T00:00");
}

BOOST_AUTO_TEST_CASE(macros_and_the_time_zone) {
    BOOST_TEST(occurrences("@weekly", "2026-11-23T00:00:00.000Z", 1) == "2026-11-29T00:00");
    BOOST_TEST(occurrences("CRON_TZ=UTC 0 9 * * *", "2026-11-23T00:00:00.000Z", 1) == "2026-11-23T09:00");
    BOOST_TEST(why_not("TZ=Europe/Berlin 0 9 * * *").find("UTC") != std::string::npos);
    BOOST_TEST(why_not("@sometimes").find("@daily") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_names_the_field) {
    BOOST_TEST(why_not("").find("five fields") != std::string::npos);
    BOOST_TEST(why_not("* * * *").find("has 4") != std::string::npos);
    BOOST_TEST(why_not("* * * * * *").find("has 6") != std::string::npos);
    BOOST_TEST(why_not("60 * * * *").find("minute; it must be 0 to 59") != std::string::npos);
    BOOST_TEST(why_not("* * 0 * *").find("day of month") != std::string::npos);
    BOOST_TEST(why_not("* * * x *").find("month") != std::string::npos);
    BOOST_TEST(why_not("* * * * 8").find("day of week") != std::string::npos);
    BOOST_TEST(why_not("*/0 * * * *").find("step") != std::string::npos);
    BOOST_TEST(why_not("* 9-5 * * *").find("ends before") != std::string::npos);
    BOOST_TEST(why_not("1,,2 * * * *").find("minute") != std::string::npos);
    BOOST_TEST(why_not("0 0 30 2 *").find("no day") != std::string::npos);
    BOOST_TEST(why_not("*/99999999999 * * * *").find("step") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
