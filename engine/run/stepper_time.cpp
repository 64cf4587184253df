// Time: waits, back-offs and deadlines that have come, in the order of their time.
#include "run/stepper.hpp"

namespace pawl::run {
namespace {

enum class due_kind { wake_up, deadline, attempt_deadline, run_deadline };

struct due_item {
    time_point at;
    due_kind what = due_kind::wake_up;
    frame_id frame = root_frame;
};

/// The earliest thing that is due; of equals the outermost.
std::optional<due_item> earliest(const run_state& s, time_point now) {
    std::optional<due_item> found;
    const auto consider = [&](const std::optional<time_point>& at, due_kind what, frame_id frame) {
        if (at && *at <= now && (!found || *at < found->at)) found = due_item{*at, what, frame};
    };
    consider(s.deadline, due_kind::run_deadline, root_frame);
    for (const auto& f : s.frames) {
        consider(f.deadline, due_kind::deadline, f.id);
        consider(f.attempt_deadline, due_kind::attempt_deadline, f.id);
        consider(f.wake_at, due_kind::wake_up, f.id);
    }
    return found;
}

problem timed_out(const flow::task& task, std::string_view what) {
    return make_problem(problem_type::timeout, std::string(what) + " `" + task.name + "` did not end in time.", task.pointer);
}

}  // namespace

void stepper::fire_due() {
    while (!is_final(s_.status) && !out_.yielded) {
        const auto due = earliest(s_, world_.now);
        if (!due) break;
        if (due->what == due_kind::run_deadline) {
            fault_at("/timeout", make_problem(problem_type::timeout, "The workflow did not end in time."));
            break;
        }
        auto* f = s_.find(due->frame);
        const auto& task = s_.task_of(*f);
        if (due->what == due_kind::deadline) {
            remove_below(f->id, false, "timeout");
            // The task itself may be the call that is late.
            f = s_.find(due->frame);
            if (is_open_call(f->phase)) {
                auto late = *f;
                record(late, std::get<flow::call_task>(task.body).function, "timeout", value_ref());
                std::erase_if(out_.calls, [&](const call_intent& c) { return c.frame == late.id; });
                out_.abandoned.push_back({std::move(late), "timeout"});
                f->phase = frame_phase::body;
            }
            fail(f->id, timed_out(task, "Task"));
        } else if (due->what == due_kind::attempt_deadline) {
            remove_below(f->id, false, "timeout");
            auto error = timed_out(task, "An attempt of task");
            s_.find(due->frame)->attempt_deadline.reset();
            if (!offer(due->frame, error)) fail(due->frame, std::move(error));
        } else if (f->phase == frame_phase::waiting) {
            f->wake_at.reset();
            record(*f, "wait", "completed", value_ref());
            complete(f->id, f->input);
        } else if (f->phase == frame_phase::backoff) {
            start_attempt(f->id);
        } else {
            f->wake_at.reset();
            if (f->phase == frame_phase::parked) out_.due_calls.push_back(f->id);
        }
        drain();
    }
}

}  // namespace pawl::run
