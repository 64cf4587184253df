// One call of an MCP server over its transport: a child process that lives as long as the call, or HTTP requests of one session.
// begin() once, on any thread; stop() and close() on any thread; the callbacks on the io_context's thread.
#pragma once

#include "protocol/authenticated_client.hpp"
#include "protocol/mcp_dialogue.hpp"

#include <boost/asio/io_context.hpp>

namespace pawl::protocol {

struct mcp_limits {
    std::size_t max_message_bytes = 4 * 1024 * 1024;
    milliseconds grace{3'000};  ///< between closing a server's stdin and SIGTERM, and between that and SIGKILL
};

class mcp_conversation {
public:
    struct callbacks {
        std::function<void(result<json::value>)> answered;  ///< once, unless it was stopped before
        std::function<void()> gone;                         ///< once: nothing is left of it
    };
    mcp_conversation() = default;
    mcp_conversation(const mcp_conversation&) = delete;
    mcp_conversation& operator=(const mcp_conversation&) = delete;
    virtual ~mcp_conversation() = default;

    virtual void begin() = 0;
    /// Nobody waits any more.
    virtual void stop() = 0;
    /// Waits until nothing of it runs. Needs no running io_context; no callback comes any more.
    virtual void close() = 0;
};

/// The answer must come within `time`.
std::shared_ptr<mcp_conversation> converse_by_stdio(boost::asio::io_context& io, mcp_call call, milliseconds time, const mcp_limits& limits,
                                                    mcp_conversation::callbacks back);
std::shared_ptr<mcp_conversation> converse_by_http(std::shared_ptr<authenticated_client> client, mcp_call call, milliseconds time, const mcp_limits& limits,
                                                   mcp_conversation::callbacks back);

}  // namespace pawl::protocol
