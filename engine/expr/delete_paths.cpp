// Deletion by paths. All keys of one container go at once, so that each means a place in the container as it was.
#include "expr/machine.hpp"

#include <algorithm>
#include <cmath>

namespace pawl::expr {
namespace {

bool mark_items(machine& m, const value& target, const std::vector<value>& keys, std::vector<bool>& gone) {
    const auto size = static_cast<std::int64_t>(target.size());
    for (const auto& key : keys) {
        if (key.is_number()) {
            if (std::isnan(key.number())) continue;
            double at = std::floor(key.number());
            if (at < 0) at += static_cast<double>(size);
            if (at >= 0 && at < static_cast<double>(size)) gone[static_cast<std::size_t>(at)] = true;
        } else if (key.is_object()) {
            const value inside = slice(m, target, key.find("start").ok() ? key.find("start") : value(), key.find("end").ok() ? key.find("end") : value());
            if (!inside.ok()) return false;
            // Where it starts: cut everything from the start on, and see how much is left.
            const value rest = slice(m, target, key.find("start").ok() ? key.find("start") : value(), value());
            const auto from = target.size() - rest.size();
            for (std::size_t i = 0; i < inside.size(); ++i) gone[from + i] = true;
        } else {
            m.fail("Cannot delete field at " + std::string(key.is_string() ? "object" : type_name(key)) + " index of array");
            return false;
        }
    }
    return true;
}

bool delete_keys(machine& m, value& target, const std::vector<value>& keys) {
    if (target.is_null()) return true;
    if (target.is_array()) {
        std::vector<bool> gone(target.size());
        if (!mark_items(m, target, keys, gone)) return false;
        auto& list = target.edit_array(m.funds()).list;
        std::size_t kept = 0;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (gone[i]) continue;
            if (kept != i) list[kept] = std::move(list[i]);
            ++kept;
        }
        m.funds().charge(list.size() / 8);
        list.resize(kept);
        return true;
    }
    if (!target.is_object()) {
        m.fail("Cannot delete field at " + std::string(keys[0].is_string() ? "object" : "array") + " index of " + std::string(type_name(target)));
        return false;
    }
    std::vector<std::size_t> gone;
    auto& object = target.edit_object(m.funds());
    for (const auto& key : keys) {
        if (!key.is_string()) {
            m.fail("Cannot delete field at array index of object");
            return false;
        }
        const auto at = object.find(key.text());
        if (at != object_node::none) gone.push_back(at);
    }
    std::sort(gone.begin(), gone.end());
    gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
    if (gone.empty()) return true;
    std::size_t kept = 0, next = 0;
    for (std::size_t i = 0; i < object.list.size(); ++i) {
        if (next < gone.size() && gone[next] == i) {
            ++next;
            continue;
        }
        if (kept != i) object.list[kept] = std::move(object.list[i]);
        ++kept;
    }
    object.list.resize(kept);
    object.rehash();
    return true;
}

bool same_parent(machine& m, const value& a, const value& b, bool& same) {
    same = a.size() == b.size();
    for (std::size_t i = 0; same && i + 1 < a.size(); ++i) {
        if (!m.equal(a.item(i), b.item(i), same)) return false;
    }
    return true;
}

/// Removes `keys` from what the path (without its last key) leads to; nothing happens where there is nothing.
bool delete_below(machine& m, value& target, const value& path, std::size_t index, const std::vector<value>& keys) {
    value* slot = &target;
    for (; index + 1 < path.size(); ++index) {
        const value key = path.item(index);
        const value inner = get(m, *slot, key);
        if (!inner.ok()) return false;
        if (inner.is_null()) return true;
        if (key.is_object()) {
            // Below a slice: change a copy of the slice and put it back.
            value changed = inner;
            if (m.funds().stack_is_low() || !delete_below(m, changed, path, index + 1, keys)) return false;
            *slot = set_path(m, std::move(*slot), m.array({key}), std::move(changed));
            return slot->ok();
        }
        slot = place(m, *slot, key);
        if (slot == nullptr) return false;
    }
    return delete_keys(m, *slot, keys);
}

}  // namespace

value delete_paths(machine& m, value target, const value& paths) {
    if (!paths.is_array()) return m.fail("Paths must be specified as an array");
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const value path = paths.item(i);
        if (!path.is_array()) return m.fail("Path must be specified as an array");
        if (path.size() > max_value_depth) return m.fail("Path too deep");
        if (path.size() == 0) return {};
    }
    const value sorted = sort_values(m, paths);
    if (!sorted.ok()) return sorted;
    // From the last path to the first: deeper ones before what holds them, so that nothing moves under another path.
    for (auto end = sorted.size(); end > 0;) {
        const value path = sorted.item(end - 1);
        std::vector<value> keys;
        for (; end > 0; --end) {
            const value other = sorted.item(end - 1);
            bool same = false;
            if (!same_parent(m, path, other, same)) return value::invalid();
            if (!same) break;
            keys.push_back(other.item(other.size() - 1));
        }
        if (!delete_below(m, target, path, 0, keys)) return m.signal() == signal::none ? m.limit("the deletion is nested too deep") : value::invalid();
    }
    return target;
}

}  // namespace pawl::expr
