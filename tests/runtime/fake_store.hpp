// A store whose commits are scripted: for the journal's and reader's own tests. Thread-safe. Everything it is not asked for fails.
#pragma once

#include "store/connection.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

namespace pawl::testing {

struct fake_state {
    std::mutex mutex;
    std::vector<std::vector<store::checkpoint>> batches;  ///< as given to commit(), every try
    /// What the n-th commit (from 0) answers; absent: all committed.
    std::function<store::store_result<std::vector<store::checkpoint_outcome>>(std::size_t n, std::span<const store::checkpoint>)> on_commit;
    std::function<store::store_result<store::run_row>(std::string_view)> on_load;
    std::function<store::store_result<std::vector<store::run_row>>(std::vector<std::string>)> on_load_many;
    std::function<store::store_result<store::definition_row>(std::string_view)> on_definition;
    std::vector<std::vector<store::heartbeat_row>> beats;  ///< as given to beat(), every try
    std::function<store::store_result<void>(std::size_t n)> on_beat;  ///< what the n-th beat() (from 0) answers
    std::atomic<int> connects = 0;
    std::atomic<int> refuse_connects = 0;
};

class fake_connection final : public store::connection {
public:
    explicit fake_connection(fake_state& s) : s_(s) {}

    store::store_result<std::vector<store::checkpoint_outcome>> commit(std::span<const store::checkpoint> batch) override {
        std::size_t n = 0;
        {
            const std::lock_guard lock(s_.mutex);
            n = s_.batches.size();
            s_.batches.emplace_back(batch.begin(), batch.end());
        }
        if (s_.on_commit) return s_.on_commit(n, batch);
        return std::vector<store::checkpoint_outcome>(batch.size(), store::checkpoint_outcome::committed);
    }
    store::store_result<store::run_row> load_run(std::string_view id) override { return s_.on_load ? s_.on_load(id) : no(); }
    store::store_result<std::vector<store::run_row>> load_runs(std::span<const std::string> ids) override {
        return s_.on_load_many ? s_.on_load_many(std::vector<std::string>(ids.begin(), ids.end())) : no();
    }

    store::store_result<time_point> now() override { return no(); }
    store::store_result<void> put_definition(const store::definition_row&) override { return no(); }
    store::store_result<store::definition_row> get_definition(std::string_view digest) override { return s_.on_definition ? s_.on_definition(digest) : no(); }
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
    store::store_result<void> beat(std::span<const store::heartbeat_row> rows) override {
        const std::lock_guard lock(s_.mutex);
        s_.beats.emplace_back(rows.begin(), rows.end());
        return s_.on_beat ? s_.on_beat(s_.beats.size() - 1) : store::store_result<void>();
    }
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
    store::store_result<std::vector<store::approval_row>> list_approvals(std::optional<store::approval_status>, std::string_view, std::size_t) override {
        return no();
    }
    store::store_result<std::vector<store::approval_row>> find_approvals(std::string_view, std::size_t) override { return no(); }
    store::store_result<std::vector<store::lease>> acquire_leases(std::string_view, std::span<const shard_id>, std::size_t, milliseconds) override { return no(); }
    store::store_result<std::vector<store::lease>> renew_leases(std::string_view, milliseconds) override { return no(); }
    store::store_result<void> release_leases(std::string_view) override { return no(); }
    store::store_result<void> release_shards(std::string_view, std::span<const shard_id>) override { return no(); }
    store::store_result<std::vector<store::lease_row>> list_leases() override { return no(); }
    store::store_result<std::size_t> serve(std::string_view, milliseconds) override { return no(); }
    store::store_result<void> stop_serving(std::string_view) override { return no(); }

private:
    static store::store_error no() { return {store::store_errc::failed, "not part of this test"}; }
    fake_state& s_;
};

class fake_database final : public store::database {
public:
    explicit fake_database(fake_state& s) : s_(s) {}
    store::store_result<std::unique_ptr<store::connection>> connect() override {
        ++s_.connects;
        if (s_.refuse_connects > 0) {
            --s_.refuse_connects;
            return store::store_error{store::store_errc::lost, "nobody listens"};
        }
        return std::make_unique<fake_connection>(s_);
    }
    store::store_result<std::unique_ptr<store::doorbell>> listen() override { return store::store_error{store::store_errc::failed, "no bell"}; }
    std::uint32_t shard_count() const override { return 1; }
    std::string_view kind() const override { return "fake"; }

private:
    fake_state& s_;
};

}  // namespace pawl::testing
