// One event's work on one run state: the moves between tasks. Internal to engine/run; machine.hpp is what others call.
// Every move that enters a task goes through the ready list, so that recursion is bounded by the nesting of the definition and work can
// be cut by the budget at any entry.
#pragma once

#include "run/machine.hpp"
#include "run/scope.hpp"

namespace pawl::run {

class stepper {
public:
    stepper(run_state& s, const surroundings& world) : s_(s), world_(world), budget_(world.budget) {}

    /// Works off the ready list, or yields when the budget is used up.
    void drain();
    /// The result; call last. Sets the run's status.
    transition take();

    // Moves (stepper.cpp).
    void begin_run();
    void enter(ready_item item);
    void complete(frame_id id, value_ref raw_output, const flow::flow_directive* override_then = nullptr);
    void finish(value_ref output);

    // Errors (stepper_errors.cpp).
    void fail(frame_id id, problem error);
    problem placed(problem error, frame_id id) const;           ///< with the pointer of its task, unless it names a place
    void fault_at(std::string_view part, problem error);        ///< `part` is the pointer of a part of the workflow
    void fault(problem error, std::optional<standstill> where = std::nullopt);
    void end_cancelled(std::string_view reason, std::string_view title = "Cancelled");
    standstill where_it_stands(frame_id failed) const;
    /// Offers an error of its body to a try; takes it (retry, handler or end) or returns false.
    bool offer(frame_id try_frame, problem& error);
    void start_attempt(frame_id try_frame);
    void remove_below(frame_id id, bool itself, std::string_view reason);

    // Time (stepper_time.cpp).
    void fire_due();

    // What others are told of (lifecycle.cpp).
    void note(lifecycle_phase phase, const frame& f, const problem* error = nullptr);
    void note(lifecycle_phase phase, const problem* error = nullptr);  ///< of the workflow

    void decide(decision::kind what, flow::task_id task, std::size_t which = 0) {
        if (world_.decisions) out_.decisions.push_back({what, task, which});
    }

    // Records (stepper.cpp).
    void record(const frame& f, std::string_view function, std::string_view outcome, value_ref result, json::object facts = {});

    run_state& state() noexcept { return s_; }
    const surroundings& world() const noexcept { return world_; }
    transition& out() noexcept { return out_; }

    // One per task kind (stepper_tasks.cpp).
    void begin(frame_id id, const flow::do_task& task);
    void begin(frame_id id, const flow::set_task& task);
    void begin(frame_id id, const flow::switch_task& task);
    void begin(frame_id id, const flow::for_task& task);
    void begin(frame_id id, const flow::fork_task& task);
    void begin(frame_id id, const flow::try_task& task);
    void begin(frame_id id, const flow::raise_task& task);
    void begin(frame_id id, const flow::wait_task& task);
    void begin(frame_id id, const flow::emit_task& task);
    void begin(frame_id id, const flow::call_task& task);
    void begin(frame_id id, const flow::extension_task& task);  // stepper_extensions.cpp
    void begin(frame_id id, const flow::listen_task& task);     // stepper_listen.cpp
    void begin_iteration(frame_id id, value_ref carried);

    // Control (control.cpp).
    void recover_call(frame_id id);
    void answer(frame_id call);                                 ///< what an answered call's run did not take in while it was suspended
    void answer_later(frame_id call, value_ref output);
    void answer_later(frame_id call, const problem& error);
    void enter_again(frame_id id);

    void event_arrived(const value_ref& event);                 // stepper_listen.cpp
    void keep(const value_ref& event);                          // stepper_events.cpp, as are the next two
    void offer_kept(frame_id listen);                           ///< what has been kept to a listen that begins
    void forget_heard(flow::task_id scope);                     ///< the task and what is in it will be entered again
    void end_listen(frame_id listen, const json::array& outputs);  ///< as it ended once: of what it took, only the outputs are known

    /// A duration where it is needed. Error: `validation` or `expression` problem.
    result<milliseconds> duration(const flow::duration_source& source, scope& where, const json::value& dot);

private:
    void leave(frame_id parent, flow::task_id task, const flow::flow_directive& then, value_ref output);
    void end_scope(frame_id parent, value_ref output);
    void leave_extension(frame_id extension, const flow::flow_directive& then, value_ref output);
    void leave_extended(frame_id extension, const flow::flow_directive& then, value_ref output);
    bool offer(frame_id listen, const value_ref& event);
    bool is_of_use(const json::value& event) const;
    bool consume(frame_id listen, value_ref output);
    void next_event(frame_id listen);
    bool end_event(frame_id listen, value_ref output);
    void end_listen(frame_id listen);
    void skip(frame_id parent, flow::task_id task, value_ref input);
    /// Error: an expression that fails, or a context that does not follow its schema.
    std::optional<problem> export_context(const flow::data_filter& to, scope& where, const value_ref& output, std::string_view of,
                                          const flow::task& task);
    void join(frame_id fork, flow::task_id branch, value_ref output);
    bool transform_input(frame& f, const flow::task& task);
    void schedule_retry(frame_id try_frame, milliseconds delay);
    result<std::optional<milliseconds>> retry_delay(frame_id try_frame, const flow::try_task& task, const problem& error);

    run_state& s_;
    const surroundings& world_;
    std::uint64_t budget_;
    transition out_;
    std::vector<frame_id> told_;  ///< frames whose end was noted before they are removed
};

/// What a run that is not over is doing: suspended, running or waiting.
void set_status(run_state& s);

/// "the input of task `x`" etc. as a `validation` problem, or nothing.
std::optional<problem> check(const std::optional<schema::validator>& schema, const json::value& value, std::string_view what);

}  // namespace pawl::run
