// One call as a host takes it, and where its news go. Values are JSON text here: they cross processes and the C ABI as text anyway.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::tool {

/// Names one call in this process, never reused.
using call_id = std::uint64_t;
call_id next_call_id() noexcept;

using secret_values = std::map<std::string, std::string, std::less<>>;

struct tool_call {
    std::string tool;         ///< "lookup"
    std::string input;        ///< JSON text
    std::string key;          ///< idempotency key
    unsigned attempt = 1;
    std::optional<time_point> deadline;
    std::string last_detail;  ///< JSON text of the last heartbeat of an earlier attempt; empty: none
    secret_values secrets;    ///< those that the plugin declares
};

/// An output's text as a result (a string would also make a problem).
inline result<std::string> answer_of(std::string text) { return result<std::string>(boost::system::in_place_value, std::move(text)); }

/// Called from any thread; must not block. Nothing follows `done`.
struct call_sink {
    std::function<void(result<std::string>)> done;         ///< exactly once: the output as JSON text (not looked at yet), or a problem
    std::function<void(std::string_view json)> heartbeat;  ///< may be empty
    std::function<void(std::string_view line)> progress;   ///< may be empty
};

enum class log_level { debug, info, warning, error };
std::string_view to_string(log_level level) noexcept;

/// The plugins' own lines: log(), and what an isolated plugin writes to stdout and stderr. Any thread; must not block.
using log_sink = std::function<void(log_level level, std::string_view plugin, std::string_view line)>;

inline constexpr std::size_t max_line_bytes = 4096;
/// The first line's worth of text: cut at max_line_bytes, control characters made visible as spaces.
std::string one_line(std::string_view text);

/// Replaces the values of secrets (of 4 and more bytes) in text for people by "[secret NAME]".
std::string scrub(std::string text, const secret_values& secrets);

/// What a tool's failure text says as a problem: types by short name or URI, missing members filled in. Any text gives a problem.
problem problem_from_answer(std::string_view text, std::string_view function);

}  // namespace pawl::tool
