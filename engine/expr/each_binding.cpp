// Variables, destructuring, reduce, foreach, and the generators that cut streams: first, last, limit, skip.
#include "expr/each.hpp"

namespace pawl::expr {

/// One attempt to match a value: the links to fill, and where the patterns' key expressions see the world.
struct machine::destructuring {
    machine& m;
    link* env;
    std::vector<link*> slots;
};

bool machine::matches(const pattern& p, const value& v, const destructuring& d, sink<bool> next) {
    if (!tick()) return false;
    if (p.what == pattern::shape::variable) {
        d.slots[p.slot]->item = v;
        return next(true);
    }
    return matches_member(p, 0, v, d, next);
}

bool machine::matches_member(const pattern& p, std::size_t index, const value& v, const destructuring& d, sink<bool> next) {
    if (index == p.members.size()) return next(true);
    const auto& member = p.members[index];
    const auto with_key = [&](const value& key) {
        if (p.what == pattern::shape::object && !key.is_string()) {
            fail("Cannot index " + std::string(type_name(v)) + " with " + std::string(type_name(key)));
            return false;
        }
        const value item = get(*this, v, key);
        if (!item.ok()) return false;
        if (member.slot != pattern::no_slot) d.slots[member.slot]->item = item;
        if (!member.inner) return matches_member(p, index + 1, v, d, next);
        return matches(*member.inner, item, d, [&](bool) { return matches_member(p, index + 1, v, d, next); });
    };
    if (p.what == pattern::shape::array) return with_key(value::integer(static_cast<std::int64_t>(index)));
    if (member.key == nullptr) return with_key(value::borrow(std::string_view(member.name)));
    return each<value>(member.key, d.env, v, [&](value&& key) { return with_key(key); });
}

/// Runs `body` with the variables of one alternative bound, once for each way its keys come out.
bool machine::bind(const node* n, std::size_t alternative, link* env, const value& source, sink<link*> body) {
    destructuring d{*this, env, {}};
    d.slots.reserve(n->variables);
    link_ptr newest = link_ptr::share(env);
    for (std::size_t i = 0; i < n->variables; ++i) {
        newest = links_.variable(newest.get(), value());
        d.slots.push_back(newest.get());
    }
    at(n);
    return matches(n->patterns[alternative], source, d, [&](bool) {
        link* bound = newest.get();
        return body(std::move(bound));
    });
}

template <class T>
bool machine::each_bind(const node* n, link* env, T in, sink<T> out) {
    if (n->patterns.size() == 1 && n->patterns[0].what == pattern::shape::variable) {
        return each<value>(n->a, env, value_of(in), [&](value&& v) {
            const auto bound = bind_value(env, std::move(v));
            return each<T>(n->b, bound.get(), in, out);
        });
    }
    return each<value>(n->a, env, value_of(in), [&](value&& source) {
        for (std::size_t i = 0;; ++i) {
            bool stopped_after = false;
            const bool ended = bind(n, i, env, source, [&](link*&& bound) {
                return each<T>(n->b, bound, in, [&](T&& v) {
                    if (out(std::move(v))) return true;
                    stopped_after = true;
                    return false;
                });
            });
            if (ended) return true;
            if (stopped_after || signal_ != signal::raised || i + 1 == n->patterns.size()) return false;
            caught();
        }
    });
}

template <class T>
bool machine::each_reduce(const node* n, link* env, T in, sink<T> out) {
    return each<T>(n->b, env, in, [&](T&& initial) {
        T state = std::move(initial);
        const auto step_over = [&](link* bound) {
            T last = with_value(T(state), value());
            if (!each<T>(n->c, bound, std::move(state), [&](T&& v) { last = std::move(v); return true; })) return false;
            state = std::move(last);
            return true;
        };
        const bool ended = each<value>(n->a, env, value_of(in), [&](value&& item) {
            return bind(n, 0, env, item, [&](link*&& bound) { return step_over(bound); });
        });
        return ended && out(std::move(state));
    });
}

template <class T>
bool machine::each_foreach(const node* n, link* env, T in, sink<T> out) {
    return each<T>(n->b, env, in, [&](T&& initial) {
        T state = std::move(initial);
        const auto step_over = [&](link* bound) {
            T last = with_value(T(state), value());
            const bool ended = each<T>(n->c, bound, std::move(state), [&](T&& v) {
                last = v;
                return n->d == nullptr ? out(std::move(v)) : each<T>(n->d, bound, std::move(v), out);
            });
            state = std::move(last);
            return ended;
        };
        return each<value>(n->a, env, value_of(in), [&](value&& item) {
            return bind(n, 0, env, item, [&](link*&& bound) { return step_over(bound); });
        });
    });
}

template <class T>
bool machine::each_first(const node* n, link* env, T in, sink<T> out) {
    const bool last = n->what == op::last;
    bool any = false;
    T found;
    const bool ended = each<T>(n->a, env, std::move(in), [&](T&& v) {
        any = true;
        found = std::move(v);
        return last;
    });
    if (!ended && (last || !any || signal_ != signal::none)) return false;
    return !any || out(std::move(found));
}

template <class T>
bool machine::each_limit(const node* n, link* env, T in, sink<T> out) {
    return each<value>(n->a, env, value_of(in), [&](value&& count) {
        at(n);
        if (!count.is_number()) {
            fail(described(count) + " is not a number of outputs to limit to");
            return false;
        }
        double left = count.number();
        if (left < 0) {
            fail("limit doesn't support negative count");
            return false;
        }
        if (!(left > 0)) return true;
        bool enough = false;
        const bool ended = each<T>(n->b, env, in, [&](T&& v) {
            left -= 1;
            if (!out(std::move(v))) return false;
            enough = !(left > 0);
            return !enough;
        });
        return ended || enough;
    });
}

template <class T>
bool machine::each_skip(const node* n, link* env, T in, sink<T> out) {
    return each<value>(n->a, env, value_of(in), [&](value&& count) {
        at(n);
        if (!count.is_number() || count.number() < 0) {
            fail(count.is_number() ? "skip doesn't support negative count" : described(count) + " is not a number of outputs to skip");
            return false;
        }
        double left = count.number();
        return each<T>(n->b, env, in, [&](T&& v) {
            if (left > 0) {
                left -= 1;
                return true;
            }
            return out(std::move(v));
        });
    });
}

#define PAWL_EXPR_BOTH(name)                                                  \
    template bool machine::name<value>(const node*, link*, value, sink<value>); \
    template bool machine::name<located>(const node*, link*, located, sink<located>)
PAWL_EXPR_BOTH(each_bind);
PAWL_EXPR_BOTH(each_reduce);
PAWL_EXPR_BOTH(each_foreach);
PAWL_EXPR_BOTH(each_first);
PAWL_EXPR_BOTH(each_limit);
PAWL_EXPR_BOTH(each_skip);
#undef PAWL_EXPR_BOTH

}  // namespace pawl::expr
