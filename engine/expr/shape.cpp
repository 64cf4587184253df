#include "expr/shape.hpp"

#include "expr/builtins.hpp"
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

std::string_view name_of(shape::kind what) {
    constexpr std::string_view names[] = {"", "null", "a boolean", "a number", "a string", "an array", "an object"};
    return names[static_cast<std::size_t>(what)];
}

/// What natives yield whatever they are given, if they yield anything.
shape::kind result_of(native_function native) {
    using kind = shape::kind;
    struct entry {
        std::string_view name;
        std::size_t arity;
        kind what;
    };
    static constexpr entry table[] = {
        {"length", 0, kind::number},       {"utf8bytelength", 0, kind::number}, {"tonumber", 0, kind::number}, {"floor", 0, kind::number},
        {"ceil", 0, kind::number},         {"round", 0, kind::number},          {"mktime", 0, kind::number},   {"sqrt", 0, kind::number},
        {"tostring", 0, kind::string},     {"tojson", 0, kind::string},         {"type", 0, kind::string},     {"ascii_downcase", 0, kind::string},
        {"ascii_upcase", 0, kind::string}, {"trim", 0, kind::string},           {"strftime", 1, kind::string}, {"split", 1, kind::array},
        {"keys", 0, kind::array},          {"to_entries", 0, kind::array},      {"explode", 0, kind::array},   {"from_entries", 0, kind::object},
        {"startswith", 1, kind::boolean},  {"endswith", 1, kind::boolean},      {"has", 1, kind::boolean},     {"contains", 1, kind::boolean},
        {"not", 0, kind::boolean},         {"toboolean", 0, kind::boolean}};
    static const auto resolved = [] {
        std::vector<std::pair<native_function, kind>> out;
        for (const auto& each : table) out.emplace_back(find_native(each.name, each.arity), each.what);
        return out;
    }();
    const auto found = std::find_if(resolved.begin(), resolved.end(), [&](const auto& each) { return each.first == native; });
    return found == resolved.end() ? kind::unknown : found->second;
}

/// jq's rules: what each operator works with. Only for kinds that are both known.
bool works(operation operate, shape::kind a, shape::kind b) {
    using kind = shape::kind;
    switch (operate) {
        case operation::add:
            return a == kind::null || b == kind::null || (a == b && a != kind::boolean);
        case operation::subtract:
            return a == b && (a == kind::number || a == kind::array);
        case operation::multiply:
            return (a == b && (a == kind::number || a == kind::object)) || (a == kind::string && b == kind::number) ||
                   (a == kind::number && b == kind::string);
        case operation::divide:
            return a == b && (a == kind::number || a == kind::string);
        case operation::modulo:
            return a == b && a == kind::number;
        default:
            return true;
    }
}

type_clash clash_of(const node& n, shape::kind a, shape::kind b) {
    using kind = shape::kind;
    const auto one = std::string(name_of(a)), other = std::string(name_of(b));
    type_clash out{n.offset, n.length, {}, {}};
    switch (n.operate) {
        case operation::add:
            out.message = one + " and " + other + " cannot be added";
            break;
        case operation::subtract:
            out.message = other + " cannot be subtracted from " + one;
            break;
        case operation::multiply:
            out.message = one + " and " + other + " cannot be multiplied";
            break;
        case operation::divide:
            out.message = one + " cannot be divided by " + other;
            break;
        default:
            out.message = one + " has no remainder when divided by " + other;
            break;
    }
    const bool list = a == kind::array || b == kind::array, text = a == kind::string || b == kind::string;
    if (list && (n.operate == operation::add || n.operate == operation::subtract))
        out.hint = "brackets make a list of one value: `[ ... ]`";
    else if (text && n.operate == operation::add)
        out.hint = "make a text of both: `(... | tostring)`, or `\"... \\(...)\"`";
    else if (text && a != b)
        out.hint = "`tonumber` makes a number of a text";
    return out;
}

class shaper {
public:
    explicit shaper(const program::compiled& code) : code_(code) {}

    std::vector<type_clash> take_clashes() { return std::move(clashes_); }

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
            case op::collect:
                if (n->a != nullptr) of(n->a, in, depth + 1);
                return known(shape::kind::array, *n);
            case op::text:
                for (const auto* part : n->list) of(part, in, depth + 1);
                return known(shape::kind::string, *n);
            case op::and_:
            case op::or_:
                of(n->a, in, depth + 1);
                of(n->b, in, depth + 1);
                return known(shape::kind::boolean, *n);
            case op::any:
            case op::all:
            case op::is_empty: return known(shape::kind::boolean, *n);
            case op::negate:
                return of_negation(*n, in, depth);
            case op::native:
                return known(result_of(n->native), *n);
            case op::comma:
                of(n->a, in, depth + 1);
                of(n->b, in, depth + 1);
                return {};
            case op::binary: return of_binary(*n, in, depth);
            case op::if_: {
                of(n->a, in, depth + 1);
                const auto within = in.what == shape::kind::object ? in : shape{};  // the condition may be about the type
                const auto then = of(n->b, within, depth + 1);
                return n->c == nullptr ? shape{} : either(then, of(n->c, within, depth + 1));
            }
            case op::alternative: {
                const auto before = clashes_.size();
                const auto first = of(n->a, in, depth + 1);
                clashes_.resize(before);  // an error on the left is what the right side is for
                return either(first, of(n->b, in, depth + 1));
            }
            case op::pipe: return of(n->b, of(n->a, in, depth + 1), depth + 1);
            case op::bind:
                of(n->a, in, depth + 1);
                return of(n->b, in, depth + 1);
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

    shape of_negation(const node& n, const shape& in, std::size_t depth) const {
        const auto what = of(n.a, in, depth + 1).what;
        if (what != shape::kind::unknown && what != shape::kind::number)
            add(type_clash{n.offset, n.length, std::string(name_of(what)) + " cannot be negated", {}});
        return known(shape::kind::number, n);
    }

    void add(type_clash clash) const {
        if (clashes_.size() < 20) clashes_.push_back(std::move(clash));
    }

    shape of_binary(const node& n, const shape& in, std::size_t depth) const {
        const auto a = of(n.a, in, depth + 1), b = of(n.b, in, depth + 1);
        if (a.what != shape::kind::unknown && b.what != shape::kind::unknown && !works(n.operate, a.what, b.what)) {
            add(clash_of(n, a.what, b.what));
            return {};
        }
        switch (n.operate) {
            case operation::equal:
            case operation::not_equal:
            case operation::less:
            case operation::less_equal:
            case operation::greater:
            case operation::greater_equal: return known(shape::kind::boolean, n);
            case operation::subtract:
            case operation::modulo:
                return a.what == shape::kind::number || b.what == shape::kind::number ? known(shape::kind::number, n) : shape{};
            case operation::add: break;
            default: return {};
        }
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
    mutable std::vector<type_clash> clashes_;
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

shape program::shape_of_value() const {
    shaper all(*code_);
    auto out = all.of(code_->root, {});
    out.clashes = all.take_clashes();
    return out;
}

shape shape_of(const program& code) {
    auto out = code.shape_of_value();
    out.clashes.clear();
    return out;
}

std::vector<type_clash> clashes_of(const program& code) { return code.shape_of_value().clashes; }

}  // namespace pawl::expr
