// Reading and writing by key and by path, as the language defines it: null is an empty anything, negative indices count from the end.
#include "expr/machine.hpp"
#include "expr/unicode.hpp"

#include <cmath>

namespace pawl::expr {
namespace {

constexpr std::int64_t max_index = 536'870'911;

/// floor() of a number that is not NaN, within +-2^53.
std::int64_t whole(const value& v) noexcept {
    if (v.what() == kind::integer) return v.int64();
    const double d = std::floor(v.number());
    return d >= 9007199254740992.0 ? 9007199254740992 : d <= -9007199254740992.0 ? -9007199254740992 : static_cast<std::int64_t>(d);
}

bool is_nan(const value& v) noexcept { return v.what() == kind::real && std::isnan(v.real()); }

value cannot_index(machine& m, const value& target, const value& key) {
    return m.fail("Cannot index " + std::string(type_name(target)) + " with " + described(key));
}

struct bounds {
    std::size_t from = 0, to = 0;
};

/// The half-open range that a slice means for `length` items; false when an end is no number.
bool slice_bounds(const value& from, const value& to, std::size_t length, bounds& out) {
    if ((!from.is_null() && !from.is_number()) || (!to.is_null() && !to.is_number())) return false;
    const auto size = static_cast<double>(length);
    double start = from.is_null() || is_nan(from) ? 0 : from.number();
    double end = to.is_null() || is_nan(to) ? size : to.number();
    if (start < 0) start += size;
    if (end < 0) end += size;
    start = std::floor(std::min(std::max(start, 0.0), size));
    end = std::ceil(std::min(std::max(end, start), size));
    out = {static_cast<std::size_t>(start), static_cast<std::size_t>(end)};
    return true;
}

value slice_string(machine& m, const value& target, const value& from, const value& to) {
    const auto text = target.text();
    const auto length = code_points(text);
    m.funds().charge(text.size() / 64);
    bounds b;
    if (!slice_bounds(from, to, length, b)) return m.fail("Start and end indices of an array slice must be numbers");
    if (length == text.size()) return m.text(std::string(text.substr(b.from, b.to - b.from)));
    const auto start = byte_offset(text, b.from);
    const auto rest = text.substr(start);
    return m.text(std::string(rest.substr(0, byte_offset(rest, b.to - b.from))));
}

value indices_of_array(machine& m, const value& target, const value& wanted) {
    std::vector<value> found;
    const auto n = wanted.size();
    for (std::size_t i = 0; n > 0 && i + n <= target.size(); ++i) {
        bool same = true;
        for (std::size_t k = 0; same && k < n; ++k) {
            if (!m.equal(target.item(i + k), wanted.item(k), same)) return value::invalid();
        }
        if (same) found.push_back(value::integer(static_cast<std::int64_t>(i)));
    }
    return n == 0 ? value() : m.array(std::move(found));
}

value* place_index(machine& m, value& target, const value& key) {
    if (is_nan(key)) {
        m.fail("Cannot set array element at NaN index");
        return nullptr;
    }
    auto at = whole(key);
    const auto size = static_cast<std::int64_t>(target.size());
    if (at < 0) at += size;
    if (at < 0) {
        m.fail("Out of bounds negative array index");
        return nullptr;
    }
    if (at > max_index) {
        m.fail("Array index too large");
        return nullptr;
    }
    if (at >= size && !m.funds().can_grow(static_cast<std::size_t>(at + 1) * sizeof(value))) {
        m.limit("an array of " + std::to_string(at + 1) + " items takes more than the limit of " + std::to_string(m.bounds().value_bytes) + " bytes");
        return nullptr;
    }
    auto& array = target.edit_array(m.funds());
    if (at >= size) {
        array.list.resize(static_cast<std::size_t>(at) + 1);
        array.account_items();
        m.funds().charge(static_cast<std::uint64_t>(at - size) / 16);
    }
    return &array.list[static_cast<std::size_t>(at)];
}

bool is_slice(const value& key) noexcept { return key.is_object(); }

value part(const value& key, std::string_view name) {
    value v = key.find(name);
    return v.ok() ? v : value();
}

bool set_from(machine& m, value& target, const value& path, std::size_t index, const value& to);

bool set_slice(machine& m, value& target, const value& path, std::size_t index, const value& to) {
    const value key = path.item(index);
    if (target.is_string()) return m.fail("Cannot update string slices").ok();
    if (!target.is_array() && !target.is_null()) return m.fail("Cannot update field at object index of " + std::string(type_name(target))).ok();
    if (target.is_null()) target = value::array(m.funds());
    bounds b;
    if (!slice_bounds(part(key, "start"), part(key, "end"), target.size(), b)) {
        return m.fail("Start and end indices of an array slice must be numbers").ok();
    }
    value inner;
    if (index + 1 < path.size()) {
        inner = slice(m, target, part(key, "start"), part(key, "end"));
        if (!inner.ok() || m.funds().stack_is_low() || !set_from(m, inner, path, index + 1, to)) return false;
    } else {
        inner = to;
    }
    if (!inner.is_array()) return m.fail("A slice of an array can only be assigned another array").ok();
    auto& array = target.edit_array(m.funds());
    std::vector<value> made;
    made.reserve(array.list.size() - (b.to - b.from) + inner.size());
    for (std::size_t i = 0; i < b.from; ++i) made.push_back(std::move(array.list[i]));
    for (std::size_t i = 0; i < inner.size(); ++i) made.push_back(inner.item(i));
    for (std::size_t i = b.to; i < array.list.size(); ++i) made.push_back(std::move(array.list[i]));
    m.funds().charge(made.size() / 8);
    array.list = std::move(made);
    array.account_items();
    return true;
}

bool set_from(machine& m, value& target, const value& path, std::size_t index, const value& to) {
    value* slot = &target;
    for (; index < path.size(); ++index) {
        const value key = path.item(index);
        if (is_slice(key) && !slot->is_object()) return set_slice(m, *slot, path, index, to);
        slot = place(m, *slot, key);
        if (slot == nullptr) return false;
    }
    *slot = to;
    return true;
}

bool valid_path(machine& m, const value& path) {
    if (!path.is_array()) return m.fail("Path must be specified as an array").ok();
    if (path.size() > max_value_depth) return m.fail("Path too deep").ok();
    return true;
}

}  // namespace

value get_field(machine& m, const value& target, std::string_view key) {
    if (target.is_object()) {
        value found = target.find(key);
        return found.ok() ? found : value();
    }
    if (target.is_null()) return {};
    return cannot_index(m, target, value::borrow(key));
}

value get(machine& m, const value& target, const value& key) {
    if (key.is_string() && (target.is_object() || target.is_null())) return get_field(m, target, key.text());
    if (target.is_array() && key.is_number()) {
        if (is_nan(key)) return {};
        auto at = whole(key);
        const auto size = static_cast<std::int64_t>(target.size());
        if (at < 0) at += size;
        return at < 0 || at >= size ? value() : target.item(static_cast<std::size_t>(at));
    }
    if (key.is_object() && (target.is_array() || target.is_string() || target.is_null())) return slice(m, target, part(key, "start"), part(key, "end"));
    if (target.is_array() && key.is_array()) return indices_of_array(m, target, key);
    if (target.is_null() && (key.is_number() || key.is_null())) return {};
    return cannot_index(m, target, key);
}

value slice(machine& m, const value& target, const value& from, const value& to) {
    if (target.is_null()) return {};
    if (target.is_string()) return slice_string(m, target, from, to);
    if (!target.is_array()) return m.fail("Cannot index " + std::string(type_name(target)) + " with object");
    bounds b;
    if (!slice_bounds(from, to, target.size(), b)) return m.fail("Start and end indices of an array slice must be numbers");
    std::vector<value> items;
    items.reserve(b.to - b.from);
    for (auto i = b.from; i < b.to; ++i) items.push_back(target.item(i));
    m.funds().charge(items.size() / 8);
    return m.array(std::move(items));
}

value get_path(machine& m, value target, const value& path) {
    if (!valid_path(m, path)) return value::invalid();
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (target.is_null()) return target;
        target = get(m, target, path.item(i));
        if (!target.ok()) return target;
    }
    return target;
}

value* place(machine& m, value& target, const value& key) {
    if (key.is_string() && (target.is_object() || target.is_null())) {
        if (target.is_null()) target = value::object(m.funds());
        return &target.edit_object(m.funds()).at(key);
    }
    if (key.is_number() && (target.is_array() || target.is_null())) {
        if (target.is_null()) target = value::array(m.funds());
        return place_index(m, target, key);
    }
    if (is_slice(key) && !target.is_object()) return nullptr;
    if (key.is_array() && target.is_array()) {
        m.fail("Cannot update field at array index of array");
    } else {
        cannot_index(m, target, key);
    }
    return nullptr;
}

value set_path(machine& m, value target, const value& path, value to) {
    if (!valid_path(m, path) || !set_from(m, target, path, 0, to)) return value::invalid();
    return target;
}

}  // namespace pawl::expr
