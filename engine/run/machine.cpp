#include "run/machine.hpp"

#include "run/stepper.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

constexpr std::size_t most_held_events = 10'000;

/// The frame of a call that still waits for its outcome.
frame* open_call(run_state& s, frame_id id) {
    auto* f = s.find(id);
    return f != nullptr && is_open_call(f->phase) ? f : nullptr;
}

std::string_view function_of(const run_state& s, const frame& f) { return std::get<flow::call_task>(s.task_of(f).body).function; }

}  // namespace

transition start(run_state& s, value_ref input, const surroundings& world) {
    s.raw_input = std::move(input);
    stepper steps(s, world);
    steps.begin_run();
    steps.drain();
    return steps.take();
}

transition resume(run_state& s, const surroundings& world) {
    stepper steps(s, world);
    steps.drain();
    return steps.take();
}

transition recover(run_state& s, const surroundings& world) {
    stepper steps(s, world);
    if (s.suspended_at) return steps.take();  // when it is resumed
    std::vector<frame_id> started;
    for (const auto& f : s.frames) {
        if (f.phase == frame_phase::started) started.push_back(f.id);
        if (f.phase == frame_phase::queued) steps.out().queued.push_back(f.id);
    }
    for (const auto id : started) steps.recover_call(id);
    steps.drain();
    return steps.take();
}

transition call_completed(run_state& s, frame_id call, json::value output, const json::object& facts, const surroundings& world) {
    stepper steps(s, world);
    if (auto* f = open_call(s, call)) {
        // What an author is told to expect of `await: false` is the input, whatever the effect says about the start.
        const bool keeps_input = std::get<flow::call_task>(s.task_of(*f).body).outputs_input;
        const auto value = keeps_input ? f->input : value_ref(std::move(output));
        steps.record(*f, function_of(s, *f), "completed", value, facts);
        if (s.suspended_at) {
            steps.answer_later(call, value);
            return steps.take();
        }
        f->phase = frame_phase::body;  // answered: not to be abandoned with its scope
        steps.complete(call, value);
        steps.drain();
    }
    return steps.take();
}

transition call_failed(run_state& s, frame_id call, problem error, const json::object& facts, const surroundings& world) {
    stepper steps(s, world);
    if (auto* f = open_call(s, call)) {
        if (error.instance.empty()) error.instance = s.task_of(*f).pointer;
        const auto outcome = type_name_of(error.type) == "timeout" ? "timeout" : "faulted";
        steps.record(*f, function_of(s, *f), outcome, value_ref(json::value(to_json(error))), facts);
        if (s.suspended_at) {
            steps.answer_later(call, error);
            return steps.take();
        }
        f->phase = frame_phase::body;  // answered: not to be abandoned with its scope
        steps.fail(call, std::move(error));
        steps.drain();
    }
    return steps.take();
}

void call_parked(run_state& s, frame_id call, std::optional<time_point> wake_at) {
    if (auto* f = open_call(s, call)) {
        f->phase = frame_phase::parked;
        f->wake_at = wake_at;
    }
    set_status(s);
}

void call_queued(run_state& s, frame_id call) {
    if (auto* f = open_call(s, call)) f->phase = frame_phase::queued;
}

bool call_let_go(run_state& s, frame_id call) {
    auto* f = s.find(call);
    if (f == nullptr || f->phase != frame_phase::queued) return false;
    f->phase = frame_phase::started;
    return true;
}

transition time_passed(run_state& s, const surroundings& world) {
    stepper steps(s, world);
    if (!is_final(s.status) && !s.suspended_at) steps.fire_due();
    return steps.take();
}

transition event_arrived(run_state& s, const value_ref& event, const surroundings& world) {
    stepper steps(s, world);
    if (is_final(s.status)) return steps.take();
    if (s.suspended_at && s.held_events.size() < most_held_events) {
        s.held_events.push_back(event);
        return steps.take();
    }
    // Too many to hold: the tasks that listen take them now, with the limit that they have.
    for (const auto& held : std::exchange(s.held_events, {})) steps.event_arrived(held);
    steps.event_arrived(event);
    return steps.take();
}

std::set<std::string> awaited_types(const run_state& s) {
    std::set<std::string> types;
    for (const auto& f : s.frames) {
        if (!f.listen || f.listen->satisfied) continue;
        types.merge(types_of_interest(std::get<flow::listen_task>(s.task_of(f).body).to, f.listen->progress));
    }
    if (types.contains("")) return {""};
    return types;
}

std::set<std::string> subscriptions(const run_state& s) {
    if (s.workflow->listens.empty() || is_final(s.status)) return {};
    auto types = awaited_types(s);
    for (const auto& each : s.workflow->listens) {
        if (!s.listens_late && !std::binary_search(s.heard.begin(), s.heard.end(), each.task)) types.insert(each.types.begin(), each.types.end());
    }
    if (types.contains("")) return {""};
    return types;
}

transition cancel(run_state& s, std::string_view reason, const surroundings& world) {
    stepper steps(s, world);
    if (!is_final(s.status)) steps.end_cancelled(reason);
    return steps.take();
}

std::optional<time_point> effective_deadline(const run_state& s, const frame& f) {
    auto earliest = s.deadline;
    const auto consider = [&](const std::optional<time_point>& t) {
        if (t && (!earliest || *t < *earliest)) earliest = t;
    };
    for (const frame* at = &f; at != nullptr; at = at->parent == root_frame ? nullptr : s.find(at->parent)) {
        consider(at->deadline);
        consider(at->attempt_deadline);
    }
    return earliest;
}

}  // namespace pawl::run
