// Where a run stood when it last entered a task, rebuilt from its history: the machine goes through it again, and each recorded step answers what it answered then.
// Every step that the machine makes on the way must be the recorded one (task, function, key, request digest, attempt, outcome), or there is no answer: a state that
// might be another than the run had is never returned. Pure; any thread.
//
// What history does not hold cannot be followed: `$agent` where it was read, events that a `listen` went through one at a time, steps that were pruned, another definition.
// A listen that was under way at the point begins anew.
#pragma once

#include "base/result.hpp"
#include "run/machine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl::run {

/// One step of a run's history, as a store has it. Without pointer: something done to the run (control.hpp).
struct past_step {
    std::int64_t seq = 0;
    std::string pointer, function, key, digest;
    unsigned attempt = 1;
    std::string outcome;
    time_point started_at, ended_at;
    std::string result;  ///< JSON text
};

struct past_run {
    std::string id;
    std::shared_ptr<const flow::workflow> workflow;
    value_ref input;                       ///< as it was started
    std::optional<time_point> started_at;  ///< when it is known
    time_point until;                      ///< nothing happened to it later
    std::vector<past_step> steps;          ///< all, in order
};

struct point_in_past {
    run_state state;                  ///< about to enter the task
    time_point at;
    std::int64_t after = 0;           ///< the last step before it; 0: none
    std::vector<std::size_t> later;   ///< of past_run::steps: what happened after it, and had not been superseded by an earlier rewind
};

/// Of `world` only what does not change: version and placeholders; an `agent` that is not null says that the run had one.
result<point_in_past> last_entry(const past_run& run, flow::task_id task, const surroundings& world);

}  // namespace pawl::run
