// The project a command works for: the folder with `pawl.yaml`, or a default project where there is none. Reads files: main thread, at start-up.
#pragma once

#include "agent/manifest.hpp"

#include <optional>
#include <string>

namespace pawl::cli {

struct project_choice {
    std::string folder;       ///< --project; empty: look for the nearest pawl.yaml from `near` upwards
    std::string near;         ///< a flow file or a folder; empty: the current folder
    std::string environment;  ///< --env; empty: PAWL_ENV, else "default"
};

/// The manifest, with warnings printed. Without a pawl.yaml: defaults, the store under the current folder.
/// Error: everything that is wrong with it, rendered.
result<agent::manifest> open_project(const project_choice& choice);

/// The nearest folder with a pawl.yaml from `start` (a file or folder) upwards.
std::optional<std::string> find_project(const std::string& start);

/// --store, else PAWL_STORE, else the project's. Error: a password on the command line.
result<std::string> choose_store(const std::string& from_command_line, const agent::manifest& manifest);

std::optional<std::string> environment_variable(std::string_view name);

}  // namespace pawl::cli
