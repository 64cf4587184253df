// What a tool author does without an engine: look at a plugin, call a tool once. Main thread only.
#pragma once

#include <string>

namespace pawl::tool {

/// Prints the manifest as JSON. Returns the exit code: 0, or 1 with the reason on stderr.
int show_by_hand(const std::string& plugin);

/// Calls a tool in this process and prints its output as JSON on stdout; its progress and log lines go to stderr. Secrets come from environment variables of their names.
/// Returns the exit code: 0, 1 when plugin, input or configuration are wrong, 2 when the tool fails (the problem on stderr).
int call_by_hand(const std::string& plugin, const std::string& tool, const std::string& input, const std::string& config);

}  // namespace pawl::tool
