// The plugins that a manifest lists, found, checked and offered as an effect. Start-up only; blocks on files.
#pragma once

#include "agent/manifest.hpp"
#include "cli/secrets.hpp"
#include "observe/logger.hpp"
#include "runtime/effect.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

/// Where a plugin named without a path is looked for: PAWL_PLUGIN_PATH (separated by colons), the project's `plugins/`, then beside the program:
/// `../plugins` (a build tree) and `../lib/pawl/plugins` (an installation).
std::vector<std::string> plugin_folders(const std::string& project_folder);

/// Error: the first plugin that cannot be used, and why. With `missing`, those that cannot be used are noted there instead, and the others are
/// opened.
result<std::shared_ptr<runtime::effect>> open_plugins(const agent::manifest& project, boost::asio::io_context& network,
                                                      std::shared_ptr<const secret_source> secrets, std::shared_ptr<const observe::logger> log,
                                                      std::vector<problem>* missing = nullptr);

}  // namespace pawl::cli
