// The messages by which an operator controls a run: inbox kinds "pause", "resume", "terminate", "retry" and "rewind", body { by, from? } or rewind_order. The run's owner answers each with a
// step of the same function whose key is the message's id: "completed", or "faulted" with the reason. Pure; any thread.
#pragma once

#include "run/control.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::runtime {

using run::pause_kind;
using run::resume_kind;
using run::retry_kind;
using run::rewind_kind;
using run::terminate_kind;

constexpr bool is_control(std::string_view kind) noexcept {
    return kind == pause_kind || kind == resume_kind || kind == terminate_kind || kind == retry_kind || kind == rewind_kind;
}
/// Brings a run that is over back to life.
constexpr bool revives(std::string_view kind) noexcept { return kind == retry_kind || kind == rewind_kind; }

/// `from`: a task by name; empty: none.
std::string control_message(std::string_view by, std::string_view from = {});

/// Body of a rewind. The state comes with it, rebuilt by whoever asks (run/replay.hpp): the owner only looks whether the run still stands where it stood then.
struct rewind_order {
    std::string by;
    std::string to;              ///< path of the task
    std::int64_t revision = 0;   ///< of the run as it was looked at
    std::int64_t next_step = 1;
    time_point at;               ///< when the task was entered
    std::int64_t after = 0;      ///< the last step before that
    std::string state;           ///< run::encode()
    std::map<std::string, std::string, std::less<>> blobs = {};
};
std::string rewind_message(const rewind_order& order);
std::optional<rewind_order> rewind_order_from(std::string_view message);

}  // namespace pawl::runtime
