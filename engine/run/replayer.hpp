// One stretch of history gone through again (replay.hpp). Internal to engine/run.
#pragma once

#include "run/replay.hpp"

#include <set>

namespace pawl::run {

using history = std::vector<const past_step*>;

/// Something that was done to the run, and worked.
bool is_control_step(const past_step& step, std::string_view kind = {});

/// How often the run had been rewound before this step: what its keys have as their generation.
std::uint64_t generations_before(const past_run& run, std::int64_t seq);

class replayer {
public:
    /// `limit`: when the run was where the rows end, if they are not all.
    replayer(const past_run& run, history rows, std::optional<time_point> limit, flow::task_id target, const surroundings& world);

    /// From the start of the run.
    result<void> begin();
    /// From a point to which the run was taken back.
    result<void> go_on_from(point_in_past point, const past_step& rewound);
    /// Through all steps, or until the task cannot be entered again.
    result<void> run();

    /// The last entry so far; nothing: it was never entered.
    std::optional<point_in_past> found;

private:
    bool at_end() const noexcept { return cursor_ == rows_.size(); }
    bool is_over() const noexcept { return beyond_ || (found && only_once_); }
    result<void> take(const transition& done);
    result<void> drain();
    result<void> advance();
    bool fire(time_point due);
    bool paused_before_it_began() const;
    result<void> revive();
    result<void> apply(std::size_t row);
    result<void> deliver(const past_step& row, frame_id call);
    result<bool> recall_listen(const past_step& row);
    result<void> follow_tail();
    frame_id open_call(const past_step& row) const;
    std::optional<std::size_t> next_control(std::string_view kind) const;
    time_point moment_of(time_point due) const;
    problem lost(std::string_view why) const;

    const past_run& run_;
    history rows_;
    std::optional<time_point> limit_;
    flow::task_id target_;
    bool only_once_;
    surroundings world_;
    bool agent_read_ = false;
    bool has_agent_;
    run_state s_;
    std::size_t cursor_ = 0;
    std::int64_t last_seq_ = 0;
    std::set<std::size_t> applied_;   ///< control steps whose transition was made already
    bool beyond_ = false;             ///< the machine would go on to what the run had not done yet
    std::uint64_t moves_ = 0;
};

}  // namespace pawl::run
