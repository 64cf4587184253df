#include "cli/network.hpp"

#include <future>

namespace pawl::cli {
namespace {

/// What was cancelled ends at once; timers that nobody waits for are not waited for longer than this.
constexpr milliseconds time_to_end{500};

}  // namespace

network::network(net::http_client_options options)
    : work_(boost::asio::make_work_guard(context_)), client_(std::make_unique<net::http_client>(context_, std::move(options))), thread_([this] {
          context_.run();
          ended_.set_value();
      }) {}

network::~network() {
    client_.reset();
    work_.reset();
    // Cancelled operations must end while the context lives: Asio's resolver drops its own too late for what they hold.
    ended_.get_future().wait_for(time_to_end);
    context_.stop();
    thread_.join();
}

result<net::http_response> send_and_wait(net::http_client& client, net::http_request request) {
    auto answered = std::make_shared<std::promise<result<net::http_response>>>();
    auto answer = answered->get_future();
    client.send(std::move(request), [answered](result<net::http_response> response) { answered->set_value(std::move(response)); });
    return answer.get();
}

}  // namespace pawl::cli
