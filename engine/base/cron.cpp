#include "base/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace pawl {
namespace {

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct field {
    std::string_view name;
    unsigned least, most;
    std::span<const std::string_view> names;
};
const std::array<field, 5> fields{{{"minute", 0, 59, {}}, {"hour", 0, 23, {}}, {"day of month", 1, 31, {}}, {"month", 1, 12, month_names}, {"day of week", 0, 7, weekday_names}}};

problem wrong(std::string detail) { return make_problem(problem_type::validation, std::move(detail)); }

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
    return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
    std::vector<std::string_view> out;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find_first_of(at, begin), text.size());
        out.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

result<unsigned> number_of(std::string_view text, const field& f) {
    for (std::size_t i = 0; i < f.names.size(); ++i) {
        if (lower(text) == f.names[i]) return static_cast<unsigned>(i) + f.least;
    }
    unsigned value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || value < f.least || value > f.most) {
        return wrong("`" + std::string(text.substr(0, 40)) + "` is no " + std::string(f.name) + "; it must be " + std::to_string(f.least) + " to " + std::to_string(f.most) +
                     (f.names.empty() ? "" : " or a name such as " + std::string(f.names[1])));
    }
    return value;
}

/// `*`, `5`, `1-5`, each with `/2`.
result<std::uint64_t> bits_of_part(std::string_view part, const field& f) {
    unsigned step = 1;
    const auto slash = part.find('/');
    if (slash != std::string_view::npos) {
        const auto text = part.substr(slash + 1);
        const auto read = std::from_chars(text.data(), text.data() + text.size(), step);
        if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || step == 0)
            return wrong("the step `/" + std::string(text.substr(0, 40)) + "` of the " + std::string(f.name) + " must be a number from 1 on");
        part = part.substr(0, slash);
    }
    unsigned first = f.least, last = f.most == 7 ? 6 : f.most;
    if (part != "*") {
        const auto dash = part.find('-');
        const auto begin = number_of(part.substr(0, dash), f);
        if (begin.has_error()) return begin.error();
        first = *begin;
        if (dash != std::string_view::npos) {
            const auto end = number_of(part.substr(dash + 1), f);
            if (end.has_error()) return end.error();
            last = *end;
        } else if (slash == std::string_view::npos) {
            last = first;
        }
        if (first > last)
            return wrong("the range `" + std::string(part.substr(0, 40)) + "` of the " + std::string(f.name) + " ends before it begins; write two ranges with a comma");
    }
    std::uint64_t bits = 0;
    for (unsigned value = first; value <= last; value += std::min(step, 64u)) bits |= std::uint64_t{1} << (f.most == 7 ? value % 7 : value);
    return bits;
}

result<std::uint64_t> bits_of(std::string_view text, const field& f) {
    std::uint64_t bits = 0;
    for (const auto part : split(text, ",")) {
        const auto more = bits_of_part(part, f);
        if (more.has_error()) return more.error();
        bits |= *more;
    }
    return bits;
}

std::string_view macro(std::string_view name) {
    if (name == "@hourly") return "0 * * * *";
    if (name == "@daily" || name == "@midnight") return "0 0 * * *";
    if (name == "@weekly") return "0 0 * * 0";
    if (name == "@monthly") return "0 0 1 * *";
    if (name == "@yearly" || name == "@annually") return "0 0 1 1 *";
    return {};
}

/// Without the time zone in front, of which UTC is the only one.
result<std::string_view> without_zone(std::string_view text) {
    for (const std::string_view prefix : {"CRON_TZ=", "TZ="}) {
        if (!text.starts_with(prefix)) continue;
        const auto end = std::min(text.find_first_of(" \t"), text.size());
        const auto zone = text.substr(prefix.size(), end - prefix.size());
        if (zone != "UTC" && zone != "Etc/UTC" && zone != "Z")
            return wrong("the time zone `" + std::string(zone.substr(0, 40)) + "` is not known here; schedules are in UTC");
        return text.substr(end);
    }
    return text;
}

}  // namespace

result<cron_schedule> parse_cron(std::string_view text) {
    const auto zoned = without_zone(text);
    if (zoned.has_error()) return zoned.error();
    std::vector<std::string_view> parts = split(*zoned, " \t");
    std::erase_if(parts, [](std::string_view part) { return part.empty(); });
    if (parts.size() == 1 && parts[0].starts_with('@')) {
        const auto meant = macro(lower(parts[0]));
        if (meant.empty()) return wrong("there is no `" + std::string(parts[0].substr(0, 40)) + "`; there are @hourly, @daily, @weekly, @monthly and @yearly");
        parts = split(meant, " ");
    }
    if (parts.size() != fields.size())
        return wrong("a cron expression has five fields (minute, hour, day of month, month, day of week), this one has " + std::to_string(parts.size()));
    std::array<std::uint64_t, 5> bits{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto read = bits_of(parts[i], fields[i]);
        if (read.has_error()) return read.error();
        bits[i] = *read;
    }
    cron_schedule out{bits[0], static_cast<std::uint32_t>(bits[1]), static_cast<std::uint32_t>(bits[2]), static_cast<std::uint32_t>(bits[3]),
                      static_cast<std::uint32_t>(bits[4]), !parts[2].starts_with('*') && !parts[4].starts_with('*')};
    if (!out.next(time_point{})) return wrong("no day of any year fits `" + std::string(parts[2]) + "` in month `" + std::string(parts[3]) + "`");
    return out;
}

std::optional<time_point> cron_schedule::next(time_point after) const {
    using namespace std::chrono;
    const auto begin = floor<std::chrono::minutes>(after) + std::chrono::minutes(1);
    const auto first_day = floor<std::chrono::days>(begin);
    for (int n = 0; n <= 12 * 366; ++n) {
        const auto day = first_day + std::chrono::days(n);
        const year_month_day date(day);
        if (((this->months >> static_cast<unsigned>(date.month())) & 1u) == 0) continue;
        const bool by_date = ((this->days >> static_cast<unsigned>(date.day())) & 1u) != 0;
        const bool by_week = ((this->weekdays >> weekday(day).c_encoding()) & 1u) != 0;
        if (either_day ? !by_date && !by_week : !by_date || !by_week) continue;
        for (unsigned hour = 0; hour < 24; ++hour) {
            if (((this->hours >> hour) & 1u) == 0) continue;
            for (unsigned minute = 0; minute < 60; ++minute) {
                if (((this->minutes >> minute) & 1u) == 0) continue;
                const auto at = sys_time<std::chrono::minutes>(day) + std::chrono::hours(hour) + std::chrono::minutes(minute);
                if (at >= begin) return time_point(at);
            }
        }
    }
    return std::nullopt;
}

}  // namespace pawl
