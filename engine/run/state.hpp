// The state of one run: a tree of live frames plus `$context`. A plain value: whoever holds it owns it.
// The machine changes it; state_codec writes and reads it. Its size follows depth and live branches, never age.
#pragma once

#include "base/clock.hpp"
#include "base/problem.hpp"
#include "base/run_status.hpp"
#include "flow/workflow.hpp"
#include "run/event_matching.hpp"
#include "run/value_ref.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl::run {

/// Events that a run keeps for a listen that begins later; beyond, the oldest go.
inline constexpr std::size_t most_kept_events = 256;
inline constexpr std::size_t most_kept_bytes = 1'048'576;  ///< of their JSON text

using frame_id = std::uint64_t;
inline constexpr frame_id root_frame = 0;  ///< the workflow itself; never stored as a frame

enum class frame_phase : std::uint8_t {
    body,      ///< a scope whose children run
    handler,   ///< a try whose catch.do runs
    backoff,   ///< a try that waits before its next attempt
    waiting,   ///< a wait that waits for its time
    started,   ///< a call handed to its effect
    parked,    ///< a call that waits for somebody outside
    listening, ///< a listen that waits for events, or goes through them
    held,      ///< a call that the run wants to make and no effect has seen: the run was suspended before
    answered,  ///< a call that ended while the run was suspended: `results` has its output, or `error` why it failed
    queued     ///< a call whose intent is durable and that waits for its turn: nobody has been asked to start it
};

/// Of a call that has no outcome yet.
constexpr bool is_open_call(frame_phase phase) noexcept {
    return phase == frame_phase::started || phase == frame_phase::parked || phase == frame_phase::queued;
}
/// Of a call that goes on without anybody outside: its run is not merely waiting.
constexpr bool is_call_at_work(frame_phase phase) noexcept { return phase == frame_phase::started || phase == frame_phase::queued; }

/// Where the frame of an extension is: frame::index.
enum extension_stage : std::uint64_t {
    stage_before,
    stage_extended,
    stage_after,
    stage_passed_by  ///< `when` does not hold: the extended task runs, and nothing after it
};

/// How often a task was entered within one activation of its scope.
struct visit_count {
    flow::task_id task = 0;
    std::uint64_t count = 0;
};

/// Of a live `listen`.
struct listen_state {
    event_progress progress;
    std::vector<value_ref> outputs;  ///< of the events consumed so far, in order
    std::vector<value_ref> waiting;  ///< consumed, as read, and not yet gone through by `foreach`; the first one is under way when `busy`
    bool busy = false;
    bool satisfied = false;          ///< takes no more events
};

/// A live activation of a task.
struct frame {
    frame_id id = 0;
    flow::task_id task = 0;
    frame_id parent = root_frame;
    std::uint64_t visit = 1;      ///< 1 for the first time in this activation of its scope
    frame_phase phase = frame_phase::body;
    time_point started_at;
    std::optional<time_point> deadline;  ///< of the task's own `timeout`
    std::optional<time_point> wake_at;   ///< end of a wait or back-off; when a parked call wants to be asked
    value_ref raw_input;
    value_ref input;              ///< after `input.from`
    std::vector<visit_count> visits;     ///< of its children

    // for
    value_ref collection;
    std::uint64_t index = 0;      ///< extension: an extension_stage; listen: events that `foreach` has gone through
    std::optional<listen_state> listen;
    // try: the caught error; fork: unused
    value_ref error;
    unsigned attempt = 1;         ///< of a try's body, and of a call under it
    std::optional<time_point> first_failure;
    std::optional<time_point> attempt_deadline;  ///< limit.attempt.duration
    // fork: of its branches; extension: the output of the extended task, and where it goes on; answered call: its output
    std::vector<std::optional<value_ref>> results;
    // call
    value_ref arguments;
    std::string key;
    std::string digest;
};

/// A task that is about to be entered, or (task == no_task) a `for` frame that is about to begin its next iteration.
struct ready_item {
    frame_id parent = root_frame;
    flow::task_id task = flow::no_task;
    value_ref input;
};

/// Where a run stood when it ended otherwise than it should: what it goes on from when it is retried (control.hpp).
struct standstill {
    frame_id failed = root_frame;        ///< the task whose error nobody took; root_frame: the run was cancelled, or late itself
    time_point at;
    std::optional<time_point> deadline;  ///< the run's
    std::vector<frame> frames;
    std::vector<ready_item> ready;
    std::vector<visit_count> visits;
};

struct run_state {
    std::string id;
    std::shared_ptr<const flow::workflow> workflow;
    run_status status = run_status::pending;
    value_ref raw_input;                 ///< what the run was started with
    value_ref input;                     ///< after the workflow's `input.from`
    value_ref context;
    time_point started_at;
    std::optional<time_point> deadline;  ///< of the workflow's `timeout`
    std::vector<frame> frames;           ///< parents before children
    std::vector<ready_item> ready;       ///< in order of entry
    std::vector<visit_count> visits;     ///< of the top-level tasks
    std::map<std::string, value_ref, std::less<>> steps;  ///< last outputs of tasks that `$steps` reads
    json::value steps_view = json::object();             ///< the same as one object: `$steps`
    frame_id next_frame = 1;
    std::int64_t next_step = 1;
    std::uint64_t revivals = 0;          ///< how often it went on after its end, or from an earlier point
    std::uint64_t key_generation = 0;    ///< part of idempotency keys unless 0: grows when effects are to happen anew
    std::optional<time_point> suspended_at;  ///< starts nothing until it is resumed
    std::vector<value_ref> held_events;  ///< arrived while it was suspended, in order
    std::vector<value_ref> kept_events;  ///< that no listen has taken and a later one may take, in the order of their arrival
    std::uint64_t dropped_events = 0;    ///< how many had to go because too many were kept
    std::vector<flow::task_id> heard;    ///< listens that begin once in a run and have begun, ascending
    bool listens_late = false;           ///< as stored by a version that subscribed a run only while it listened
    std::optional<standstill> halt;      ///< when faulted or cancelled

    value_ref output;                    ///< when completed
    std::optional<problem> error;        ///< when faulted

    frame* find(frame_id id) noexcept;
    const frame* find(frame_id id) const noexcept;
    const frame* find_call(std::string_view key) const noexcept;
    const flow::task& task_of(const frame& f) const { return workflow->tasks[f.task]; }

    /// The earliest deadline or wake-up of any frame.
    std::optional<time_point> due_at() const;
};

}  // namespace pawl::run
