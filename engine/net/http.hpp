// HTTP messages as plain values, for client and server. No Beast here.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::net {

struct http_header {
    std::string name;
    std::string value;
};

/// The value of the first header of that name (any case), or null.
const std::string* find_header(const std::vector<http_header>& headers, std::string_view name) noexcept;

struct http_request {
    std::string method = "GET";
    std::string url;                                   ///< absolute, http or https
    std::vector<http_header> headers;                  ///< Host, Content-Length, Connection and User-Agent are added
    std::string body;
    milliseconds timeout{30'000};                      ///< from send() to the last byte
    std::size_t max_response_bytes = 16 * 1024 * 1024;
    unsigned max_redirects = 0;                        ///< 0: a 3xx is returned as it is. Only GET and HEAD follow.
};

struct http_response {
    int status = 0;
    std::vector<http_header> headers;
    std::string body;
};

/// The parts of an absolute URL that a client needs.
struct url_parts {
    bool tls = false;
    std::string host;
    std::string port;    ///< "443" when the URL names none
    std::string target;  ///< path and query, at least "/"
    std::string user_info;
};
/// Error: `configuration` problem that says what is wrong with the URL.
result<url_parts> parse_url(std::string_view url);

/// scheme://host[:port] and nothing more (one trailing slash apart). Error: `configuration` problem that says what is wrong.
result<url_parts> parse_origin(std::string_view origin);
/// The origin of a URL in full: "https://example.com:443", so that equal origins are equal texts.
std::string origin_text(const url_parts& url);

}  // namespace pawl::net
