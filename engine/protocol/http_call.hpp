// The arguments of `call: http` as a request, and the response as its output. Pure; any thread.
#pragma once

#include "net/http.hpp"
#include "protocol/authentication.hpp"
#include "runtime/effect.hpp"

namespace pawl::protocol {

struct http_call {
    net::http_request request;  ///< without timeout
    std::string shown;          ///< "POST https://host/path": for messages, without query and user information
    std::string uri;            ///< the same without the method
    std::string output = "content";
    bool redirect = false;
    json::object sent_headers;  ///< for `output: response`: names, and values where they cannot be secrets
    std::optional<authentication> policy;
};

/// JSON Schema of the arguments.
json::value http_arguments_schema();

/// "https://host/path" of a URL: without user information, query and fragment.
std::string showable(const net::url_parts& url);

/// Puts names and values behind the URL's own query, percent-encoded; a list repeats its name.
void add_query(std::string& url, const json::object& query);

/// Adds what every call of a method gets: `Accept`, and an `Idempotency-Key` where the method may change something.
void add_usual_headers(net::http_request& request, const std::string& key);

/// The headers as an output may repeat them: an author's own header may hold a secret, so its value is "***".
json::object showable_headers(const std::vector<net::http_header>& headers);

/// Error: `validation` or `configuration` problem that quotes no header, query or body.
result<http_call> read_http_call(const runtime::call_request& call);

/// Error: `communication` problem with the HTTP status.
result<json::value> read_http_response(const http_call& call, const net::http_response& response);

}  // namespace pawl::protocol
