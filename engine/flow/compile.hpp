// From YAML text to a workflow, or to a list of what is wrong with it: all problems at once, each with file, line, column.
// Pure apart from `read_asset`; any thread.
#pragma once

#include "base/function.hpp"
#include "flow/workflow.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::flow {

/// What compile_options::find_workflow found.
struct found_workflow {
    std::string version, digest;               ///< empty: there is none
    std::shared_ptr<const workflow> compiled;  ///< null when only the digest is known
    std::string why;                           ///< there is one, but it cannot be used: why
    std::vector<std::string> similar;          ///< "namespace/name" and "namespace/name:version" that there are
};

struct compile_options {
    std::string file;                             ///< shown in messages
    std::vector<function_description> functions;  ///< what `call` may name
    /// Reads a file that the definition refers to (prompts, schemas), by the path as written. Error: `configuration` problem.
    std::function<result<std::string>(std::string_view path)> read_asset;
    /// Finds what `run: workflow` names; an empty version asks for the newest.
    std::function<found_workflow(std::string_view ns, std::string_view name, std::string_view version)> find_workflow;
    /// Reads an https or http URL that the definition refers to (schemas, functions of catalogs); `authentication` is the policy as written, or null.
    /// Error: one sentence. Absent: such definitions are refused.
    std::function<result<std::string>(const std::string& url, const json::value& authentication)> read_url;
    bool portable = false;  ///< flag what only Pawl understands
    /// Names under `$agent.state` when the project declares the agent's state schema; null: not checked.
    const json::value* agent_state_schema = nullptr;
};

struct compile_result {
    std::shared_ptr<const workflow> compiled;  ///< null when there are errors
    std::vector<diagnostic> diagnostics;       ///< errors, warnings, notes, in order of place
};

compile_result compile(std::string_view yaml, const compile_options& options);

/// Builds a stored definition again from its bundle, without checking functions or reading files.
result<std::shared_ptr<const workflow>> compile_bundle(std::string_view bundle);

}  // namespace pawl::flow
