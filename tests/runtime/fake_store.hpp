// A store whose commits are scripted: for the journal's and reader's own tests. Thread-safe. Everything it is not asked for fails.
#pragma once

#include "support/deaf_connection.hpp"

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

class fake_connection final : public test_support::deaf_connection {
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
    store::store_result<store::run_row> load_run(std::string_view id) override { return s_.on_load ? s_.on_load(id) : deaf_connection::load_run(id); }
    store::store_result<std::vector<store::run_row>> load_runs(std::span<const std::string> ids) override {
        return s_.on_load_many ? s_.on_load_many(std::vector<std::string>(ids.begin(), ids.end())) : deaf_connection::load_runs(ids);
    }

    store::store_result<store::definition_row> get_definition(std::string_view digest) override { return s_.on_definition ? s_.on_definition(digest) : deaf_connection::get_definition(digest); }
    store::store_result<void> beat(std::span<const store::heartbeat_row> rows) override {
        const std::lock_guard lock(s_.mutex);
        s_.beats.emplace_back(rows.begin(), rows.end());
        return s_.on_beat ? s_.on_beat(s_.beats.size() - 1) : store::store_result<void>();
    }

private:
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
