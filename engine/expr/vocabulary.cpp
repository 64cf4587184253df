#include "expr/vocabulary.hpp"

#include "base/suggest.hpp"
#include "expr/code.hpp"

#include <algorithm>
#include <deque>

namespace pawl::expr {
namespace {

constexpr std::size_t deepest = 200;
constexpr std::size_t most_visits = 20'000;
constexpr std::size_t most_alternatives = 32;

/// What a node may yield: any of these, or anything.
struct yields {
    bool anything = false;
    std::vector<const vocabulary*> any;

    static yields unknown() { return {true, {}}; }
    static yields of(const vocabulary* v) { return v == nullptr ? unknown() : yields{false, {v}}; }

    void add(const yields& other) {
        anything = anything || other.anything || any.size() > most_alternatives;
        for (const auto* each : other.any) {
            if (std::find(any.begin(), any.end(), each) == any.end()) any.push_back(each);
        }
        if (anything) any.clear();
    }
    bool is_known() const { return !anything && !any.empty(); }
};

/// Bound variables, newest first: what each holds.
struct scope {
    yields holds;
    const scope* outer = nullptr;
};

class reader {
public:
    explicit reader(std::span<const vocabulary* const> variables) : variables_(variables) {}

    std::vector<impossible> found;

    yields of(const node* n, const yields& in, const scope* at) {
        if (n == nullptr) return in;
        if (++visited_ > most_visits || depth_ > deepest) return yields::unknown();
        ++depth_;
        auto out = of_node(*n, in, at);
        --depth_;
        return out;
    }

private:
    yields of_node(const node& n, const yields& in, const scope* at) {
        switch (n.what) {
            case op::identity: return in;
            case op::empty:
            case op::error: return of_children(n, in, at), yields{};
            case op::global: return n.up < variables_.size() ? yields::of(variables_[n.up]) : yields::unknown();
            case op::local: return of_local(n, at);
            case op::field: return of_member(std::string(n.constant.text()), n, of(n.a, in, at));
            case op::index: return of_index(n, in, at);
            case op::slice: return of(n.b, in, at), of(n.c, in, at), of(n.a, in, at);
            case op::iterate: return of_items(n, of(n.a, in, at));
            case op::pipe: return of(n.b, of(n.a, in, at), at);
            case op::comma:
            case op::alternative: return together(of(n.a, in, at), of(n.b, in, at));
            case op::if_: return of(n.a, in, at), together(of(n.b, in, at), of(n.c, in, at));
            case op::try_: return of(n.a, in, at), (n.b == nullptr ? yields{} : of(n.b, yields::unknown(), at)), yields::unknown();
            case op::collect: return n.a == nullptr ? yields::unknown() : list_of(of(n.a, in, at));
            case op::binary: return of_binary(n, in, at);
            case op::any:
            case op::all: return of(n.b, of(n.a, in, at), at), yields::unknown();
            case op::by: return of_order(n, in, at);
            case op::first:
            case op::last: return of(n.a, in, at);
            case op::limit:
            case op::skip: return of(n.a, in, at), of(n.b, in, at);
            case op::bind: return of_bind(n, in, at);
            case op::call: return of_call(n, in);
            case op::and_:
            case op::or_:
            case op::negate:
            case op::object:
            case op::text:
            case op::native:
            case op::is_empty:
            case op::add: return of_children(n, in, at), yields::unknown();
            default: return yields::unknown();
        }
    }

    void of_children(const node& n, const yields& in, const scope* at) {
        for (const auto* child : {n.a, n.b, n.c}) {
            if (child != nullptr) of(child, in, at);
        }
        for (const auto* child : n.list) of(child, in, at);
    }

    static yields together(yields a, const yields& b) {
        a.add(b);
        return a;
    }

    static yields of_local(const node& n, const scope* at) {
        for (auto up = n.up; up > 0 && at != nullptr; --up) at = at->outer;
        return at == nullptr ? yields::unknown() : at->holds;
    }

    /// `EXPRESSION as $name | BODY`; of patterns only that they bind is known.
    yields of_bind(const node& n, const yields& in, const scope* at) {
        const bool plain = n.patterns.size() == 1 && n.patterns[0].what == pattern::shape::variable;
        const auto source = of(n.a, in, at);
        std::deque<scope> made;
        for (std::size_t i = 0; i < std::max<std::size_t>(n.variables, plain ? 1 : 0); ++i) {
            made.push_back({plain ? source : yields::unknown(), at});
            at = &made.back();
        }
        return of(n.b, in, at);
    }

    /// `last`, `first` and their like; what takes arguments is passed by, for its parameters see other inputs.
    yields of_call(const node& n, const yields& in) {
        return n.list.empty() && n.callee != nullptr && n.callee->arity == 0 ? of(n.callee->body, in, nullptr) : yields::unknown();
    }

    yields of_index(const node& n, const yields& in, const scope* at) {
        auto from = of(n.a, in, at);
        if (n.b != nullptr && n.b->what == op::constant && n.b->constant.is_string()) return of_member(std::string(n.b->constant.text()), n, from);
        of(n.b, in, at);
        return items_of(from);
    }

    yields of_order(const node& n, const yields& in, const scope* at) {
        const auto items = items_of(in);
        of(n.a, items, at);
        if (n.order == ordering::sort || n.order == ordering::unique) return in;
        return n.order == ordering::group ? yields::unknown() : items;
    }

    /// Nothing is ever there: to look into it, or to compare it, is what is told; to show it beside others is no mistake.
    bool is_gone(const yields& value, const node& n) {
        if (!value.is_known() || std::any_of(value.any.begin(), value.any.end(), [](const auto* v) { return v->never.empty(); })) return false;
        tell(impossible::kind::absent, value.any.front()->noun, value.any.front(), n);
        return true;
    }

    yields of_member(const std::string& name, const node& n, const yields& from) {
        if (!from.is_known() || is_gone(from, n)) return yields::unknown();
        yields out;
        const vocabulary* without = nullptr;
        for (const auto* each : from.any) {
            if (!each->may_have(name)) without = each;
            else out.add(yields::of(each->member(name)));
        }
        if (out.anything || !out.any.empty()) return out;
        tell(impossible::kind::member, name, without, n);
        return yields::unknown();
    }

    yields of_items(const node& n, const yields& from) { return is_gone(from, n) ? yields::unknown() : items_of(from); }

    static yields items_of(const yields& from) {
        if (!from.is_known()) return yields::unknown();
        yields out;
        for (const auto* each : from.any) {
            if (each->members.empty() || each->items != nullptr) {
                out.add(yields::of(each->items.get()));
                continue;
            }
            if (!each->closed || each->named) return yields::unknown();
            for (const auto& [name, member] : each->members) out.add(yields::of(member.get()));
        }
        return out;
    }

    yields list_of(const yields& items) {
        if (!items.is_known() || items.any.size() > 1) return yields::unknown();
        auto& made = made_.emplace_back();
        made.items = std::shared_ptr<const vocabulary>(std::shared_ptr<void>(), items.any.front());  // not owned: it outlives this
        return yields::of(&made);
    }

    yields of_binary(const node& n, const yields& in, const scope* at) {
        const auto a = of(n.a, in, at), b = of(n.b, in, at);
        if (n.operate == operation::equal || n.operate == operation::not_equal) {
            compared(a, *n.b);
            compared(b, *n.a);
        }
        const bool sum = n.operate == operation::add && a.is_known() && b.is_known();
        return sum ? together(a, b) : yields::unknown();
    }

    void compared(const yields& value, const node& with) {
        if (with.what != op::constant || !value.is_known() || is_gone(value, with) || !with.constant.is_string()) return;
        const auto word = with.constant.text();
        if (std::none_of(value.any.begin(), value.any.end(), [&](const auto* v) { return v->may_be(word); })) tell(impossible::kind::word, std::string(word), value.any.front(), with);
    }

    void tell(impossible::kind what, const std::string& name, const vocabulary* of, const node& n) {
        const bool known = std::any_of(found.begin(), found.end(), [&](const impossible& i) { return i.what == what && i.name == name; });
        if (!known) found.push_back({what, name, of, n.offset == no_offset ? 0 : n.offset});
    }

    std::span<const vocabulary* const> variables_;
    std::deque<vocabulary> made_;  ///< lists that the program collects; never told of
    std::size_t visited_ = 0, depth_ = 0;
};

}  // namespace

bool vocabulary::may_have(std::string_view name) const {
    if (members.contains(name)) return true;
    if (items != nullptr && !prefixes.empty()) {
        return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& p) { return name.size() > p.size() && name.starts_with(p) && name[p.size()] == '/'; });
    }
    if (items != nullptr) return true;
    return named ? !closest(name, choices()) : !closed;
}

const vocabulary* vocabulary::member(std::string_view name) const {
    const auto at = members.find(name);
    return at != members.end() ? at->second.get() : items.get();
}

bool vocabulary::may_be(std::string_view word) const { return words.empty() || std::find(words.begin(), words.end(), word) != words.end(); }

std::vector<std::string> vocabulary::choices() const {
    if (!words.empty()) return words;
    if (!prefixes.empty()) return prefixes;
    std::vector<std::string> out;
    for (const auto& [name, member] : members) out.push_back(name);
    return out;
}

std::vector<impossible> impossible_in(const program& code, const vocabulary& input, std::span<const vocabulary* const> variables) { return code.impossible_for(input, variables); }

std::vector<impossible> program::impossible_for(const vocabulary& input, std::span<const vocabulary* const> variables) const {
    reader read(variables);
    read.of(code_->root, yields::of(&input), nullptr);
    return std::move(read.found);
}

}  // namespace pawl::expr
