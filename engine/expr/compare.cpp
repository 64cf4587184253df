#include "expr/value.hpp"

#include <algorithm>
#include <cmath>

namespace pawl::expr {
namespace {

__extension__ typedef __int128 wide;

wide widen(const value& v) noexcept { return v.what() == kind::integer ? static_cast<wide>(v.int64()) : static_cast<wide>(v.uint64()); }

int compare_mixed(const value& integer, double d) noexcept {
    if (std::isnan(d)) return 1;
    if (d >= 1.8446744073709552e19) return -1;
    if (d < -9.2233720368547758e18) return 1;
    const wide i = widen(integer);
    const double whole = std::trunc(d);
    const wide w = static_cast<wide>(whole);
    if (i != w) return i < w ? -1 : 1;
    return d > whole ? -1 : (d < whole ? 1 : 0);
}

/// null, false, true, numbers, strings, arrays, objects.
int rank(const value& v) noexcept { return v.is_number() ? static_cast<int>(kind::integer) : static_cast<int>(v.what()); }

std::vector<std::size_t> sorted_members(const value& v) {
    std::vector<std::size_t> order(v.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return v.key(x) < v.key(y); });
    return order;
}

int compare_objects(budget& b, const value& a, const value& c, bool& too_deep, std::size_t depth) {
    const auto left = sorted_members(a);
    const auto right = sorted_members(c);
    const auto common = std::min(left.size(), right.size());
    // Key sets first, as sorted arrays of strings; then the values, key by key.
    for (std::size_t i = 0; i < common; ++i) {
        const int r = a.key(left[i]).compare(c.key(right[i]));
        if (r != 0) return r;
    }
    if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
    for (std::size_t i = 0; i < common; ++i) {
        const int r = compare(b, a.member(left[i]), c.member(right[i]), too_deep, depth + 1);
        if (r != 0 || too_deep) return r;
    }
    return 0;
}

}  // namespace

int compare_numbers(const value& a, const value& c) noexcept {
    if (a.is_integer() && c.is_integer()) {
        const wide x = widen(a), y = widen(c);
        return x < y ? -1 : (x > y ? 1 : 0);
    }
    if (a.is_integer()) return compare_mixed(a, c.real());
    if (c.is_integer()) return -compare_mixed(c, a.real());
    const double x = a.real(), y = c.real();
    if (std::isnan(x)) return -1;  // NaN sorts below every number, itself included
    if (std::isnan(y)) return 1;
    return x < y ? -1 : (x > y ? 1 : 0);
}

int compare(budget& b, const value& a, const value& c, bool& too_deep, std::size_t depth) {
    const int x = rank(a), y = rank(c);
    if (x != y) return x < y ? -1 : 1;
    b.charge(1);
    switch (a.what()) {
        case kind::integer:
        case kind::unsigned_integer:
        case kind::real: return compare_numbers(a, c);
        case kind::string: {
            b.charge(std::min(a.text().size(), c.text().size()) / 256);
            return a.text().compare(c.text());
        }
        case kind::array:
        case kind::object: break;
        default: return 0;
    }
    if (depth > max_value_depth || b.steps == 0 || b.stack_is_low()) {
        too_deep = b.steps != 0;
        return 0;
    }
    if (a.is_object()) return compare_objects(b, a, c, too_deep, depth);
    const auto common = std::min(a.size(), c.size());
    for (std::size_t i = 0; i < common; ++i) {
        const int r = compare(b, a.item(i), c.item(i), too_deep, depth + 1);
        if (r != 0 || too_deep) return r;
    }
    return a.size() == c.size() ? 0 : (a.size() < c.size() ? -1 : 1);
}

bool equal(budget& b, const value& a, const value& c, bool& too_deep, std::size_t depth) {
    if (rank(a) != rank(c)) return false;
    b.charge(1);
    switch (a.what()) {
        case kind::integer:
        case kind::unsigned_integer:
        case kind::real: return compare_numbers(a, c) == 0;
        case kind::string: {
            b.charge(a.text().size() / 256);
            return a.text() == c.text();
        }
        case kind::array:
        case kind::object: break;
        default: return true;
    }
    if (a.size() != c.size()) return false;
    if (depth > max_value_depth || b.steps == 0 || b.stack_is_low()) {
        too_deep = b.steps != 0;
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a.is_array()) {
            if (!equal(b, a.item(i), c.item(i), too_deep, depth + 1)) return false;
            continue;
        }
        const value other = c.find(a.key(i));
        if (!other.ok() || !equal(b, a.member(i), other, too_deep, depth + 1)) return false;
    }
    return true;
}

std::string_view type_name(const value& v) noexcept {
    switch (v.what()) {
        case kind::invalid: return "invalid";
        case kind::null: return "null";
        case kind::false_:
        case kind::true_: return "boolean";
        case kind::string: return "string";
        case kind::array: return "array";
        case kind::object: return "object";
        default: return "number";
    }
}

}  // namespace pawl::expr
