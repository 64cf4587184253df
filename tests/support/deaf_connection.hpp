// A connection to a store that answers nothing: for stores in memory that say only what a test asks of them.
#pragma once

#include "store/connection.hpp"

namespace pawl::test_support {

class deaf_connection : public store::connection {
public:
    store::store_result<std::vector<store::checkpoint_outcome>> commit(std::span<const store::checkpoint>) override { return no(); }
    store::store_result<store::run_row> load_run(std::string_view) override { return no(); }
    store::store_result<std::vector<store::run_row>> load_runs(std::span<const std::string>) override { return no(); }
    store::store_result<store::definition_row> get_definition(std::string_view) override { return no(); }
    store::store_result<void> beat(std::span<const store::heartbeat_row>) override { return no(); }
    store::store_result<time_point> now() override { return no(); }
    store::store_result<void> put_definition(const store::definition_row&) override { return no(); }
    store::store_result<bool> deploy(const store::deployment_row&, bool) override { return no(); }
    store::store_result<std::vector<store::deployment_row>> list_deployments(std::string_view, std::string_view) override { return no(); }
    store::store_result<bool> remove_deployments(std::string_view, std::string_view) override { return no(); }
    store::store_result<void> create_run(const store::new_run&) override { return no(); }
    store::store_result<std::vector<store::run_row>> list_runs(const store::run_filter&) override { return no(); }
    store::store_result<std::size_t> count_pending(std::string_view, std::size_t) override { return no(); }
    store::store_result<std::vector<store::step_row>> list_steps(std::string_view, std::int64_t, std::size_t) override { return no(); }
    store::store_result<std::vector<store::blob_row>> load_blobs(shard_id, std::string_view) override { return no(); }
    store::store_result<std::vector<store::due_run>> runnable_runs(std::span<const shard_id>, std::string_view, std::size_t) override { return no(); }
    store::store_result<std::vector<store::due_run>> due_runs(std::span<const shard_id>, time_point, std::size_t) override { return no(); }
    store::store_result<std::optional<time_point>> next_due(std::span<const shard_id>) override { return no(); }
    store::store_result<std::vector<store::heartbeat_row>> load_heartbeats(shard_id, std::string_view) override { return no(); }
    store::store_result<bool> post(const store::inbox_post&) override { return no(); }
    store::store_result<std::vector<store::inbox_entry>> fetch_inbox(std::span<const shard_id>, std::int64_t, std::size_t) override { return no(); }
    store::store_result<std::vector<store::woken_run>> publish(std::span<const store::published_event>) override { return no(); }
    store::store_result<std::vector<std::string>> list_subscriptions(shard_id, std::string_view) override { return no(); }
    store::store_result<std::vector<store::outbox_entry>> undelivered(std::span<const shard_id>, std::int64_t, std::size_t) override { return no(); }
    store::store_result<void> mark_delivered(std::span<const std::int64_t>) override { return no(); }
    store::store_result<std::vector<store::outbox_entry>> list_events(std::string_view) override { return no(); }
    store::store_result<std::optional<store::agent_row>> load_agent(std::string_view, std::string_view) override { return no(); }
    store::store_result<std::vector<store::agent_row>> list_agents(std::string_view, std::size_t) override { return no(); }
    store::store_result<store::approval_row> load_approval(std::string_view) override { return no(); }
    store::store_result<std::vector<store::approval_row>> list_approvals(std::optional<store::approval_status>, std::string_view,
                                                                         std::size_t) override {
        return no();
    }
    store::store_result<std::vector<store::approval_row>> find_approvals(std::string_view, std::size_t) override { return no(); }
    store::store_result<std::vector<store::lease>> acquire_leases(std::string_view, std::span<const shard_id>, std::size_t, milliseconds) override {
        return no();
    }
    store::store_result<std::vector<store::lease>> renew_leases(std::string_view, milliseconds) override { return no(); }
    store::store_result<void> release_leases(std::string_view) override { return no(); }
    store::store_result<void> release_shards(std::string_view, std::span<const shard_id>) override { return no(); }
    store::store_result<std::vector<store::lease_row>> list_leases() override { return no(); }
    store::store_result<std::size_t> serve(std::string_view, milliseconds) override { return no(); }
    store::store_result<void> stop_serving(std::string_view) override { return no(); }

private:
    static store::store_error no() { return {store::store_errc::failed, "not part of this test"}; }
};

}  // namespace pawl::test_support
