#include "net/exchange.hpp"

#include <boost/asio/connect.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <array>

namespace pawl::net {
namespace {

/// May a request be sent again when it is not known whether it arrived? Others could happen twice (RFC 9110, 9.2.2).
bool may_repeat(const http_request& request) {
    constexpr std::array<std::string_view, 5> methods{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};
    return std::find(methods.begin(), methods.end(), request.method) != methods.end() || find_header(request.headers, "Idempotency-Key") != nullptr;
}

/// What `Location` leads to, seen from the URL that was asked (RFC 9110, 10.2.2); empty when it is no reference.
std::string resolved(const url_parts& from, const std::string& location) {
    const bool v6 = from.host.find(':') != std::string::npos;
    const auto base = (from.tls ? "https://" : "http://") + (v6 ? "[" + from.host + "]" : from.host) + ":" + from.port + from.target;
    const auto start = boost::urls::parse_uri(base);
    const auto there = boost::urls::parse_uri_reference(location);
    boost::urls::url out;
    if (!start || !there || !boost::urls::resolve(*start, *there, out)) return {};
    out.remove_fragment();
    return std::string(out.buffer());
}

}  // namespace

exchange::exchange(boost::asio::io_context& context, connection_pool& pool, http_request request, http_client::handler done)
    : pool_(pool), request_(std::move(request)), done_(std::move(done)), resolver_(context), timer_(context) {}

std::string exchange::peer() const {
    const auto asked = url_.host + ":" + url_.port;
    return where_.mapped ? asked + ", sent to " + where_.to.host + ":" + where_.to.port + " by the egress map" : asked;
}

void exchange::run() {
    timer_.expires_after(request_.timeout);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
        if (cancelled || self->ended_) return;
        self->end(make_problem(problem_type::timeout, "No complete answer from " + self->peer() + " within " + to_human(self->request_.timeout) + "."));
    });
    start(request_.url);
}

void exchange::cancel(std::string_view why) { end(make_problem(problem_type::runtime, std::string(why))); }

void exchange::start(std::string url) {
    auto parsed = parse_url(url);
    if (!parsed) return end(parsed.error());
    url_ = std::move(*parsed);
    if (!pool_.egress_error().empty()) return end(make_problem(problem_type::configuration, pool_.egress_error()));
    where_ = pool_.choose(url_);
    out_ = request_bytes(request_, where_.to, pool_.options().user_agent);
    stream_ = pool_.take(where_.key);
    reused_ = stream_ != nullptr;
    if (reused_) return send();
    connect();
}

void exchange::connect() {
    reused_ = false;
    stream_ = pool_.make(where_.to.tls);
    if (where_.to.tls && !pool_.tls_error().empty()) return end(make_problem(problem_type::configuration, "No TLS connection to " + peer() + ": " + pool_.tls_error()));
    resolver_.async_resolve(where_.to.host, where_.to.port, [self = shared_from_this()](boost::system::error_code e, const boost::asio::ip::tcp::resolver::results_type& found) {
        if (self->ended_) return;
        if (e) return self->fail("The host name cannot be resolved", e);
        boost::asio::async_connect(self->stream_->socket(), found, [self](boost::system::error_code failed, const boost::asio::ip::tcp::endpoint&) {
            if (self->ended_) return;
            if (failed) return self->fail("No connection", failed);
            self->connected();
        });
    });
}

void exchange::connected() {
    boost::system::error_code ignored;
    stream_->socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    stream_->handshake(where_.to.host, [self = shared_from_this()](boost::system::error_code e) {
        if (self->ended_) return;
        if (e) {
            const auto refused = self->stream_->certificate_error();
            if (refused.empty()) return self->fail("The TLS handshake failed", e);
            return self->end(make_problem(problem_type::communication, "The certificate of " + self->peer() + " is not accepted: " + refused + "."));
        }
        self->send();
    });
}

void exchange::send() {
    reader_ = std::make_unique<response_reader>(pool_.options().max_header_bytes, request_.max_response_bytes, request_.method == "HEAD");
    in_.clear();
    stream_->write(boost::asio::buffer(out_), [self = shared_from_this()](boost::system::error_code e) {
        if (self->ended_) return;
        if (e && self->reused_) return self->connect();
        if (e) return self->fail("The request could not be sent", e);
        self->read();
    });
}

void exchange::read() {
    stream_->read_some(boost::asio::buffer(chunk_), [self = shared_from_this()](boost::system::error_code e, std::size_t n) {
        if (self->ended_) return;
        if (e) {
            if (self->reused_ && !self->reader_->got_anything() && may_repeat(self->request_)) return self->connect();
            if (self->reader_->got_anything() && self->reader_->end_of_stream() == parse_status::complete) return self->took(parse_status::complete);
            return self->fail(self->reader_->got_anything() ? "The connection ended in the middle of the answer" : "The connection ended before an answer", e);
        }
        self->in_.append(self->chunk_.data(), n);
        self->took(self->reader_->take(self->in_));
    });
}

void exchange::took(parse_status status) {
    const auto refuse = [&](std::string_view why) { end(make_problem(problem_type::communication, "The answer of " + peer() + " was refused: " + std::string(why))); };
    switch (status) {
        case parse_status::needs_more: return read();
        case parse_status::complete: return finish_response();
        case parse_status::header_too_large: return refuse("its headers are larger than " + std::to_string(pool_.options().max_header_bytes) + " bytes.");
        case parse_status::body_too_large: return refuse("its body is larger than " + std::to_string(request_.max_response_bytes) + " bytes.");
        case parse_status::bad: return refuse("it is not HTTP/1.1.");
    }
}

void exchange::finish_response() {
    const bool reusable = reader_->keep_alive() && in_.empty();
    auto response = reader_->release();
    if (response.status >= 100 && response.status < 200 && response.status != 101) return after_interim();
    if (reusable) {
        pool_.keep(where_.key, std::move(stream_));
    } else {
        stream_->close();
    }
    const bool redirect = response.status == 301 || response.status == 302 || response.status == 303 || response.status == 307 || response.status == 308;
    const auto* location = find_header(response.headers, "Location");
    if (redirect && location != nullptr && redirects_ < request_.max_redirects && (request_.method == "GET" || request_.method == "HEAD")) {
        ++redirects_;
        // Credentials go to the host they were meant for, and to nobody else.
        const auto next = resolved(url_, *location);
        if (next.empty())
            return end(make_problem(problem_type::communication, "The redirection of " + peer() + " leads nowhere: its `Location` is not a URL."));
        if (const auto parsed = parse_url(next); !parsed || origin_text(*parsed) != origin_text(url_)) {
            std::erase_if(request_.headers, [](const http_header& h) { return find_header({h}, "Authorization") != nullptr || find_header({h}, "Cookie") != nullptr; });
        }
        return start(next);
    }
    end(std::move(response));
}

/// `100 Continue` and `103 Early Hints` come before the answer, which may have arrived with them.
void exchange::after_interim() {
    reader_ = std::make_unique<response_reader>(pool_.options().max_header_bytes, request_.max_response_bytes, request_.method == "HEAD");
    if (++interim_ > most_interim)
        return end(make_problem(problem_type::communication, "The answer of " + peer() + " was refused: it never comes to its end."));
    if (in_.empty()) return read();
    took(reader_->take(in_));
}

void exchange::fail(std::string_view doing, boost::system::error_code e) {
    end(make_problem(problem_type::communication, std::string(doing) + " (" + peer() + "): " + e.message() + "."));
}

void exchange::end(result<http_response> r) {
    if (ended_) return;
    ended_ = true;
    timer_.cancel();
    resolver_.cancel();
    if (stream_ && r.has_error()) stream_->close();
    const auto done = std::move(done_);
    done_ = nullptr;
    done(std::move(r));
}

}  // namespace pawl::net
