// The runs that keep the schedules of deployed workflows: one for a name, started and ended with its deployments. Main thread only; blocks on the store.
#pragma once

#include "cli/session.hpp"
#include "flow/workflow.hpp"

namespace pawl::cli {

/// True when the deployment has no schedule, or its scheduler runs.
result<bool> is_schedule_kept(session& in, const flow::workflow& w, const store::deployment_row& row);

/// Starts the scheduler of this deployment, if its workflow has a schedule, and ends those of earlier ones. Doing it again does nothing more.
/// What it does, for people; empty when nothing is scheduled.
result<std::string> keep_schedule(session& in, const std::shared_ptr<const flow::workflow>& w, const store::deployment_row& row);

/// Asks every scheduler of the name but `kept` to end. How many were asked.
result<std::size_t> end_schedules(session& in, const std::string& ns, const std::string& name, const std::string& kept);

}  // namespace pawl::cli
