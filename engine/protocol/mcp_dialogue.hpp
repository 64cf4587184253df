// What is said between a client and an MCP server in one call, whatever carries it: initialize, initialized, one request. JSON-RPC 2.0 (Model Context Protocol,
// revisions 2024-11-05 to 2025-11-25). We offer the server no capabilities: its pings are answered, other requests refused, notifications ignored.
// Pure; one thread at a time.
#pragma once

#include "protocol/mcp_call.hpp"

namespace pawl::protocol {

class mcp_dialogue {
public:
    explicit mcp_dialogue(const mcp_call& call);

    /// The three messages of ours, in order; the second and third when the server is ready().
    std::string initialize() const;
    std::string initialized() const;
    std::string request() const;

    struct reaction {
        std::vector<std::string> replies;
        bool became_ready = false;                   ///< it has answered `initialize`
        std::optional<result<json::value>> outcome;  ///< of the call: JSON-RPC's `result`. Error: `runtime` or `communication` problem
    };
    /// One message of the server, or a batch. What is no JSON-RPC is ignored: servers greet on stdout.
    reaction take(std::string_view text);

    bool ready() const noexcept { return ready_; }
    /// What both sides speak, once ready.
    const std::string& version() const noexcept { return version_; }

private:
    void take(const json::object& message, reaction& out);
    void take_capabilities(const json::object& message, reaction& out);
    void take_answer(const json::object& message, reaction& out) const;
    problem refused(std::string_view method, const json::value& error) const;

    const std::string method_, shown_, client_name_, client_version_;
    const json::object parameters_;
    std::string version_;
    bool ready_ = false;
};

/// The data of the events of a `text/event-stream`.
std::vector<std::string> event_stream_data(std::string_view text);

}  // namespace pawl::protocol
