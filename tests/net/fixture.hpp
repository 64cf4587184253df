// A network thread with a client and a server whose answers the test scripts.
#pragma once

#include "net/http_client.hpp"
#include "net/http_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <thread>

namespace pawl::testing {

class network {
public:
    explicit network(net::http_client_options options = {}) : client(std::make_unique<net::http_client>(context, std::move(options))) {}
    ~network() {
        client.reset();
        for (auto& s : servers) s->stop();
        // Everything that was open closes, and the thread ends by itself: a connection that stays would hang the test here.
        guard.reset();
        thread.join();
    }

    net::http_server& serve(net::http_server::handler on_request, net::http_server_options options = {}) {
        auto made = net::http_server::listen(context, std::move(options), std::move(on_request));
        BOOST_REQUIRE_MESSAGE(made.has_value(), (made.has_error() ? made.error().detail : std::string()));
        servers.push_back(std::move(*made));
        return *servers.back();
    }

    result<net::http_response> ask(net::http_request request) {
        std::promise<result<net::http_response>> promise;
        auto answer = promise.get_future();
        client->send(std::move(request), [&](result<net::http_response> r) { promise.set_value(std::move(r)); });
        return answer.get();
    }

    static net::http_request get(const net::http_server& server, std::string path = "/") {
        net::http_request request;
        request.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
        request.timeout = std::chrono::seconds(20);
        return request;
    }

    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard = boost::asio::make_work_guard(context);
    std::thread thread{[this] { context.run(); }};
    std::unique_ptr<net::http_client> client;
    std::vector<std::unique_ptr<net::http_server>> servers;
};

}  // namespace pawl::testing
