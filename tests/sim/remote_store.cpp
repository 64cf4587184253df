#include "sim/remote_store.hpp"

#include "support/deaf_connection.hpp"

#include <type_traits>

namespace pawl::sim {
namespace {

class remote_connection final : public test_support::deaf_connection {
public:
    remote_connection(wire& line, remote_store store) : line_(line), store_(store) {}

    store::store_result<time_point> now() override {
        return ask([&] { return store_.rows.now(); });
    }
    store::store_result<store::definition_row> get_definition(std::string_view digest) override {
        return ask([&] { return store_.definitions.at(std::string(digest)); });
    }
    store::store_result<store::run_row> load_run(std::string_view id) override {
        return ask([&]() -> store::store_result<store::run_row> {
            const auto* row = store_.rows.run(id);
            if (row == nullptr) return store::store_error{store::store_errc::not_found, "no such run"};
            return whole(*row);
        });
    }
    store::store_result<std::vector<store::run_row>> load_runs(std::span<const std::string> ids) override {
        return ask([&] {
            std::vector<store::run_row> found;
            for (const auto& id : ids) {
                if (const auto* row = store_.rows.run(id)) found.push_back(whole(*row));
            }
            return found;
        });
    }
    store::store_result<std::vector<store::blob_row>> load_blobs(shard_id, std::string_view run) override {
        return ask([&] { return store_.rows.blobs_of(std::string(run)); });
    }
    store::store_result<std::vector<store::heartbeat_row>> load_heartbeats(shard_id, std::string_view run) override {
        return ask([&] { return store_.rows.heartbeats_of(std::string(run)); });
    }
    store::store_result<std::optional<store::agent_row>> load_agent(std::string_view agent, std::string_view key) override {
        return ask([&] { return store_.rows.agent(agent, key); });
    }
    store::store_result<std::vector<store::due_run>> runnable_runs(std::span<const shard_id> shards, std::string_view after, std::size_t limit) override {
        return ask([&] { return store_.rows.runnable(shards, after, limit); });
    }
    store::store_result<std::vector<store::due_run>> due_runs(std::span<const shard_id> shards, time_point until, std::size_t limit) override {
        return ask([&] { return store_.rows.due(shards, until, limit); });
    }
    store::store_result<std::vector<store::inbox_entry>> fetch_inbox(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) override {
        return ask([&] { return store_.rows.inbox(shards, after_seq, limit); });
    }
    store::store_result<std::vector<store::checkpoint_outcome>> commit(std::span<const store::checkpoint> batch) override {
        return ask([&] {
            std::vector<store::checkpoint_outcome> outcomes;
            for (const auto& c : batch) {
                outcomes.push_back(store_.rows.write(c));
                line_.judged(c, outcomes.back());
            }
            line_.rang();
            return outcomes;
        }, true);
    }
    store::store_result<void> beat(std::span<const store::heartbeat_row> rows) override {
        return ask([&] {
            for (const auto& row : rows) store_.rows.beat(row);
        }, true);
    }
    store::store_result<std::vector<store::lease>> acquire_leases(std::string_view owner, std::span<const shard_id> wanted, std::size_t most, milliseconds ttl) override {
        // As SOCI's: a renewal first, then what is free.
        auto held = renew_leases(owner, ttl);
        if (!held || most == 0) return held;
        return ask([&] { return store_.rows.acquire(owner, wanted, most, ttl); });
    }
    store::store_result<std::vector<store::lease>> renew_leases(std::string_view owner, milliseconds ttl) override {
        return ask([&] { return store_.rows.renew(owner, ttl); });
    }
    store::store_result<void> release_shards(std::string_view owner, std::span<const shard_id> shards) override {
        return ask([&] { store_.rows.release(owner, shards); });
    }
    store::store_result<std::size_t> serve(std::string_view owner, milliseconds ttl) override {
        return ask([&] { return store_.rows.serve(owner, ttl); });
    }

private:
    template <class T>
    struct answer_of {
        using type = store::store_result<T>;
    };
    template <class T>
    struct answer_of<store::store_result<T>> {
        using type = store::store_result<T>;
    };

    template <class F>
    auto ask(F&& question, bool writes = false) -> typename answer_of<std::invoke_result_t<F&>>::type {
        if (auto lost = line_.to_store(writes)) return *lost;
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            question();
            if (auto lost = line_.to_process()) return *lost;
            return {};
        } else {
            auto answer = question();
            if (auto lost = line_.to_process()) return *lost;
            return answer;
        }
    }
    store::run_row whole(store::run_row row) const {
        row.has_heartbeats = !store_.rows.heartbeats_of(row.id).empty();
        return row;
    }

    wire& line_;
    remote_store store_;
};

class remote_database final : public store::database {
public:
    remote_database(wire& line, remote_store store) : line_(line), store_(store) {}
    store::store_result<std::unique_ptr<store::connection>> connect() override {
        if (auto refused = line_.connect()) return *refused;
        return std::make_unique<remote_connection>(line_, store_);
    }
    store::store_result<std::unique_ptr<store::doorbell>> listen() override { return store::store_error{store::store_errc::failed, "rings are simulated"}; }
    std::uint32_t shard_count() const override { return static_cast<std::uint32_t>(store_.rows.leases().size()); }
    std::string_view kind() const override { return "simulated"; }

private:
    wire& line_;
    remote_store store_;
};

}  // namespace

std::shared_ptr<store::database> database_over(wire& line, remote_store store) { return std::make_shared<remote_database>(line, store); }

}  // namespace pawl::sim
