// What the engine asks of everything that touches the world: tools, models, HTTP, agents, logging.
// One interface, registered by name at the composition root (engine/cli); the machine and the engine know no kinds.
//
// Life of a call: the machine evaluates the arguments; the engine asks stage() on the core thread while it builds the checkpoint;
// the checkpoint with the call's intent commits; only then start() runs (output gate); the outcome comes back through the
// completion and is recorded by the next checkpoint. After a crash between the two, recovery calls start() again for pure and idempotent
// functions (same key, same arguments) and reports at-most-once calls as unknown.
#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "store/records.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::runtime {

/// Files pinned with the definition (prompts, schemas): path as written in the flow -> text. Immutable.
using assets = std::map<std::string, std::string, std::less<>>;

/// One call of a function. Immutable; shared between threads by pointer.
struct call_request {
    std::string run;             ///< run id
    std::string key;             ///< idempotency key: 52 characters base32, unchanged by retries
    std::string digest;          ///< hex SHA-256 of function and arguments
    std::string function;        ///< "orders.lookup"
    std::string version;         ///< pinned version, may be empty
    json::value arguments;       ///< evaluated `with`; names of secrets, never secrets
    unsigned attempt = 1;        ///< 1 for the first try
    time_point started_at;       ///< recorded start of the frame: the call's `now`
    std::optional<time_point> deadline;  ///< in start(): of this machine's clock, for whoever shows it to somebody outside; elsewhere of the database's
    /// In start(): where the deadline meets this process' own passing of time. What ends a call in time goes by this one: nobody sets such a clock.
    std::optional<std::chrono::steady_clock::time_point> until;
    std::string task;            ///< task name
    std::string instance;        ///< JSON Pointer of the task
    std::string agent;           ///< agent name; empty for a run without an agent
    std::string agent_key;
    std::shared_ptr<const runtime::assets> assets;  ///< never null
    std::uint64_t frame = 0;     ///< another one for every try of every call of the run
    std::string definition;      ///< digest of the run's definition
    int depth = 0;               ///< how many runs stand above this one
    std::optional<milliseconds> heartbeat_timeout;  ///< from the first `beat` on: silence beyond this ends the attempt
    std::string last_detail;     ///< JSON text of what the last attempt told of how far it was; empty: nothing is known
    /// A sign of life, with how far the call is as JSON text, or without. Empty for functions that give none. Any thread, as often as one likes.
    std::function<void(std::string_view detail)> beat;
    bool recovered = false;      ///< started before, in this or an earlier process, without a recorded outcome

    /// In start() and after it: what is left to the deadline, nothing or less when it has passed.
    std::optional<milliseconds> time_left() const {
        if (!until) return std::nullopt;
        return std::chrono::duration_cast<milliseconds>(*until - std::chrono::steady_clock::now());
    }
};

/// How a call ended.
struct call_outcome {
    result<json::value> value;   ///< the output, or the error to raise in the task
    json::object record;         ///< facts kept with the step: model, promptVersion, requestId, latencyMs, usage; never content
    json::object agent_meta;     ///< JSON Merge Patch for the agent's `meta`
};

/// Hands the outcome back. Call exactly once, from any thread; later calls are ignored.
using completion = std::function<void(call_outcome)>;

/// One line of progress from a running call ("3 of 10 files"), shown live and not stored.
using progress_sink = std::function<void(std::string_view)>;

/// The agent instance of a run as the core thread holds it, uncommitted changes of the same checkpoint included.
struct agent_view {
    store::agent_row row;
    bool changed = false;
};

/// What an effect may add to the checkpoint that records the call's intent.
struct staging {
    time_point now;              ///< of the checkpoint being built
    agent_view* agent = nullptr; ///< null for a run without an agent
    std::vector<store::approval_row> approvals;
    std::vector<store::outbox_row> events;
    /// Runs that start with this checkpoint: the effect gives id, definition, workflow, input and, when the call waits for its end, parent_key; the rest
    /// they have from the run that calls. The end of a run with a parent_key is told to answer() as a message of kind "child".
    std::vector<store::new_run> births;
    std::vector<store::inbox_post> posts;  ///< messages to other runs of the same shard
    /// Set by stage() of a call that waits for somebody outside: start() is not called, the run may leave memory, and answer() is called
    /// when a message for the call's key arrives, or with kind "due" at `wake_at`.
    bool parks = false;
    std::optional<time_point> wake_at;
};

/// An answer from outside to a call that waits for one: an approval's decision.
struct external_answer {
    std::string kind;    ///< "approval" (the inbox entry's kind), or "due" when staging::wake_at is reached
    json::value body;
    time_point received_at;
};

class effect {
public:
    effect() = default;
    effect(const effect&) = delete;
    effect& operator=(const effect&) = delete;
    virtual ~effect() = default;

    /// The functions it offers. Called at start-up.
    virtual std::vector<function_description> functions() const = 0;

    /// Core thread, before the commit; must not block. Transactional functions answer here, and their changes commit with the step.
    /// Others may add rows to the checkpoint (an approval) and return nothing.
    virtual std::optional<call_outcome> stage(const call_request&, staging&) { return std::nullopt; }

    /// Core thread, after the intent is durable; must not block. `done` may be called before start() returns.
    virtual void start(std::shared_ptr<const call_request> request, completion done, progress_sink progress) = 0;

    /// Core thread: nobody waits for this call any more (time-out, cancellation, shutdown). Best effort; `done` may still be called.
    virtual void cancel(std::string_view key) = 0;

    /// Core thread: an answer from outside for a parked call of this effect; returns its outcome,
    /// or nothing to keep waiting. Rows in `staging` commit with the outcome.
    virtual std::optional<call_outcome> answer(const call_request&, const external_answer&, staging&) { return std::nullopt; }

    /// Core thread: a call of this effect is abandoned before its outcome (deadline passed, run cancelled). May settle rows it staged.
    virtual void abandon(const call_request&, std::string_view /*reason: "timeout" or "cancelled"*/, staging&) {}
};

/// Functions by name. Filled at start-up, read-only afterwards.
class effect_registry {
public:
    /// Error: `configuration` problem when a name is taken.
    result<void> add(std::shared_ptr<effect> offered);

    struct entry {
        std::shared_ptr<effect> owner;
        function_description description;
    };
    /// Null when there is none.
    const entry* find(std::string_view function) const;
    /// Those that a flow may call.
    std::vector<function_description> functions() const;

private:
    std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace pawl::runtime
