// What happened to a run and its tasks, as others are told of it (dsl.md, "Lifecycle Events"). Plain values; no content of the run is in them.
#pragma once

#include "base/clock.hpp"
#include "base/problem.hpp"
#include "flow/workflow.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::run {

enum class lifecycle_phase : std::uint8_t {
    created,                ///< a task is about to run: its frame exists
    started,
    retried,                ///< a try begins another attempt
    completed,
    faulted,
    cancelled,
    suspended,              ///< of the workflow: it is paused
    resumed,                ///< of the workflow: it goes on after a pause or, on request, after its end
    correlation_started,    ///< of the workflow: a `listen` begins
    correlation_completed   ///< of the workflow: a `listen` has what it waited for
};
/// The word in the event's type: "started", "correlation-started".
std::string_view to_string(lifecycle_phase phase) noexcept;

struct lifecycle_event {
    std::string id;                      ///< derived from run, activation path, attempts and phase: the same after any crash
    flow::task_id task = flow::no_task;  ///< no_task: the workflow itself
    lifecycle_phase phase = lifecycle_phase::started;
    time_point at;
    std::optional<problem> error;        ///< of faulted ones
};

}  // namespace pawl::run
