// The engine of one process: owns shards of the store under leases and drives their runs.
//
// Guarantees: a step's result and the intent of what follows are durable before anything that follows is started (output gate); after a crash,
// recovery goes on from the live frames; a process that lost a lease commits nothing under it.
//
// Threads: all methods may be called from any thread but a core thread; listeners are called on the core thread and must not block. Inside: one core thread drives the
// machine, one journal thread commits batches, one reader thread loads runs, one bell thread waits for news. Effects run on threads of their own.
#pragma once

#include "flow/workflow.hpp"
#include "runtime/effect.hpp"
#include "runtime/limits.hpp"
#include "store/connection.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl::run {
struct decision;
}

namespace pawl::runtime {

/// What happens to a run, for progress displays and logs: ids, names and outcomes, never content.
struct run_event {
    enum class kind {
        started,        ///< entered memory
        step_started,
        step_finished,
        progress,       ///< a tool's own words, in `detail`
        waiting,        ///< has nothing to do until `until`, or until somebody answers (`parked`)
        finished        ///< `status` is final
    } what = kind::started;
    std::string run;
    run_status status = run_status::running;
    std::string task;       ///< task name
    std::string pointer;
    std::string function;
    std::string key;        ///< idempotency key of the call
    unsigned attempt = 1;
    std::string outcome;    ///< step_finished: "completed", "faulted", "timeout", "cancelled", "unknown"
    std::string detail;     ///< error title and detail, progress text, or the types of events that a `listen` waits for
    milliseconds duration{0};
    std::optional<time_point> until;
    bool parked = false;
    std::int64_t revision = 0;
};
using run_listener = std::function<void(const run_event&)>;

struct engine_options {
    std::string owner;                        ///< empty: store::this_process_as_owner()
    milliseconds lease_ttl{10'000};
    milliseconds poll_interval{1'000};        ///< safety net beside the doorbell
    std::size_t max_batch = 512;              ///< checkpoints per transaction
    std::size_t max_in_flight_calls = 256;    ///< started calls at a time; more wait their turn
    std::size_t max_resident_runs = 4'096;    ///< runs in memory at a time; more wait in the store
    std::size_t max_waiting = 20'000;         ///< calls and runs in memory that wait for their turn; more stay in the store
    std::shared_ptr<const limit_settings> limits;  ///< of the environment; may be null
    std::uint64_t budget = 10'000;            ///< tasks a run enters before its neighbours' turn
    std::string runtime_version;
    /// Resolves a secret at dispatch; nothing when unknown. Any thread.
    std::function<std::optional<std::string>(std::string_view name)> secret;
    /// Called on the core thread when an agent instance is loaded for a run: gives a new one (revision 0) its initial state, migrates an older
    /// state_version. Error: the run faults with it.
    std::function<result<void>(store::agent_row&)> agent_loaded;
    bool lifecycle_events = false;            ///< lifecycle events go to the outbox beside what flows emit
    std::function<void(const flow::workflow& of, const std::vector<run::decision>& taken)> decided;  ///< every way that a run takes; on the core thread; may be empty
    run_listener listener;                    ///< every run's events; may be empty
    std::function<void(std::string_view sentence)> log;  ///< operational news: lease lost, store unavailable and back; may be empty
    /// The store belongs to a newer version now: the engine has let go of all its shards and will take none. Told once, from any thread; may be empty.
    std::function<void(const store::store_error&)> superseded;
};

class engine {
public:
    engine(std::shared_ptr<store::database> database, std::shared_ptr<const effect_registry> effects, engine_options options);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine();  ///< stop()

    /// Leases up to `most` shards of `wanted` (any when empty), recovers their runs and goes to work. Blocks until the leases are held.
    /// Returns the shards owned, possibly none. May be called again to own more.
    store::store_result<std::vector<shard_id>> own(std::vector<shard_id> wanted, std::size_t most);

    /// Lets go of up to `most` shards in which nothing is under way right now. How many.
    store::store_result<std::size_t> give_back(std::size_t most);
    /// Tells the store that this engine serves it, for a while; how many engines do, this one included.
    store::store_result<std::size_t> serve();

    /// Stores definition and run. The run starts at once when its shard is owned here, otherwise where it is owned.
    store::store_result<void> submit(const store::new_run& run, const flow::workflow& definition);

    /// Brings a stored run into memory if it belongs to an owned shard and is not final (resume after a crash does this by itself).
    void wake(std::string run);

    std::vector<shard_id> owned() const;

    /// Stops cleanly: nothing new is started, commits under way end, leases are released. Calls in flight are cancelled; their intents are durable,
    /// so that the next engine goes on. Idempotent.
    void stop();

    struct statistics {
        std::uint64_t checkpoints = 0, transactions = 0, calls = 0;
        std::size_t resident_runs = 0;
    };
    statistics counts() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace pawl::runtime
