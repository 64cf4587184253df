#include "net/connection_pool.hpp"

#include <boost/asio/ssl/context.hpp>

namespace pawl::net {
namespace ssl = boost::asio::ssl;

struct connection_pool::tls_holder {
    ssl::context context{ssl::context::tls_client};
};

connection_pool::connection_pool(boost::asio::io_context& context, http_client_options options) : context_(context), options_(std::move(options)) {
    for (const auto& [from, to] : options_.egress) {
        const auto origin = parse_origin(from), target = parse_origin(to);
        if (origin && target) {
            egress_.insert_or_assign(origin_text(*origin), *target);
        } else {
            egress_error_ = "The egress map cannot be used: " + (origin ? target.error() : origin.error()).detail;
        }
    }
}

connection_pool::~connection_pool() = default;

endpoint_choice connection_pool::choose(const url_parts& url) const {
    endpoint_choice out{url, false, {}};
    if (const auto at = egress_.find(origin_text(url)); at != egress_.end()) {
        out.mapped = true;
        out.to.tls = at->second.tls;
        out.to.host = at->second.host;
        out.to.port = at->second.port;
    }
    out.key = origin_text(out.to);
    return out;
}

std::unique_ptr<byte_stream> connection_pool::take(const std::string& key) {
    auto& waiting = idle_[key];
    const auto oldest = std::chrono::steady_clock::now() - options_.idle_timeout;
    while (!waiting.empty()) {
        auto last = std::move(waiting.back());
        waiting.pop_back();
        if (last.since < oldest) {
            waiting.clear();
            break;
        }
        // A readable idle connection was closed by its peer, or speaks out of turn.
        boost::system::error_code e;
        last.stream->socket().non_blocking(true, e);
        char byte = 0;
        last.stream->socket().receive(boost::asio::buffer(&byte, 1), boost::asio::ip::tcp::socket::message_peek, e);
        if (e == boost::asio::error::would_block) return std::move(last.stream);
    }
    return nullptr;
}

void connection_pool::keep(const std::string& key, std::unique_ptr<byte_stream> stream) {
    auto& waiting = idle_[key];
    waiting.push_back({std::move(stream), std::chrono::steady_clock::now()});
    while (waiting.size() > options_.max_idle_per_host) waiting.pop_front();
}

std::unique_ptr<byte_stream> connection_pool::make(bool tls) {
    boost::asio::ip::tcp::socket socket(context_);
    if (!tls) return make_plain_stream(std::move(socket));
    if (!tls_) {
        tls_ = std::make_unique<tls_holder>();
        boost::system::error_code e;
        tls_->context.set_default_verify_paths(e);
        tls_->context.set_verify_mode(ssl::verify_peer);
        tls_->context.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, e);
        if (!options_.ca_file.empty()) {
            tls_->context.load_verify_file(options_.ca_file, e);
            if (e) tls_error_ = "the CA file " + options_.ca_file + " cannot be read: " + e.message();
        }
    }
    return make_tls_stream(std::move(socket), tls_->context);
}

void connection_pool::close() { idle_.clear(); }

}  // namespace pawl::net
