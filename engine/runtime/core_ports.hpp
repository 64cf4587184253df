// What the core needs of the outside, as an interface: the engine's threads give it, or the simulator.
// Every method is called on the core thread, must not block, and answers through the core's methods of the same name in the past tense.
#pragma once

#include "base/clock.hpp"
#include "flow/workflow.hpp"
#include "runtime/effect.hpp"
#include "store/connection.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl::runtime {

/// A run as the store has it, with everything needed to go on.
struct loaded_run {
    store::run_row row;
    std::shared_ptr<const flow::workflow> workflow;
    std::vector<store::blob_row> blobs;
    std::vector<store::heartbeat_row> heartbeats;
    std::optional<store::agent_row> agent;  ///< of a run with an agent; revision 0 when the store has none
};

class core_ports {
public:
    virtual ~core_ports() = default;

    /// The database's time, as well as it is known. Never goes back, unless the database's own clock was put back.
    virtual time_point now() = 0;
    /// A time of the database as this machine's clock will show it: for those outside who wait by it.
    virtual time_point local(time_point of_database) { return of_database; }
    /// The same moment by this process' own passing of time, which nobody sets; nothing where time is not that of this process.
    virtual std::optional<std::chrono::steady_clock::time_point> steady(time_point /*of_database*/) { return std::nullopt; }
    /// -> core::committed(), in the order of the calls for checkpoints of one run.
    virtual void commit(store::checkpoint checkpoint) = 0;
    /// Written soon, and before any checkpoint that is given after it; the newest row of a call wins.
    virtual void beat(store::heartbeat_row row) = 0;
    /// -> core::loaded() or core::load_failed()
    virtual void load(std::string run) = 0;
    /// `done`: the row, nothing when there is none, or what keeps it from being read for good.
    virtual void load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) = 0;
    /// -> core::received() with every unconsumed entry of the owned shards (up to a limit)
    virtual void fetch_inbox() = 0;
    /// Nobody can take the unconsumed entries up to this number now (their runs cannot be read): fetches begin after it, or they would bring the same ones for ever.
    virtual void pass_over_inbox(std::int64_t /*up_to*/) {}
    /// -> core::runnable() with runs of the owned shards that must be looked at and whose ids follow `after`, up to a limit
    virtual void fetch_runnable(std::string after) = 0;
    /// Call core::tick() at `t` or a little later. Only the latest request counts.
    virtual void wake_at(time_point t) = 0;
    /// A run cannot be loaded and stays as it is in the store: a line for operators (store/dead_letter.hpp).
    virtual void note_unloadable(const store::run_row&, const std::string& /*why*/) {}
    /// A compiled definition that an inbox entry of kind "migrate" names; null when there is none. It was loaded before the entry was given to the core.
    virtual std::shared_ptr<const flow::workflow> definition(const std::string& digest) = 0;
    /// From any thread: runs `work` on the core thread. Work posted after the core's end is dropped.
    virtual std::function<void(std::function<void()>)> poster() = 0;
};

}  // namespace pawl::runtime
