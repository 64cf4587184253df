// The network thread of one process and the HTTP client that models, `call: http` and event sinks share.
// The client may be used from any thread; its handlers run on the network thread and must not block.
#pragma once

#include "net/http_client.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <future>
#include <memory>
#include <thread>

namespace pawl::cli {

class network {
public:
    explicit network(net::http_client_options options);
    network(const network&) = delete;
    network& operator=(const network&) = delete;
    ~network();  ///< Ends what is under way; its handlers are called with an error.

    boost::asio::io_context& context() noexcept { return context_; }
    /// Lives as long as the network.
    net::http_client& client() noexcept { return *client_; }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<net::http_client> client_;
    std::promise<void> ended_;
    std::thread thread_;
};

/// Sends and waits. Not on the network thread.
result<net::http_response> send_and_wait(net::http_client& client, net::http_request request);

}  // namespace pawl::cli
