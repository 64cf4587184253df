// The durable state of agent instances: what a new one begins with, how an old one is brought to the present version, what a change must follow.
// Immutable after construction; any thread.
#pragma once

#include "agent/manifest.hpp"
#include "store/records.hpp"

#include <memory>

namespace pawl::agent {

/// A state larger than this is refused: a row that outgrows the database would brick its instance.
inline constexpr std::size_t max_state_bytes = 1024 * 1024;

class agent_states {
public:
    explicit agent_states(std::map<std::string, agent_settings, std::less<>> agents) : agents_(std::move(agents)) {}

    const agent_settings* find(std::string_view agent) const;

    /// For engine_options::agent_loaded. A new instance (revision 0) gets its initial state; an older state goes through its migrations.
    /// Errors: `configuration` for an agent the manifest does not name, a state newer than it knows, a missing migration;
    /// `validation` for a state that no longer follows its schema.
    result<void> load(store::agent_row& row) const;

    /// Replaces the state in `row`, validated. Error: `validation` problem that names the JSON Pointer; the row is then unchanged.
    result<void> change(store::agent_row& row, json::value state) const;

private:
    result<void> check(const agent_settings& settings, const store::agent_row& row, const json::value& state, std::string_view remedy) const;

    std::map<std::string, agent_settings, std::less<>> agents_;
};

}  // namespace pawl::agent
