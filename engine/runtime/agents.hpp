// The agent instances whose runs are in memory. All runs of an instance live in one shard and so on one core thread: what stands here is the truth,
// the store follows with the checkpoints, in order. Core thread only.
#pragma once

#include "base/json.hpp"
#include "runtime/effect.hpp"
#include "store/records.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace pawl::runtime {

class agent_instance {
public:
    agent_instance(store::agent_row row) : view_{std::move(row), false} { refresh(); }

    agent_view& view() noexcept { return view_; }
    /// `$agent`: { key, state, version, meta }
    const json::value& descriptor() const noexcept { return descriptor_; }

    /// Merges a JSON Merge Patch into `meta`; marks the instance changed when something differs.
    void merge_meta(const json::object& patch);
    /// The row to store when it changed since the last call; its revision has grown by one.
    std::optional<store::agent_row> take_change(time_point now);
    /// The checkpoint with what take_change() gave has been answered.
    void change_answered() noexcept { --changes_under_way_; }
    std::size_t changes_under_way() const noexcept { return changes_under_way_; }
    /// After an effect changed the view.
    void refresh();

    /// A change of it was refused: what stands here may never be stored, and nothing may build on it until replace().
    void doubt() noexcept { in_doubt_ = true; }
    bool is_in_doubt() const noexcept { return in_doubt_; }
    /// True once for each doubt: whoever hears it reads the row again.
    bool begin_to_read() noexcept { return !std::exchange(is_read_, true); }
    /// The row as it is stored; `changed`: not any more, it was migrated.
    void replace(store::agent_row row, bool changed);

private:
    agent_view view_;
    json::value descriptor_;
    std::size_t changes_under_way_ = 0;
    bool in_doubt_ = false;
    bool is_read_ = false;
};

class agent_cache {
public:
    /// The instance, or null.
    std::shared_ptr<agent_instance> find(const std::string& agent, const std::string& key) const;
    /// Keeps `row` unless an instance is there already; gives the one that is there.
    std::shared_ptr<agent_instance> keep(store::agent_row row);

private:
    /// Instances live as long as runs hold them.
    mutable std::map<std::pair<std::string, std::string>, std::weak_ptr<agent_instance>> instances_;
};

}  // namespace pawl::runtime
