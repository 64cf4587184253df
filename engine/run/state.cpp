#include "run/state.hpp"

#include <algorithm>

namespace pawl::run {

// A run has few live frames (depth times live branches), so a scan beats an index.
frame* run_state::find(frame_id id) noexcept {
    const auto at = std::find_if(frames.begin(), frames.end(), [&](const frame& f) { return f.id == id; });
    return at == frames.end() ? nullptr : &*at;
}

const frame* run_state::find(frame_id id) const noexcept { return const_cast<run_state*>(this)->find(id); }

const frame* run_state::find_call(std::string_view key) const noexcept {
    const auto at = std::find_if(frames.begin(), frames.end(), [&](const frame& f) { return f.key == key; });
    return at == frames.end() ? nullptr : &*at;
}

std::optional<time_point> run_state::due_at() const {
    if (suspended_at) return std::nullopt;  // what falls due meanwhile fires when it is resumed
    std::optional<time_point> earliest = deadline;
    const auto consider = [&](const std::optional<time_point>& t) {
        if (t && (!earliest || *t < *earliest)) earliest = t;
    };
    for (const auto& f : frames) {
        consider(f.deadline);
        consider(f.wake_at);
        consider(f.attempt_deadline);
    }
    return earliest;
}

}  // namespace pawl::run
