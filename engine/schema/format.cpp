#include "schema/format.hpp"

#include "schema/pattern.hpp"

#include <boost/url/parse.hpp>

#include <array>
#include <cstddef>

namespace pawl::schema {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alnum(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// The number of `count` digits at `from`, or -1.
int digits(std::string_view text, std::size_t from, std::size_t count) noexcept {
    if (from + count > text.size()) return -1;
    int out = 0;
    for (std::size_t i = from; i < from + count; ++i) {
        if (!is_digit(text[i])) return -1;
        out = out * 10 + (text[i] - '0');
    }
    return out;
}

bool is_date(std::string_view t) {
    if (t.size() != 10 || t[4] != '-' || t[7] != '-') return false;
    const int year = digits(t, 0, 4), month = digits(t, 5, 2), day = digits(t, 8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1) return false;
    constexpr std::array<int, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

/// RFC 3339 full-time; a leap second only where it is 23:59:60 in UTC.
bool is_time(std::string_view t) {
    if (t.size() < 9 || t[2] != ':' || t[5] != ':') return false;
    const int hour = digits(t, 0, 2), minute = digits(t, 3, 2), second = digits(t, 6, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
    std::size_t i = 8;
    if (t[i] == '.') {
        const std::size_t first = ++i;
        while (i < t.size() && is_digit(t[i])) ++i;
        if (i == first) return false;
    }
    int offset = 0;
    if (i >= t.size()) return false;
    if (t[i] == 'Z' || t[i] == 'z') {
        if (i + 1 != t.size()) return false;
    } else {
        if ((t[i] != '+' && t[i] != '-') || t.size() - i != 6 || t[i + 3] != ':') return false;
        const int hours = digits(t, i + 1, 2), minutes = digits(t, i + 4, 2);
        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
        offset = (hours * 60 + minutes) * (t[i] == '+' ? 1 : -1);
    }
    return second < 60 || (hour * 60 + minute - offset + 2880) % 1440 == 1439;
}

bool is_date_time(std::string_view t) {
    return t.size() > 11 && (t[10] == 'T' || t[10] == 't') && is_date(t.substr(0, 10)) && is_time(t.substr(11));
}

/// Reads "<digits><unit>" for units in order; false when something else comes.
bool take_units(std::string_view& t, std::string_view units) {
    std::size_t next = 0;
    while (!t.empty() && is_digit(t[0])) {
        std::size_t i = 0;
        while (i < t.size() && is_digit(t[i])) ++i;
        if (i == t.size()) return false;
        const auto unit = units.find(t[i], next);
        // RFC 3339 appendix A: no gap between the first and the last unit.
        if (unit == std::string_view::npos || (next != 0 && unit != next)) return false;
        next = unit + 1;
        t.remove_prefix(i + 1);
    }
    return next != 0;
}

bool is_duration(std::string_view t) {
    if (t.size() < 3 || t[0] != 'P') return false;
    t.remove_prefix(1);
    if (t.back() == 'W') return take_units(t, "W") && t.empty();
    if (t[0] != 'T' && !take_units(t, "YMD")) return false;
    if (t.empty()) return true;
    if (t[0] != 'T') return false;
    t.remove_prefix(1);
    return take_units(t, "HMS") && t.empty();
}

bool is_hostname(std::string_view t) {
    if (t.empty() || t.size() > 253) return false;
    std::size_t length = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
        if (t[i] == '.') {
            if (length == 0 || t[i - 1] == '-') return false;
            length = 0;
        } else if ((!is_alnum(t[i]) && (t[i] != '-' || length == 0)) || ++length > 63) {
            return false;
        }
    }
    return length != 0 && t.back() != '-';
}

bool is_ipv4(std::string_view t) {
    for (int part = 0; part < 4; ++part) {
        std::size_t length = 0;
        while (length < t.size() && length < 4 && is_digit(t[length])) ++length;
        if (length == 0 || length > 3 || (length > 1 && t[0] == '0') || digits(t, 0, length) > 255) return false;
        t.remove_prefix(length);
        if (part == 3) return t.empty();
        if (t.empty() || t[0] != '.') return false;
        t.remove_prefix(1);
    }
    return false;
}

bool is_ipv6(std::string_view t) {
    int groups = 0;
    bool gap = false;
    if (t.starts_with(":") && !t.starts_with("::")) return false;
    while (!t.empty()) {
        if (t.starts_with("::")) {
            if (gap) return false;
            gap = true;
            t.remove_prefix(2);
            continue;
        }
        if (t.find('.') != std::string_view::npos && t.find(':') == std::string_view::npos) {
            groups += 2;
            if (!is_ipv4(t)) return false;
            break;
        }
        std::size_t length = 0;
        while (length < t.size() && length < 5 && is_hex(t[length])) ++length;
        if (length == 0 || length > 4) return false;
        ++groups;
        t.remove_prefix(length);
        if (t.empty() || t.starts_with("::")) continue;
        if (t[0] != ':' || t.size() == 1) return false;
        t.remove_prefix(1);
    }
    return gap ? groups < 8 : groups == 8;
}

/// RFC 5321 Mailbox: a dot-atom or a quoted string, '@', a host name or an address literal.
bool is_email(std::string_view t) {
    const auto at = t.rfind('@');
    if (at == std::string_view::npos || at == 0 || at > 64) return false;
    const auto local = t.substr(0, at), domain = t.substr(at + 1);
    if (domain.starts_with('[') && domain.ends_with(']')) {
        const auto literal = domain.substr(1, domain.size() - 2);
        if (!(literal.starts_with("IPv6:") ? is_ipv6(literal.substr(5)) : is_ipv4(literal))) return false;
    } else if (!is_hostname(domain)) {
        return false;
    }
    if (local.size() >= 2 && local.front() == '"' && local.back() == '"') {
        const auto quoted = local.substr(1, local.size() - 2);
        for (std::size_t i = 0; i < quoted.size(); ++i) {
            if (quoted[i] == '\\' ? ++i == quoted.size() : quoted[i] == '"' || static_cast<unsigned char>(quoted[i]) < 0x20) return false;
        }
        return true;
    }
    constexpr std::string_view specials = "!#$%&'*+-/=?^_`{|}~";
    for (std::size_t i = 0; i < local.size(); ++i) {
        const bool dot = local[i] == '.';
        if (!dot && !is_alnum(local[i]) && specials.find(local[i]) == std::string_view::npos) return false;
        if (dot && (i == 0 || i + 1 == local.size() || local[i - 1] == '.')) return false;
    }
    return true;
}

bool is_uuid(std::string_view t) {
    if (t.size() != 36) return false;
    for (std::size_t i = 0; i < 36; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? t[i] != '-' : !is_hex(t[i])) return false;
    }
    return true;
}

bool is_json_pointer(std::string_view t) {
    if (!t.empty() && t[0] != '/') return false;
    for (std::size_t i = 0; i < t.size(); ++i) {
        if (t[i] == '~' && (i + 1 == t.size() || (t[i + 1] != '0' && t[i + 1] != '1'))) return false;
    }
    return true;
}

bool is_uri(std::string_view t) { return boost::urls::parse_uri(boost::core::string_view(t.data(), t.size())).has_value(); }
bool is_uri_reference(std::string_view t) { return boost::urls::parse_uri_reference(boost::core::string_view(t.data(), t.size())).has_value(); }
bool is_regex(std::string_view t) { return pattern::compile(t).value != nullptr; }

constexpr std::array<format_rule, 13> rules{{
    {"date-time", is_date_time, "a date and time as in RFC 3339, such as 2026-11-23T14:00:00Z"},
    {"date", is_date, "a date such as 2026-11-23"},
    {"time", is_time, "a time with an offset, such as 14:00:00Z"},
    {"duration", is_duration, "an ISO 8601 duration such as PT15M"},
    {"email", is_email, "an e-mail address"},
    {"hostname", is_hostname, "a host name"},
    {"ipv4", is_ipv4, "an IPv4 address"},
    {"ipv6", is_ipv6, "an IPv6 address"},
    {"uri", is_uri, "an absolute URI such as https://example.com/a"},
    {"uri-reference", is_uri_reference, "a URI or a relative reference"},
    {"uuid", is_uuid, "a UUID such as 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b"},
    {"json-pointer", is_json_pointer, "a JSON Pointer such as /a/0"},
    {"regex", is_regex, "an ECMA-262 regular expression"},
}};

}  // namespace

const format_rule* find_format(std::string_view name) noexcept {
    for (const auto& rule : rules) {
        if (rule.name == name) return &rule;
    }
    return nullptr;
}

}  // namespace pawl::schema
