// The one way a provider sends HTTP: takes the token from the secret at dispatch, reads JSON replies of any envelope, and turns every failure into one
// problem with `retryable`. The client is used only until close(), from any thread; replies arrive on the network thread.
#pragma once

#include "ai/options.hpp"
#include "ai/provider.hpp"
#include "net/http_client.hpp"

#include <mutex>

namespace pawl::ai {

class http_channel : public std::enable_shared_from_this<http_channel> {
public:
    /// `client` is not used after close().
    http_channel(net::http_client& client, secret_resolver secrets, std::shared_ptr<const clock_source> clock)
        : client_(&client), secrets_(std::move(secrets)), clock_(std::move(clock)) {}

    struct call {
        std::string who;     ///< opens every message: "Workers AI"
        std::string url;
        std::string token;   ///< name of the secret; empty: no Authorization
        json::value body;
        milliseconds timeout{120'000};
    };

    struct answer {
        json::value body;        ///< the parsed JSON; for other content {contentType, base64}
        std::string request_id;
        std::string gateway_log_id;
    };

    canceller post(call what, std::function<void(result<answer>)> done);

    /// Nothing is sent any more.
    void close();

private:
    result<answer> read(const call& what, std::string_view token, const net::http_response& response) const;

    std::mutex lock_;
    net::http_client* client_;
    secret_resolver secrets_;
    std::shared_ptr<const clock_source> clock_;
};

}  // namespace pawl::ai
