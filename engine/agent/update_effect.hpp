// `agent.update`: changes the state of the run's agent in the very checkpoint that records the step. Exactly once.
// Core thread only, like every effect.
#pragma once

#include "agent/state.hpp"
#include "runtime/effect.hpp"

namespace pawl::agent {

class update_effect final : public runtime::effect {
public:
    explicit update_effect(std::shared_ptr<const agent_states> states) : states_(std::move(states)) {}

    std::vector<function_description> functions() const override;
    /// Arguments: `merge` (JSON Merge Patch) or `replace`. Output: the new state.
    std::optional<runtime::call_outcome> stage(const runtime::call_request& request, runtime::staging& staged) override;
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view) override {}

private:
    std::shared_ptr<const agent_states> states_;
};

}  // namespace pawl::agent
