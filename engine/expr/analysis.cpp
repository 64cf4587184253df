#include "expr/annotate.hpp"
#include "expr/machine.hpp"
#include "expr/outputs.hpp"

#include <unordered_map>
#include <unordered_set>

namespace pawl::expr {
namespace {

/// The key of a step that is known before the program runs.
std::optional<std::string> static_key(const node& n) {
    if (n.what == op::field) return std::string(n.constant.text());
    if (n.what == op::index && n.b->what == op::constant && n.b->constant.is_string()) return std::string(n.b->constant.text());
    return std::nullopt;
}

bool is_step(op what) noexcept { return what == op::field || what == op::index || what == op::slice || what == op::iterate; }

/// Depends on nothing but itself. `pure` answers for the children.
template <class F>
bool pure_node(const node& n, F&& pure) {
    switch (n.what) {
        case op::constant: return true;
        case op::collect:
        case op::object:
        case op::text:
        case op::comma:
        case op::negate:
        case op::binary:
        case op::and_:
        case op::or_:
        case op::alternative:
        case op::pipe:
        case op::field:
        case op::index:
        case op::slice: break;
        case op::if_:
            if (n.c == nullptr) return false;
            break;
        default: return false;
    }
    for (const node* child : n.list) {
        if (!pure(child)) return false;
    }
    return pure(n.a) && pure(n.b) && pure(n.c);
}

}  // namespace

void fold(program::compiled& code) {
    limits bounds;
    bounds.steps = 10'000;
    bounds.value_bytes = 64 * 1024;
    bounds.string_bytes = 16 * 1024;
    bounds.result_bytes = 64 * 1024;
    std::unordered_set<const node*> known;
    for (auto& n : code.nodes) {
        if (!pure_node(n, [&](const node* child) { return child == nullptr || known.contains(child); })) continue;
        known.insert(&n);
        if (!n.single || n.what == op::constant) continue;
        machine m(code, {}, bounds, nullptr);
        const value v = m.one(&n, nullptr, value());
        json::value made;
        auto room = bounds.result_bytes;
        if (!v.ok() || to_json(v, made, 100, room) != copied::whole) continue;
        n.constant = value::borrow(code.constants.emplace_back(std::move(made)));
        n.what = op::constant;
        n.a = n.b = n.c = n.d = nullptr;
        n.list.clear();
    }
}

analysis analyse(const program::compiled& code) {
    analysis facts;
    const auto yields = code.root->single ? outputs{} : outputs_of(code);
    facts.may_yield_many = !yields.at_most_one;
    facts.may_yield_none = !yields.single;
    if (code.root->what == op::constant) {
        json::value v;
        auto room = limits().result_bytes;
        if (to_json(code.root->constant, v, max_value_depth, room) == copied::whole) facts.constant = std::move(v);
    }
    std::unordered_map<const node*, const node*> step_after;
    for (const auto& n : code.nodes) {
        if (is_step(n.what)) step_after[n.a] = &n;
    }
    for (const auto& n : code.nodes) {
        if (n.what != op::global) continue;
        analysis::variable_use use;
        use.variable = code.variables[n.up];
        use.offset = n.offset == no_offset ? 0 : n.offset;
        for (auto next = step_after.find(&n); next != step_after.end(); next = step_after.find(next->second)) {
            auto key = static_key(*next->second);
            if (!key) {
                use.exact = false;
                break;
            }
            use.path.push_back(std::move(*key));
        }
        facts.variables.push_back(std::move(use));
    }
    return facts;
}

}  // namespace pawl::expr
