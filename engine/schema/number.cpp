#include "schema/number.hpp"

#include <charconv>
#include <cmath>
#include <functional>

namespace pawl::schema {
namespace {

__extension__ using wide = unsigned __int128;

/// mantissa * 10^exponent, positive.
struct decimal {
    std::uint64_t mantissa = 0;
    int exponent = 0;
};

decimal to_decimal(number positive) noexcept {
    if (positive < 18446744073709551616.0L && std::floor(positive) == positive) return {static_cast<std::uint64_t>(positive), 0};
    // Everything else came from a double: its shortest decimal form is what the author wrote.
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, static_cast<double>(positive), std::chars_format::scientific).ptr;
    decimal out;
    const char* p = text;
    int fraction = 0;
    for (bool after_point = false; p != end && *p != 'e'; ++p) {
        if (*p == '.') {
            after_point = true;
            continue;
        }
        out.mantissa = out.mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
        if (after_point) ++fraction;
    }
    if (p != end) ++p;
    if (p != end && *p == '+') ++p;
    std::from_chars(p, end, out.exponent);
    out.exponent -= fraction;
    return out;
}

std::size_t mix(std::size_t seed, std::size_t value) noexcept { return seed * 1099511628211ULL ^ (value + 0x9e3779b97f4a7c15ULL + (seed >> 7)); }

bool equal_objects(const json::object& a, const json::object& b, std::size_t depth) noexcept {
    if (a.size() != b.size()) return false;
    for (const auto& [name, value] : a) {
        const auto* other = b.if_contains(name);
        if (!other || !equal(value, *other, depth)) return false;
    }
    return true;
}

bool equal_arrays(const json::array& a, const json::array& b, std::size_t depth) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!equal(a[i], b[i], depth)) return false;
    }
    return true;
}

}  // namespace

number number_of(const json::value& value) noexcept {
    if (const auto* i = value.if_int64()) return static_cast<number>(*i);
    if (const auto* u = value.if_uint64()) return static_cast<number>(*u);
    return static_cast<number>(value.get_double());
}

bool is_integer(const json::value& value) noexcept {
    if (value.is_int64() || value.is_uint64()) return true;
    const auto* d = value.if_double();
    return d && std::isfinite(*d) && std::floor(*d) == *d;
}

bool is_multiple_of(number value, number divisor) noexcept {
    if (!std::isfinite(value)) return false;
    if (value == 0) return true;
    const decimal a = to_decimal(std::fabs(value));
    const decimal b = to_decimal(divisor);
    if (a.mantissa == 0 || b.mantissa == 0) return a.mantissa == 0;
    int shift = a.exponent - b.exponent;
    if (shift >= 0) {
        wide rest = a.mantissa % b.mantissa;
        for (; shift > 0 && rest != 0; --shift) rest = rest * 10 % b.mantissa;
        return rest == 0;
    }
    wide scaled = b.mantissa;
    for (; shift < 0; ++shift) {
        scaled *= 10;
        if (scaled > a.mantissa) return false;
    }
    return a.mantissa % scaled == 0;
}

bool equal(const json::value& a, const json::value& b, std::size_t max_depth) noexcept {
    if (max_depth == 0) return false;
    if (a.is_number() && b.is_number()) return number_of(a) == number_of(b);
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case json::kind::null: return true;
        case json::kind::bool_: return a.get_bool() == b.get_bool();
        case json::kind::string: return a.get_string() == b.get_string();
        case json::kind::array: return equal_arrays(a.get_array(), b.get_array(), max_depth - 1);
        case json::kind::object: return equal_objects(a.get_object(), b.get_object(), max_depth - 1);
        default: return false;
    }
}

std::size_t hash_of(const json::value& value, std::size_t max_depth) noexcept {
    if (max_depth == 0) return 0;
    switch (value.kind()) {
        case json::kind::null: return 1;
        case json::kind::bool_: return value.get_bool() ? 2 : 3;
        // Through double, so that 1 and 1.0 agree; distinct large integers may share a hash, which is only slower.
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_: return std::hash<double>{}(static_cast<double>(number_of(value)) + 0.0);
        case json::kind::string: return std::hash<std::string_view>{}(std::string_view(value.get_string()));
        case json::kind::array: {
            std::size_t seed = 5;
            for (const auto& item : value.get_array()) seed = mix(seed, hash_of(item, max_depth - 1));
            return seed;
        }
        case json::kind::object: {
            // A sum: the order of members does not count.
            std::size_t sum = 7;
            for (const auto& [name, member] : value.get_object()) {
                sum += mix(std::hash<std::string_view>{}(std::string_view(name)), hash_of(member, max_depth - 1));
            }
            return sum;
        }
    }
    return 0;
}

}  // namespace pawl::schema
