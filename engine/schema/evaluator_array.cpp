// Arrays: prefixItems, items, contains, uniqueItems, unevaluatedItems.
#include "schema/evaluator.hpp"
#include "schema/message.hpp"

#include <algorithm>

namespace pawl::schema {

bool evaluator::check_array(const node& n, const json::array& array, const context& with) {
    const auto& rules = *n.arrays;
    bool ok = true;
    if (array.size() < rules.min_items) {
        ok = explains() ? report(n, "minItems", with.at, message::size("item", rules.min_items, array.size(), true), mistake::shape) : false;
    }
    if (array.size() > rules.max_items) {
        ok = explains() ? report(n, "maxItems", with.at, message::size("item", rules.max_items, array.size(), false), mistake::shape) : false;
    }
    if (ok || explains()) ok = check_items(n, array, with) && ok;
    if (rules.contains != no_node && (ok || explains())) ok = check_contains(n, array, with) && ok;
    if (rules.unique && (ok || explains())) ok = check_unique(n, array, with) && ok;
    return ok;
}

bool evaluator::check_items(const node& n, const json::array& array, const context& with) {
    const auto& rules = *n.arrays;
    if (rules.prefix.empty() && rules.items == no_node) return true;
    bool ok = true;
    for (std::size_t i = 0; i < array.size(); ++i) {
        const node_id id = i < rules.prefix.size() ? rules.prefix[i] : rules.items;
        if (id == no_node) break;
        if (i == rules.prefix.size() && table_.nodes[id].constant == false) {
            // One finding for all that is too much.
            return explains() ? report(n, "items", with.at, message::size("item", rules.prefix.size(), array.size(), false), mistake::shape) : false;
        }
        const place at{&with.at, {}, i, true};
        if (!check(id, array[i], {at, with.dynamic, nullptr})) {
            ok = false;
            if (!explains() || gave_up_) return false;
        }
        if (with.seen) with.seen->add(i);
    }
    return ok;
}

bool evaluator::check_contains(const node& n, const json::array& array, const context& with) {
    const auto& rules = *n.arrays;
    std::size_t matches = 0;
    for (std::size_t i = 0; i < array.size(); ++i) {
        const place at{&with.at, {}, i, true};
        if (!attempt(rules.contains, array[i], {at, with.dynamic, nullptr}, nullptr)) {
            if (gave_up_) return false;
            continue;
        }
        ++matches;
        if (with.seen) with.seen->add(i);
        else if (matches >= rules.min_contains && rules.max_contains == no_limit) break;
    }
    if (matches < rules.min_contains) {
        const auto* keyword = rules.min_contains == 1 ? "contains" : "minContains";
        return explains() ? report(n, keyword, with.at, message::contains(rules.min_contains, matches, true)) : false;
    }
    if (matches > rules.max_contains) return explains() ? report(n, "maxContains", with.at, message::contains(rules.max_contains, matches, false)) : false;
    return true;
}

bool evaluator::check_unique(const node& n, const json::array& array, const context& with) {
    const auto twice = [&](std::size_t i, std::size_t j) {
        return explains() ? report(n, "uniqueItems", with.at, message::duplicate(std::min(i, j), std::max(i, j))) : false;
    };
    if (array.size() <= 8) {
        for (std::size_t i = 1; i < array.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (equal(array[i], array[j])) return twice(i, j);
            }
        }
        return true;
    }
    std::vector<std::pair<std::size_t, std::size_t>> hashes(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) hashes[i] = {hash_of(array[i]), i};
    std::sort(hashes.begin(), hashes.end());
    for (std::size_t i = 1; i < hashes.size(); ++i) {
        for (std::size_t j = i; j > 0 && hashes[j - 1].first == hashes[i].first; --j) {
            ++steps_;
            if (equal(array[hashes[j - 1].second], array[hashes[i].second])) return twice(hashes[j - 1].second, hashes[i].second);
        }
    }
    return true;
}

bool evaluator::unevaluated_items(const node& n, const json::array& array, const seen_set& seen, const context& with) {
    bool ok = true;
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (seen.has(i)) continue;
        const place at{&with.at, {}, i, true};
        if (check(n.unevaluated_items, array[i], {at, with.dynamic, nullptr})) continue;
        ok = false;
        if (!explains() || gave_up_) return false;
    }
    return ok;
}

}  // namespace pawl::schema
