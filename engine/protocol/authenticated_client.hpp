// The HTTP client with `authentication` of the language on top: what every protocol sends through. Basic and bearer credentials go with the request; a digest challenge is
// answered (once more when the server calls its nonce stale); OAuth 2 and OpenID Connect tokens come from one shared cache and are renewed once on a 401.
//
// send() and cancel() from any thread; handlers are called exactly once, on the network thread or, for a request that cannot be sent, within send().
#pragma once

#include "base/clock.hpp"
#include "net/http_client.hpp"
#include "protocol/authentication.hpp"

#include <memory>
#include <optional>

namespace pawl::protocol {

class authenticated_client {
public:
    using handler = net::http_client::handler;
    using request_id = std::uint64_t;

    /// `client` outlives this object; nothing is sent after it is gone.
    explicit authenticated_client(net::http_client& client, std::shared_ptr<const clock_source> clock = std::make_shared<system_clock_source>());
    ~authenticated_client();
    authenticated_client(const authenticated_client&) = delete;
    authenticated_client& operator=(const authenticated_client&) = delete;

    /// The request's timeout covers everything that its credentials need. Errors: the client's own, and `authentication` problems.
    request_id send(net::http_request request, std::optional<authentication> policy, handler done);
    /// The handler gets a `runtime` problem unless it has been called already.
    void cancel(request_id id);

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

}  // namespace pawl::protocol
