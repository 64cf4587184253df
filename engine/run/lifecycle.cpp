#include "run/lifecycle.hpp"

#include "base/ids.hpp"
#include "run/machine.hpp"
#include "run/stepper.hpp"

namespace pawl::run {
namespace {

/// A run that goes on after its end tells anew of tasks that it told of before.
std::string life_of(const run_state& s) { return s.revivals == 0 ? s.id : s.id + "~" + std::to_string(s.revivals); }

/// Which attempts of the tries around it a frame belongs to: paths are the same in every attempt, events are not.
std::string attempts_of(const run_state& s, const frame& f) {
    std::string out;
    for (const frame* at = &f; at != nullptr; at = at->parent == root_frame ? nullptr : s.find(at->parent)) {
        if (std::holds_alternative<flow::try_task>(s.task_of(*at).body)) out += "." + std::to_string(at->attempt);
    }
    return out;
}

}  // namespace

std::string_view to_string(lifecycle_phase phase) noexcept {
    switch (phase) {
        case lifecycle_phase::created: return "created";
        case lifecycle_phase::started: return "started";
        case lifecycle_phase::retried: return "retried";
        case lifecycle_phase::completed: return "completed";
        case lifecycle_phase::faulted: return "faulted";
        case lifecycle_phase::cancelled: return "cancelled";
        case lifecycle_phase::suspended: return "suspended";
        case lifecycle_phase::resumed: return "resumed";
        case lifecycle_phase::correlation_started: return "correlation-started";
        case lifecycle_phase::correlation_completed: return "correlation-completed";
    }
    return "";
}

void stepper::note(lifecycle_phase phase, const frame& f, const problem* error) {
    if (!world_.lifecycle || !s_.task_of(f).is_authored()) return;
    const bool of_workflow = phase == lifecycle_phase::correlation_started || phase == lifecycle_phase::correlation_completed;
    const auto id = derived_uuid(life_of(s_) + "\n" + activation_path(s_, f) + "\n" + attempts_of(s_, f) + "\n" + std::string(to_string(phase)));
    out_.lifecycle.push_back({id, of_workflow ? flow::no_task : f.task, phase, world_.now, error != nullptr ? std::optional(*error) : std::nullopt});
}

void stepper::note(lifecycle_phase phase, const problem* error) {
    if (!world_.lifecycle) return;
    // A run may be suspended often: each time is a step of its history.
    const bool often = phase == lifecycle_phase::suspended || phase == lifecycle_phase::resumed;
    const auto id = derived_uuid(life_of(s_) + "\n" + std::string(to_string(phase)) + (often ? " " + std::to_string(s_.next_step) : ""));
    out_.lifecycle.push_back({id, flow::no_task, phase, world_.now, error != nullptr ? std::optional(*error) : std::nullopt});
}

}  // namespace pawl::run
