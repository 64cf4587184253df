// Builtins whose arguments are expressions, evaluated in the caller's own environment: they become nodes, not calls.
#include "expr/builtins.hpp"
#include "expr/parser.hpp"

namespace pawl::expr {
namespace {

using arguments = std::span<const node* const>;
using builder = const node* (*)(parser& p, arguments a);

const node* make(parser& p, op what, const node* a, const node* b = nullptr, const node* c = nullptr) {
    auto& n = p.make(what);
    n.a = a;
    n.b = b;
    n.c = c;
    return &n;
}

const node* each_of(parser& p, const node* target, bool optional = false) {
    auto& n = p.make(op::iterate);
    n.a = target;
    n.optional = optional;
    return &n;
}

template <op What>
const node* plain(parser& p, arguments a) {
    return make(p, What, a.size() > 0 ? a[0] : nullptr, a.size() > 1 ? a[1] : nullptr, a.size() > 2 ? a[2] : nullptr);
}

template <ordering Order>
const node* ordered(parser& p, arguments a) {
    auto& n = p.make(op::by);
    n.order = Order;
    n.a = a.empty() ? nullptr : a[0];
    return &n;
}

const node* select(parser& p, arguments a) { return make(p, op::if_, a[0], p.identity(), make(p, op::empty, nullptr)); }
const node* map(parser& p, arguments a) { return make(p, op::collect, p.pipe(each_of(p, p.identity()), a[0])); }
const node* map_values(parser& p, arguments a) { return make(p, op::update, each_of(p, p.identity()), a[0]); }
const node* error_0(parser& p, arguments) { return make(p, op::error, p.identity()); }
const node* recurse_0(parser& p, arguments) { return make(p, op::recurse, each_of(p, p.identity(), true)); }
const node* range_1(parser& p, arguments a) { return make(p, op::range, p.constant(0), a[0]); }
const node* add_0(parser& p, arguments) { return make(p, op::add, each_of(p, p.identity())); }

template <op What>
const node* any_all_0(parser& p, arguments) {
    return make(p, What, each_of(p, p.identity()), p.identity());
}
template <op What>
const node* any_all_1(parser& p, arguments a) {
    return make(p, What, each_of(p, p.identity()), a[0]);
}

const node* now(parser& p, arguments) {
    const auto index = p.global("__now");
    if (!index) return nullptr;
    auto& n = p.make(op::global);
    n.up = *index;
    return &n;
}

const node* true_0(parser& p, arguments) { return p.constant(true); }
const node* false_0(parser& p, arguments) { return p.constant(false); }
const node* null_0(parser& p, arguments) { return p.constant(nullptr); }

const node* builtins_0(parser& p, arguments) {
    json::array names;
    for (const auto& name : builtin_names()) names.emplace_back(name);
    return p.constant(std::move(names));
}

struct special {
    std::string_view name;
    std::size_t arity;
    builder build;
};

constexpr special specials[] = {{"empty", 0, plain<op::empty>},
                                {"error", 0, error_0},
                                {"error", 1, plain<op::error>},
                                {"select", 1, select},
                                {"map", 1, map},
                                {"map_values", 1, map_values},
                                {"path", 1, plain<op::path_of>},
                                {"getpath", 1, plain<op::getpath>},
                                {"del", 1, plain<op::delete_>},
                                {"recurse", 0, recurse_0},
                                {"recurse", 1, plain<op::recurse>},
                                {"first", 1, plain<op::first>},
                                {"last", 1, plain<op::last>},
                                {"limit", 2, plain<op::limit>},
                                {"skip", 2, plain<op::skip>},
                                {"any", 0, any_all_0<op::any>},
                                {"any", 1, any_all_1<op::any>},
                                {"any", 2, plain<op::any>},
                                {"all", 0, any_all_0<op::all>},
                                {"all", 1, any_all_1<op::all>},
                                {"all", 2, plain<op::all>},
                                {"range", 1, range_1},
                                {"range", 2, plain<op::range>},
                                {"range", 3, plain<op::range>},
                                {"add", 0, add_0},
                                {"add", 1, plain<op::add>},
                                {"isempty", 1, plain<op::is_empty>},
                                {"sort_by", 1, ordered<ordering::sort>},
                                {"group_by", 1, ordered<ordering::group>},
                                {"unique_by", 1, ordered<ordering::unique>},
                                {"min_by", 1, ordered<ordering::min>},
                                {"max_by", 1, ordered<ordering::max>},
                                {"sort", 0, ordered<ordering::sort>},
                                {"unique", 0, ordered<ordering::unique>},
                                {"min", 0, ordered<ordering::min>},
                                {"max", 0, ordered<ordering::max>},
                                {"true", 0, true_0},
                                {"false", 0, false_0},
                                {"null", 0, null_0},
                                {"now", 0, now},
                                {"builtins", 0, builtins_0}};

}  // namespace

std::span<const std::pair<std::string_view, std::size_t>> special_names() noexcept {
    static const auto names = [] {
        std::vector<std::pair<std::string_view, std::size_t>> all;
        for (const auto& s : specials) all.emplace_back(s.name, s.arity);
        return all;
    }();
    return names;
}

const node* parser::builtin(std::string_view name, std::span<const node* const> arguments) {
    for (const auto& s : specials) {
        if (s.name == name && s.arity == arguments.size()) return s.build(*this, arguments);
    }
    if (const auto native = find_native(name, arguments.size())) {
        auto& n = make(op::native);
        n.native = native;
        n.list.assign(arguments.begin(), arguments.end());
        return &n;
    }
    if (const auto* f = prelude_function(name, arguments.size())) {
        auto& n = make(op::call);
        n.callee = f;
        n.up = depth_;
        n.list.assign(arguments.begin(), arguments.end());
        return &n;
    }
    return nullptr;
}

}  // namespace pawl::expr
