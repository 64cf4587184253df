#include "runtime/database_clock.hpp"

#include <ctime>

namespace pawl::runtime {
namespace {

constexpr milliseconds longest_answer{1'000};

}  // namespace

milliseconds database_clock::since_boot() {
    std::timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);  // steady_clock stands still while the machine is suspended
    return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

database_clock::database_clock(time_point first, ticker passed) : passed_(std::move(passed)), ahead_((first.time_since_epoch() - passed_()).count()) {}

milliseconds database_clock::set(time_point shown, milliseconds asked) {
    const auto answered = passed_();
    if (known_ && answered - asked > longest_answer) return milliseconds(0);
    known_ = true;
    // Somewhere between question and answer: in the middle it is wrong by no more than half of what that took.
    const auto ahead = (shown.time_since_epoch() - (asked + (answered - asked) / 2)).count();
    return milliseconds(ahead - ahead_.exchange(ahead));
}

}  // namespace pawl::runtime
