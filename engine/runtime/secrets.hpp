// Secrets in call arguments: expressions see placeholders, dispatch puts the secrets in. Checkpoints, digests and logs hold placeholders only.
// Pure functions; any thread.
#pragma once

#include "base/json.hpp"
#include "flow/workflow.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::runtime {

/// What `$secrets.<name>` yields in a run: text that data from outside cannot guess, since it depends on the run's id.
std::string secret_placeholder(std::string_view run, std::string_view name);

/// Replaces placeholders of the workflow's declared secrets in all strings of `arguments`, but only for a task whose definition, or whose input, is
/// made with `$secrets`: a placeholder that came in as data anywhere else stays what it is. Error: `authorization` problem naming a secret that the
/// environment does not have.
result<void> put_secrets(json::value& arguments, std::string_view run, const flow::workflow& workflow, const flow::task& task,
                         const std::function<std::optional<std::string>(std::string_view)>& resolve);

/// Replaces the values of the workflow's secrets in what a call failed with: a server or a program may repeat what it was given. Values of less than
/// four bytes stay, since they would be found everywhere.
void hide_secrets(problem& error, const flow::workflow& workflow, const std::function<std::optional<std::string>(std::string_view)>& resolve);

}  // namespace pawl::runtime
