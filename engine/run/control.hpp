// What an operator does to a run from outside: suspend and resume it, end it, let it go on after it ended otherwise than it should. Pure, like the machine.
// A state belongs to one thread at a time.
//
// A suspended run starts nothing: calls that are under way may end, and how they ended is recorded with their steps and kept in their frames; events that it listens
// for are kept; time passes unnoticed. When it is resumed it takes in first the answers, then the events, then what has fallen due, deadlines included.
#pragma once

#include "base/result.hpp"
#include "run/machine.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pawl::run {

// What these are called in messages and in a run's history.
inline constexpr std::string_view pause_kind = "pause";
inline constexpr std::string_view resume_kind = "resume";
inline constexpr std::string_view terminate_kind = "terminate";
inline constexpr std::string_view retry_kind = "retry";
inline constexpr std::string_view rewind_kind = "rewind";
inline constexpr std::string_view migrate_kind = "migrate";
inline constexpr std::string_view fork_kind = "fork";  ///< the first step of a run that began where another one stood

/// `unseen`: calls that no effect has been given yet; they are made when the run is resumed. Nothing happens to a run that is suspended or over.
transition suspend(run_state& s, const std::vector<frame_id>& unseen, const surroundings& world);

/// `lost`: calls that had begun and are not under way any more, since an engine stopped meanwhile; they are treated as recover() does.
transition unsuspend(run_state& s, const std::vector<frame_id>& lost, const surroundings& world);

/// Ends the run as cancelled, told apart from a cancelled one by its error's title. (What of the outside is told is the caller's affair.)
transition terminate(run_state& s, std::string_view reason, const surroundings& world);

/// A faulted or cancelled run goes on: the task that failed is entered again with the input it had, in the same place and with the same key, and so are calls that were
/// under way beside it. `from`: begin with this task instead, which must have been live too (the failed one or one around it; "outer/inner" when names repeat).
/// Time-outs of what goes on are extended by the time that the run was over. Error, and nothing changed: why it cannot go on.
result<transition> retry(run_state& s, std::string_view from, const surroundings& world);

/// Everything that is live in a suspended run is abandoned: it is about to be rewound.
transition give_up(run_state& s, const surroundings& world);

/// A run that is over, or has been given up, goes on from where it once stood (`point`, see replay.hpp); calls that were under way beside the point are made again.
/// All keys from here on are new, so every effect after the point happens anew. Time-outs are extended by what has passed since `at`.
/// A history has the step `rewind` between the steps of give_up() and those of this.
transition rewind(run_state& s, run_state point, time_point at, const surroundings& world);

/// The task that `name` names: its own name, or "outer/inner" when names repeat. Error: none or several, and which there are.
result<flow::task_id> named_task(const flow::workflow& w, std::string_view name);

/// Names of the tasks around it and its own, as `from` above takes them: "outer/inner".
std::string task_path(const flow::workflow& w, flow::task_id task);

}  // namespace pawl::run
