#include "base/clock.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace pawl {
namespace {

using namespace std::chrono;

/// Reads exactly `count` digits.
bool digits(std::string_view& text, std::size_t count, int& into) {
    if (text.size() < count) return false;
    const auto end = std::from_chars(text.data(), text.data() + count, into).ptr;
    if (end != text.data() + count || text[0] == '-') return false;
    text.remove_prefix(count);
    return true;
}

bool literal(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

problem bad_time(std::string_view text) {
    return make_problem(problem_type::validation,
                        "\"" + std::string(text.substr(0, 64)) + "\" is not a date and time; expected RFC 3339, for example 2026-11-23T13:45:00Z.");
}

problem bad_duration(std::string_view text, std::string_view why) {
    return make_problem(problem_type::validation, "\"" + std::string(text.substr(0, 64)) + "\" is not a duration: " + std::string(why) +
                                                      " Expected ISO 8601, for example PT30S, PT15M, PT24H or P7D.");
}

struct unit {
    char letter;
    std::int64_t millis;
    std::string_view name;
};
constexpr std::array<unit, 2> date_units{{{'W', 604'800'000, "week"}, {'D', 86'400'000, "day"}}};
constexpr std::array<unit, 3> time_units{{{'H', 3'600'000, "hour"}, {'M', 60'000, "minute"}, {'S', 1'000, "second"}}};

}  // namespace

std::string to_rfc3339(time_point t) {
    const auto day = floor<days>(t);
    const year_month_day date(day);
    const hh_mm_ss clock(t - day);
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return buffer;
}

result<time_point> parse_rfc3339(std::string_view text) {
    auto rest = text;
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
    if (!(digits(rest, 4, y) && literal(rest, "-") && digits(rest, 2, mo) && literal(rest, "-") && digits(rest, 2, d) && literal(rest, "Tt ") &&
          digits(rest, 2, h) && literal(rest, ":") && digits(rest, 2, mi) && literal(rest, ":") && digits(rest, 2, s))) {
        return bad_time(text);
    }
    std::int64_t millis = 0;
    if (literal(rest, ".")) {
        std::int64_t scale = 100;
        std::size_t count = 0;
        for (; !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1), ++count) {
            millis += scale * (rest[0] - '0');
            scale /= 10;
        }
        if (count == 0) return bad_time(text);
    }
    int offset = 0;
    if (!literal(rest, "Zz")) {
        const bool west = !rest.empty() && rest[0] == '-';
        int oh = 0, om = 0;
        if (!(literal(rest, "+-") && digits(rest, 2, oh) && literal(rest, ":") && digits(rest, 2, om)) || oh > 23 || om > 59) return bad_time(text);
        offset = (oh * 60 + om) * (west ? -1 : 1);
    }
    const year_month_day date(year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d)));
    if (!rest.empty() || !date.ok() || h > 23 || mi > 59 || s > 60) return bad_time(text);
    return time_point(sys_days(date)) + hours(h) + minutes(mi - offset) + seconds(s) + milliseconds(millis);
}

result<milliseconds> parse_iso8601_duration(std::string_view text) {
    auto rest = text;
    if (!literal(rest, "P")) return bad_duration(text, "it does not start with P.");
    bool in_time = false, any = false;
    std::size_t next_unit = 0;
    std::int64_t total = 0;
    constexpr std::int64_t longest = std::int64_t{100} * 366 * 86'400'000;  // a century
    while (!rest.empty()) {
        if (!in_time && literal(rest, "T")) {
            in_time = true;
            next_unit = 0;
            if (rest.empty()) return bad_duration(text, "nothing follows the T.");
            continue;
        }
        std::int64_t whole = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), whole);
        if (error != std::errc() || rest[0] == '-') return bad_duration(text, "a number is missing or too large.");
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        std::int64_t thousandths = 0;
        if (literal(rest, ".,")) {
            std::int64_t scale = 100;
            for (; !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1), scale /= 10) thousandths += scale * (rest[0] - '0');
        }
        if (rest.empty()) return bad_duration(text, "a number has no unit.");
        const char letter = rest[0];
        rest.remove_prefix(1);
        if (!in_time && (letter == 'Y' || letter == 'M')) return bad_duration(text, "years and months have no fixed length; use days.");
        const std::span<const unit> units = in_time ? std::span<const unit>(time_units) : std::span<const unit>(date_units);
        std::size_t found = next_unit;
        while (found < units.size() && units[found].letter != letter) ++found;
        if (found == units.size()) return bad_duration(text, std::string("the unit ") + letter + (in_time ? " is unknown, repeated or out of order." : " must follow a T, or is unknown, repeated or out of order."));
        if (whole > longest / units[found].millis) return bad_duration(text, "it is longer than a century.");
        total += whole * units[found].millis + thousandths * units[found].millis / 1000;
        if (total > longest) return bad_duration(text, "it is longer than a century.");
        next_unit = found + 1;
        any = true;
    }
    if (!any) return bad_duration(text, "it has no parts.");
    return milliseconds(total);
}

std::string to_iso8601(milliseconds d) {
    auto rest = d.count();
    if (rest <= 0) return "PT0S";
    std::string out = "P";
    const auto take = [&](std::int64_t size, char letter) {
        if (rest >= size) out += std::to_string(rest / size) + letter;
        rest %= size;
    };
    take(86'400'000, 'D');
    if (rest == 0) return out;
    out += 'T';
    take(3'600'000, 'H');
    take(60'000, 'M');
    if (rest > 0) {
        out += std::to_string(rest / 1000);
        if (rest % 1000 != 0) {
            char fraction[8];
            std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(rest % 1000));
            out += fraction;
            while (out.back() == '0') out.pop_back();
        }
        out += 'S';
    }
    return out;
}

std::string to_human(milliseconds d) {
    const auto ms = d.count();
    char buffer[48];
    if (ms < 1000) {
        std::snprintf(buffer, sizeof buffer, "%d ms", static_cast<int>(ms));
    } else if (ms < 60'000) {
        std::snprintf(buffer, sizeof buffer, "%.1f s", static_cast<double>(ms) / 1000.0);
    } else if (ms < 3'600'000) {
        std::snprintf(buffer, sizeof buffer, "%d min %d s", static_cast<int>(ms / 60'000), static_cast<int>(ms / 1000 % 60));
    } else if (ms < 86'400'000) {
        std::snprintf(buffer, sizeof buffer, "%d h %d min", static_cast<int>(ms / 3'600'000), static_cast<int>(ms / 60'000 % 60));
    } else {
        std::snprintf(buffer, sizeof buffer, "%lld d %d h", static_cast<long long>(ms / 86'400'000), static_cast<int>(ms / 3'600'000 % 24));
    }
    return buffer;
}

}  // namespace pawl
