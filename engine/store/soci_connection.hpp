// The connection of connection.hpp over SOCI. One thread at a time; a lost session is opened anew by the next call.
#pragma once

#include "store/batch.hpp"
#include "store/commit_statements.hpp"
#include "store/doorbells.hpp"
#include "store/session.hpp"
#include "store/soci_database.hpp"

namespace pawl::store {

class soci_connection final : public connection {
public:
    soci_connection(location where, session_options options, std::uint32_t shard_count, std::function<void(fault_point)> fault_hook,
                    std::shared_ptr<local_bells> bells);

    store_result<void> check();  ///< opens now instead of with the first call

    store_result<time_point> now() override;
    store_result<void> put_definition(const definition_row& definition) override;
    store_result<definition_row> get_definition(std::string_view digest) override;
    store_result<bool> deploy(const deployment_row& deployment, bool replace) override;
    store_result<std::vector<deployment_row>> list_deployments(std::string_view ns, std::string_view name) override;
    store_result<bool> remove_deployments(std::string_view ns, std::string_view name) override;

    store_result<void> create_run(const new_run& run) override;
    store_result<run_row> load_run(std::string_view id) override;
    store_result<std::vector<run_row>> load_runs(std::span<const std::string> ids) override;
    store_result<std::vector<run_row>> list_runs(const run_filter& filter) override;
    store_result<std::size_t> count_pending(std::string_view prefix, std::size_t most) override;
    store_result<std::vector<step_row>> list_steps(std::string_view run, std::int64_t after_seq, std::size_t limit) override;
    store_result<std::vector<blob_row>> load_blobs(shard_id shard, std::string_view run) override;
    store_result<std::vector<due_run>> runnable_runs(std::span<const shard_id> shards, std::string_view after, std::size_t limit) override;
    store_result<std::vector<due_run>> due_runs(std::span<const shard_id> shards, time_point until, std::size_t limit) override;
    store_result<std::optional<time_point>> next_due(std::span<const shard_id> shards) override;

    store_result<std::vector<checkpoint_outcome>> commit(std::span<const checkpoint> batch) override;

    store_result<void> beat(std::span<const heartbeat_row> rows) override;
    store_result<std::vector<heartbeat_row>> load_heartbeats(shard_id shard, std::string_view run) override;

    store_result<bool> post(const inbox_post& message) override;
    store_result<std::vector<inbox_entry>> fetch_inbox(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) override;
    store_result<std::vector<std::string>> list_subscriptions(shard_id shard, std::string_view run) override;
    store_result<std::vector<woken_run>> publish(std::span<const published_event> events) override;
    store_result<std::vector<outbox_entry>> undelivered(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) override;
    store_result<void> note_dead_letter(const dead_letter& letter) override;
    store_result<void> mark_delivered(std::span<const std::int64_t> seqs) override;
    store_result<std::vector<outbox_entry>> list_events(std::string_view run) override;

    store_result<std::optional<agent_row>> load_agent(std::string_view agent, std::string_view key) override;
    store_result<std::vector<agent_row>> list_agents(std::string_view agent, std::size_t limit) override;
    store_result<approval_row> load_approval(std::string_view id) override;
    store_result<std::vector<approval_row>> list_approvals(std::optional<approval_status> status, std::string_view run, std::size_t limit) override;
    store_result<std::vector<approval_row>> find_approvals(std::string_view beginning, std::size_t limit) override;

    store_result<std::vector<lease>> acquire_leases(std::string_view owner, std::span<const shard_id> wanted, std::size_t most,
                                                    milliseconds ttl) override;
    store_result<std::vector<lease>> renew_leases(std::string_view owner, milliseconds ttl) override;
    store_result<void> release_leases(std::string_view owner) override;
    store_result<void> release_shards(std::string_view owner, std::span<const shard_id> shards) override;
    store_result<std::vector<lease_row>> list_leases() override;
    store_result<std::size_t> serve(std::string_view owner, milliseconds ttl) override;
    store_result<void> stop_serving(std::string_view owner) override;

private:
    bool postgresql() const noexcept { return session_.kind() == dialect::postgresql; }
    std::string now_sql() const { return session_.now_sql(); }
    /// The newest version under which this program may work.
    std::int64_t known_schema() const noexcept { return session_.known_schema(); }
    std::string source(std::span<const column_spec> columns) const { return rows_source(session_.kind(), columns); }
    query& with_shards(query& q, std::span<const shard_id> shards) { return q.bind_rows(shard_rows(session_.kind(), shards)); }
    store_result<void> check_names(std::string_view what, shard_id shard, std::initializer_list<std::string_view> names) const;

    // soci_search.cpp. Inside run().
    void write_definition_tags(const definition_row& definition);
    tag_map definition_tags(std::string_view digest);

    // soci_messages.cpp. Inside run(), within a transaction or as one of its own. False when (shard, source, id) was there.
    bool insert_inbox(const inbox_post& message);

    // soci_commit.cpp. Inside run().
    bool commit_at_once(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes);
    void mark_fenced(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes);
    bool write(batch_rows& rows);
    void find_conflicts(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes);
    std::int64_t write_cells(const table_statement& table, const row_text& rows, std::int64_t now);
    std::int64_t write_rows(std::string_view name, row_text& rows, const std::function<std::string()>& sql);

    // soci_leases.cpp. Inside run().
    void remove_engine(std::string_view owner);
    row_text free_leases(std::string_view owner, std::span<const shard_id> wanted, std::size_t most);
    std::vector<lease> claim(row_text& candidates, std::string_view owner, milliseconds ttl);

    session session_;
    std::uint32_t shard_count_;
    std::function<void(fault_point)> fault_hook_;
    std::shared_ptr<local_bells> bells_;
};

/// LIMIT must fit the database's signed integers.
inline std::int64_t limit_of(std::size_t limit) { return static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000)); }
inline time_point time_of(std::int64_t millis) { return time_point(milliseconds(millis)); }
inline std::optional<time_point> maybe_time_of(std::optional<std::int64_t> millis) {
    if (!millis) return std::nullopt;
    return time_of(*millis);
}

}  // namespace pawl::store
