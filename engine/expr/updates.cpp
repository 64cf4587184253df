// Assignment: every path that the left side names is changed in one copy of the input, in place as soon as nobody else holds it.
#include "expr/each.hpp"

namespace pawl::expr {

value machine::assign(const node* n, link* env, const value& in, const value& to) {
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

value machine::update(const node* n, link* env, const value& in, const value* operand) {
    value result = in;
    std::vector<value> removed;
    const bool simple = operand != nullptr || n->b->single;
    const bool ended = each_path(n->a, env, in, [&](located&& found) {
        const auto keys = keys_of(found);
        if (simple) {
            // Take the old value out while it changes, so that it has one owner and changes in place.
            value* slot = &result;
            for (const auto& key : keys) {
                slot = place(*this, *slot, key);
                if (slot == nullptr) break;
            }
            if (slot == nullptr && signal_ != signal::none) return false;
            if (slot != nullptr) {
                value old = std::move(*slot);
                if (operand == nullptr) {
                    *slot = one(n->b, env, std::move(old));
                    return slot->ok();
                }
                at(n);
                *slot = n->operate == operation::alternative ? (old.truthy() ? std::move(old) : *operand)
                                                             : calculate(*this, n->operate, std::move(old), *operand);
                return slot->ok();
            }
        }
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
