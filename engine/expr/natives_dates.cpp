// Dates, always in UTC: there is no local time in an expression, so the local variants are the same functions.
#include "expr/builtins.hpp"
#include "expr/machine.hpp"

#include <cmath>
#include <ctime>

namespace pawl::expr {
namespace {

/// The parts of a broken-down time: year, month from 0, day, hours, minutes, seconds (may have a fraction), week day, day of the year.
value broken_down(machine& m, const std::tm& t, double fraction) {
    std::vector<value> parts;
    for (const int part : {t.tm_year + 1900, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min}) parts.push_back(value::integer(part));
    parts.push_back(fraction == 0 ? value::integer(t.tm_sec) : value::real(t.tm_sec + fraction));
    parts.push_back(value::integer(t.tm_wday));
    parts.push_back(value::integer(t.tm_yday));
    return m.array(std::move(parts));
}

value break_down(machine& m, const value& seconds, std::string_view name) {
    if (!seconds.is_number() || std::isnan(seconds.number())) return m.fail(std::string(name) + "() requires a number");
    const double whole = std::floor(seconds.number());
    if (std::abs(whole) > 6e16) return m.fail("error converting number of seconds since epoch to datetime");
    const auto time = static_cast<std::time_t>(whole);
    std::tm t{};
    if (::gmtime_r(&time, &t) == nullptr) return m.fail("error converting number of seconds since epoch to datetime");
    return broken_down(m, t, seconds.number() - whole);
}

/// False when the parts are not numbers.
bool to_tm(const value& parts, std::tm& t) {
    if (!parts.is_array() || parts.size() < 1) return false;
    int* const fields[] = {&t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &t.tm_wday, &t.tm_yday};
    t = {};
    t.tm_mday = 1;
    for (std::size_t i = 0; i < 8 && i < parts.size(); ++i) {
        const value part = parts.item(i);
        if (!part.is_number() || std::isnan(part.number()) || std::abs(part.number()) > 2e9) return false;
        *fields[i] = static_cast<int>(std::floor(part.number()));
    }
    t.tm_year -= 1900;
    if (parts.size() < 8) {
        std::tm copy = t;
        ::timegm(&copy);
        t.tm_wday = copy.tm_wday;
        t.tm_yday = copy.tm_yday;
    }
    return true;
}

value gmtime(machine& m, value in, value*) { return break_down(m, in, "gmtime"); }
value localtime(machine& m, value in, value*) { return break_down(m, in, "localtime"); }

value mktime(machine& m, value in, value*) {
    if (!in.is_array()) return m.fail("mktime requires array of 6 numbers");
    std::tm t{};
    if (!to_tm(in, t)) return m.fail("mktime requires parsed datetime inputs");
    return value::integer(::timegm(&t));
}

value formatted(machine& m, value in, const value& format, const std::string& name) {
    if (in.is_number()) {
        in = break_down(m, in, "gmtime");
        if (!in.ok()) return in;
    }
    if (!in.is_array()) return m.fail(name + " requires parsed datetime inputs");
    if (!format.is_string()) return m.fail(name + " requires a string format");
    std::tm t{};
    if (!to_tm(in, t)) return m.fail(name + " requires parsed datetime inputs");
    t.tm_gmtoff = 0;
    t.tm_zone = "UTC";
    // A mark at the end tells an empty result from a buffer that is too small.
    const std::string with_mark = std::string(format.text()) + "|";
    std::string out(256 + 4 * with_mark.size(), '\0');
    const auto length = std::strftime(out.data(), out.size(), with_mark.c_str(), &t);
    if (length == 0) return m.fail(name + ": the formatted date is too long");
    out.resize(length - 1);
    return m.text(std::move(out));
}

value strftime_(machine& m, value in, value* a) { return formatted(m, std::move(in), a[0], "strftime/1"); }
value strflocaltime(machine& m, value in, value* a) { return formatted(m, std::move(in), a[0], "strflocaltime/1"); }

value strptime_(machine& m, value in, value* a) {
    if (!in.is_string() || !a[0].is_string()) return m.fail("strptime/1 requires string inputs and arguments");
    const std::string text(in.text()), format(a[0].text());
    std::tm t{};
    t.tm_wday = 8;  // impossible values show what the format did not set
    t.tm_yday = 367;
    const char* end = ::strptime(text.c_str(), format.c_str(), &t);
    if (end == nullptr || *end != '\0') return m.fail("date \"" + text + "\" does not match format \"" + format + "\"");
    if (t.tm_wday == 8 || t.tm_yday == 367) {
        std::tm copy = t;
        if (copy.tm_mday == 0) copy.tm_mday = 1;
        ::timegm(&copy);
        if (t.tm_mday != 0) {
            t.tm_wday = copy.tm_wday;
            t.tm_yday = copy.tm_yday;
        }
    }
    return broken_down(m, t, 0);
}

constexpr native_entry table[] = {{"gmtime", 0, gmtime},       {"localtime", 0, localtime},         {"mktime", 0, mktime},
                                  {"strftime", 1, strftime_},  {"strflocaltime", 1, strflocaltime}, {"strptime", 1, strptime_}};

}  // namespace

std::span<const native_entry> date_natives() noexcept { return table; }

}  // namespace pawl::expr
