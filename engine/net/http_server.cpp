#include "net/http_server.hpp"

#include "net/stream.hpp"
#include "net/wire.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <set>

namespace pawl::net {
namespace asio = boost::asio;
namespace {

class session;

/// What sessions need of their server.
struct server_core {
    asio::io_context& context;
    http_server_options options;
    http_server::handler on_request;
    std::unique_ptr<asio::ssl::context> tls;
    std::set<std::shared_ptr<session>> sessions;
    std::atomic<bool> stopped = false;
};

class session : public std::enable_shared_from_this<session> {
public:
    session(std::shared_ptr<server_core> server, asio::ip::tcp::socket socket) : server_(std::move(server)), timer_(server_->context) {
        stream_ = server_->tls ? make_tls_stream(std::move(socket), *server_->tls) : make_plain_stream(std::move(socket));
    }

    void run() {
        wait_at_most(server_->options.idle_timeout);
        stream_->handshake({}, [self = shared_from_this()](boost::system::error_code e) { e ? self->close() : self->next(); });
    }

    void close() {
        if (closed_) return;
        closed_ = true;
        timer_.cancel();
        stream_->close();
        server_->sessions.erase(shared_from_this());
    }

private:
    void wait_at_most(milliseconds time) {
        timer_.expires_after(time);
        timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
            if (const auto self = weak.lock(); self && !cancelled) self->close();
        });
    }

    void next() {
        reader_ = std::make_unique<request_reader>(server_->options.max_header_bytes, server_->options.max_body_bytes);
        wait_at_most(server_->options.idle_timeout);
        took(reader_->take(in_));
    }

    void read() {
        stream_->read_some(asio::buffer(chunk_), [self = shared_from_this()](boost::system::error_code e, std::size_t n) {
            if (e || self->closed_) return self->close();
            self->in_.append(self->chunk_.data(), n);
            self->took(self->reader_->take(self->in_));
        });
    }

    void took(parse_status status) {
        switch (status) {
            case parse_status::needs_more: return read();
            case parse_status::complete: return handle();
            case parse_status::body_too_large: return refuse(413);
            case parse_status::header_too_large: return refuse(431);
            case parse_status::bad: return refuse(400);
        }
    }

    void refuse(int status) {
        keep_alive_ = false;
        server_reply reply;
        reply.status = status;
        write(reply);
    }

    void handle() {
        timer_.cancel();
        keep_alive_ = reader_->keep_alive();
        const auto answered = std::make_shared<std::atomic<bool>>(false);
        // Weak: a responder may be kept longer than the server and its io_context live.
        server_->on_request(reader_->release(), [weak = weak_from_this(), answered](server_reply reply) {
            const auto self = weak.lock();
            if (answered->exchange(true) || !self) return;
            asio::post(self->server_->context, [self, reply = std::move(reply)] { self->write(reply); });
        });
    }

    void write(const server_reply& reply) {
        if (closed_) return;
        if (!reply.raw.empty()) keep_alive_ = false;
        out_ = reply_bytes(reply, keep_alive_);
        stream_->write(asio::buffer(out_), [self = shared_from_this()](boost::system::error_code e) {
            if (e || !self->keep_alive_ || self->closed_) return self->close();
            self->next();
        });
    }

    std::shared_ptr<server_core> server_;
    asio::steady_timer timer_;
    std::unique_ptr<byte_stream> stream_;
    std::unique_ptr<request_reader> reader_;
    std::string in_, out_;
    std::array<char, 16 * 1024> chunk_{};
    bool keep_alive_ = true;
    bool closed_ = false;
};

}  // namespace

struct http_server::impl {
    impl(asio::io_context& context, http_server_options options, handler on_request)
        : core(new server_core{context, std::move(options), std::move(on_request), nullptr, {}, false}), acceptor(context) {}

    result<void> open() {
        const auto& o = core->options;
        const auto place = o.address + ":" + std::to_string(o.port);
        const auto refuse = [&](std::string_view doing, const boost::system::error_code& e) {
            return make_problem(problem_type::configuration, "Cannot " + std::string(doing) + " " + place + ": " + e.message() + ".");
        };
        boost::system::error_code e;
        const auto address = asio::ip::make_address(o.address, e);
        if (e) return refuse("listen on", e);
        const asio::ip::tcp::endpoint endpoint(address, o.port);
        acceptor.open(endpoint.protocol(), e);
        if (!e) acceptor.set_option(asio::socket_base::reuse_address(true), e);
        if (!e) acceptor.bind(endpoint, e);
        if (!e) acceptor.listen(asio::socket_base::max_listen_connections, e);
        if (e) return refuse("listen on", e);
        if (!o.certificate_file.empty()) {
            core->tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
            core->tls->use_certificate_chain_file(o.certificate_file, e);
            if (!e) core->tls->use_private_key_file(o.key_file, asio::ssl::context::pem, e);
            if (e) return refuse("use the certificate for", e);
        }
        bound = acceptor.local_endpoint().port();
        return {};
    }

    void accept(const std::shared_ptr<impl>& self) {
        acceptor.async_accept([self](boost::system::error_code e, asio::ip::tcp::socket socket) {
            if (self->core->stopped) return;
            if (!e) {
                ++self->accepted;
                if (self->core->sessions.size() < self->core->options.max_connections) {
                    boost::system::error_code ignored;
                    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
                    auto made = std::make_shared<session>(self->core, std::move(socket));
                    self->core->sessions.insert(made);
                    made->run();
                }
            }
            self->accept(self);
        });
    }

    void stop() {
        if (core->stopped.exchange(true)) return;
        boost::system::error_code ignored;
        acceptor.close(ignored);
        const auto all = core->sessions;
        for (const auto& s : all) s->close();
    }

    std::shared_ptr<server_core> core;
    asio::ip::tcp::acceptor acceptor;
    std::uint16_t bound = 0;
    std::atomic<std::size_t> accepted = 0;
};

result<std::unique_ptr<http_server>> http_server::listen(asio::io_context& context, http_server_options options, handler on_request) {
    auto made = std::make_shared<impl>(context, std::move(options), std::move(on_request));
    if (auto opened = made->open(); !opened) return opened.error();
    asio::post(context, [made] { made->accept(made); });
    return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

http_server::~http_server() { stop(); }

std::uint16_t http_server::port() const noexcept { return impl_->bound; }

std::size_t http_server::accepted() const noexcept { return impl_->accepted; }

void http_server::stop() {
    asio::post(impl_->core->context, [i = impl_] { i->stop(); });
}

}  // namespace pawl::net
