// The simulated tools, what the outside saw of them, and a world with them in it.
#pragma once

#include "trial/world.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::sim {

/// What the outside saw: survives crashes.
struct ledger {
    std::map<std::string, int> executions;            ///< per idempotency key, how often the tool's code ran
    std::map<std::string, int> effects;               ///< per idempotency key, how often it had an effect (deduplicated by key)
    std::map<std::string, json::value> arguments;     ///< per key
    std::vector<std::string> digest_violations;       ///< keys seen with different arguments
    std::map<std::string, std::map<std::int64_t, int>> items;  ///< per key of a long call, how often each item was done
};

/// What simulated tools need of the process they work in.
struct workbench {
    /// The tool's own work, some time from now; `outside`: it does not need the engine for it, which may stand still meanwhile.
    std::function<void(std::function<void()>, bool outside)> later;
    std::function<std::uint64_t(std::uint64_t below)> random;
};

std::shared_ptr<const runtime::effect_registry> simulated_tools(workbench bench, ledger& outside);

/// The functions that simulated flows call: sim.pure, sim.pay (idempotent), sim.once (at-most-once), sim.flaky (idempotent; its first two attempts fail),
/// sim.remember (transactional, changes the agent), sim.ask (parks until a human decides), sim.long (idempotent; does `items` items, one after the other, and tells after each how far it is).
std::vector<function_description> simulated_functions();

/// A run of `workflow` among the simulated tools; a human approves whatever is asked.
class simulation {
public:
    simulation(trial::world_options options, std::shared_ptr<const flow::workflow> workflow);

    void create_run(const std::string& id, const json::value& input, const std::string& agent = {}, const std::string& key = {}) {
        world_->create_run(id, *workflow_, input, agent, key);
    }
    bool run_to_end() { return world_->run_to_end(); }
    const trial::world& world() const { return *world_; }
    trial::world& world() { return *world_; }
    const ledger& outside() const { return ledger_; }
    std::vector<std::string> call_outcomes(const std::string& run) const;

private:
    ledger ledger_;
    std::shared_ptr<const flow::workflow> workflow_;
    std::unique_ptr<trial::world> world_;
};

}  // namespace pawl::sim
