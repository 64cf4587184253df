// The two public services that the conformance kit calls, as far as it calls them, on loopback: petstore.swagger.io and httpbin.org.
#pragma once

#include "net/http_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <thread>

namespace pawl::system_tests {

class ctk_servers {
public:
    ctk_servers();
    ctk_servers(const ctk_servers&) = delete;
    ctk_servers& operator=(const ctk_servers&) = delete;
    ~ctk_servers();

    /// A manifest that sends what is meant for the two services here, and lifecycle events to .pawl/lifecycle.jsonl.
    std::string manifest() const;

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<net::http_server> petstore_, httpbin_;
    std::thread thread_;
};

}  // namespace pawl::system_tests
