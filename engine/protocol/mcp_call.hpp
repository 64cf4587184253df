// The arguments of `call: mcp` (DSL reference, "MCP Call"): which server, how it is reached, and what it is asked. Pure; any thread.
#pragma once

#include "net/http.hpp"
#include "process/piped_process.hpp"
#include "protocol/authentication.hpp"
#include "runtime/effect.hpp"

namespace pawl::protocol {

struct mcp_call {
    std::string method;  ///< "tools/call"
    json::object parameters;
    std::string protocol_version = "2025-06-18";
    std::string client_name = "pawl", client_version;
    std::optional<milliseconds> timeout;
    std::string shown;                        ///< "the MCP server https://host/path": for messages
    std::optional<process::command> command;  ///< stdio: without `input`
    std::string url;                          ///< HTTP
    std::vector<net::http_header> headers;
    std::optional<authentication> policy;
};

/// `folder`: where servers run; `version`: what the client says it is, unless the author says it.
/// Error: `validation` or `configuration` problem that quotes no argument, header or parameter.
result<mcp_call> read_mcp_call(const runtime::call_request& request, const std::string& folder, const std::string& version);

}  // namespace pawl::protocol
