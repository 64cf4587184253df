// A run in memory: its state, what waits to be applied to it, and what the next checkpoint will say. Core thread only.
#pragma once

#include "run/machine.hpp"
#include "runtime/agents.hpp"
#include "runtime/effect.hpp"
#include "runtime/engine.hpp"
#include "runtime/pulse.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace pawl::runtime {

/// Something that happened to a run and has not been applied yet.
struct run_input {
    enum class kind {
        begin,     ///< first time in memory: start
        recover,   ///< loaded with a state
        resume,    ///< go on after a yield
        outcome,   ///< a call ended
        due,       ///< a timer's time may have come
        message,   ///< an inbox entry
        granted    ///< the turn of a call has come that waited for it
    } what = kind::resume;
    run::frame_id call = 0;
    call_outcome outcome{json::value(), {}, {}};
    store::inbox_entry message;
};

/// A call handed to its effect.
struct live_call {
    std::shared_ptr<const call_request> request;
    std::shared_ptr<effect> owner;
    bool started = false;
    enum class place {
        none,    ///< not counted yet
        plain,   ///< counted among the engine's calls
        ticket   ///< known to the limits: has its place or waits for it
    } held = place::none;

    std::shared_ptr<pulse> signs;            ///< of functions that give signs of life
    std::optional<milliseconds> silence;     ///< how long it may give none
    std::optional<time_point> heard;         ///< the last one; nothing before the first
    time_point next_look{};                  ///< details are taken up not before
    std::optional<time_point> look;          ///< as it stands in the core's looks
};

struct resident {
    run::run_state state;
    shard_id shard = 0;
    std::int64_t epoch = 0;
    std::int64_t revision = 0;
    std::string environment, project, parent, parent_key;
    int depth = 0;
    int priority = 0;                       ///< as the run was started; 0: not stated
    std::string agent_name;
    std::string agent_key;
    std::shared_ptr<agent_instance> agent;  ///< null for a run without an agent

    std::optional<store::new_run> born;       ///< not stored yet: its first checkpoint creates it
    std::function<void(bool)> on_born;        ///< told once whether that checkpoint was committed

    /// What it inherits and hands on to its children.
    void belongs(const store::new_run& row) {
        shard = row.shard;
        environment = row.environment;
        project = row.project;
        parent = row.parent;
        parent_key = row.parent_key;
        depth = row.depth;
        priority = row.priority;
        agent_name = row.agent;
        agent_key = row.agent_key;
    }

    std::deque<run_input> inputs;
    bool committing = false;                ///< one checkpoint at a time
    bool dirty = false;                     ///< something for a checkpoint has gathered
    bool yielded = false;                   ///< used up its budget: its neighbours' turn, after a checkpoint

    std::vector<store::step_row> steps;
    std::vector<store::outbox_row> events;
    std::vector<store::approval_row> approvals;
    std::vector<store::new_run> births;
    std::vector<store::inbox_post> posts;
    std::optional<store::definition_change> moved;
    std::vector<std::int64_t> consumed;
    std::vector<run_event> notices;         ///< told when the checkpoint is durable

    std::vector<run::frame_id> to_start;    ///< intents of the checkpoint that gathers
    std::vector<run::frame_id> starting;    ///< intents of the checkpoint under way
    std::vector<run_event> telling;
    std::vector<std::int64_t> consuming;
    std::map<run::frame_id, live_call> calls;
    std::map<std::string, std::string, std::less<>> details;  ///< how far calls are, as stored: key -> JSON text
    std::vector<std::string> settled;       ///< keys whose details the next checkpoint removes
    std::set<std::string> stored_blobs;     ///< digests
    std::set<std::string> subscribed;       ///< types of events, as the store has them
    std::set<std::string> born_subscribed;  ///< those that the store has too, unless an earlier version stored the run
    std::optional<time_point> timer;        ///< as it stands in the core's timers

    bool is_idle() const noexcept { return !committing && inputs.empty() && calls.empty() && (state.ready.empty() || state.suspended_at); }
};

/// The task that a step is of; one without a name for what the run does by itself.
inline const flow::task& task_of(const resident& r, const run::step_record& step) {
    static const flow::task none;
    return step.task == flow::no_task ? none : r.state.workflow->tasks[step.task];
}

}  // namespace pawl::runtime
