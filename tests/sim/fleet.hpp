// Many engines on one store, simulated: the real core, core_host, run_loader and group_commit of each, on fibers instead of threads; a store in memory at the other end of a wire; and a
// scheduler that chooses, by a seed, what happens next: every question to the store may be overtaken by any other, be lost on either way, or find the store away; processes are killed,
// stopped past their leases and started anew; their clocks run fast or slow and the database's is set; notifications come late, twice or never. The same seed gives the same history.
#pragma once

#include "sim/effects.hpp"
#include "trial/memory_store.hpp"

#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace pawl::sim {

struct fleet_options {
    std::uint64_t seed = 1;
    std::size_t engines = 3;
    std::uint32_t shards = 4;
    milliseconds lease_ttl{10'000};
    /// In all. Kills, stops, cut connections, restarts of the database, clocks that are set.
    std::size_t most_faults = 12;
    double fault_probability = 0.004;   ///< of each thing that happens
    double loss_probability = 0.01;     ///< of each way of each question, as long as there are faults
    std::size_t most_steps = 400'000;   ///< a fleet that needs more is stuck
    bool tells = false;                 ///< its history on standard error
};

struct fleet_counts {
    std::size_t kills = 0, stops = 0, cuts = 0, restarts = 0, clock_steps = 0, full_disks = 0;
    std::size_t losses = 0;       ///< questions or answers that got lost
    std::size_t refusals = 0;     ///< checkpoints and heartbeats that the store refused for no reason that passes
    std::size_t take_overs = 0;   ///< of a shard that another engine had held
    std::size_t fenced = 0;       ///< checkpoints under a lease that was not theirs any more
    std::size_t commits = 0;
    std::size_t steps = 0;
};

class simulated_engine;

class fleet {
public:
    fleet(fleet_options options, std::vector<std::shared_ptr<const flow::workflow>> workflows);
    fleet(const fleet&) = delete;
    fleet& operator=(const fleet&) = delete;
    ~fleet();

    /// A run of the first workflow with this name, in this shard.
    void create_run(const std::string& id, std::string_view workflow, shard_id shard, const json::value& input, const std::string& agent = {}, const std::string& key = {});
    /// Outside of all engines, `after` from now; also when they die.
    void later(milliseconds after, std::function<void()> work) { outside_actions_.emplace(time_ + after, std::move(work)); }
    /// As a client does that hears of no answer: again, after a while.
    void publish(const store::published_event& event);
    /// The same for a message to a run: an operator's order, for one.
    void post(const store::inbox_post& message);

    /// Until every run is final and nobody outside has anything left to do. False when it is stuck.
    bool run_to_end();

    const trial::memory_store& rows() const { return rows_; }
    const ledger& outside() const { return ledger_; }
    const fleet_counts& counts() const { return counts_; }
    /// What happened, in short; the same for the same seed.
    std::uint64_t fingerprint() const { return fingerprint_; }
    const std::vector<std::string>& said() const { return said_; }
    /// For whoever looks for the reason why it is stuck.
    std::string where_it_stands() const;

private:
    friend class simulated_engine;

    std::uint64_t random(std::uint64_t below) { return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_); }
    bool chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }
    bool may_fail() const { return faults_ < options_.most_faults; }
    void define(const flow::workflow& w);
    void start_engine(std::size_t number);
    void fail_somehow();
    void ring();
    void relay();
    bool step();
    bool let_time_pass(bool idle);
    bool is_over() const;
    template <class Words>
    void tell(Words&& words) const {
        if (options_.tells) std::cerr << to_rfc3339(time_) << " " << words() << "\n";
    }
    void note(std::uint64_t what) { fingerprint_ = (fingerprint_ ^ what) * 1'099'511'628'211u; }

    fleet_options options_;
    std::mt19937_64 random_;
    time_point time_{milliseconds(1'800'000'000'000)};   ///< what really passes
    milliseconds database_ahead_{0};                     ///< of time_, as the database's clock shows it
    time_point database_away_until_{}, disk_full_until_{};
    trial::memory_store rows_;
    std::map<std::string, store::definition_row> definitions_;
    std::vector<std::shared_ptr<const flow::workflow>> workflows_;
    ledger ledger_;
    std::multimap<time_point, std::function<void()>> outside_actions_;
    std::vector<std::unique_ptr<simulated_engine>> engines_;  ///< null: not started again yet
    std::vector<std::size_t> incarnations_;
    std::size_t relayed_ = 0;
    std::size_t faults_ = 0;
    fleet_counts counts_;
    std::uint64_t fingerprint_ = 14'695'981'039'346'656'037u;
    std::vector<std::string> said_;
};

}  // namespace pawl::sim
