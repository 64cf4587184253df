// One process of a simulated fleet: what engine.cpp does with threads, done by fibers and queues that the fleet's scheduler drives.
#pragma once

#include "runtime/core_host.hpp"
#include "runtime/group_commit.hpp"
#include "sim/fiber.hpp"
#include "sim/fleet.hpp"
#include "sim/remote_store.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pawl::sim {

class simulated_engine final : public runtime::host_threads, public wire {
public:
    simulated_engine(fleet& among, std::string owner);
    ~simulated_engine() override;  ///< kill -9

    /// What can happen in it now, in a fixed order.
    void collect(std::vector<std::function<void()>>& possible);
    /// When something can, that cannot now.
    std::optional<time_point> next_time() const;

    void stop_until(time_point t) { stopped_until_ = t; }
    /// Every connection is lost, with what travels on it.
    void cut();
    void ring(time_point at);

    const std::string& owner() const { return options_.owner; }
    /// For whoever looks for the reason why a fleet is stuck.
    std::string where_it_stands();

    // host_threads
    void on_core(std::function<void()> work) override { core_.push_back(std::move(work)); }
    std::function<void(std::function<void()>)> poster() override;
    void ask(runtime::reader::job job) override { jobs_.push_back(std::move(job)); }
    void write(store::checkpoint checkpoint) override { waiting_.push_back(std::move(checkpoint)); }
    void beat(store::heartbeat_row row) override;
    void tick_after(milliseconds wait) override { tick_at_ = here(wait); }
    time_point local(time_point of_database, time_point) override { return of_database; }

    // wire
    std::optional<store::store_error> to_store(bool writes) override;
    std::optional<store::store_error> to_process() override;
    std::optional<store::store_error> connect() override;
    void rang() override { among_.ring(); }
    void judged(const store::checkpoint& checkpoint, store::checkpoint_outcome outcome) override;

private:
    enum class whereabouts { to_store, to_process };
    /// A thread that blocks on the store.
    struct lane {
        std::unique_ptr<fiber> body;
        whereabouts where = whereabouts::to_store;
        time_point ready_at{};   ///< what travels has arrived
        time_point again_at{};   ///< it does not try again before
        bool is_cut = false;
        std::unique_ptr<store::connection> connection;
        runtime::reader::job job;  ///< a reader's; empty: none
    };

    void start(lane& l, std::function<void()> body);
    void go_on(lane& l);
    void write_some();
    bool has_to_write() const;
    void read(lane& l);
    void balance(lane& l);
    milliseconds ticks() const;
    time_point here(milliseconds wait) const;
    std::optional<store::store_error> travel(whereabouts where);
    store::store_error lost() const { return {store::store_errc::lost, "the connection is gone"}; }

    fleet& among_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    double rate_;              ///< how fast its clock runs
    milliseconds booted_;      ///< what its clock showed at the fleet's beginning
    runtime::engine_options options_;
    bool dying_ = false;
    time_point stopped_until_{};
    std::shared_ptr<store::database> database_;
    std::deque<std::function<void()>> core_;
    std::deque<runtime::reader::job> jobs_;
    runtime::group_commit::batch waiting_;
    std::map<std::pair<std::string, std::string>, store::heartbeat_row> beats_;
    runtime::group_commit commits_;
    std::vector<lane> lanes_;  ///< journal, two readers, the one that balances
    lane* current_ = nullptr;
    std::multimap<time_point, std::function<void()>> tools_outside_, tools_here_;
    std::optional<time_point> tick_at_;
    time_point keep_at_, poll_at_, balance_at_;
    std::multiset<time_point> rings_;
    runtime::outage trouble_;
    std::unique_ptr<runtime::core_host> host_;
};

}  // namespace pawl::sim
