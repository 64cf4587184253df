// What is told of a run: to the listener (ids, names, outcomes) and to its agent's meta.
#include "runtime/core.hpp"

#include <algorithm>

namespace pawl::runtime {

run_event core::notice(const resident& r, run_event::kind what) const {
    run_event event;
    event.what = what;
    event.run = r.state.id;
    event.status = r.state.status;
    event.revision = r.revision;
    return event;
}

void core::notice_step(resident& r, const run::step_record& step) {
    if (!options_.listener) return;
    const auto& task = task_of(r, step);
    auto event = notice(r, run_event::kind::step_finished);
    event.task = task.name;
    event.pointer = task.pointer;
    event.function = step.function;
    event.key = step.key;
    event.attempt = step.attempt;
    event.outcome = step.outcome;
    event.duration = step.ended_at - step.started_at;
    if (step.outcome != "completed" && step.result->is_object()) {
        const auto error = problem_from_json(step.result->get_object());
        event.detail = error.title.empty() ? error.detail : error.title + ": " + error.detail;
    }
    r.notices.push_back(std::move(event));
}

void core::notice_waiting(resident& r) {
    if (!options_.listener) return;
    if (r.state.suspended_at) {
        auto event = notice(r, run_event::kind::waiting);
        event.function = "pause";
        return tell(event);
    }
    for (const auto& f : r.state.frames) {
        if (f.phase == run::frame_phase::listening && !f.listen->satisfied) {
            auto event = notice(r, run_event::kind::waiting);
            event.task = r.state.task_of(f).name;
            event.pointer = r.state.task_of(f).pointer;
            event.function = "listen";
            event.until = run::effective_deadline(r.state, f);
            for (const auto& type : run::awaited_types(r.state)) event.detail += (event.detail.empty() ? "" : ", ") + (type.empty() ? "any type" : type);
            tell(event);
            continue;
        }
        if (f.phase != run::frame_phase::waiting && f.phase != run::frame_phase::parked && f.phase != run::frame_phase::backoff) continue;
        const auto& task = r.state.task_of(f);
        auto event = notice(r, run_event::kind::waiting);
        event.task = task.name;
        event.pointer = task.pointer;
        if (const auto* call = std::get_if<flow::call_task>(&task.body)) event.function = call->function;
        event.key = f.key;
        event.attempt = f.attempt;
        event.until = f.wake_at;
        event.parked = f.phase == run::frame_phase::parked;
        tell(event);
    }
}

void core::update_agent_meta(resident& r) {
    if (!r.agent) return;
    json::object patch;
    switch (r.state.status) {
        case run_status::faulted: patch["status"] = "faulted"; break;
        case run_status::completed:
        case run_status::cancelled: patch["status"] = "idle"; break;
        case run_status::waiting: patch["status"] = "waiting"; break;
        case run_status::suspended: patch["status"] = "suspended"; break;
        default: patch["status"] = "running";
    }
    unsigned attempt = 1;
    for (const auto& f : r.state.frames) attempt = std::max(attempt, f.attempt);
    patch["retryCount"] = attempt - 1;
    if (r.state.status == run_status::faulted && r.state.error) {
        const auto& error = *r.state.error;
        patch["lastError"] = json::object{{"type", error.type}, {"status", error.status}, {"title", error.title}, {"instance", error.instance}};
    }
    r.agent->merge_meta(patch);
}

}  // namespace pawl::runtime
