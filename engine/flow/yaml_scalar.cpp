#include "flow/yaml_scalar.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace pawl::flow {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class Test>
bool all_of(std::string_view text, Test test) {
    if (text.empty()) return false;
    for (const char c : text) {
        if (!test(c)) return false;
    }
    return true;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
    std::size_t n = 0;
    while (at + n < text.size() && is_digit(text[at + n])) ++n;
    return n;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
    std::size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const auto whole = digits_at(text, i);
    i += whole;
    if (i < text.size() && text[i] == '.') {
        const auto fraction = digits_at(text, i + 1);
        if (whole == 0 && fraction == 0) return false;
        i += 1 + fraction;
    } else if (whole == 0) {
        return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
        const auto exponent = digits_at(text, i);
        if (exponent == 0) return false;
        i += exponent;
    }
    return i == text.size();
}

typed_scalar to_double(std::string_view digits) {
    if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc::result_out_of_range) {
        // Underflow is zero to every reader; overflow has no JSON form.
        const auto exponent = digits.find_first_of("eE");
        if (exponent != std::string_view::npos && digits.substr(exponent + 1).starts_with('-')) return {json::value(0.0), {}};
        return {json::value(digits), "the number is too large for JSON"};
    }
    return {json::value(number), {}};
}

typed_scalar to_integer(std::string_view digits, int base, bool negative) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    constexpr auto most_negative = std::uint64_t{1} << 63;
    if (error == std::errc::result_out_of_range || (negative && number > most_negative)) {
        if (base == 10) return to_double((negative ? "-" : "") + std::string(digits));
        return {json::value(digits), "the number does not fit 64 bits"};
    }
    if (negative) return {json::value(static_cast<std::int64_t>(std::uint64_t{0} - number)), {}};
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return {json::value(static_cast<std::int64_t>(number)), {}};
    return {json::value(number), {}};
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    for (const auto word : words) {
        if (text == word) return true;
    }
    return false;
}

}  // namespace

typed_scalar type_plain_scalar(std::string_view text) {
    if (text.empty() || is_one_of(text, {"~", "null", "Null", "NULL"})) return {json::value(nullptr), {}};
    if (is_one_of(text, {"true", "True", "TRUE"})) return {json::value(true), {}};
    if (is_one_of(text, {"false", "False", "FALSE"})) return {json::value(false), {}};
    const bool sign = text[0] == '-' || text[0] == '+';
    const auto digits = text.substr(sign ? 1 : 0);
    if (all_of(digits, is_digit)) return to_integer(digits, 10, text[0] == '-');
    if (text.starts_with("0o") && all_of(text.substr(2), is_octal)) return to_integer(text.substr(2), 8, false);
    if (text.starts_with("0x") && all_of(text.substr(2), is_hex)) return to_integer(text.substr(2), 16, false);
    if (is_float(text)) return to_double(text);
    if (is_one_of(digits, {".inf", ".Inf", ".INF"})) return {json::value(text), "JSON has no infinite numbers"};
    if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return {json::value(text), "JSON has no \"not a number\""};
    return {json::value(text), {}};
}

}  // namespace pawl::flow
