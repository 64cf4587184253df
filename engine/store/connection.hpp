// The store's interface: one database, many connections. Two implementations: SOCI on SQLite and PostgreSQL (soci_database.hpp),
// and the simulator's in memory (tests/sim).
//
// A `database` is thread-safe. A `connection` belongs to one thread at a time; every call blocks until the database has answered, so no
// connection is ever used on a core or network thread. Times are the database's clock.
#pragma once

#include "store/dead_letter.hpp"
#include "store/records.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::store {

enum class store_errc {
    busy,         ///< locked by another process for longer than the time-out; nothing was written; try again
    lost,         ///< connection or server gone; outcome of a running commit unknown: settle it by the run's revision
    full,         ///< disk full or quota
    not_found,
    duplicate,    ///< this id exists already
    newer_schema, ///< written by a newer pawl
    refused,      ///< bad URL, wrong password, no permission, not a database
    failed        ///< anything else: a defect
};

struct store_error {
    store_errc code = store_errc::failed;
    std::string detail;  ///< a sentence with what, where and what to do; never a password
};
/// busy, lost and full pass: wait and try again. The others do not.
constexpr bool is_transient(const store_error& e) noexcept { return e.code == store_errc::busy || e.code == store_errc::lost || e.code == store_errc::full; }

[[noreturn]] void throw_exception_from_error(const store_error& error, const boost::source_location&);

template <class T>
using store_result = boost::system::result<T, store_error>;

class connection {
public:
    virtual ~connection() = default;

    virtual store_result<time_point> now() = 0;

    // Definitions.
    virtual store_result<void> put_definition(const definition_row& definition) = 0;  ///< no-op when the digest is stored, except that its tags are added
    virtual store_result<definition_row> get_definition(std::string_view digest) = 0;

    // Deployments: which definition `namespace/name:version` is.
    /// Makes it the current version of its name. False, and nothing changed, when that version is deployed with another digest and `replace` is not given.
    virtual store_result<bool> deploy(const deployment_row& deployment, bool replace) = 0;
    /// Of this namespace and name (all when empty), the newest first.
    virtual store_result<std::vector<deployment_row>> list_deployments(std::string_view ns, std::string_view name) = 0;
    /// All versions of the name; false when there was none. Definitions and runs stay.
    virtual store_result<bool> remove_deployments(std::string_view ns, std::string_view name) = 0;

    // Runs. create_run also posts the inbox entry ("start") that tells the shard's owner, in the same transaction.
    virtual store_result<void> create_run(const new_run& run) = 0;  ///< duplicate when the id exists
    virtual store_result<run_row> load_run(std::string_view id) = 0;
    /// Those of `ids` that exist, in any order.
    virtual store_result<std::vector<run_row>> load_runs(std::span<const std::string> ids) = 0;
    virtual store_result<std::vector<run_row>> list_runs(const run_filter& filter) = 0;  ///< newest first; without `state`
    /// Runs that have not begun, of workflows whose "namespace/name:version" begins with `prefix`; counts no further than `most`.
    virtual store_result<std::size_t> count_pending(std::string_view prefix, std::size_t most) = 0;
    virtual store_result<std::vector<step_row>> list_steps(std::string_view run, std::int64_t after_seq, std::size_t limit) = 0;
    virtual store_result<std::vector<blob_row>> load_blobs(shard_id shard, std::string_view run) = 0;  ///< those the live state references
    /// Runs of these shards that an engine must look at after taking them over: pending, or running. (Waiting ones come by due_runs and inbox.)
    virtual store_result<std::vector<due_run>> runnable_runs(std::span<const shard_id> shards, std::string_view after = {}, std::size_t limit = 1'000'000) = 0;
    /// Runs whose due_at is not after `until`, earliest first.
    virtual store_result<std::vector<due_run>> due_runs(std::span<const shard_id> shards, time_point until, std::size_t limit) = 0;
    /// The earliest due_at of these shards.
    virtual store_result<std::optional<time_point>> next_due(std::span<const shard_id> shards) = 0;

    // Checkpoints: one transaction, one statement per table. The result has one outcome per checkpoint, in order.
    virtual store_result<std::vector<checkpoint_outcome>> commit(std::span<const checkpoint> batch) = 0;

    // Heartbeats.
    /// The newest detail of each call, at most one row a call. Fenced like a checkpoint: rows of a lease that is not ours any more are left out.
    virtual store_result<void> beat(std::span<const heartbeat_row> rows) = 0;
    virtual store_result<std::vector<heartbeat_row>> load_heartbeats(shard_id shard, std::string_view run) = 0;

    // Inbox.
    /// Posts a message; false when (source, id) was posted before.
    virtual store_result<bool> post(const inbox_post& message) = 0;
    virtual store_result<std::vector<inbox_entry>> fetch_inbox(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) = 0;

    /// Posts each event, in order, as an inbox entry ("event") of every run that is subscribed to its type; returns the runs that got something
    /// new. Idempotent: a run gets (source, id) once. One transaction.
    virtual store_result<std::vector<woken_run>> publish(std::span<const published_event> events) = 0;

    /// The types of events that a run of this shard listens for ('' is any), in order.
    virtual store_result<std::vector<std::string>> list_subscriptions(shard_id shard, std::string_view run) = 0;

    // Outbox, in order; delivered entries are kept for `pawl runs show` until pruned.
    virtual store_result<std::vector<outbox_entry>> undelivered(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) = 0;
    virtual store_result<void> mark_delivered(std::span<const std::int64_t> seqs) = 0;
    virtual store_result<std::vector<outbox_entry>> list_events(std::string_view run) = 0;

    /// Something cannot proceed (dead_letter.hpp); noted again, it counts how often. Stores without administration forget it.
    virtual store_result<void> note_dead_letter(const dead_letter&) { return {}; }

    // Agents.
    virtual store_result<std::optional<agent_row>> load_agent(std::string_view agent, std::string_view key) = 0;
    virtual store_result<std::vector<agent_row>> list_agents(std::string_view agent, std::size_t limit) = 0;  ///< all agents when empty

    // Approvals.
    virtual store_result<approval_row> load_approval(std::string_view id) = 0;
    virtual store_result<std::vector<approval_row>> list_approvals(std::optional<approval_status> status, std::string_view run, std::size_t limit) = 0;
    /// Those whose id begins so, the greatest id first.
    virtual store_result<std::vector<approval_row>> find_approvals(std::string_view beginning, std::size_t limit) = 0;

    // Leases.
    /// Takes up to `most` shards of `wanted` (all shards when empty) that are free, expired, or owned by a process of this host
    /// that no longer lives (owner_is_dead). Each taken shard's epoch grows by one. Shards that `owner` holds already are returned unchanged.
    virtual store_result<std::vector<lease>> acquire_leases(std::string_view owner, std::span<const shard_id> wanted, std::size_t most, milliseconds ttl) = 0;
    /// Extends all leases of `owner`; returns those it still holds.
    virtual store_result<std::vector<lease>> renew_leases(std::string_view owner, milliseconds ttl) = 0;
    virtual store_result<void> release_leases(std::string_view owner) = 0;
    /// Those of `shards` that `owner` holds become free.
    virtual store_result<void> release_shards(std::string_view owner, std::span<const shard_id> shards) = 0;
    virtual store_result<std::vector<lease_row>> list_leases() = 0;
    /// `owner` serves the store for another `ttl`; how many do, it included. Processes of this host that no longer live do not count.
    virtual store_result<std::size_t> serve(std::string_view owner, milliseconds ttl) = 0;
    virtual store_result<void> stop_serving(std::string_view owner) = 0;
};

/// Waits for news. One thread at a time.
class doorbell {
public:
    virtual ~doorbell() = default;
    /// Blocks until somebody committed something that owners of shards may care about (inbox post, new run), `timeout` passed, or wake() was called. A hint: spurious
    /// returns are fine, a missed ring is made good by polling. True when it rang.
    virtual store_result<bool> wait(milliseconds timeout) = 0;
    /// From any thread: ends the current or next wait().
    virtual void wake() = 0;
};

class administration;

class database {
public:
    virtual ~database() = default;
    virtual store_result<std::unique_ptr<connection>> connect() = 0;
    virtual store_result<std::unique_ptr<doorbell>> listen() = 0;
    /// Another connection, for what operators do (administration.hpp).
    virtual store_result<std::unique_ptr<administration>> administer();
    virtual std::uint32_t shard_count() const = 0;
    virtual std::string_view kind() const = 0;  ///< "sqlite", "postgresql"
};

/// This process as an owner of leases: host identity (boot id and pid namespace), pid and process start time, so that
/// another process of the same host can tell at once that it is dead.
std::string this_process_as_owner();
/// True only when `owner` was a process of this very host and pid namespace and does not live any more.
bool owner_is_dead(std::string_view owner);

}  // namespace pawl::store
