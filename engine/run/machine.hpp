// The machine: (run state, event) -> transition. Pure: no clock, I/O, thread or randomness; the same state and event give the same
// transition, on any engine. It knows tasks, not effects: a call is a name, arguments and a key.
// A run_state and its values belong to one thread at a time; different runs may be on different threads.
#pragma once

#include "run/lifecycle.hpp"
#include "run/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::run {

/// What the machine may see of the world at one event.
struct surroundings {
    time_point now;
    const json::value* agent = nullptr;  ///< `$agent`: { key, state, version, meta }; null for a run without an agent
    std::string_view runtime_version = "0";
    /// Stands in expressions for the secret `name`; replaced by the secret itself when the call is dispatched.
    std::string (*secret_placeholder)(std::string_view run, std::string_view name) = nullptr;
    std::uint64_t budget = 10'000;       ///< tasks entered before the machine yields to its neighbours
    const std::map<std::string, std::string, std::less<>>* details = nullptr;  ///< what calls told of how far they were: key -> JSON text
    bool lifecycle = false;              ///< somebody wants to be told of lifecycle_event
    bool decisions = false;              ///< somebody wants to be told of each decision
    bool* agent_read = nullptr;          ///< set when an expression is evaluated that may read `agent`
};

/// A call whose intent the next checkpoint records.
struct call_intent {
    frame_id frame = 0;
    bool recovered = false;
};

/// A call nobody waits for any more.
struct abandoned_call {
    frame call;           ///< as it was
    std::string reason;   ///< "timeout" or "cancelled"
};

/// One finished try of a step, for the audit log.
struct step_record {
    std::int64_t seq = 0;   ///< per run, from 1
    flow::task_id task = 0;
    std::string function;   ///< what was called; "wait", "emit", "raise"
    std::string key;
    std::string digest;
    unsigned attempt = 1;
    std::string outcome;    ///< "completed", "faulted", "timeout", "cancelled", "unknown"
    time_point started_at;
    time_point ended_at;
    value_ref result;       ///< output, or Problem Details
    json::object record;    ///< what the effect reported of the call
};

/// A CloudEvent that the run emitted.
struct emitted_event {
    std::string id;
    std::string type;
    value_ref event;
};

/// A way that the run took where there are several: for those who measure what was ever taken.
struct decision {
    enum class kind : std::uint8_t {
        entered,    ///< the task runs
        skipped,    ///< its `if` did not hold
        chose,      ///< switch: the case `which`; as many as there are cases: none fits
        iterated,   ///< for: over after `which` rounds
        won,        ///< competing fork: the branch `which`
        retried,    ///< try: an error begins attempt `which`
        caught,     ///< try: an error is caught, and no retry policy stands there
        exhausted   ///< try: the retry policy allows no more for an error that would be caught
    } what = kind::entered;
    flow::task_id task = flow::no_task;
    std::size_t which = 0;
};

/// What one event brought about, beside the new state.
struct transition {
    std::vector<call_intent> calls;         ///< to stage, and to start once durable
    std::vector<frame_id> queued;           ///< after recovery: calls that wait for their turn
    std::vector<frame_id> due_calls;        ///< parked calls whose wake_at has come
    std::vector<abandoned_call> abandoned;
    std::vector<step_record> steps;
    std::vector<emitted_event> events;
    std::vector<lifecycle_event> lifecycle; ///< in the order in which it happened; empty unless surroundings::lifecycle
    std::vector<decision> decisions;        ///< in the order in which they were taken; empty unless surroundings::decisions
    bool yielded = false;                   ///< work is left: post resume()
};

/// Begins a run: validates and transforms its input, enters the first task.
/// `input` is the raw input; `s` holds id and workflow only.
transition start(run_state& s, value_ref input, const surroundings& world);

/// Goes on with ready work after a yield or a recovery.
transition resume(run_state& s, const surroundings& world);

/// After recovery: calls that were started without a recorded outcome. Pure and idempotent ones are intents again (recovered = true);
/// at-most-once ones fail as *unknown* (a `runtime` problem with title "Unknown Outcome").
transition recover(run_state& s, const surroundings& world);

/// A call ended. Ignored when nobody waits for it any more. `record` is kept with the step.
transition call_completed(run_state& s, frame_id call, json::value output, const json::object& record, const surroundings& world);
transition call_failed(run_state& s, frame_id call, problem error, const json::object& record, const surroundings& world);

/// A call waits for somebody outside, to be asked again at `wake_at`.
void call_parked(run_state& s, frame_id call, std::optional<time_point> wake_at);

/// A call whose intent is being recorded waits for its turn: after a recovery it is in transition::queued, whatever its function promises.
void call_queued(run_state& s, frame_id call);
/// Its turn has come: it is started once this is durable. False when it does not wait for its turn (any more).
bool call_let_go(run_state& s, frame_id call);

/// Time has reached world.now: everything due fires, in the order of its time.
transition time_passed(run_state& s, const surroundings& world);

/// A CloudEvent has arrived: every listen that is live and takes it goes on, in the order of the frames. One that none takes is kept when a listen that may still begin can
/// take it; it is offered to each that begins, until one takes it.
transition event_arrived(run_state& s, const value_ref& event, const surroundings& world);

/// The types of events that a store must send the run: of those that its live listens wait for, and those that a listen may take which can still begin. Only "" when it is
/// any type; none when the run is over, or listens for nothing any more.
std::set<std::string> subscriptions(const run_state& s);
/// Of these, what the live listens wait for.
std::set<std::string> awaited_types(const run_state& s);

/// Ends the run as cancelled.
transition cancel(run_state& s, std::string_view reason, const surroundings& world);

/// Structural path of a frame with visits and iterations: "/classify#1/refund[3]#1". Attempts are no part of it.
std::string activation_path(const run_state& s, const frame& f);

/// Where the frame's deadline, its try's attempt limit and those of all scopes around it meet: the earliest.
std::optional<time_point> effective_deadline(const run_state& s, const frame& f);

}  // namespace pawl::run
