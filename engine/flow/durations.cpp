// Durations: an object with days...milliseconds, ISO 8601 text, or an expression of either (dsl-reference.md, "Duration").
#include "flow/habits.hpp"
#include "flow/parts.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace pawl::flow {
namespace {

struct unit {
    std::string_view name;
    std::int64_t milliseconds;
};
constexpr std::array<unit, 5> units{{{"days", 86'400'000}, {"hours", 3'600'000}, {"minutes", 60'000}, {"seconds", 1000}, {"milliseconds", 1}}};
constexpr std::array<std::string_view, 5> unit_names{"days", "hours", "minutes", "seconds", "milliseconds"};
constexpr double longest = 1000.0 * 365 * 86'400'000;  // a thousand years

/// The ISO 8601 form of what people write instead: 24h, 10 minutes, 1d12h, 90. Empty when there is none to see.
std::string iso_form_of(std::string_view text) {
    std::string days, time;
    std::string number;
    for (std::size_t i = 0; i < text.size();) {
        const char ch = text[i];
        if (ch == ' ' || ch == '_') {
            ++i;
        } else if ((ch >= '0' && ch <= '9') || ch == '.') {
            number += ch;
            ++i;
        } else {
            std::size_t end = i;
            while (end < text.size() && ((text[end] | 0x20) >= 'a' && (text[end] | 0x20) <= 'z')) ++end;
            const auto word = text.substr(i, end - i);
            if (number.empty() || word.empty()) return {};
            if (word == "ms" || word.starts_with("milli")) {
                auto seconds = std::to_string(std::atof(number.c_str()) / 1000.0);
                seconds.erase(std::max(seconds.find_last_not_of('0'), seconds.find('.') - 1) + 1);
                time += (seconds.ends_with('.') ? seconds.substr(0, seconds.size() - 1) : seconds) + "S";
            } else if (word[0] == 'w') {
                days += number + "W";
            } else if (word[0] == 'd') {
                days += number + "D";
            } else if (word[0] == 'h') {
                time += number + "H";
            } else if (word[0] == 'm') {
                time += number + "M";
            } else if (word[0] == 's') {
                time += number + "S";
            } else {
                return {};
            }
            number.clear();
            i = end;
        }
    }
    if (!number.empty()) time += number + "S";
    const auto iso = "P" + days + (time.empty() ? "" : "T" + time);
    return parse_iso8601_duration(iso).has_value() ? iso : std::string{};
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (auto& ch : out) {
        if (ch >= 'a' && ch <= 'z') ch = static_cast<char>(ch - 'a' + 'A');
    }
    return out;
}

/// `P1H` and `PT1D`: the letters are right, the `T` is not.
std::string without_iso_letters(std::string_view text) {
    std::string out;
    for (const char ch : text) {
        if (ch >= 'A' && ch <= 'Z') {
            if (ch != 'P' && ch != 'T') out += static_cast<char>(ch - 'A' + 'a');
        } else {
            out += ch;
        }
    }
    return out;
}

/// `P1Y`, `P2M`: of ISO 8601, but nobody can say how long.
bool counts_years(std::string_view text) {
    const auto date = text.substr(0, text.find('T'));
    return text.starts_with('P') && text.find_first_not_of("PYMWDTHS0123456789.,") == std::string_view::npos &&
           date.find_first_of("YM") != std::string_view::npos;
}

std::string duration_hint(std::string_view text) {
    if (const auto iso = iso_duration_meant(text); iso != "...") return "write " + iso;
    return "write for example PT30S, PT24H, P7D, or `{ minutes: 5 }`";
}

result<milliseconds> sum_of(const json::object& parts) {
    double total = 0;
    if (parts.empty())
        return make_problem(problem_type::validation, "The duration is an empty object; it needs days, hours, minutes, seconds or milliseconds.");
    for (const auto& [key, value] : parts) {
        const unit* known = nullptr;
        for (const auto& each : units) {
            if (each.name == key) known = &each;
        }
        if (known == nullptr || !value.is_number()) {
            return make_problem(problem_type::validation, "A duration is made of numbers of days, hours, minutes, seconds and milliseconds; " +
                                                              quoted(key) + " is " +
                                                              (known == nullptr ? "none of them." : std::string(describe(value)) + "."));
        }
        total += value.to_number<double>() * static_cast<double>(known->milliseconds);
    }
    if (!(total >= 0) || total > longest) return make_problem(problem_type::validation, "The duration must be between zero and a thousand years.");
    return milliseconds(std::llround(total));
}

std::optional<duration_source> compile_parts(compilation& c, const node& n, const names_in_scope& names) {
    if (!check_keys(c, n, unit_names)) return std::nullopt;
    bool computed = false;
    for (const auto& [key, value] : n.value->get_object()) {
        if (value.is_int64() && value.get_int64() >= 0) continue;
        if (value.is_string() && expr::whole_expression(value.get_string())) {
            computed = true;
            continue;
        }
        c.report.error("bad-duration", n.at(key), quoted(key) + " of a duration must be a whole number of zero or more",
                       "write for example `" + std::string(key) + ": 5`");
        return std::nullopt;
    }
    if (computed) {
        auto code = compile_template(c, n, names);
        if (!code) return std::nullopt;
        return duration_source{std::nullopt, std::move(code)};
    }
    const auto total = sum_of(n.value->get_object());
    if (total.has_error()) {
        c.report.error("bad-duration", n, total.error().detail, "write for example `{ minutes: 5 }`");
        return std::nullopt;
    }
    return duration_source{*total, std::nullopt};
}

}  // namespace

std::string iso_duration_meant(std::string_view text) {
    if (text.size() > 100) return "...";
    if (parse_iso8601_duration(upper(text)).has_value()) return upper(text);
    if (const auto iso = iso_form_of(text); !iso.empty()) return iso;
    const auto iso = text.starts_with('P') ? iso_form_of(without_iso_letters(text)) : std::string{};
    return iso.empty() ? "..." : iso;
}

result<milliseconds> duration_from(const json::value& value) {
    if (const auto* text = value.if_string()) return parse_iso8601_duration(*text);
    if (const auto* parts = value.if_object()) return sum_of(*parts);
    return make_problem(problem_type::validation, "A duration must be ISO 8601 text such as PT30S or an object such as { \"minutes\": 5 }, but is " +
                                                      std::string(describe(value)) + ".");
}

std::optional<duration_source> compile_duration(compilation& c, const node& n, const names_in_scope& names) {
    if (!n) return std::nullopt;
    if (n.is_object()) return compile_parts(c, n, names);
    if (!n.is_string()) {
        const bool number = n.value->is_number();
        c.report.error("bad-duration", n, quoted(n.name()) + " must be a duration, but is " + std::string(describe(*n.value)),
                       number ? "write `{ seconds: " + to_text(*n.value) + " }` or PT" + to_text(*n.value) + "S"
                              : "write for example PT30S or `{ minutes: 5 }`");
        return std::nullopt;
    }
    if (expr::whole_expression(n.text())) {
        auto code = compile_expression(c, n, names);
        if (!code) return std::nullopt;
        return duration_source{std::nullopt, std::move(code)};
    }
    const auto known = parse_iso8601_duration(n.text());
    if (known.has_error()) {
        if (counts_years(n.text())) {
            c.report.error("bad-duration", n, quoted(n.text()) + " counts years or months, which have no fixed length",
                           "write days, such as P30D or P365D");
        } else {
            c.report.error("bad-duration", n, quoted(n.text()) + " is not an ISO 8601 duration", duration_hint(n.text()));
        }
        return std::nullopt;
    }
    return duration_source{*known, std::nullopt};
}

std::optional<duration_source> compile_timeout(compilation& c, const node& n, const names_in_scope& names) {
    if (!n) return std::nullopt;
    auto entry = n;
    if (n.is_string()) {
        const bool is_duration =
            parse_iso8601_duration(n.text()).has_value() || (!c.use.at("timeouts").at(n.text()) && !iso_form_of(n.text()).empty());
        if (is_duration) {
            c.report.error(
                "bad-timeout", n, "`timeout` takes the name of a timeout in `use.timeouts` or an object, not a duration itself",
                "write `timeout: { after: " + (parse_iso8601_duration(n.text()).has_value() ? std::string(n.text()) : iso_form_of(n.text())) + " }`");
            return std::nullopt;
        }
        entry = named(c, n, "timeouts");
    }
    if (!entry || !expect_object(c, entry)) return std::nullopt;
    if (!entry.at("after") && !entry.value->get_object().empty() &&
        unit_names.end() != std::find(unit_names.begin(), unit_names.end(), std::string_view(entry.value->get_object().begin()->key()))) {
        c.report.key_error("bad-timeout", entry, "a timeout holds its duration under `after`", "write `after: { ... }` around it");
        return std::nullopt;
    }
    check_keys(c, entry, {"after"});
    return compile_duration(c, require(c, entry, "after", "it says after which time to interrupt"), names);
}

}  // namespace pawl::flow
