#include "run/control.hpp"

#include "base/suggest.hpp"
#include "run/activation.hpp"
#include "run/stepper.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

std::string_view function_of(const run_state& s, const frame& f) { return std::get<flow::call_task>(s.task_of(f).body).function; }

/// With how far it was, if it told: whoever decides may need it.
problem unknown_outcome(const run_state& s, const frame& f, const std::map<std::string, std::string, std::less<>>* details) {
    auto error = make_problem(problem_type::runtime,
                              "Task `" + s.task_of(f).name + "` called `" + std::string(function_of(s, f)) +
                                  "` and the engine stopped before it learned the outcome. The function runs at most once, so it was not called again: "
                                  "find out what happened and decide.",
                              s.task_of(f).pointer);
    error.title = "Unknown Outcome";
    if (details == nullptr) return error;
    if (const auto told = details->find(f.key); told != details->end()) {
        if (auto detail = parse_json(told->second)) error.extra["lastDetail"] = std::move(*detail);
    }
    return error;
}

std::vector<frame_id> frames_in(const run_state& s, std::initializer_list<frame_phase> phases) {
    std::vector<frame_id> found;
    for (const auto& f : s.frames) {
        if (std::find(phases.begin(), phases.end(), f.phase) != phases.end()) found.push_back(f.id);
    }
    return found;
}

/// "inner" and "outer/inner" name the task "a/outer/inner".
bool is_named(std::string_view path, std::string_view wanted) {
    return path.ends_with(wanted) && (path.size() == wanted.size() || path[path.size() - wanted.size() - 1] == '/');
}

problem refused(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

/// The live frame that `from` names. Error: none of this name, or several.
result<frame_id> live_task(const run_state& s, const std::vector<frame>& frames, std::string_view from) {
    std::vector<const frame*> found;
    std::string live;
    for (const auto& f : frames) {
        if (!s.task_of(f).is_authored()) continue;
        const auto path = task_path(*s.workflow, f.task);
        if (is_named(path, from)) found.push_back(&f);
        live += (live.empty() ? "" : ", ") + path;
    }
    if (found.size() == 1) return found.front()->id;
    if (found.size() > 1) return refused("Several tasks that were under way are called `" + std::string(from) + "`; name the tasks around it too, as in outer/inner: " + live + ".");
    return refused("No task `" + std::string(from) + "` was under way when the run ended, only: " + (live.empty() ? "none" : live) + ". To begin anew with the same input, use: pawl runs fork.");
}

/// The time since `at` does not count, except for what was late itself.
void extend_deadlines(run_state& s, const std::optional<time_point>& of_run, time_point at, time_point now) {
    const auto over = now - at;
    const auto extend = [&](std::optional<time_point>& deadline) {
        if (deadline && *deadline > at) *deadline += over;
    };
    if (of_run) s.deadline = *of_run > at ? *of_run + over : now + (*of_run - s.started_at);
    for (auto& f : s.frames) {
        extend(f.deadline);
        extend(f.attempt_deadline);
    }
}

}  // namespace

std::string task_path(const flow::workflow& w, flow::task_id task) {
    std::string path;
    for (auto at = task; at != flow::no_task; at = w.tasks[at].parent) {
        if (at != task && !w.tasks[at].is_authored()) continue;
        path = w.tasks[at].name + (path.empty() ? "" : "/") + path;
    }
    return path;
}

void stepper::recover_call(frame_id id) {
    auto* f = s_.find(id);
    if (f == nullptr) return;  // an unknown outcome before it ended its scope
    if (std::get<flow::call_task>(s_.task_of(*f).body).safety != effect_safety::at_most_once) {
        out_.calls.push_back({id, true});
        return;
    }
    auto error = unknown_outcome(s_, *f, world_.details);
    record(*f, function_of(s_, *f), "unknown", value_ref(json::value(to_json(error))));
    f->phase = frame_phase::body;  // answered: not to be abandoned with its scope
    fail(id, std::move(error));
}

void stepper::answer_later(frame_id call, value_ref output) {
    auto* f = s_.find(call);
    f->phase = frame_phase::answered;
    f->wake_at.reset();
    f->results.assign(1, std::move(output));
}

void stepper::answer_later(frame_id call, const problem& error) {
    auto* f = s_.find(call);
    f->phase = frame_phase::answered;
    f->wake_at.reset();
    f->error = value_ref(json::value(to_json(error)));
}

void stepper::answer(frame_id call) {
    auto* f = s_.find(call);
    if (f == nullptr) return;  // an answer before it ended its scope
    f->phase = frame_phase::body;
    if (f->results.empty()) return fail(call, problem_from_json(std::exchange(f->error, {})->as_object()));
    auto output = std::move(*f->results.front());
    f->results.clear();
    complete(call, std::move(output));
}

void stepper::enter_again(frame_id id) {
    const auto& f = *s_.find(id);
    ready_item again{f.parent, f.task, f.raw_input};
    std::vector<frame_id> gone{id};
    for (const auto& each : s_.frames) {
        if (std::find(gone.begin(), gone.end(), each.parent) != gone.end()) gone.push_back(each.id);
    }
    const auto is_gone = [&](frame_id each) { return std::find(gone.begin(), gone.end(), each) != gone.end(); };
    std::erase_if(s_.ready, [&](const ready_item& item) { return is_gone(item.parent); });
    std::erase_if(s_.frames, [&](const frame& each) { return is_gone(each.id); });
    uncount_visit(s_, again.parent, again.task);
    forget_heard(again.task);
    s_.ready.push_back(std::move(again));
}

transition suspend(run_state& s, const std::vector<frame_id>& unseen, const surroundings& world) {
    stepper steps(s, world);
    if (is_final(s.status) || s.suspended_at) return steps.take();
    s.suspended_at = world.now;
    if (s.status != run_status::pending) steps.note(lifecycle_phase::suspended);  // else told when it begins
    for (const auto id : unseen) {
        if (auto* f = s.find(id); f != nullptr && f->phase == frame_phase::started) f->phase = frame_phase::held;
    }
    for (const auto id : frames_in(s, {frame_phase::queued})) s.find(id)->phase = frame_phase::held;  // it gets in line anew
    return steps.take();
}

transition unsuspend(run_state& s, const std::vector<frame_id>& lost, const surroundings& world) {
    stepper steps(s, world);
    if (!s.suspended_at) return steps.take();
    s.suspended_at.reset();
    steps.note(lifecycle_phase::resumed);
    for (const auto id : frames_in(s, {frame_phase::answered})) steps.answer(id);
    for (const auto& event : std::exchange(s.held_events, {})) {
        if (!is_final(s.status)) steps.event_arrived(event);
    }
    for (const auto id : frames_in(s, {frame_phase::held})) {
        s.find(id)->phase = frame_phase::started;
        steps.out().calls.push_back({id, false});
    }
    for (const auto id : lost) steps.recover_call(id);
    if (!is_final(s.status)) steps.fire_due();
    steps.drain();
    return steps.take();
}

transition terminate(run_state& s, std::string_view reason, const surroundings& world) {
    stepper steps(s, world);
    if (!is_final(s.status)) steps.end_cancelled(reason, "Terminated");
    return steps.take();
}

result<flow::task_id> named_task(const flow::workflow& w, std::string_view name) {
    constexpr std::size_t most_shown = 30;
    std::vector<flow::task_id> found;
    std::vector<std::string> known;
    std::string all;
    for (const auto& task : w.tasks) {
        if (!task.is_authored()) continue;
        const auto path = task_path(w, task.id);
        if (is_named(path, name)) found.push_back(task.id);
        known.push_back(task.name);
        if (known.size() <= most_shown) all += (all.empty() ? "" : ", ") + path;
    }
    if (known.size() > most_shown) all += " and " + std::to_string(known.size() - most_shown) + " more";
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
        std::string which;
        for (const auto id : found) which += (which.empty() ? "" : ", ") + task_path(w, id);
        return refused("Several tasks are called `" + std::string(name) + "`; name the tasks around it too, as in outer/inner: " + which + ".");
    }
    const auto near = closest(name.substr(name.rfind('/') + 1), known);
    return refused("There is no task `" + std::string(name) + "` in " + w.document.ns + "/" + w.document.name + ":" + w.document.version + (near ? "; did you mean `" + *near + "`?" : ".") +
                   " Its tasks: " + all + ".");
}

transition give_up(run_state& s, const surroundings& world) {
    stepper steps(s, world);
    if (!is_final(s.status)) steps.remove_below(root_frame, false, "cancelled");
    return steps.take();
}

transition rewind(run_state& s, run_state point, time_point at, const surroundings& world) {
    const auto held = std::exchange(s.held_events, {});
    const auto kept = std::exchange(s.kept_events, {});
    point.dropped_events = s.dropped_events;
    point.listens_late = false;
    point.next_step = s.next_step;
    point.revivals = std::max(s.revivals, point.revivals) + 1;
    point.key_generation = std::max(s.key_generation, point.key_generation) + 1;
    // A late outcome of a call of before must not meet a new one under the same number; of a completed run the numbers are not known any more.
    point.next_frame = std::max({s.next_frame, point.next_frame, point.key_generation << 40});
    point.status = run_status::running;
    s = std::move(point);
    extend_deadlines(s, std::exchange(s.deadline, std::nullopt), at, world.now);
    stepper steps(s, world);
    steps.note(lifecycle_phase::resumed);
    for (const auto id : frames_in(s, {frame_phase::started, frame_phase::parked, frame_phase::held})) steps.enter_again(id);
    // A listen that was under way at the point begins anew, and may take what has been kept since.
    for (const auto& event : kept) steps.event_arrived(event);
    for (const auto& event : held) steps.event_arrived(event);
    steps.drain();
    return steps.take();
}

result<transition> retry(run_state& s, std::string_view from, const surroundings& world) {
    if (s.status != run_status::faulted && s.status != run_status::cancelled) return refused("Only a faulted or cancelled run can be retried; this one is " + std::string(to_string(s.status)) + ".");
    if (!s.halt) return refused("What the run had when it ended is not stored any more, so it cannot go on from there. To begin anew with the same input, use: pawl runs fork.");
    if (s.halt->frames.empty() && s.halt->ready.empty()) {
        return refused("The run failed outside of its tasks, in its own input or output, so there is no task to go on from. To begin anew, with another input perhaps, use: pawl runs fork.");
    }
    auto failed = s.halt->failed;
    if (!from.empty()) {
        const auto named = live_task(s, s.halt->frames, from);
        if (named.has_error()) return named.error();
        failed = *named;
    }
    const auto halt = std::move(*s.halt);
    s.halt.reset();
    s.error.reset();
    s.status = run_status::running;
    ++s.revivals;
    s.frames = halt.frames;
    s.ready = halt.ready;
    s.visits = halt.visits;
    s.suspended_at.reset();
    extend_deadlines(s, halt.deadline, halt.at, world.now);
    stepper steps(s, world);
    steps.note(lifecycle_phase::resumed);
    if (failed != root_frame) steps.enter_again(failed);
    // What was under way was abandoned when the run ended.
    for (const auto id : frames_in(s, {frame_phase::started, frame_phase::queued, frame_phase::parked, frame_phase::held})) steps.enter_again(id);
    for (const auto id : frames_in(s, {frame_phase::answered})) steps.answer(id);
    for (const auto& event : std::exchange(s.held_events, {})) steps.event_arrived(event);
    steps.drain();
    return steps.take();
}

}  // namespace pawl::run
