// Secrets in a run: expressions see a placeholder for each, calls get the secret at dispatch, and nothing else may hold either
// (dsl.md, "Secret": whoever has no access gets an error `authorization`, status 403). Pure functions.
#pragma once

#include "run/machine.hpp"

namespace pawl::run {

/// What an expression fails with that reads `$secrets` where values are kept.
problem misplaced_secret();

/// An `authorization` problem when `value`, which `what` names ("the output of task `a`"), holds what stands for a declared secret.
std::optional<problem> check_secrets(const json::value& value, const run_state& s, const surroundings& world, std::string_view what);

/// The same for an event, an error or a context that task `t` makes: only tasks that see secrets can have put one in.
std::optional<problem> check_secrets(const json::value& value, const flow::task& t, const run_state& s, const surroundings& world,
                                     std::string_view what);

/// The first declared secret whose placeholder stands in `value`; null when there is none.
const std::string* secret_in(const json::value& value, std::string_view run, const flow::workflow& workflow,
                             std::string (*placeholder)(std::string_view run, std::string_view name));

}  // namespace pawl::run
