// Schemas at the same value: references, allOf, anyOf, oneOf, not, if.
#include "schema/evaluator.hpp"
#include "schema/message.hpp"

#include <optional>
#include <utility>

namespace pawl::schema {

bool evaluator::check_applicators(const node& n, const json::value& value, const context& with) {
    bool ok = true;
    const auto also = [&](node_id id) {
        if ((ok || explains()) && !gave_up_) ok = check(id, value, with) && ok;
    };
    if (n.ref != no_node) also(n.ref);
    if (n.dynamic) also(dynamic_node(*n.dynamic, with.dynamic));
    for (const node_id id : n.all_of) also(id);
    if (!ok && (!explains() || gave_up_)) return false;
    if (!n.any_of.empty()) ok = check_any_of(n, value, with) && ok;
    if (!n.one_of.empty() && (ok || explains())) ok = check_one_of(n, value, with) && ok;
    if (n.negated != no_node && (ok || explains())) {
        if (attempt(n.negated, value, {with.at, with.dynamic, nullptr}, nullptr)) ok = explains() ? report(n, "not", with.at, message::negated()) : false;
    }
    if (n.condition != no_node && (ok || explains())) ok = check_condition(n, value, with) && ok;
    return ok && !gave_up_;
}

bool evaluator::attempt(node_id id, const json::value& value, const context& with, findings* found) {
    findings* const outer = std::exchange(found_, found);
    bool ok = false;
    if (with.seen) {
        seen_set own(with.seen->size());
        ok = check(id, value, {with.at, with.dynamic, &own});
        if (ok) with.seen->merge(own);
    } else {
        ok = check(id, value, with);
    }
    found_ = outer;
    return ok && !gave_up_;
}

bool evaluator::check_any_of(const node& n, const json::value& value, const context& with) {
    bool ok = false;
    std::vector<findings> branches;
    for (const node_id id : n.any_of) {
        if (explains()) branches.emplace_back();
        if (!attempt(id, value, with, explains() ? &branches.back() : nullptr)) {
            if (gave_up_) return false;
            continue;
        }
        ok = true;
        // Without anybody who asks what was seen, one branch is enough.
        if (!with.seen) return true;
    }
    if (ok) return true;
    return explains() ? report_branches(n, "anyOf", branches, value, with.at) : false;
}

bool evaluator::check_one_of(const node& n, const json::value& value, const context& with) {
    std::optional<std::size_t> first;
    std::vector<findings> branches;
    for (std::size_t i = 0; i < n.one_of.size(); ++i) {
        if (explains()) branches.emplace_back();
        const bool holds = attempt(n.one_of[i], value, with, explains() ? &branches.back() : nullptr);
        if (gave_up_) return false;
        if (!holds) continue;
        if (first) return explains() ? report(n, "oneOf", with.at, message::too_many(*first, i)) : false;
        first = i;
    }
    if (first) return true;
    return explains() ? report_branches(n, "oneOf", branches, value, with.at) : false;
}

bool evaluator::check_condition(const node& n, const json::value& value, const context& with) {
    const bool holds = attempt(n.condition, value, with, nullptr);
    if (gave_up_) return false;
    const node_id next = holds ? n.when_true : n.when_false;
    return next == no_node || check(next, value, with);
}

node_id evaluator::dynamic_node(const dynamic_target& target, const scope* dynamic) const noexcept {
    node_id out = target.fallback;
    for (const auto* s = dynamic; s; s = s->outer) {
        for (const auto& [anchor, id] : table_.resources[s->resource]) {
            if (anchor == target.anchor) out = id;
        }
    }
    return out;
}

}  // namespace pawl::schema
