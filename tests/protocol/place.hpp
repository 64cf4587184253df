// A network thread, a client with authentication, and servers on loopback that remember what they were asked.
#pragma once

#include "cli/network.hpp"
#include "net/http_server.hpp"
#include "protocol/authenticated_client.hpp"
#include "runtime/effect.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <mutex>

namespace pawl::protocol_tests {

/// A clock that stands until it is moved.
class hand_clock final : public clock_source {
public:
    time_point now() const override { return time_point(milliseconds(at_)); }
    void advance(milliseconds by) { at_ += by.count(); }

private:
    std::atomic<std::int64_t> at_{1'790'000'000'000};
};

class server {
public:
    using handler = std::function<net::server_reply(const net::server_request&)>;

    server(cli::network& network, handler answer) {
        auto made = net::http_server::listen(network.context(), {}, [this, answer = std::move(answer)](const net::server_request& request, const net::http_server::responder& respond) {
            {
                const std::lock_guard hold(lock_);
                requests_.push_back(request);
            }
            respond(answer(request));
        });
        BOOST_REQUIRE(made.has_value());
        server_ = std::move(*made);
    }
    ~server() { server_->stop(); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::string url(const std::string& path = "") const { return "http://127.0.0.1:" + std::to_string(server_->port()) + path; }
    std::size_t count() {
        const std::lock_guard hold(lock_);
        return requests_.size();
    }
    net::server_request seen(std::size_t i) {
        const std::lock_guard hold(lock_);
        return requests_.at(i);
    }

private:
    std::mutex lock_;
    std::vector<net::server_request> requests_;
    std::unique_ptr<net::http_server> server_;
};

inline std::string header_of(const net::server_request& request, std::string_view name) {
    const auto* found = net::find_header(request.headers, name);
    return found == nullptr ? std::string() : *found;
}

/// Starts a call of `function` at an effect; the future holds its outcome.
inline std::future<runtime::call_outcome> begin_call(runtime::effect& effect, json::value arguments, runtime::assets assets = {}, std::string key = "key-1") {
    auto call = std::make_shared<runtime::call_request>();
    call->key = std::move(key);
    call->arguments = std::move(arguments);
    call->assets = std::make_shared<runtime::assets>(std::move(assets));
    auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
    auto future = promise->get_future();
    effect.start(call, [promise](runtime::call_outcome o) { promise->set_value(std::move(o)); }, {});
    return future;
}

}  // namespace pawl::protocol_tests
