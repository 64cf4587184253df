#include "net/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

namespace pawl::net {
namespace http = boost::beast::http;

namespace {

/// A header value cannot start a new line: a response splitting attempt loses its line breaks.
void append_header(std::string& out, std::string_view name, std::string_view value) {
    const auto clean = [&](std::string_view text) {
        for (const char c : text) {
            if (c != '\r' && c != '\n' && c != '\0') out += c;
        }
    };
    clean(name);
    out += ": ";
    clean(value);
    out += "\r\n";
}

bool is_ours(std::string_view name) {
    const std::vector<http_header> ours{{"Host", ""}, {"Content-Length", ""}, {"Connection", ""}, {"Transfer-Encoding", ""}};
    return find_header(ours, name) != nullptr;
}

parse_status status_of(boost::system::error_code e) {
    if (e == http::error::header_limit || e == http::error::buffer_overflow) return parse_status::header_too_large;
    if (e == http::error::body_limit) return parse_status::body_too_large;
    return parse_status::bad;
}

template <class Parser>
parse_status feed(Parser& parser, std::string& bytes) {
    while (!bytes.empty() && !parser.is_done()) {
        boost::system::error_code e;
        const auto used = parser.put(boost::asio::buffer(bytes), e);
        bytes.erase(0, used);
        if (e == http::error::need_more) return parse_status::needs_more;
        if (e) return status_of(e);
        if (used == 0) return parse_status::needs_more;
    }
    return parser.is_done() ? parse_status::complete : parse_status::needs_more;
}

template <class Fields>
std::vector<http_header> headers_of(const Fields& fields) {
    std::vector<http_header> out;
    for (const auto& field : fields) out.push_back({std::string(field.name_string()), std::string(field.value())});
    return out;
}

}  // namespace

std::string request_bytes(const http_request& request, const url_parts& url, std::string_view user_agent) {
    std::string out = request.method + " " + url.target + " HTTP/1.1\r\n";
    const bool usual_port = url.port == (url.tls ? "443" : "80");
    const bool v6 = url.host.find(':') != std::string::npos;
    append_header(out, "Host", (v6 ? "[" + url.host + "]" : url.host) + (usual_port ? "" : ":" + url.port));
    if (find_header(request.headers, "User-Agent") == nullptr) append_header(out, "User-Agent", user_agent);
    if (find_header(request.headers, "Accept") == nullptr) append_header(out, "Accept", "*/*");
    for (const auto& header : request.headers) {
        if (!is_ours(header.name)) append_header(out, header.name, header.value);
    }
    if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD" && request.method != "DELETE")) {
        append_header(out, "Content-Length", std::to_string(request.body.size()));
    }
    out += "\r\n";
    return out + request.body;
}

std::string reply_bytes(const server_reply& reply, bool keep_alive) {
    if (!reply.raw.empty()) return reply.raw;
    const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
    std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " " + std::string(reason) + "\r\n";
    for (const auto& header : reply.headers) {
        if (!is_ours(header.name)) append_header(out, header.name, header.value);
    }
    append_header(out, "Content-Length", std::to_string(reply.body.size()));
    append_header(out, "Connection", keep_alive ? "keep-alive" : "close");
    out += "\r\n";
    return out + reply.body;
}

struct response_reader::impl {
    http::response_parser<http::string_body> parser;
};

response_reader::response_reader(std::size_t max_header_bytes, std::size_t max_body_bytes, bool head_request) : impl_(std::make_unique<impl>()) {
    impl_->parser.header_limit(static_cast<std::uint32_t>(max_header_bytes));
    impl_->parser.body_limit(max_body_bytes);
    impl_->parser.eager(true);
    if (head_request) impl_->parser.skip(true);
}

response_reader::~response_reader() = default;

parse_status response_reader::take(std::string& bytes) {
    got_anything_ = got_anything_ || !bytes.empty();
    return feed(impl_->parser, bytes);
}

parse_status response_reader::end_of_stream() {
    boost::system::error_code e;
    impl_->parser.put_eof(e);
    return !e && impl_->parser.is_done() ? parse_status::complete : parse_status::bad;
}

bool response_reader::keep_alive() const { return impl_->parser.keep_alive() && !impl_->parser.need_eof(); }

http_response response_reader::release() {
    auto message = impl_->parser.release();
    return {static_cast<int>(message.result_int()), headers_of(message), std::move(message.body())};
}

struct request_reader::impl {
    http::request_parser<http::string_body> parser;
};

request_reader::request_reader(std::size_t max_header_bytes, std::size_t max_body_bytes) : impl_(std::make_unique<impl>()) {
    impl_->parser.header_limit(static_cast<std::uint32_t>(max_header_bytes));
    impl_->parser.body_limit(max_body_bytes);
    impl_->parser.eager(true);
}

request_reader::~request_reader() = default;

parse_status request_reader::take(std::string& bytes) { return feed(impl_->parser, bytes); }

bool request_reader::keep_alive() const { return impl_->parser.keep_alive(); }

server_request request_reader::release() {
    auto message = impl_->parser.release();
    return {std::string(message.method_string()), std::string(message.target()), headers_of(message), std::move(message.body())};
}

}  // namespace pawl::net
