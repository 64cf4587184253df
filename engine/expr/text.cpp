// Values as JSON text, with numbers as jq prints them.
#include "expr/machine.hpp"
#include "expr/unicode.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace pawl::expr {
namespace {

void append_real(std::string& out, double d) {
    if (std::isnan(d)) {
        out += "null";
        return;
    }
    if (std::isinf(d)) d = std::copysign(std::numeric_limits<double>::max(), d);
    if (d == 0) {
        out += std::signbit(d) ? "-0" : "0";
        return;
    }
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr;
    std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    const auto e = text.find('e');
    int exponent = 0;
    std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
    std::string digits;
    for (const char c : text.substr(0, e)) {
        if (c == '-') out.push_back('-');
        if (c >= '0' && c <= '9') digits.push_back(c);
    }
    const int count = static_cast<int>(digits.size());
    const int point = exponent + 1;  // digits before the decimal point
    if (point <= -5 || point > count + 15) {
        out.push_back(digits[0]);
        if (count > 1) out.append(".").append(digits, 1);
        out.push_back('e');
        out.push_back(exponent < 0 ? '-' : '+');
        if (std::abs(exponent) < 10) out.push_back('0');
        out += std::to_string(std::abs(exponent));
    } else if (point <= 0) {
        out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
    } else if (point >= count) {
        out.append(digits).append(static_cast<std::size_t>(point - count), '0');
    } else {
        out.append(digits, 0, static_cast<std::size_t>(point)).append(".").append(digits, static_cast<std::size_t>(point));
    }
}

/// Stops once `out` has `enough` bytes: messages need only the beginning, and the text of a value that shares its parts can be far longer than the value.
struct writer {
    std::string& out;
    std::size_t enough;

    void write(const value& v, std::size_t depth) {
        if (out.size() >= enough) return;
        switch (v.what()) {
            case kind::invalid:
            case kind::null: out += "null"; return;
            case kind::false_: out += "false"; return;
            case kind::true_: out += "true"; return;
            case kind::integer: out += std::to_string(v.int64()); return;
            case kind::unsigned_integer: out += std::to_string(v.uint64()); return;
            case kind::real: append_real(out, v.real()); return;
            case kind::string: append_string(out, v.text().substr(0, enough)); return;
            default: break;
        }
        if (depth > max_value_depth) {
            out += "\"<skipped: too deep>\"";
            return;
        }
        const bool array = v.is_array();
        out.push_back(array ? '[' : '{');
        for (std::size_t i = 0; i < v.size() && out.size() < enough; ++i) {
            if (i > 0) out.push_back(',');
            if (!array) {
                append_string(out, v.key(i));
                out.push_back(':');
            }
            write(array ? v.item(i) : v.member(i), depth + 1);
        }
        out.push_back(array ? ']' : '}');
    }
};

}  // namespace

void append_text(std::string& out, const value& v, std::size_t enough) { writer{out, enough}.write(v, 0); }

std::string to_text(const value& v, std::size_t enough) {
    std::string out;
    append_text(out, v, enough);
    return out;
}

std::string to_plain(const value& v, std::size_t enough) { return v.is_string() ? std::string(v.text()) : to_text(v, enough); }

std::string excerpt(const value& v) {
    constexpr std::size_t most = 29;
    std::string text;
    writer{text, most + 40}.write(v, 0);
    if (text.size() <= most) return text;
    std::string_view tail = "...";
    if (v.is_string()) tail = "...\"";
    if (v.is_array()) tail = "...]";
    if (v.is_object()) tail = "...}";
    auto cut = most - tail.size();
    while (cut > 0 && is_utf8_tail(text[cut])) --cut;
    return text.substr(0, cut).append(tail);
}

std::string described(const value& v) { return std::string(type_name(v)) + " (" + excerpt(v) + ")"; }

}  // namespace pawl::expr
