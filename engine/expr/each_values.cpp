// Generators that compute: their outputs are new values, on no path.
#include "expr/each.hpp"

#include <cmath>

namespace pawl::expr {

bool machine::each_value(const node* n, link* env, value in, sink<value> out) {
    switch (n->what) {
        case op::binary:
            return each_pair(n->a, n->b, env, in, out, n);
        case op::and_:
        case op::or_: return each_logic(n, env, in, out);
        case op::object: return each_object(n, 0, env, in, value::object(budget_), out);
        case op::text: return each_text(n, n->list.size(), env, in, {}, out);
        case op::native: {
            std::vector<value> arguments(n->list.size());
            return each_native(n, arguments.size(), env, in, arguments, out);
        }
        case op::range: return each_range(n, env, in, out);
        case op::negate:
            return each<value>(n->a, env, std::move(in), [&](value&& v) {
                at(n);
                value negative = negate(*this, v);
                return negative.ok() && out(std::move(negative));
            });
        case op::path_of:
            return each_path(n->a, env, in, [&](located&& found) { return out(value::array(budget_, keys_of(found))); });
        case op::assign:
        case op::update_with:
            return each<value>(n->b, env, in, [&](value&& right) {
                value v = n->what == op::assign ? assign(n, env, in, right) : update(n, env, in, &right);
                return v.ok() && out(std::move(v));
            });
        default: {
            value v = one_more(n, env, std::move(in));
            return v.ok() && out(std::move(v));
        }
    }
}

/// The right operand is the outer loop, as in jq.
bool machine::each_pair(const node* left, const node* right, link* env, const value& in, sink<value> out, const node* n) {
    return each<value>(right, env, in, [&](value&& r) {
        return each<value>(left, env, in, [&](value&& l) {
            at(n);
            value v = calculate(*this, n->operate, std::move(l), r);
            return v.ok() && out(std::move(v));
        });
    });
}

bool machine::each_logic(const node* n, link* env, const value& in, sink<value> out) {
    const bool is_or = n->what == op::or_;
    return each<value>(n->a, env, in, [&](value&& left) {
        if (left.truthy() == is_or) return out(value::boolean(is_or));
        return each<value>(n->b, env, in, [&](value&& right) { return out(value::boolean(right.truthy())); });
    });
}

bool machine::each_object(const node* n, std::size_t index, link* env, const value& in, const value& made, sink<value> out) {
    if (index == n->list.size()) return out(value(made));
    return each<value>(n->list[index], env, in, [&](value&& key) {
        return each<value>(n->list[index + 1], env, in, [&](value&& item) {
            value next = made;
            at(n);
            return object_entry(key, std::move(item), next) && each_object(n, index + 2, env, in, next, out);
        });
    });
}

/// From the last part to the first, so that the first varies fastest.
bool machine::each_text(const node* n, std::size_t index, link* env, const value& in, const std::string& made, sink<value> out) {
    if (index == 0) {
        value whole = text(made);
        return whole.ok() && out(std::move(whole));
    }
    const node* part = n->list[index - 1];
    if (part->literal) return each_text(n, index - 1, env, in, std::string(part->constant.text()) + made, out);
    return each<value>(part, env, in, [&](value&& v) {
        std::string now;
        at(n);
        return append_part(n, v, now) && each_text(n, index - 1, env, in, now + made, out);
    });
}

bool machine::each_native(const node* n, std::size_t index, link* env, const value& in, std::vector<value>& arguments, sink<value> out) {
    if (index == 0) {
        auto copy = arguments;
        at(n);
        value v = n->native(*this, in, copy.data());
        return v.ok() && out(std::move(v));
    }
    return each<value>(n->list[index - 1], env, in, [&](value&& argument) {
        arguments[index - 1] = std::move(argument);
        return each_native(n, index - 1, env, in, arguments, out);
    });
}

bool machine::each_range(const node* n, link* env, const value& in, sink<value> out) {
    return each<value>(n->a, env, in, [&](value&& from) {
        return each<value>(n->b, env, in, [&](value&& upto) {
            if (n->c == nullptr) return range(from, upto, value::integer(1), out);
            return each<value>(n->c, env, in, [&](value&& by) { return range(from, upto, by, out); });
        });
    });
}

bool machine::range(const value& from, const value& upto, const value& by, sink<value> out) {
    if (!from.is_number() || !upto.is_number() || !by.is_number()) {
        fail("Range bounds must be numeric");
        return false;
    }
    if (from.what() == kind::integer && by.what() == kind::integer) {
        const auto step = by.int64();
        if (step == 0) {
            // jq repeats the start for ever, as long as there is room above it.
            while (compare_numbers(from, upto) < 0) {
                if (!tick() || !out(value(from))) return false;
            }
            return true;
        }
        const double end = upto.number();
        for (auto i = from.int64(); step > 0 ? static_cast<double>(i) < end : static_cast<double>(i) > end;) {
            if (!tick() || !out(value::integer(i))) return false;
            if (__builtin_add_overflow(i, step, &i)) return true;
        }
        return true;
    }
    const double step = by.number(), end = upto.number();
    for (double d = from.number(); step > 0 ? d < end : step < 0 ? d > end : d < end; d += step) {
        if (!tick() || !out(value::real(d))) return false;
    }
    return true;
}

}  // namespace pawl::expr
