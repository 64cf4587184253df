// What commands on stored things share: finding the store, ids by prefix, and the project a stored run belongs to. Main thread only.
#pragma once

#include "cli/commands.hpp"
#include "cli/follow.hpp"
#include "cli/session.hpp"

#include <memory>
#include <string>

namespace pawl::cli {

/// The store that options, environment, manifest and current folder lead to; it must exist.
/// `limits`: those of the project are put there.
result<std::unique_ptr<session>> open_existing_store(const place_options& place, std::shared_ptr<const runtime::limit_settings>* limits = nullptr);

/// A run by id or unique beginning of one. Error: none or several, which are listed.
result<store::run_row> find_run(store::connection& connection, const std::string& id);
result<store::approval_row> find_approval(store::connection& connection, const std::string& id);

/// Starts an engine in `in` with the tools of the project the run was started for (or of --project).
result<void> start_engine_for(session& in, const store::run_row& run, const place_options& place);

struct agent_name {
    std::string agent;
    std::string key;
};
/// "NAME/KEY". Error: what is missing.
result<agent_name> parse_agent_name(const std::string& text);

/// --by, else the name of the operating system's user.
std::string who_decides(const std::string& by);

}  // namespace pawl::cli
