// Calls something back at a time of this process' own clock, which nobody sets: one timer for all, re-armed only when the earliest changes.
// add() and remove() from any thread; callbacks on the io_context, outside of any lock.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace pawl::tool {

class deadlines : public std::enable_shared_from_this<deadlines> {
public:
    explicit deadlines(boost::asio::io_context& io);

    using moment = std::chrono::steady_clock::time_point;
    using ticket = std::pair<moment, std::uint64_t>;
    ticket add(moment at, std::function<void()> what);
    void remove(const ticket& which);
    /// Forgets all; nothing is called back after this but what is being called now.
    void stop();

private:
    void arm();
    void fire();

    boost::asio::strand<boost::asio::io_context::executor_type> strand_;
    boost::asio::steady_timer timer_;
    std::mutex guard_;
    std::map<ticket, std::function<void()>> all_;
    std::uint64_t last_ = 0;
};

}  // namespace pawl::tool
