// Steps into values (`.a`, `.[i]`, `.[a:b]`, `.[]`, getpath), with and without the path that they follow.
#include "expr/each.hpp"

namespace pawl::expr {
namespace {

std::string element(const value& key) { return key.is_string() ? "\"" + std::string(key.text()) + "\"" : excerpt(key); }

value slice_key(budget& b, const value& from, const value& to) {
    value key = value::object(b);
    auto& members = key.edit_object(b);
    members.set(value::borrow(std::string_view("start")), from);
    members.set(value::borrow(std::string_view("end")), to);
    return key;
}

}  // namespace

/// One step from `target` by `key`; a key that is an object {start, end} is a slice.
template <class T>
T machine::step_to(const node* n, T target, const value& key, bool& ok) {
    at(n);
    if constexpr (std::is_same_v<T, value>) {
        value v = get(*this, target, key);
        ok = v.ok();
        return v;
    } else {
        if (!target.whole()) {
            fail("Invalid path expression near attempt to access element " + element(key) + " of " + excerpt(target.v));
            ok = false;
            return target;
        }
        value v = get(*this, target.v, key);
        ok = v.ok();
        if (!ok) return target;
        auto next = step_ptr::next(budget_, target.p, key, v);
        return {std::move(v), std::move(next)};
    }
}

template <class T>
bool machine::each_item(const node* n, T target, sink<T> out) {
    at(n);
    const value& v = value_of(target);
    if constexpr (std::is_same_v<T, located>) {
        if (!target.whole()) {
            fail("Invalid path expression near attempt to iterate through " + excerpt(v));
            return false;
        }
    }
    if (!v.is_array() && !v.is_object()) {
        if (n->optional) return true;
        fail("Cannot iterate over " + std::string(type_name(v)) + (v.is_null() ? "" : " (" + excerpt(v) + ")"));
        return false;
    }
    const auto count = v.size();
    for (std::size_t i = 0; i < count; ++i) {
        value item = v.is_array() ? v.item(i) : v.member(i);
        if constexpr (std::is_same_v<T, value>) {
            if (!tick() || !out(std::move(item))) return false;
        } else {
            value key = v.is_array() ? value::integer(static_cast<std::int64_t>(i)) : v.key_value(i);
            auto next = step_ptr::next(budget_, target.p, std::move(key), item);
            if (!tick() || !out(T{std::move(item), std::move(next)})) return false;
        }
    }
    return true;
}

template <class T>
bool machine::each_step(const node* n, link* env, T in, sink<T> out) {
    const auto from_target = [&](const value& key) {
        const auto go = [&](T&& target) {
            bool ok = true;
            T next = step_to<T>(n, std::move(target), key, ok);
            if (ok) return out(std::move(next));
            if (!n->optional || signal_ != signal::raised) return false;
            caught();
            return true;
        };
        if (n->a->what == op::identity) return go(T(in));
        return each<T>(n->a, env, in, go);
    };
    switch (n->what) {
        case op::field: return from_target(n->constant);
        case op::index: return each<value>(n->b, env, value_of(in), [&](value&& key) { return from_target(key); });
        case op::iterate:
            if (n->a->what == op::identity) return each_item<T>(n, std::move(in), out);
            return each<T>(n->a, env, std::move(in), [&](T&& target) { return each_item<T>(n, std::move(target), out); });
        default: break;
    }
    const auto to_end = [&](const value& from) {
        if (n->c == nullptr) return from_target(slice_key(budget_, from, value()));
        return each<value>(n->c, env, value_of(in), [&](value&& to) { return from_target(slice_key(budget_, from, to)); });
    };
    if (n->b == nullptr) return to_end(value());
    return each<value>(n->b, env, value_of(in), [&](value&& from) { return to_end(from); });
}

template <class T>
bool machine::each_getpath(const node* n, link* env, T in, sink<T> out) {
    return each<value>(n->a, env, value_of(in), [&](value&& path) {
        at(n);
        if constexpr (std::is_same_v<T, value>) {
            value v = get_path(*this, in, path);
            return v.ok() && out(std::move(v));
        } else {
            if (!in.whole()) {
                fail("Invalid path expression near attempt to access element " + excerpt(path) + " of " + excerpt(in.v));
                return false;
            }
            const value end = get_path(*this, in.v, path);  // also says what is wrong with the path
            if (!end.ok()) return false;
            T now = in;
            for (std::size_t i = 0; i < path.size(); ++i) {
                value next = now.v.is_null() ? value() : get(*this, now.v, path.item(i));
                if (!next.ok()) return false;
                auto p = step_ptr::next(budget_, now.p, path.item(i), next);
                now = T{std::move(next), std::move(p)};
            }
            return out(std::move(now));
        }
    });
}

bool machine::whole_path(const located& at) {
    if (at.whole()) return true;
    fail("Invalid path expression with result " + excerpt(at.v));
    return false;
}

bool machine::each_path(const node* n, link* env, const value& in, sink<located> out) {
    located root{in, step_ptr::root(budget_, in)};
    return each<located>(n, env, std::move(root), [&](located&& found) { return whole_path(found) && out(std::move(found)); });
}

template bool machine::each_step<value>(const node*, link*, value, sink<value>);
template bool machine::each_step<located>(const node*, link*, located, sink<located>);
template bool machine::each_getpath<value>(const node*, link*, value, sink<value>);
template bool machine::each_getpath<located>(const node*, link*, located, sink<located>);

}  // namespace pawl::expr
