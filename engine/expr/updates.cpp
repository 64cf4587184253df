// Assignment: every path that the left side names is changed in one copy of the input, in place as soon as nobody else holds it.
#include "expr/each.hpp"

namespace pawl::expr {

/// The keys of a left side that is one plain path from the input, such as `.a[$i].b`, without reading what is there; false when it is not,
/// or after an error. Nothing holds the input then, so that it changes in place.
bool machine::plain_path(const node* n, link* env, const value& in, std::vector<value>& keys) {
    if (n->what == op::identity) return true;
    if ((n->what != op::field && n->what != op::index) || n->optional || n->a == nullptr || !n->single) return false;
    if (!plain_path(n->a, env, in, keys)) return false;
    keys.push_back(n->what == op::field ? n->constant : one(n->b, env, in));
    return keys.back().ok();
}

value machine::assign(const node* n, link* env, value in, const value& to) {
    std::vector<value> keys;
    if (plain_path(n->a, env, in, keys)) {
        at(n);
        return set_path(*this, std::move(in), array(std::move(keys)), to);
    }
    if (signal_ != signal::none) return value::invalid();
    value result = in;
    const bool ended = each_path(n->a, env, in, [&](located&& found) {
        at(n);
        result = set_path(*this, std::move(result), array(keys_of(found)), to);
        return result.ok();
    });
    return ended ? result : value::invalid();
}

/// The new value for one path; false when there is none, or after an error (then a signal is set).
bool machine::changed(const node* n, link* env, const value& old, const value* operand, value& now) {
    if (operand != nullptr) {
        if (n->operate == operation::alternative) {
            now = old.truthy() ? old : *operand;
            return true;
        }
        at(n);
        now = calculate(*this, n->operate, old, *operand);
        return now.ok();
    }
    bool any = false;
    each<value>(n->b, env, old, [&](value&& v) {
        any = true;
        now = std::move(v);
        return false;
    });
    return any && signal_ == signal::none;
}

/// Changes what is at `keys` where it is: the old value is taken out while it changes, so that it has one owner. False after an error, or
/// when the path leads through a slice (then nothing happened and there is no signal).
bool machine::change_at(const node* n, link* env, value& root, const std::vector<value>& keys, const value* operand) {
    value* slot = &root;
    for (const auto& key : keys) {
        slot = place(*this, *slot, key);
        if (slot == nullptr) return false;
    }
    value old = std::move(*slot);
    if (operand == nullptr) {
        *slot = one(n->b, env, std::move(old));
    } else {
        at(n);
        const bool keep = n->operate == operation::alternative && old.truthy();
        *slot = keep ? std::move(old) : n->operate == operation::alternative ? *operand : calculate(*this, n->operate, std::move(old), *operand);
    }
    return slot->ok();
}

value machine::update(const node* n, link* env, value in, const value* operand) {
    const bool simple = operand != nullptr || n->b->single;
    std::vector<value> plain;
    if (simple && plain_path(n->a, env, in, plain)) {
        at(n);
        if (change_at(n, env, in, plain, operand)) return in;
    }
    if (signal_ != signal::none) return value::invalid();
    value result = in;
    std::vector<value> removed;
    const bool ended = each_path(n->a, env, in, [&](located&& found) {
        at(n);
        const auto keys = keys_of(found);
        if (simple && change_at(n, env, result, keys, operand)) return true;
        if (signal_ != signal::none) return false;
        value path = array(std::vector<value>(keys));
        const value old = get_path(*this, result, path);
        if (!old.ok()) return false;
        value now;
        if (changed(n, env, old, operand, now)) {
            result = set_path(*this, std::move(result), path, now);
            return result.ok();
        }
        if (signal_ != signal::none) return false;
        removed.push_back(std::move(path));
        return true;
    });
    if (!ended) return value::invalid();
    return removed.empty() ? result : delete_paths(*this, std::move(result), array(std::move(removed)));
}

value machine::remove(const node* n, link* env, const value& in) {
    std::vector<value> paths;
    const bool ended = each_path(n->a, env, in, [&](located&& found) {
        paths.push_back(array(keys_of(found)));
        return true;
    });
    if (!ended) return value::invalid();
    return delete_paths(*this, in, array(std::move(paths)));
}

}  // namespace pawl::expr
