// Nodes that yield exactly one output: plain recursion, with a loop for tail positions.
#include "expr/each.hpp"

namespace pawl::expr {
value machine::one(const node* n, link* env, value in) {
    link_ptr held;
    depth_guard calls(depth_);
    for (;;) {
        if (!tick()) return value::invalid();
        switch (n->what) {
            case op::identity: return in;
            case op::constant: return n->constant;
            case op::global: return value::borrow(*globals_[n->up]);
            case op::local: return walk(env, n->up)->item;
            case op::field: {
                if (n->a->what != op::identity) {
                    in = one(n->a, env, std::move(in));
                    if (!in.ok()) return in;
                }
                at(n);
                return get_field(*this, in, n->constant.text());
            }
            case op::pipe:
                in = one(n->a, env, std::move(in));
                if (!in.ok()) return in;
                n = n->b;
                continue;
            case op::if_: {
                const value condition = one(n->a, env, in);
                if (!condition.ok()) return condition;
                n = condition.truthy() ? n->b : n->c;
                if (n == nullptr) return in;
                continue;
            }
            case op::alternative: {
                value v = one(n->a, env, in);
                if (!v.ok() || v.truthy()) return v;
                n = n->b;
                continue;
            }
            case op::bind: {
                if (n->patterns.size() != 1 || n->patterns[0].what != pattern::shape::variable) return one_more(n, env, std::move(in));
                value source = one(n->a, env, in);
                if (!source.ok()) return source;
                held = bind_value(env, std::move(source));
                env = held.get();
                n = n->b;
                continue;
            }
            case op::call: {
                if (calls.enter() > bounds_.depth) {
                    limited_depth();
                    return value::invalid();
                }
                at(n);
                auto callee = n->callee;
                held = enter(n, env);
                env = held.get();
                n = callee->body;
                continue;
            }
            default: return one_more(n, env, std::move(in));
        }
    }
}

value machine::one_more(const node* n, link* env, value in) {
    switch (n->what) {
        case op::binary: return one_binary(n, env, std::move(in));
        case op::and_:
        case op::or_: return one_logic(n, env, in);
        case op::collect: return one_collect(n, env, std::move(in));
        case op::object: return one_object(n, env, in);
        case op::text: return one_text(n, env, in);
        case op::format: at(n); return format_value(*this, n->format, in);
        case op::native: return one_native(n, env, std::move(in));
        case op::reduce: return one_reduce(n, env, std::move(in));
        case op::try_: return one_try(n, env, in);
        case op::any:
        case op::all: return one_any_all(n, env, std::move(in));
        case op::add: return one_add(n, env, std::move(in));
        case op::by: return one_by(n, env, in);
        case op::is_empty: return one_is_empty(n, env, std::move(in));
        case op::slice: return one_slice(n, env, in);
        case op::delete_: return remove(n, env, in);
        case op::update: return update(n, env, std::move(in), nullptr);
        case op::negate: {
            const value v = one(n->a, env, std::move(in));
            if (!v.ok()) return v;
            at(n);
            return negate(*this, v);
        }
        case op::index: {
            const value key = one(n->b, env, in);
            if (!key.ok()) return key;
            const value target = one(n->a, env, std::move(in));
            if (!target.ok()) return target;
            at(n);
            return get(*this, target, key);
        }
        case op::getpath: {
            const value path = one(n->a, env, in);
            if (!path.ok()) return path;
            at(n);
            return get_path(*this, std::move(in), path);
        }
        case op::assign: {
            const value to = one(n->b, env, in);
            return to.ok() ? assign(n, env, std::move(in), to) : to;
        }
        case op::update_with: {
            const value operand = one(n->b, env, in);
            return operand.ok() ? update(n, env, std::move(in), &operand) : operand;
        }
        default: {
            // What is left yields once by construction (destructuring, error): run it as a generator.
            value result = value::invalid();
            const bool ended = each_more<value>(n, env, std::move(in), [&](value&& v) {
                result = std::move(v);
                return true;
            });
            return ended ? result : value::invalid();
        }
    }
}

value machine::one_binary(const node* n, link* env, value in) {
    value right = one(n->b, env, in);
    if (!right.ok()) return right;
    value left = one(n->a, env, std::move(in));
    if (!left.ok()) return left;
    at(n);
    return calculate(*this, n->operate, std::move(left), std::move(right));
}

value machine::one_logic(const node* n, link* env, const value& in) {
    const value left = one(n->a, env, in);
    if (!left.ok()) return left;
    const bool is_or = n->what == op::or_;
    if (left.truthy() == is_or) return value::boolean(is_or);
    const value right = one(n->b, env, in);
    return right.ok() ? value::boolean(right.truthy()) : right;
}

value machine::one_collect(const node* n, link* env, value in) {
    std::vector<value> items;
    std::size_t accounted = 0;
    const bool ended = each<value>(n->a, env, std::move(in), [&](value&& v) {
        items.push_back(std::move(v));
        if (items.capacity() * sizeof(value) != accounted) {
            // Count the growing array, although no node holds it yet.
            budget_.shrink(accounted);
            accounted = items.capacity() * sizeof(value);
            budget_.grow(accounted);
        }
        return true;
    });
    budget_.shrink(accounted);
    if (!ended) return value::invalid();
    return value::array(budget_, std::move(items));
}

bool machine::object_entry(const value& key, value item, value& made) {
    if (!key.is_string()) {
        fail("Object keys must be strings");
        return false;
    }
    made.edit_object(budget_).set(key, std::move(item));
    return true;
}

value machine::one_object(const node* n, link* env, const value& in) {
    value made = value::object(budget_);
    auto& node_of = made.edit_object(budget_);
    node_of.list.reserve(n->list.size() / 2);
    for (std::size_t i = 0; i < n->list.size(); i += 2) {
        const auto* key_node = n->list[i];
        const value key = key_node->what == op::constant ? key_node->constant : one(key_node, env, in);
        if (!key.ok()) return key;
        value item = one(n->list[i + 1], env, in);
        if (!item.ok()) return item;
        at(n);
        if (!object_entry(key, std::move(item), made)) return value::invalid();
    }
    return made;
}

bool machine::append_part(const node* n, const value& part, std::string& out) {
    if (n->format == text_format::text && part.is_string()) {
        out += part.text();
    } else if (n->format == text_format::text) {
        append_text(out, part, enough_text());
    } else {
        const value formatted = format_value(*this, n->format, part);
        if (!formatted.ok()) return false;
        out += formatted.text();
    }
    budget_.charge(out.size() / 256);
    if (out.size() <= bounds_.string_bytes) return true;
    limit(too_long_text(bounds_));
    return false;
}

value machine::one_text(const node* n, link* env, const value& in) {
    std::string out;
    for (const node* part : n->list) {
        if (part->literal) {
            out += part->constant.text();
            continue;
        }
        const value v = one(part, env, in);
        if (!v.ok()) return v;
        at(n);
        if (!append_part(n, v, out)) return value::invalid();
    }
    return text(std::move(out));
}

value machine::one_native(const node* n, link* env, value in) {
    value arguments[6];
    for (std::size_t i = n->list.size(); i-- > 0;) {
        arguments[i] = one(n->list[i], env, in);
        if (!arguments[i].ok()) return value::invalid();
    }
    at(n);
    return n->native(*this, std::move(in), arguments);
}

value machine::one_try(const node* n, link* env, const value& in) {
    value v = one(n->a, env, in);
    if (v.ok() || signal_ != signal::raised) return v;
    return one(n->b, env, caught());
}

value machine::one_reduce(const node* n, link* env, value in) {
    value state = one(n->b, env, in);
    if (!state.ok()) return state;
    const bool plain = n->patterns.size() == 1 && n->patterns[0].what == pattern::shape::variable;
    const auto step_over = [&](link* bound) {
        if (n->c->single) {
            state = one(n->c, bound, std::move(state));
            return state.ok();
        }
        value last;  // no output leaves null
        if (!each<value>(n->c, bound, std::move(state), [&](value&& v) { last = std::move(v); return true; })) return false;
        state = std::move(last);
        return true;
    };
    const bool ended = each<value>(n->a, env, std::move(in), [&](value&& item) {
        if (plain) return step_over(bind_value(env, std::move(item)).get());
        return bind(n, 0, env, item, [&](link*&& bound) { return step_over(bound); });
    });
    return ended ? state : value::invalid();
}

value machine::one_any_all(const node* n, link* env, value in) {
    const bool wanted = n->what == op::any;
    bool found = false;
    const bool ended = each<value>(n->a, env, std::move(in), [&](value&& item) {
        return each<value>(n->b, env, std::move(item), [&](value&& condition) {
            found = condition.truthy() == wanted;
            return !found;
        });
    });
    if (!ended && !found) return value::invalid();
    return value::boolean(found == wanted);
}

value machine::one_add(const node* n, link* env, value in) {
    value sum;
    bool first = true;
    const bool ended = each<value>(n->a, env, std::move(in), [&](value&& item) {
        at(n);
        sum = first ? std::move(item) : calculate(*this, operation::add, std::move(sum), std::move(item));
        first = false;
        return sum.ok();
    });
    return ended ? sum : value::invalid();
}

value machine::one_is_empty(const node* n, link* env, value in) {
    bool found = false;
    const bool ended = each<value>(n->a, env, std::move(in), [&](value&&) {
        found = true;
        return false;
    });
    return ended || found ? value::boolean(!found) : value::invalid();
}

value machine::one_by(const node* n, link* env, const value& in) {
    at(n);
    std::vector<value> keys;
    if (n->a == nullptr || !in.is_array()) return ordered(*this, n->order, in, keys);
    keys.reserve(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        value key = n->a->single ? one(n->a, env, in.item(i)) : one_collect(n, env, in.item(i));
        if (!key.ok()) return key;
        keys.push_back(std::move(key));
    }
    at(n);
    return ordered(*this, n->order, in, keys);
}

value machine::one_slice(const node* n, link* env, const value& in) {
    value from, to;
    if (n->b != nullptr) from = one(n->b, env, in);
    if (!from.ok()) return from;
    if (n->c != nullptr) to = one(n->c, env, in);
    if (!to.ok()) return to;
    const value target = one(n->a, env, in);
    if (!target.ok()) return target;
    at(n);
    return slice(*this, target, from, to);
}

}  // namespace pawl::expr
