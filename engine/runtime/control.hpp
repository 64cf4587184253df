// The messages by which an operator controls a run: inbox kinds "pause", "resume", "terminate" and "retry", body { by, from? }. The run's owner answers each with a
// step of the same function whose key is the message's id: "completed", or "faulted" with the reason. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pawl::runtime {

inline constexpr std::string_view pause_kind = "pause";
inline constexpr std::string_view resume_kind = "resume";
inline constexpr std::string_view terminate_kind = "terminate";
inline constexpr std::string_view retry_kind = "retry";

constexpr bool is_control(std::string_view kind) noexcept { return kind == pause_kind || kind == resume_kind || kind == terminate_kind || kind == retry_kind; }
/// Brings a run that is over back to life.
constexpr bool revives(std::string_view kind) noexcept { return kind == retry_kind; }

/// `from`: a task by name; empty: none.
std::string control_message(std::string_view by, std::string_view from = {});

}  // namespace pawl::runtime
