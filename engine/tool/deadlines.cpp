#include "tool/deadlines.hpp"

#include <boost/asio/post.hpp>

#include <vector>

namespace pawl::tool {
deadlines::deadlines(boost::asio::io_context& io) : strand_(boost::asio::make_strand(io)), timer_(strand_) {}

deadlines::ticket deadlines::add(moment at, std::function<void()> what) {
    ticket made;
    bool earliest = false;
    {
        const std::lock_guard lock(guard_);
        made = {at, ++last_};
        const auto at_place = all_.emplace(made, std::move(what)).first;
        earliest = at_place == all_.begin();
    }
    if (earliest) {
        boost::asio::post(strand_, [self = shared_from_this()] { self->arm(); });
    }
    return made;
}

void deadlines::remove(const ticket& which) {
    const std::lock_guard lock(guard_);
    all_.erase(which);
}

void deadlines::stop() {
    {
        const std::lock_guard lock(guard_);
        all_.clear();
    }
    boost::asio::post(strand_, [self = shared_from_this()] { self->timer_.cancel(); });
}

void deadlines::arm() {
    moment at;
    {
        const std::lock_guard lock(guard_);
        if (all_.empty()) return;
        at = all_.begin()->first.first;
    }
    timer_.expires_at(at);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->fire();
    });
}

void deadlines::fire() {
    std::vector<std::function<void()>> due;
    {
        const std::lock_guard lock(guard_);
        const auto t = std::chrono::steady_clock::now();
        while (!all_.empty() && all_.begin()->first.first <= t) {
            due.push_back(std::move(all_.begin()->second));
            all_.erase(all_.begin());
        }
    }
    for (const auto& each : due) each();
    arm();
}

}  // namespace pawl::tool
