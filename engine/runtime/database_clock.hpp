// What time it is at the database. Between two looks at its clock this machine's own passing of time tells it, and never this machine's wall clock: one that somebody sets,
// or that a time server puts right, moves no timer and no deadline.
//
// Any thread.
#pragma once

#include "base/clock.hpp"

#include <atomic>
#include <functional>

namespace pawl::runtime {

class database_clock {
public:
    /// Milliseconds that have passed since some moment; time in which the machine was suspended counts.
    using ticker = std::function<milliseconds()>;

    static milliseconds since_boot();

    /// Until the database has been asked, its clock is taken to show `first`.
    explicit database_clock(time_point first, ticker passed = &since_boot);

    milliseconds ticks() const { return passed_(); }
    /// The database was asked when `ticks()` was `asked`, and has answered `shown` now. Returns by how much its clock was wrong here. An answer that took long says
    /// little, and only counts as the first one.
    milliseconds set(time_point shown, milliseconds asked);
    time_point now() const { return time_point(milliseconds(ahead_.load()) + passed_()); }

private:
    ticker passed_;
    std::atomic<std::int64_t> ahead_;  ///< of ticks(), ms
    std::atomic<bool> known_ = false;
};

}  // namespace pawl::runtime
