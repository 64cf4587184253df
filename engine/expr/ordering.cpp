// sort, group_by, unique, min and max: stable, by jq's total order, with or without keys.
#include "expr/machine.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

struct ordered_items {
    machine& m;
    const value& in;
    const std::vector<value>& keys;
    bool failed = false;

    value key(std::size_t i) const { return keys.empty() ? in.item(i) : keys[i]; }

    int compare(std::size_t a, std::size_t b) {
        int order = 0;
        // After a failure any answer that keeps the sort consistent will do.
        if (failed) return a < b ? -1 : 1;
        if (!m.compare(key(a), key(b), order)) {
            failed = true;
            return a < b ? -1 : 1;
        }
        return order;
    }
};

value extreme(ordered_items& items, bool smallest) {
    if (items.in.size() == 0) return {};
    std::size_t best = 0;
    for (std::size_t i = 1; i < items.in.size(); ++i) {
        const int order = items.compare(i, best);
        if (smallest ? order < 0 : order >= 0) best = i;
    }
    return items.failed ? value::invalid() : items.in.item(best);
}

/// Merge sort of indices: no comparison, however odd, can lead it astray.
void stable_order(ordered_items& items, std::vector<std::size_t>& order) {
    std::vector<std::size_t> spare(order.size());
    for (std::size_t width = 1; width < order.size(); width *= 2) {
        for (std::size_t start = 0; start < order.size(); start += 2 * width) {
            const auto middle = std::min(start + width, order.size());
            const auto end = std::min(start + 2 * width, order.size());
            auto left = start, right = middle;
            for (auto to = start; to < end; ++to) {
                const bool take_left = left < middle && (right >= end || items.compare(order[left], order[right]) <= 0);
                spare[to] = take_left ? order[left++] : order[right++];
            }
        }
        order.swap(spare);
    }
}

std::string_view complaint(ordering o) {
    switch (o) {
        case ordering::sort:
        case ordering::unique: return " cannot be sorted, as it is not an array";
        case ordering::group: return " cannot be grouped, as it is not an array";
        default: return " cannot be iterated over";
    }
}

}  // namespace

value ordered(machine& m, ordering o, const value& in, const std::vector<value>& keys) {
    if (!in.is_array()) return m.fail(described(in) + std::string(complaint(o)));
    ordered_items items{m, in, keys};
    if (o == ordering::min || o == ordering::max) return extreme(items, o == ordering::min);
    std::vector<std::size_t> order(in.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    stable_order(items, order);
    std::vector<value> result;
    std::vector<value> group;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const bool starts = i == 0 || (o != ordering::sort && items.compare(order[i - 1], order[i]) != 0);
        if (o == ordering::group) {
            if (starts && i > 0) result.push_back(m.array(std::exchange(group, {})));
            group.push_back(in.item(order[i]));
        } else if (o == ordering::sort || starts) {
            result.push_back(in.item(order[i]));
        }
    }
    if (!group.empty()) result.push_back(m.array(std::move(group)));
    if (items.failed) return value::invalid();
    return m.array(std::move(result));
}

value sort_values(machine& m, const value& in) { return ordered(m, ordering::sort, in, {}); }

}  // namespace pawl::expr
