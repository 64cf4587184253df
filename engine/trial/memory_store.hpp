// What a store holds, in memory: the rows of engine/store and the rules by which checkpoints, messages and leases change them (soci_commit.cpp, soci_messages.cpp, soci_leases.cpp), each
// at once and whole. For worlds and simulated fleets; no I/O, no clock of its own, one thread. What no store may ever be asked to do is kept as a violation.
#pragma once

#include "flow/workflow.hpp"
#include "store/connection.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::trial {

/// A new run as whoever starts one gives it to a store.
store::new_run run_of(const flow::workflow& workflow, std::string id, shard_id shard, const json::value& input, std::string agent, std::string key);

class memory_store {
public:
    struct observers {
        std::function<void(const store::agent_row* before, const store::agent_row& after)> agent_written;  ///< before: null for a new one
        std::function<void(const store::approval_row&)> approval_asked;                                     ///< a new question has become durable
    };
    struct lease_state {
        std::int64_t epoch = 0;
        std::string owner;  ///< empty: free
        time_point expires_at{};
    };

    memory_store(std::uint32_t shards, std::function<time_point()> clock, observers watching);

    time_point now() const { return clock_(); }

    // Checkpoints. Nothing is written unless it is committed.
    store::checkpoint_outcome write(const store::checkpoint& c);
    /// Fenced like a checkpoint.
    void beat(const store::heartbeat_row& row);

    // Messages. A second post with the same source and id is dropped: false.
    bool post(const store::inbox_post& message);
    /// To every run that is subscribed to its type; the runs that got something new.
    std::vector<store::woken_run> publish(const store::published_event& event);

    /// False when it exists. No message tells of it.
    bool create(const store::new_run& run);
    void put_agent(store::agent_row row) { agents_.insert_or_assign(row.agent + "/" + row.key, std::move(row)); }

    // Leases.
    /// Up to `most` of `wanted` (all when empty) that are free or expired, beside those that `owner` holds already, renewed.
    std::vector<store::lease> acquire(std::string_view owner, std::span<const shard_id> wanted, std::size_t most, milliseconds ttl);
    std::vector<store::lease> renew(std::string_view owner, milliseconds ttl);
    void release(std::string_view owner, std::span<const shard_id> shards);
    void release_all(std::string_view owner);
    /// How many engines serve the store, `owner` included.
    std::size_t serve(std::string_view owner, milliseconds ttl);

    // Rows.
    const std::map<std::string, store::run_row>& runs() const { return runs_; }
    const store::run_row* run(std::string_view id) const;
    std::vector<store::blob_row> blobs_of(const std::string& run) const;
    std::vector<store::heartbeat_row> heartbeats_of(const std::string& run) const;
    const std::vector<store::step_row>& steps_of(const std::string& run) const;
    std::set<std::string> subscriptions_of(const std::string& run) const;
    std::vector<store::due_run> runnable(std::span<const shard_id> shards, std::string_view after, std::size_t limit) const;
    std::vector<store::due_run> due(std::span<const shard_id> shards, time_point until, std::size_t limit) const;
    /// Unconsumed ones, in order.
    std::vector<store::inbox_entry> inbox(std::span<const shard_id> shards, std::int64_t after, std::size_t limit) const;
    std::size_t unconsumed() const { return inbox_.size(); }
    /// By "agent/key".
    const std::map<std::string, store::agent_row>& agents() const { return agents_; }
    std::optional<store::agent_row> agent(std::string_view agent, std::string_view key) const;
    const std::map<std::string, store::approval_row>& approvals() const { return approvals_; }
    const std::vector<store::outbox_row>& events() const { return events_; }
    const std::map<shard_id, lease_state>& leases() const { return leases_; }
    std::size_t commits() const { return commits_; }
    const std::vector<std::string>& violations() const { return violations_; }

private:
    bool is_held(shard_id shard, std::int64_t epoch) const;
    bool fits(const store::checkpoint& c) const;
    void write_run(const store::checkpoint& c);
    void write_blobs(const store::checkpoint& c);
    void write_messages(const store::checkpoint& c);

    std::function<time_point()> clock_;
    observers watching_;
    std::map<shard_id, lease_state> leases_;
    std::map<std::string, time_point, std::less<>> engines_;
    std::map<std::string, store::run_row> runs_;
    std::map<std::string, std::map<std::string, std::string>> blobs_;
    std::map<std::string, std::vector<store::step_row>> steps_;
    std::map<std::int64_t, store::inbox_entry> inbox_;
    std::set<std::string> posted_;
    std::map<std::string, store::agent_row> agents_;
    std::map<std::string, store::approval_row> approvals_;
    std::vector<store::outbox_row> events_;
    std::map<std::string, std::map<std::string, store::heartbeat_row>> heartbeats_;  ///< by run and key
    std::map<std::string, std::set<std::string>> subscriptions_;                     ///< run -> types; "" is any
    std::int64_t next_seq_ = 1;
    std::size_t commits_ = 0;
    std::vector<std::string> violations_;
};

}  // namespace pawl::trial
