// Live progress of one run for people: one line per finished step with its duration and attempts, what runs for long, what the run waits for.
// A step that repeats thousands of times (a loop) is counted instead, with a line a second. Main thread only; writes through the given function.
#pragma once

#include "runtime/engine.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace pawl::cli {

class progress {
public:
    using steady = std::chrono::steady_clock;
    explicit progress(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

    void started(const runtime::run_event& event, steady::time_point now);
    void finished(const runtime::run_event& event, steady::time_point now);
    /// A tool's own words.
    void words(const runtime::run_event& event);
    /// A line that is said once in a row, such as what the run waits for.
    void note(const std::string& line);
    /// From time to time: names steps that run for more than a second and counts of loops.
    void tick(steady::time_point now);
    /// At the end: what has been counted and not said yet.
    void flush(steady::time_point now);

private:
    struct tally {
        std::uint64_t finished = 0;      ///< in all
        std::uint64_t failed = 0;
        std::uint64_t said = 0;          ///< of those, in lines so far
        steady::time_point since, last_line;
        std::string task, function;
    };
    struct running {
        std::string line;
        steady::time_point since;
        bool said = false;
    };
    void say_tally(tally& of, steady::time_point now);
    void write(const std::string& line);

    std::function<void(std::string_view)> write_;
    std::map<std::string, tally, std::less<>> tallies_;   ///< by JSON Pointer
    std::map<std::string, running, std::less<>> running_; ///< by idempotency key
    std::string last_note_;
};

}  // namespace pawl::cli
