// An asynchronous HTTP/1.1 client: TLS verified, connections kept alive and pooled by host, everything bounded.
//
// send() and cancel() may be called from any thread; handlers are called on the thread that runs the io_context (one thread). A handler is called exactly once, also
// after cancel() and after the client is gone (with a `runtime` problem).
#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace pawl::net {

struct http_client_options {
    /// Further CA certificates (PEM file) beside the system's; tests use it.
    std::string ca_file;
    /// Where requests to an origin go instead: "https://petstore.example" -> "http://127.0.0.1:8080". The target is what is resolved, named in `Host` and
    /// asked for a certificate; redirects are mapped as well. An origin that is none fails every request, with its name.
    std::map<std::string, std::string, std::less<>> egress;
    std::size_t max_idle_per_host = 8;
    std::size_t max_header_bytes = 64 * 1024;
    milliseconds idle_timeout{30'000};
    std::string user_agent = "pawl";
};

class http_client {
public:
    /// Errors are `communication` problems (resolve, connect, TLS, reset, malformed or too large answers; the sentence names the host) and
    /// `timeout` problems.
    using handler = std::function<void(result<http_response>)>;
    using request_id = std::uint64_t;

    http_client(boost::asio::io_context& context, http_client_options options);
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;
    ~http_client();

    request_id send(http_request request, handler done);
    /// The handler gets a `runtime` problem ("cancelled") unless it has been called already.
    void cancel(request_id id);

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

}  // namespace pawl::net
