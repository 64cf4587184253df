// `call: mcp` (DSL reference, "MCP Call"): one method of a Model Context Protocol server as an effect.
//
// Each call has a conversation of its own: a server process that lives as long as the call, or a session over HTTP. So nothing of one run, its secrets or its cancelled
// calls reaches another. start() and cancel() on the core thread; completions on the io_context's thread. Calls under way when the effect goes are ended without an outcome.
#pragma once

#include "protocol/mcp_conversation.hpp"
#include "runtime/effect.hpp"

namespace pawl::protocol {

struct mcp_options {
    std::string folder;          ///< where servers run
    std::string client_version;  ///< what the client says it is, unless the author says it
    mcp_limits limits;
};

class mcp_effect final : public runtime::effect {
public:
    /// `io` outlives the effect.
    mcp_effect(boost::asio::io_context& io, std::shared_ptr<authenticated_client> client, mcp_options options);
    ~mcp_effect() override;

    std::vector<function_description> functions() const override;
    /// The output is the JSON-RPC result. Errors: `runtime` when the server refuses or its tool failed (`error`, `result` hold what it says), `communication` and `timeout` for the
    /// way to it, `configuration` and `validation` for what cannot be sent.
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view key) override;

private:
    struct board;
    boost::asio::io_context& io_;
    std::shared_ptr<authenticated_client> client_;
    const mcp_options options_;
    std::shared_ptr<board> board_;
};

}  // namespace pawl::protocol
