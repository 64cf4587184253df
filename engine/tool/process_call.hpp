// The arguments of `run: shell` and `run: script` as a command, and what became of it as the task's output. Pure but for looking up programs; any thread.
#pragma once

#include "process/piped_process.hpp"
#include "runtime/effect.hpp"

namespace pawl::tool {

struct process_call {
    process::command command;
    std::string shown;  ///< "The shell command": messages quote nothing of it
    enum class form { stdout_text, stderr_text, code, all, none } returns = form::stdout_text;
    bool awaits = true;
};

/// A command gets the engine's short environment, PAWL_RUN, PAWL_IDEMPOTENCY_KEY, and what the task declares. `folder` is where it runs.
/// Error: `validation` or `configuration` problem that quotes no content.
result<process_call> read_process_call(const runtime::call_request& request, const std::string& folder);

/// The output. Error: `runtime` problem with `exitCode` and the end of `stderr` for a code other than 0, unless the author asked for the code.
result<json::value> read_process_result(const process_call& call, const process::ending& end, std::string_view out, std::string_view err);

}  // namespace pawl::tool
