// Where the heartbeats of one running call arrive: from any thread, as often as the tool likes. The newest detail wins until the core looks.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pawl::runtime {

/// A longer detail ends the call with an error: what is large belongs elsewhere, and the detail says where.
inline constexpr std::size_t max_detail_bytes = 64 * 1024;

class pulse {
public:
    /// `detail`: JSON text, or empty for a mere sign of life. True for the first beat since the core looked: tell it.
    bool beat(std::string_view detail) {
        const std::lock_guard lock(guard_);
        if (detail.size() > max_detail_bytes) {
            too_long_ = detail.size();
        } else if (!detail.empty()) {
            detail_.emplace(detail);
        }
        return !std::exchange(beaten_, true);
    }

    struct news {
        bool beaten = false;
        std::optional<std::string> detail;
        std::size_t too_long = 0;  ///< bytes of a detail over the limit; 0: none
    };
    /// What came since the last look.
    news take() {
        const std::lock_guard lock(guard_);
        news out{std::exchange(beaten_, false), std::move(detail_), std::exchange(too_long_, 0)};
        detail_.reset();
        return out;
    }

private:
    std::mutex guard_;
    bool beaten_ = false;
    std::optional<std::string> detail_;
    std::size_t too_long_ = 0;
};

}  // namespace pawl::runtime
