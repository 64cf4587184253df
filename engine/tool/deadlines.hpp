// Calls something back at a time of the wall clock: one timer for all, re-armed only when the earliest changes.
// add() and remove() from any thread; callbacks on the io_context, outside of any lock.
#pragma once

#include "base/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace pawl::tool {

class deadlines : public std::enable_shared_from_this<deadlines> {
public:
    explicit deadlines(boost::asio::io_context& io);

    using ticket = std::pair<time_point, std::uint64_t>;
    ticket add(time_point at, std::function<void()> what);
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
