// A small HTTP/1.1 server on one address: for tests now, for the engine's API later. Keep-alive, limits, asynchronous replies, clean stop.
// The handler is called on the thread that runs the io_context; a responder may be called from any thread, once.
#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace pawl::net {

struct server_request {
    std::string method;
    std::string target;  ///< path and query as sent
    std::vector<http_header> headers;
    std::string body;
};

struct server_reply {
    int status = 200;
    std::vector<http_header> headers;  ///< Content-Length is added
    std::string body;
    /// Written as it is instead of everything above, then the connection is closed: for tests of malformed servers.
    std::string raw;
};

struct http_server_options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;             ///< 0: any free one
    std::size_t max_body_bytes = 16 * 1024 * 1024;
    std::size_t max_header_bytes = 64 * 1024;
    std::size_t max_connections = 256;  ///< more are closed at once
    milliseconds idle_timeout{30'000};
    std::string certificate_file;       ///< PEM; with key_file: HTTPS
    std::string key_file;
};

class http_server {
public:
    using responder = std::function<void(server_reply)>;
    using handler = std::function<void(server_request, responder)>;

    /// Listens at once. Error: `configuration` problem (address in use, not allowed, bad certificate).
    static result<std::unique_ptr<http_server>> listen(boost::asio::io_context& context, http_server_options options, handler on_request);
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;
    ~http_server();  ///< stop()

    std::uint16_t port() const noexcept;
    /// Connections accepted so far.
    std::size_t accepted() const noexcept;
    /// Closes the listener and all connections. Any thread.
    void stop();

    struct impl;

private:
    explicit http_server(std::shared_ptr<impl> i) noexcept : impl_(std::move(i)) {}
    std::shared_ptr<impl> impl_;
};

}  // namespace pawl::net
