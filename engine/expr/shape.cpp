#include "expr/shape.hpp"

#include "expr/code.hpp"
#include "expr/value.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

constexpr std::size_t deepest = 100;
constexpr std::size_t most_members = 1'000;

shape known(shape::kind what, const node& n) {
    shape out;
    out.what = what;
    out.offset = n.offset == no_offset ? 0 : n.offset;
    return out;
}

void add_names(std::vector<std::string>& into, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        if (std::find(into.begin(), into.end(), name) == into.end()) into.push_back(name);
    }
}

/// One of two values.
shape either(shape a, const shape& b) {
    if (a.what != b.what || a.what == shape::kind::unknown) return {};
    if (!a.constant || !b.constant || *a.constant != *b.constant) a.constant.reset();
    if (a.what != shape::kind::object) return a;
    a.certain = false;
    a.closed = a.closed && b.closed;
    add_names(a.rest, b.rest);
    for (const auto& its : b.members) {
        const auto* own = a.member(its.name);
        a.set(its.name, own != nullptr ? either(*own, its) : its);
    }
    for (auto& own : a.members) {
        if (b.member(own.name) == nullptr) own.constant.reset();
    }
    return a;
}

/// `a + b` where at least one is an object: null and absent sides leave the other as it is.
shape merged(shape a, const shape& b) {
    if (a.what != shape::kind::object) {
        // A plain variable is an object (or null) here, or the addition fails.
        a.closed = !a.rest.empty();
        a.what = shape::kind::object;
        a.members.clear();
    }
    a.constant.reset();
    if (b.what == shape::kind::object) {
        for (const auto& its : b.members) a.set(its.name, b.certain ? its : shape{});
        a.certain = a.certain && b.certain;
        a.closed = a.closed && b.closed;
    } else {
        for (auto& own : a.members) own.forget();  // the right side may replace any of them
        a.closed = a.closed && !b.rest.empty();
    }
    add_names(a.rest, b.rest);
    return a;
}

class shaper {
public:
    explicit shaper(const program::compiled& code) : code_(code) {}

    shape of(const node* n, const shape& in, std::size_t depth = 0) const {
        if (n == nullptr || depth > deepest) return {};
        switch (n->what) {
            case op::identity: return in;
            case op::constant: return of_constant(*n);
            case op::global: {
                auto out = known(shape::kind::unknown, *n);
                out.rest = {code_.variables[n->up]};
                return out;
            }
            case op::object: return of_object(*n, in, depth);
            case op::collect: return known(shape::kind::array, *n);
            case op::text: return known(shape::kind::string, *n);
            case op::and_:
            case op::or_:
            case op::any:
            case op::all:
            case op::is_empty: return known(shape::kind::boolean, *n);
            case op::negate: return known(shape::kind::number, *n);
            case op::binary: return of_binary(*n, in, depth);
            case op::if_: return n->c == nullptr ? shape{} : either(of(n->b, in, depth + 1), of(n->c, in, depth + 1));
            case op::alternative: return either(of(n->a, in, depth + 1), of(n->b, in, depth + 1));
            case op::pipe: return of(n->b, of(n->a, in, depth + 1), depth + 1);
            case op::bind: return of(n->b, in, depth + 1);
            case op::assign:
            case op::update: return of_assignment(*n, in, depth);
            default: return {};
        }
    }

private:
    static shape of_constant(const node& n) {
        json::value value;
        auto room = limits().result_bytes;
        if (to_json(n.constant, value, deepest, room) != copied::whole) return {};
        return shape_of(value, n.offset == no_offset ? 0 : n.offset);
    }

    shape of_object(const node& n, const shape& in, std::size_t depth) const {
        auto out = known(shape::kind::object, n);
        out.closed = true;
        for (std::size_t i = 0; i + 1 < n.list.size(); i += 2) {
            const auto* key = n.list[i];
            if (key->what != op::constant || !key->constant.is_string() || out.members.size() >= most_members) {
                out.closed = false;
                continue;
            }
            out.set(std::string(key->constant.text()), of(n.list[i + 1], in, depth + 1));
        }
        return out;
    }

    shape of_binary(const node& n, const shape& in, std::size_t depth) const {
        switch (n.operate) {
            case operation::equal:
            case operation::not_equal:
            case operation::less:
            case operation::less_equal:
            case operation::greater:
            case operation::greater_equal: return known(shape::kind::boolean, n);
            case operation::subtract:
            case operation::modulo: {
                const auto a = of(n.a, in, depth + 1), b = of(n.b, in, depth + 1);
                return a.what == shape::kind::number || b.what == shape::kind::number ? known(shape::kind::number, n) : shape{};
            }
            case operation::add: break;
            default: return {};
        }
        const auto a = of(n.a, in, depth + 1), b = of(n.b, in, depth + 1);
        if (a.what == shape::kind::object || b.what == shape::kind::object) return merged(a, b);
        for (const auto kind : {shape::kind::number, shape::kind::string, shape::kind::array}) {
            if (a.what == kind || b.what == kind) return known(kind, n);  // with null, or with its like
        }
        return {};
    }

    /// `.name = value` on an object.
    shape of_assignment(const node& n, const shape& in, std::size_t depth) const {
        const auto* path = n.a;
        if (path == nullptr || path->what != op::field || (path->a != nullptr && path->a->what != op::identity)) return {};
        shape added = known(shape::kind::object, n);
        added.closed = true;
        added.set(std::string(path->constant.text()), n.what == op::assign ? of(n.b, in, depth + 1) : shape{});
        return merged(in, added);
    }

    const program::compiled& code_;
};

}  // namespace

const shape* shape::member(std::string_view key) const noexcept {
    const auto found = std::find_if(members.begin(), members.end(), [&](const shape& each) { return each.name == key; });
    return found == members.end() ? nullptr : &*found;
}

void shape::forget() {
    shape unknown;
    unknown.name = std::move(name);
    *this = std::move(unknown);
}

void shape::set(std::string key, shape value) {
    value.name = std::move(key);
    const auto found = std::find_if(members.begin(), members.end(), [&](const shape& each) { return each.name == value.name; });
    if (found != members.end()) {
        *found = std::move(value);
    } else {
        members.push_back(std::move(value));
    }
}

shape shape_of(const json::value& value, std::size_t offset, std::size_t depth) {
    shape out;
    out.offset = offset;
    switch (value.kind()) {
        case json::kind::null: out.what = shape::kind::null; break;
        case json::kind::bool_: out.what = shape::kind::boolean; break;
        case json::kind::string: out.what = shape::kind::string; break;
        case json::kind::array: out.what = shape::kind::array; break;
        case json::kind::object: out.what = shape::kind::object; break;
        default: out.what = shape::kind::number; break;
    }
    out.constant = value;
    if (const auto* object = value.if_object()) {
        out.closed = depth > 0;
        for (const auto& [key, member] : *object) {
            if (depth > 0) out.set(std::string(key), shape_of(member, offset, depth - 1));
        }
    }
    return out;
}

shape program::shape_of_value() const { return shaper(*code_).of(code_->root, {}); }
shape shape_of(const program& code) { return code.shape_of_value(); }

}  // namespace pawl::expr
