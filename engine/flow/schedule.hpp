// The workflow that keeps the schedule of another: an ordinary one, so that it is as durable as any. Pure; any thread.
#pragma once

#include "base/result.hpp"
#include "flow/workflow.hpp"

namespace pawl::flow {

/// An endless loop of waiting (`schedule.wait`, `wait` or `listen`) and running `scheduled`, which has a schedule.
/// The occurrences of cron, every and on do not wait for each other; `after` counts from the end of the run before, however it ended, and its first run is at once.
/// Error: `configuration` problem.
result<std::shared_ptr<const workflow>> schedule_of(const std::shared_ptr<const workflow>& scheduled);

/// For people: "every 5 s", "cron 0 9 * * MON-FRI".
std::string describe(const schedule& when);

}  // namespace pawl::flow
