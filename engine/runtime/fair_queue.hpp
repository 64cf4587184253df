// A queue that serves the most urgent first, and among equally urgent ones lets their tenants take turns by weight: start-time fair queueing.
// However much one tenant has waiting, another waits for one turn of each, not for all of it.
//
// Guarantees: deterministic (ties go to who came first); every operation is O(log n); a tenant that comes back at once has no advantage over one
// that kept waiting. Holds only what waits, and for a while the names of tenants served lately. Single-threaded; knows no time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace pawl::runtime {

template <class Item>
class fair_queue {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    /// `order` is unique: who came first among those of the same tenant and urgency.
    void push(unsigned urgency, const std::string& tenant, std::uint64_t order, Item item) {
        auto& level = levels_[urgency];
        auto [at, fresh] = level.lines.try_emplace(tenant);
        auto& line = at->second;
        if (line.waiting.empty()) {
            if (fresh) {
                line.joined = ++joined_;
            } else {
                level.resting.erase({line.start, line.joined, &at->first});
            }
            line.start = std::max(line.start, level.clock);
            level.active.insert({line.start, line.joined, &at->first});
        }
        line.waiting.emplace(order, std::move(item));
        ++size_;
    }

    /// The next one; the queue must not be empty. Its tenant's next turn is `weight`-th as far away as that of one with weight 1.
    template <class WeightOf>
    Item pop(const WeightOf& weight_of) {
        const auto of = levels_.begin();
        auto& level = of->second;
        const auto first = *level.active.begin();
        const auto at = level.lines.find(*std::get<2>(first));
        auto& line = at->second;
        level.active.erase(level.active.begin());
        auto item = std::move(line.waiting.begin()->second);
        line.waiting.erase(line.waiting.begin());
        level.clock = std::max(level.clock, line.start);
        line.start += turn / std::max<std::uint32_t>(1, weight_of(at->first));
        (line.waiting.empty() ? level.resting : level.active).insert({line.start, line.joined, &at->first});
        --size_;
        tidy(of);
        return item;
    }

    /// False when it is not there.
    bool erase(unsigned urgency, const std::string& tenant, std::uint64_t order) {
        const auto of = levels_.find(urgency);
        if (of == levels_.end()) return false;
        auto& level = of->second;
        const auto at = level.lines.find(tenant);
        if (at == level.lines.end() || at->second.waiting.erase(order) == 0) return false;
        --size_;
        if (at->second.waiting.empty()) {
            level.active.erase({at->second.start, at->second.joined, &at->first});
            level.resting.insert({at->second.start, at->second.joined, &at->first});
        }
        tidy(of);
        return true;
    }

private:
    static constexpr std::uint64_t turn = 1u << 20;
    /// When its turn comes, who of those came first, and the name in `lines`.
    using place = std::tuple<std::uint64_t, std::uint64_t, const std::string*>;

    struct line {
        std::uint64_t start = 0, joined = 0;
        std::map<std::uint64_t, Item> waiting;
    };
    struct level {
        std::uint64_t clock = 0;  ///< of turns: that of whoever was served last
        std::map<std::string, line> lines;
        std::set<place> active;   ///< lines in which somebody waits
        std::set<place> resting;  ///< lines without anybody whose next turn lies ahead: they are remembered until then
    };

    void tidy(typename std::map<unsigned, level>::iterator of) {
        auto& level = of->second;
        if (level.active.empty()) {
            levels_.erase(of);
            return;
        }
        while (!level.resting.empty() && std::get<0>(*level.resting.begin()) <= level.clock) {
            const auto gone = *level.resting.begin();
            level.resting.erase(level.resting.begin());
            level.lines.erase(level.lines.find(*std::get<2>(gone)));
        }
    }

    std::map<unsigned, level> levels_;
    std::uint64_t joined_ = 0;
    std::size_t size_ = 0;
};

}  // namespace pawl::runtime
