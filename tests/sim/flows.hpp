// Flows that simulations run, on the simulated tools (effects.hpp).
#pragma once

#include "flow/workflow.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace pawl::sim {

/// Loops, timers, a fork, retries, a human, an event and the agent's state: six calls with effects.
extern const std::string_view everything;

/// Pays each bill of one shop, a second apart, until it has been told both `stop` and `enough`.
extern const std::string_view listening;

/// Must compile without an error. `others` are those that `run: workflow` may name.
std::shared_ptr<const flow::workflow> compiled(std::string_view yaml, const std::vector<std::shared_ptr<const flow::workflow>>& others = {});

}  // namespace pawl::sim
