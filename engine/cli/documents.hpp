// Reading what the user names on the command line: inputs and flows.
#pragma once

#include "agent/manifest.hpp"
#include "base/function.hpp"
#include "flow/compile.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

class workflow_finder;

/// `--input`: JSON text, `@file`, or `-` for standard input; `{}` when empty.
result<json::value> read_input(const std::string& argument);

struct loaded_flow {
    std::string path;    ///< absolute
    std::string shown;   ///< as messages name it
    std::string source;
    flow::compile_result compiled;
};

/// Compiles a flow file with the functions at hand. Error: the file cannot be read. What is wrong inside stands in the diagnostics.
/// `portable` also flags what only Pawl understands; `finder` knows what `run: workflow` may name,
/// and reads URLs that the flow refers to; without it such a flow is refused.
result<loaded_flow> load_flow(const std::string& path, const std::vector<function_description>& functions, const json::value* agent_state_schema,
                              bool portable = false, workflow_finder* finder = nullptr);

/// The same, but a flow with errors is an error, rendered; warnings are printed.
result<std::shared_ptr<const flow::workflow>> load_flow_to_run(const std::string& path, const std::vector<function_description>& functions,
                                                               const json::value* agent_state_schema, workflow_finder* finder = nullptr);

}  // namespace pawl::cli
