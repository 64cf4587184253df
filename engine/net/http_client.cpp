#include "net/http_client.hpp"

#include "net/exchange.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>

namespace pawl::net {

struct http_client::impl : std::enable_shared_from_this<http_client::impl> {
    impl(boost::asio::io_context& c, http_client_options o) : context(c), pool(c, std::move(o)) {}

    void begin(request_id id, http_request request, handler done) {
        if (closed) return done(make_problem(problem_type::runtime, "The HTTP client was closed."));
        auto made = std::make_shared<exchange>(context, pool, std::move(request), [weak = weak_from_this(), id, done = std::move(done)](result<http_response> r) {
            if (const auto self = weak.lock()) self->running.erase(id);
            done(std::move(r));
        });
        running.emplace(id, made);
        made->run();
    }

    void close() {
        closed = true;
        auto all = std::move(running);
        running.clear();
        for (const auto& [id, e] : all) e->cancel("The HTTP client was closed.");
        pool.close();
    }

    boost::asio::io_context& context;
    connection_pool pool;
    std::map<request_id, std::shared_ptr<exchange>> running;
    std::atomic<request_id> last_id = 0;
    bool closed = false;
};

http_client::http_client(boost::asio::io_context& context, http_client_options options) : impl_(std::make_shared<impl>(context, std::move(options))) {}

http_client::~http_client() {
    boost::asio::post(impl_->context, [i = impl_] { i->close(); });
}

http_client::request_id http_client::send(http_request request, handler done) {
    const auto id = ++impl_->last_id;
    boost::asio::post(impl_->context, [i = impl_, id, request = std::move(request), done = std::move(done)]() mutable {
        i->begin(id, std::move(request), std::move(done));
    });
    return id;
}

void http_client::cancel(request_id id) {
    boost::asio::post(impl_->context, [i = impl_, id] {
        const auto at = i->running.find(id);
        if (at == i->running.end()) return;
        const auto e = at->second;
        e->cancel("The HTTP request was cancelled.");
    });
}

}  // namespace pawl::net
