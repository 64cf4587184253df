// The composition root's shelf: what a project's manifest names, made real. Tools, models, HTTP and agents as effects under their names.
// Built on the main thread at start-up; read-only afterwards.
#pragma once

#include "agent/manifest.hpp"
#include "agent/state.hpp"
#include "cli/network.hpp"
#include "cli/secrets.hpp"
#include "observe/logger.hpp"
#include "protocol/authenticated_client.hpp"
#include "runtime/effect.hpp"
#include "runtime/engine.hpp"

#include <functional>
#include <memory>

namespace pawl::cli {

struct toolbox {
    std::shared_ptr<cli::network> network;  ///< outlives the effects that use it
    std::shared_ptr<protocol::authenticated_client> web;  ///< the network's client with authentication, and the tokens that it keeps
    std::shared_ptr<const runtime::effect_registry> effects;
    std::shared_ptr<const agent::agent_states> states;
    std::shared_ptr<const secret_source> secrets;
    std::shared_ptr<const observe::logger> log;
};

/// Error: a plugin, cassette or setting that cannot be used, and why.
/// `dressed`, when given, makes of each effect outside agents and logs the one that is used.
using effect_dresser = std::function<std::shared_ptr<runtime::effect>(std::shared_ptr<runtime::effect>)>;
/// `missing`, when given, is told of plugins that cannot be used, and the toolbox is opened without them: for checks only.
result<toolbox> open_toolbox(const agent::manifest& project, const effect_dresser& dressed = {}, std::vector<problem>* missing = nullptr);

/// A run's event as a line of the log: ids, names, outcomes.
void log_run_event(const observe::logger& log, const runtime::run_event& event);

}  // namespace pawl::cli
