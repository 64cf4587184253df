// HTTP/1.1 on the wire: messages to bytes and bytes to messages, without a connection. The only users of Beast in this room.
// Plain objects of one thread.
#pragma once

#include "net/http.hpp"
#include "net/http_server.hpp"

#include <memory>
#include <string>

namespace pawl::net {

/// The request's bytes. `host_header` as it stands in the URL.
std::string request_bytes(const http_request& request, const url_parts& url, std::string_view user_agent);
std::string reply_bytes(const server_reply& reply, bool keep_alive);

enum class parse_status { needs_more, complete, bad, header_too_large, body_too_large };

/// Reads one response from bytes as they come.
class response_reader {
public:
    response_reader(std::size_t max_header_bytes, std::size_t max_body_bytes, bool head_request);
    ~response_reader();
    /// Takes bytes; what it does not use stays for the next message.
    parse_status take(std::string& bytes);
    /// The peer closed the connection: complete when the message may end so.
    parse_status end_of_stream();
    http_response release();
    bool keep_alive() const;
    bool got_anything() const noexcept { return got_anything_; }

private:
    struct impl;
    std::unique_ptr<impl> impl_;
    bool got_anything_ = false;
};

/// Reads one request.
class request_reader {
public:
    request_reader(std::size_t max_header_bytes, std::size_t max_body_bytes);
    ~request_reader();
    parse_status take(std::string& bytes);
    server_request release();
    bool keep_alive() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace pawl::net
