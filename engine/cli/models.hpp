// The models that a manifest binds, as an effect: ai.chat, ai.embed, ai.run. Start-up only; reads cassettes.
#pragma once

#include "agent/manifest.hpp"
#include "cli/network.hpp"
#include "cli/secrets.hpp"
#include "runtime/effect.hpp"

#include <memory>

namespace pawl::cli {

/// Error: a model that cannot be used, and why.
result<std::shared_ptr<runtime::effect>> open_models(const agent::manifest& project, network& through, std::shared_ptr<const secret_source> secrets);

}  // namespace pawl::cli
