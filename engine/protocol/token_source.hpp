// Access tokens of OAuth 2 and OpenID Connect, kept in memory: one for each authority, client, grant, user, scopes and audiences. A token is renewed a margin before it
// ends, with the refresh token when the server gave one; calls that need the same token at the same time share one request. Nothing is stored, logged or repeated in messages.
// Any thread; handlers are called on the network thread or within get().
#pragma once

#include "base/clock.hpp"
#include "net/http_client.hpp"
#include "protocol/authentication.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pawl::protocol {

class token_source {
public:
    /// The value of `Authorization`. Error: `authentication` when the authority refuses, `communication` or `timeout` when it does not answer as it should.
    using handler = std::function<void(result<std::string>)>;
    using sender = std::function<void(net::http_request, net::http_client::handler)>;

    token_source(sender send, std::shared_ptr<const clock_source> clock);

    void get(const oauth_settings& settings, handler done);
    /// A server did not accept it: the next get() asks for another.
    void refused(const oauth_settings& settings, const std::string& authorization);

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

/// The parameters of a token request and its headers, without sending it. For a `refresh_token` that is not empty the grant is a refresh.
net::http_request token_request(const oauth_settings& settings, const std::string& url, const std::string& refresh_token, time_point now);

}  // namespace pawl::protocol
