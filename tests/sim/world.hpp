// A simulated world for the real core: a store in memory, a virtual clock, tools with a ledger, a human, and a seeded scheduler that chooses
// what happens next and when the process dies. The same seed gives the same history.
#pragma once

#include "runtime/core.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace pawl::sim {

struct options {
    std::uint64_t seed = 1;
    double crash_probability = 0.05;   ///< per scheduler step
    std::size_t most_crashes = 10;
    bool duplicates = false;           ///< deliver messages twice
    std::size_t most_steps = 200'000;
};

/// What the outside saw: survives crashes.
struct ledger {
    std::map<std::string, int> executions;            ///< per idempotency key, how often the tool's code ran
    std::map<std::string, int> effects;               ///< per idempotency key, how often it had an effect (deduplicated by key)
    std::map<std::string, json::value> arguments;     ///< per key
    std::vector<std::string> digest_violations;       ///< keys seen with different arguments
};

class world final : public runtime::core_ports {
public:
    world(options o, std::shared_ptr<const flow::workflow> workflow);
    ~world() override;

    /// Stores a run and its start message.
    void create_run(const std::string& id, const json::value& input, const std::string& agent = {}, const std::string& key = {});
    /// Runs until every run is final, or the step limit. False when something is stuck.
    bool run_to_end();

    const store::run_row& row(const std::string& id) const { return runs_.at(id); }
    const std::map<std::string, store::agent_row>& agents() const { return agents_; }
    const std::vector<store::outbox_row>& events() const { return events_; }
    std::vector<std::string> call_outcomes(const std::string& run) const;
    const ledger& outside() const { return ledger_; }
    std::size_t crashes() const { return crashes_; }
    std::size_t commits() const { return commits_; }
    std::size_t blobs_of(const std::string& run) const;

    // core_ports
    time_point now() override { return clock_; }
    void commit(store::checkpoint checkpoint) override;
    void load(std::string run) override;
    void load_agent(std::string agent, std::string key, std::function<void(std::optional<store::agent_row>)> done) override;
    void fetch_inbox() override;
    void wake_at(time_point t) override { alarm_ = t; }
    std::function<void(std::function<void()>)> poster() override;

    // For the simulated effects.
    struct effects_of_world;
    void later(std::function<void()> action) { actions_.push_back(std::move(action)); }
    std::uint64_t random(std::uint64_t below) { return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_); }
    ledger& ledger_for_effects() { return ledger_; }
    void post_message(store::inbox_post message);
    std::uint64_t process() const { return process_; }

private:
    void boot();
    void crash();
    bool step();
    void write(const store::checkpoint& c);
    bool all_final() const;

    options options_;
    std::mt19937_64 random_;
    std::shared_ptr<const flow::workflow> workflow_;
    time_point clock_{milliseconds(1'800'000'000'000)};

    // What survives a crash.
    std::map<std::string, store::run_row> runs_;
    std::map<std::string, std::map<std::string, std::string>> blobs_;
    std::map<std::string, std::vector<store::step_row>> steps_;
    std::map<std::int64_t, store::inbox_entry> inbox_;
    std::set<std::string> posted_;
    std::map<std::string, store::agent_row> agents_;
    std::map<std::string, store::approval_row> approvals_;
    std::vector<store::outbox_row> events_;
    std::int64_t next_seq_ = 1;
    std::int64_t epoch_ = 0;
    ledger ledger_;
    std::vector<store::inbox_post> human_;  ///< decisions still to be sent: the human does not crash

    // What dies with the process.
    std::unique_ptr<runtime::engine_options> engine_options_;
    std::unique_ptr<runtime::core> core_;
    std::deque<store::checkpoint> journal_;
    std::deque<std::pair<store::checkpoint, store::checkpoint_outcome>> reports_;
    std::deque<std::function<void()>> posts_;     ///< to the core, from any thread
    std::vector<std::function<void()>> actions_;  ///< of tools and readers: in any order
    std::optional<time_point> alarm_;
    bool fetching_ = false;
    bool polled_ = false;  ///< since the clock last moved

    std::uint64_t process_ = 0;
    std::size_t crashes_ = 0;
    std::size_t commits_ = 0;
    friend struct effects_of_world;
};

/// The functions that simulated flows call: sim.pure, sim.pay (idempotent), sim.once (at-most-once), sim.flaky (idempotent; its first two attempts fail),
/// sim.remember (transactional, changes the agent), sim.ask (parks until a human decides).
std::vector<function_description> simulated_functions();

}  // namespace pawl::sim
