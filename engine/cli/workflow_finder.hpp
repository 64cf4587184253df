// Finds the workflows that `run: workflow` names: beside the flow, in the project's `workflows/` and `flows/`, then among the deployed ones of the store.
// Reads files and the store when first asked. Main thread only; lives as long as the compilations it serves.
#pragma once

#include "agent/manifest.hpp"
#include "base/function.hpp"
#include "flow/compile.hpp"
#include "store/connection.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

struct named_workflow {
    std::string path;
    std::string ns, name, version;
};

/// "namespace/name[:version]"; nothing when the text has another form.
struct workflow_name {
    std::string ns, name, version;
};
std::optional<workflow_name> parse_workflow_name(const std::string& text);

/// The flow files of a project: `workflows/` and `flows/` with their folders, and what agents start. Absolute paths, each once.
std::vector<std::string> flows_of(const agent::manifest& project);

/// Reads a URL that a flow refers to; `authentication` is the policy as written, or null.
using read_url = std::function<result<std::string>(const std::string& url, const json::value& authentication)>;

class workflow_finder {
public:
    /// `store` opens the store when it exists; null: only files count.
    workflow_finder(const agent::manifest& project, std::vector<function_description> functions, std::function<store::connection*()> store, read_url from_network = {});

    const std::vector<function_description>& functions() const noexcept { return functions_; }
    const read_url& from_network() const noexcept { return from_network_; }
    /// `from` is the flow that asks, by absolute path.
    flow::found_workflow find(const std::string& from, std::string_view ns, std::string_view name, std::string_view version);

private:
    const std::vector<named_workflow>& candidates(const std::string& folder);
    flow::found_workflow compile(const named_workflow& chosen);

    std::vector<std::string> project_flows_;
    std::vector<function_description> functions_;
    std::function<store::connection*()> store_;
    read_url from_network_;
    std::map<std::string, std::vector<named_workflow>> by_folder_;
    std::map<std::string, named_workflow> read_;                  ///< by path; without a name: no workflow
    std::map<std::string, flow::found_workflow> compiled_;        ///< by path
    std::vector<std::string> open_;                               ///< being compiled, outermost first
};

/// The store of `url`, opened when first asked for; null when there is none yet.
std::function<store::connection*()> store_when_asked(std::string url);

}  // namespace pawl::cli
