// Heartbeats on their way to the engine: at most one per call in a while, the newest first of all. A tool may beat thousands of times a second.
// Any thread.
#pragma once

#include "tool/call.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace pawl::tool {

class beats {
public:
    /// `send` is called from any thread, one after the other for a call.
    explicit beats(std::function<void(call_id, std::string_view)> send) : send_(std::move(send)) {}

    void beat(call_id id, std::string_view detail);
    /// The call ends: its newest detail goes out, and nothing after it.
    void end(call_id id);

private:
    using clock = std::chrono::steady_clock;
    struct state {
        clock::time_point next{};  ///< not before
        bool waiting = false;
        std::string detail;        ///< of what waits; empty: a mere sign of life
    };
    void work();

    const std::function<void(call_id, std::string_view)> send_;
    std::mutex guard_;
    std::condition_variable changed_;
    std::unordered_map<call_id, state> calls_;
    std::size_t waiting_ = 0;
    bool works_ = false;  ///< the thread that sends what has waited; started when there is something
};

}  // namespace pawl::tool
