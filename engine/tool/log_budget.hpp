// Lets a plugin's lines through up to so many bytes a second, and says how many it dropped. Any thread.
#pragma once

#include "tool/call.hpp"

#include <chrono>
#include <mutex>

namespace pawl::tool {

class log_budget {
public:
    log_budget(std::size_t bytes_per_second, std::string plugin, log_sink into) : limit_(bytes_per_second), plugin_(std::move(plugin)), into_(std::move(into)) {}

    void write(log_level level, std::string_view line) {
        std::size_t dropped = 0;
        {
            const std::lock_guard lock(guard_);
            const auto now = std::chrono::steady_clock::now();
            if (now - since_ >= std::chrono::seconds(1)) {
                since_ = now;
                used_ = 0;
                dropped = std::exchange(dropped_, 0);
            }
            used_ += line.size() + 1;
            if (used_ > limit_) {
                ++dropped_;
                return;
            }
        }
        if (dropped > 0) into_(log_level::warning, plugin_, "Dropped " + std::to_string(dropped) + " lines: the plugin writes more than the limit.");
        into_(level, plugin_, line);
    }

private:
    const std::size_t limit_;
    const std::string plugin_;
    const log_sink into_;
    std::mutex guard_;
    std::chrono::steady_clock::time_point since_{};
    std::size_t used_ = 0;
    std::size_t dropped_ = 0;
};

}  // namespace pawl::tool
