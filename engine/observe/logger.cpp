#include "observe/logger.hpp"

#include "base/visible.hpp"

#include <array>
#include <cerrno>
#include <unistd.h>

namespace pawl::observe {
namespace {

constexpr std::array<std::string_view, 5> level_names{"debug", "info", "warning", "error", "off"};

const clock_source& system_clock_of_process() {
    static const system_clock_source clock;
    return clock;
}

}  // namespace

std::string_view to_string(log_level level) noexcept { return level_names[static_cast<std::size_t>(level)]; }

std::optional<log_level> log_level_from(std::string_view text) noexcept {
    for (std::size_t i = 0; i < level_names.size(); ++i) {
        if (level_names[i] == text) return static_cast<log_level>(i);
    }
    return std::nullopt;
}

line_sink sink_to_descriptor(int descriptor) {
    return [descriptor](std::string_view line) {
        while (!line.empty()) {
            const auto written = ::write(descriptor, line.data(), line.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return;  // nobody reads the log any more: work goes on without it
            line.remove_prefix(static_cast<std::size_t>(written));
        }
    };
}

logger::logger(line_sink sink, log_level least, std::shared_ptr<const secret_values> secrets, const clock_source* clock)
    : sink_(std::move(sink)), least_(least), secrets_(std::move(secrets)), clock_(clock != nullptr ? clock : &system_clock_of_process()) {}

void logger::write(log_level level, std::string_view event, json::object fields) const {
    if (!enabled(level)) return;
    json::object line;
    line["time"] = to_rfc3339(clock_->now());
    line["level"] = to_string(level);
    line["event"] = event;
    for (auto& [name, value] : fields) line.insert_or_assign(name, std::move(value));
    json::value whole(std::move(line));
    redact_members(whole);
    auto text = to_text(whole);
    if (secrets_) text = secrets_->redact(text);
    text = visible_line(text) + '\n';
    const std::lock_guard hold(lock_);
    sink_(text);
}

}  // namespace pawl::observe
