// Structured logs: one JSON object per line, `time`, `level` and `event` first. Ids and outcomes, never content: what a line may hold is
// decided by whoever calls; what looks like a secret is replaced on the way out.
// Thread-safe; a line is written with one write(2), so lines of several threads or processes do not mix.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "observe/redact.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::observe {

enum class log_level { debug, info, warning, error, off };

std::string_view to_string(log_level level) noexcept;
std::optional<log_level> log_level_from(std::string_view text) noexcept;

/// Takes one finished line, with its line break.
using line_sink = std::function<void(std::string_view line)>;
/// Writes to a file descriptor that stays open, normally 2.
line_sink sink_to_descriptor(int descriptor);

class logger {
public:
    logger(line_sink sink, log_level least, std::shared_ptr<const secret_values> secrets = nullptr, const clock_source* clock = nullptr);

    bool enabled(log_level level) const noexcept { return level >= least_ && least_ != log_level::off; }
    void write(log_level level, std::string_view event, json::object fields = {}) const;

private:
    line_sink sink_;
    log_level least_;
    std::shared_ptr<const secret_values> secrets_;
    const clock_source* clock_;
    mutable std::mutex lock_;
};

}  // namespace pawl::observe
