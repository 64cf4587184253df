// Idle connections by host, the TLS context, and where a host is really reached. On the thread that runs the io_context.
#pragma once

#include "net/http_client.hpp"
#include "net/stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace pawl::net {

/// Where to connect for a URL, after the egress map.
struct endpoint_choice {
    url_parts to;       ///< who is resolved, asked for a certificate, and named in `Host`
    bool mapped = false;
    std::string key;    ///< of the pool
};

class connection_pool {
public:
    connection_pool(boost::asio::io_context& context, http_client_options options);
    ~connection_pool();

    endpoint_choice choose(const url_parts& url) const;
    /// A kept connection, or null.
    std::unique_ptr<byte_stream> take(const std::string& key);
    void keep(const std::string& key, std::unique_ptr<byte_stream> stream);
    std::unique_ptr<byte_stream> make(bool tls);
    const http_client_options& options() const noexcept { return options_; }
    /// Why the egress map cannot be used; empty when it can. No request is sent then.
    const std::string& egress_error() const noexcept { return egress_error_; }
    /// Set when the CA file cannot be read: no TLS connection is made then.
    const std::string& tls_error() const noexcept { return tls_error_; }
    void close();

private:
    struct idle {
        std::unique_ptr<byte_stream> stream;
        std::chrono::steady_clock::time_point since;
    };
    struct tls_holder;

    boost::asio::io_context& context_;
    http_client_options options_;
    std::unique_ptr<tls_holder> tls_;
    std::string tls_error_;
    std::map<std::string, url_parts, std::less<>> egress_;  ///< by the origin in full
    std::string egress_error_;
    std::map<std::string, std::deque<idle>> idle_;
};

}  // namespace pawl::net
