// Waiting out a store that is busy, lost or full: said once, tried again with growing pauses, ended by stop.
#pragma once

#include "store/connection.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace pawl::runtime {

/// A flag that ends waits. Thread-safe.
class stop_flag {
public:
    void raise() {
        const std::lock_guard lock(mutex_);
        raised_ = true;
        changed_.notify_all();
    }
    bool is_raised() const {
        const std::lock_guard lock(mutex_);
        return raised_;
    }
    /// True when it was raised within `pause`.
    bool wait_for(milliseconds pause) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, pause, [&] { return raised_; });
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool raised_ = false;
};

/// One outage as one pair of log lines. Belongs to one thread.
class outage {
public:
    outage(std::string who, const std::function<void(std::string_view)>& log) : who_(std::move(who)), log_(log) {}

    /// Notes a failed try; returns how long to wait before the next.
    milliseconds failed(const store::store_error& error) {
        if (!down_ && log_) log_(who_ + ": the store does not answer (" + error.detail + "); waiting for it");
        down_ = true;
        pause_ = std::min(pause_ * 2, milliseconds(2'000));
        return pause_;
    }
    void passed() {
        if (down_ && log_) log_(who_ + ": the store answers again");
        down_ = false;
        pause_ = milliseconds(10);
    }

private:
    std::string who_;
    const std::function<void(std::string_view)>& log_;
    bool down_ = false;
    milliseconds pause_{10};
};

}  // namespace pawl::runtime
