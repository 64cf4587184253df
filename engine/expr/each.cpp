// Generators: what may yield any number of outputs, for values and for located values.
#include "expr/each.hpp"

namespace pawl::expr {

template <class T>
bool machine::each(const node* n, link* env, T in, sink<T> out) {
    constexpr bool paths = std::is_same_v<T, located>;
    link_ptr held;
    T now = std::move(in);
    depth_guard calls(depth_);
    for (;;) {
        if (!tick()) return false;
        if constexpr (!paths) {
            if (n->single) {
                value v = one(n, env, std::move(now));
                return v.ok() && out(std::move(v));
            }
        } else if (!n->structural) {
            return each<value>(n, env, now.v, [&](value&& v) { return out(T{std::move(v), now.p}); });
        }
        switch (n->what) {
            case op::identity: return out(std::move(now));
            case op::pipe: {
                if (!at_most_one_now(n->a, env)) {
                    return each<T>(n->a, env, std::move(now), [&](T&& v) { return each<T>(n->b, env, std::move(v), out); });
                }
                // At most one output: take it, then go on in this very frame.
                bool any = false;
                T next;
                if (!each_once(n->a, env, std::move(now), next, any)) return false;
                if (!any) return true;
                now = std::move(next);
                n = n->b;
                continue;
            }
            case op::comma:
                if (!each<T>(n->a, env, now, out)) return false;
                n = n->b;
                continue;
            case op::if_: {
                if (!single_now(n->a, env)) return each_if(n, env, now, out);
                const value condition = one_of(n->a, env, value_of(now));
                if (!condition.ok()) return false;
                n = condition.truthy() ? n->b : n->c;
                if (n == nullptr) return out(std::move(now));
                continue;
            }
            case op::alternative: {
                bool found = false;
                if (!each_alternative<T>(n, env, now, out, found)) return false;
                if (found) return true;
                n = n->b;
                continue;
            }
            case op::call: {
                if (calls.enter() > bounds_.depth) return limited_depth();
                at(n);
                const function* callee = n->callee;
                held = enter(n, env);
                env = held.get();
                n = callee->body;
                continue;
            }
            case op::closure: {
                if (calls.enter() > bounds_.depth) return limited_depth();
                const link* l = walk(env, n->up);
                n = l->body;
                held = link_ptr::share(l->environment);
                env = held.get();
                continue;
            }
            default: return each_more<T>(n, env, std::move(now), out);
        }
    }
}

template <class T>
bool machine::each_more(const node* n, link* env, T in, sink<T> out) {
    switch (n->what) {
        case op::field:
        case op::index:
        case op::slice:
        case op::iterate: return each_step<T>(n, env, std::move(in), out);
        case op::bind: return each_bind<T>(n, env, std::move(in), out);
        case op::reduce: return each_reduce<T>(n, env, std::move(in), out);
        case op::foreach: return each_foreach<T>(n, env, std::move(in), out);
        case op::try_: return each_try<T>(n, env, std::move(in), out);
        case op::recurse: return each_recurse<T>(n, env, std::move(in), out);
        case op::first:
        case op::last: return each_first<T>(n, env, std::move(in), out);
        case op::limit: return each_limit<T>(n, env, std::move(in), out);
        case op::skip: return each_skip<T>(n, env, std::move(in), out);
        case op::getpath: return each_getpath<T>(n, env, std::move(in), out);
        case op::empty: return true;
        case op::error:
            return each<value>(n->a, env, value_of(in), [&](value&& v) {
                at(n);
                fail(std::move(v));
                return false;
            });
        case op::label: {
            const auto id = ++labels_;
            const auto bound = links_.label(env, id);
            if (each<T>(n->a, bound.get(), std::move(in), out)) return true;
            if (signal_ != signal::broken || broken_label_ != id) return false;
            signal_ = signal::none;
            return true;
        }
        case op::break_:
            signal_ = signal::broken;
            broken_label_ = walk(env, n->up)->label;
            return false;
        default: break;
    }
    if constexpr (std::is_same_v<T, value>) {
        return each_value(n, env, std::move(in), out);
    } else {
        return each<value>(n, env, in.v, [&](value&& v) { return out(T{std::move(v), in.p}); });
    }
}

template <class T>
bool machine::each_once(const node* n, link* env, T in, T& result, bool& any) {
    if constexpr (std::is_same_v<T, value>) {
        if (n->single) {
            result = one(n, env, std::move(in));
            any = true;
            return result.ok();
        }
    }
    return each<T>(n, env, std::move(in), [&](T&& v) {
        any = true;
        result = std::move(v);
        return true;
    });
}

value machine::one_of(const node* n, link* env, const value& in) {
    if (n->single) return one(n, env, in);
    value result = value::invalid();
    const bool ended = each<value>(n, env, in, [&](value&& v) {
        result = std::move(v);
        return true;
    });
    return ended ? result : value::invalid();
}

template <class T>
bool machine::each_if(const node* n, link* env, const T& in, sink<T> out) {
    return each<value>(n->a, env, value_of(in), [&](value&& condition) {
        const node* branch = condition.truthy() ? n->b : n->c;
        return branch == nullptr ? out(T(in)) : each<T>(branch, env, in, out);
    });
}

template <class T>
bool machine::each_try(const node* n, link* env, T in, sink<T> out) {
    bool stopped_after = false;  // a stop that comes from whoever takes the outputs is not ours to catch
    const bool ended = each<T>(n->a, env, in, [&](T&& v) {
        if (out(std::move(v))) return true;
        stopped_after = true;
        return false;
    });
    if (ended) return true;
    if (stopped_after || signal_ != signal::raised) return false;
    value payload = caught();
    if (n->b == nullptr) return true;
    return each<T>(n->b, env, with_value(std::move(in), std::move(payload)), out);
}

template <class T>
bool machine::each_alternative(const node* n, link* env, const T& in, sink<T> out, bool& found) {
    return each<T>(n->a, env, in, [&](T&& v) {
        if (!value_of(v).truthy()) return true;
        found = true;
        return out(std::move(v));
    });
}

template <class T>
bool machine::each_recurse(const node* n, link* env, T in, sink<T> out) {
    depth_guard nested(depth_);
    T now = std::move(in);
    for (;;) {
        if (!tick()) return false;
        if (!out(T(now))) return false;
        if (!at_most_one_now(n->a, env)) break;
        bool any = false;
        T next;
        if (!each_once(n->a, env, std::move(now), next, any)) return false;
        if (!any) return true;
        now = std::move(next);
    }
    if (const auto& v = value_of(now); n->a->what == op::iterate && n->a->optional && !v.is_array() && !v.is_object()) return true;
    if (nested.enter() > bounds_.depth) return limited_depth();
    return each<T>(n->a, env, std::move(now), [&](T&& v) { return each_recurse<T>(n, env, std::move(v), out); });
}

bool machine::limited_depth() {
    limit("the evaluation is nested deeper than the limit of " + std::to_string(bounds_.depth) + " calls");
    return false;
}

template bool machine::each_more<value>(const node*, link*, value, sink<value>);
template bool machine::each<value>(const node*, link*, value, sink<value>);
template bool machine::each<located>(const node*, link*, located, sink<located>);

}  // namespace pawl::expr
