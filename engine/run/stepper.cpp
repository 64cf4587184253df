#include "run/stepper.hpp"

#include "run/activation.hpp"
#include "run/secrecy.hpp"

#include <algorithm>

namespace pawl::run {

std::optional<problem> check(const std::optional<schema::validator>& schema, const json::value& value, std::string_view what) {
    if (!schema || schema->is_valid(value)) return std::nullopt;
    return schema::to_problem(schema->validate(value), what);
}

void set_status(run_state& s) {
    if (is_final(s.status)) return;
    const bool works = !s.ready.empty() || std::any_of(s.frames.begin(), s.frames.end(), [](const frame& f) { return is_call_at_work(f.phase); });
    s.status = s.suspended_at ? run_status::suspended : works ? run_status::running : run_status::waiting;
}

void stepper::drain() {
    while (!s_.ready.empty() && !is_final(s_.status) && !s_.suspended_at) {
        if (budget_ == 0) {
            out_.yielded = true;
            return;
        }
        --budget_;
        auto item = std::move(s_.ready.front());
        s_.ready.erase(s_.ready.begin());
        if (item.task == flow::no_task) {
            begin_iteration(item.parent, std::move(item.input));
        } else {
            enter(std::move(item));
        }
    }
}

transition stepper::take() {
    std::erase_if(out_.calls, [&](const call_intent& c) { return s_.find(c.frame) == nullptr; });
    set_status(s_);
    return std::move(out_);
}

void stepper::begin_run() {
    const auto& w = *s_.workflow;
    s_.status = run_status::running;
    s_.started_at = world_.now;
    s_.input = s_.raw_input;
    note(lifecycle_phase::started);
    if (s_.suspended_at) note(lifecycle_phase::suspended);  // paused before it began
    if (auto bad = check(w.input.schema, *s_.raw_input, "the input of the workflow")) return fault_at("/input", std::move(*bad));
    scope where(s_, world_, nullptr);
    if (w.input.transform) {
        auto input = scope(s_, world_, nullptr).with_secrets().evaluate(*w.input.transform, *s_.raw_input);
        if (!input) return fault_at("/input", input.error());
        s_.input = value_ref(std::move(*input));
    }
    if (w.timeout) {
        const auto limit = duration(*w.timeout, where, *s_.input);
        if (!limit) return fault_at("/timeout", limit.error());
        s_.deadline = world_.now + *limit;
    }
    if (w.first == flow::no_task) return finish(s_.input);
    s_.ready.push_back({root_frame, w.first, s_.input});
}

void stepper::enter(ready_item item) {
    const auto& task = s_.workflow->tasks[item.task];
    frame made;
    made.id = s_.next_frame++;
    made.task = item.task;
    made.parent = item.parent;
    made.visit = count_visit(s_, item.parent, item.task);
    made.started_at = world_.now;
    made.raw_input = item.input;
    made.input = item.input;
    s_.frames.push_back(std::move(made));
    const auto id = s_.frames.back().id;

    if (task.condition) {
        const auto runs = scope(s_, world_, &s_.frames.back()).test(*task.condition, *item.input);
        if (!runs) {
            note(lifecycle_phase::created, s_.frames.back());
            return fail(id, runs.error());
        }
        if (!*runs) {
            // A skipped task passes its input on and directs nothing: the flow goes on with the next one.
            s_.frames.pop_back();
            decide(decision::kind::skipped, task.id);
            return skip(item.parent, task.id, std::move(item.input));
        }
    }
    decide(decision::kind::entered, task.id);
    note(lifecycle_phase::created, s_.frames.back());
    note(lifecycle_phase::started, s_.frames.back());
    if (!transform_input(s_.frames.back(), task)) return;
    std::visit([&](const auto& body) { begin(id, body); }, task.body);
}

bool stepper::transform_input(frame& f, const flow::task& task) {
    if (auto bad = check(task.input.schema, *f.raw_input, "the input of task `" + task.name + "`")) {
        fail(f.id, std::move(*bad));
        return false;
    }
    scope where(s_, world_, &f);
    if (task.input.transform) {
        auto input = scope(s_, world_, &f).with_secrets().evaluate(*task.input.transform, *f.raw_input);
        if (!input) {
            fail(f.id, input.error());
            return false;
        }
        f.input = value_ref(std::move(*input));
    }
    if (task.timeout) {
        const auto limit = duration(*task.timeout, where, *f.input);
        if (!limit) {
            fail(f.id, limit.error());
            return false;
        }
        f.deadline = world_.now + *limit;
    }
    return true;
}

void stepper::complete(frame_id id, value_ref raw_output, const flow::flow_directive* override_then) {
    auto* f = s_.find(id);
    const auto& task = s_.task_of(*f);
    auto output = raw_output;
    scope where(s_, world_, f);
    where.with_raw_output(*raw_output);
    if (task.output.transform) {
        auto transformed = where.evaluate(*task.output.transform, *output);
        if (!transformed) return fail(id, transformed.error());
        output = value_ref(std::move(*transformed));
    }
    // Data with a secret stays below the task that brought it in.
    if (task.brings_secrets || task.output_is_read) {
        if (auto bad = check_secrets(*output, task, s_, world_, "the output")) return fail(id, std::move(*bad));
    }
    if (auto bad = check(task.output.schema, *output, "the output of task `" + task.name + "`")) return fail(id, std::move(*bad));
    if (auto bad = export_context(task.export_, where, output, "task", task)) return fail(id, std::move(*bad));
    if (task.output_is_read) {
        s_.steps.insert_or_assign(task.name, output);
        s_.steps_view.get_object()[task.name] = *output;
    }
    note(lifecycle_phase::completed, *f);
    const auto parent = f->parent;
    s_.frames.erase(s_.frames.begin() + (f - s_.frames.data()));
    leave(parent, task.id, override_then != nullptr ? *override_then : task.then, std::move(output));
}

std::optional<problem> stepper::export_context(const flow::data_filter& to, scope& where, const value_ref& output, std::string_view of,
                                               const flow::task& task) {
    if (!to.transform && !to.schema) return std::nullopt;
    auto context = s_.context;
    if (to.transform) {
        auto made = where.with_output(*output).evaluate(*to.transform, *output);
        if (!made) return made.error();
        context = value_ref(std::move(*made));
        if (auto bad = check_secrets(*context, task, s_, world_, "the context exported")) return bad;
    }
    // Without `as`, the context stays, and is validated all the same (dsl.md, "Data Flow", 7 and 8).
    if (auto bad = check(to.schema, *context, "the context exported by " + std::string(of) + " `" + task.name + "`")) return bad;
    s_.context = std::move(context);
    return std::nullopt;
}

void stepper::leave(frame_id parent, flow::task_id task, const flow::flow_directive& then, value_ref output) {
    using kind = flow::flow_directive::kind;
    const auto* owner = parent == root_frame ? nullptr : s_.find(parent);
    const auto* extension = owner == nullptr ? nullptr : std::get_if<flow::extension_task>(&s_.task_of(*owner).body);
    if (extension != nullptr && extension->extended == task) return leave_extended(parent, then, std::move(output));
    if (then.what == kind::end) {
        // The scopes around the task that ends the run end with it, and well.
        for (auto at = parent; world_.lifecycle && at != root_frame; at = s_.find(at)->parent) {
            note(lifecycle_phase::completed, *s_.find(at));
            told_.push_back(at);
        }
        return finish(std::move(output));
    }
    if (owner != nullptr && std::holds_alternative<flow::fork_task>(s_.task_of(*owner).body)) return join(parent, task, std::move(output));
    auto next = flow::no_task;
    if (then.what == kind::task) next = then.target;
    if (then.what == kind::continue_) next = s_.workflow->tasks[task].next;
    if (next == flow::no_task && extension != nullptr) return leave_extension(parent, then, std::move(output));
    if (next == flow::no_task) return end_scope(parent, std::move(output));
    s_.ready.push_back({parent, next, std::move(output)});
}

void stepper::end_scope(frame_id parent, value_ref output) {
    if (parent == root_frame) return finish(std::move(output));
    auto* owner = s_.find(parent);
    const auto& body = s_.task_of(*owner).body;
    if (std::holds_alternative<flow::for_task>(body)) {
        ++owner->index;
        s_.ready.push_back({parent, flow::no_task, std::move(output)});
        return;
    }
    if (std::holds_alternative<flow::listen_task>(body)) {
        if (end_event(parent, std::move(output))) next_event(parent);
        return;
    }
    if (const auto* attempt = std::get_if<flow::try_task>(&body); attempt != nullptr && owner->phase == frame_phase::handler) {
        return complete(parent, std::move(output), attempt->then ? &*attempt->then : nullptr);
    }
    complete(parent, std::move(output));
}

void stepper::skip(frame_id parent, flow::task_id task, value_ref input) {
    auto* owner = parent == root_frame ? nullptr : s_.find(parent);
    const auto* fork = owner == nullptr ? nullptr : std::get_if<flow::fork_task>(&s_.task_of(*owner).body);
    if (fork == nullptr || !fork->compete) return leave(parent, task, {}, std::move(input));
    // Who did not start wins no race. When nobody did, the fork did nothing, and what came in goes on.
    const auto at = std::find(fork->branches.begin(), fork->branches.end(), task);
    owner->results[static_cast<std::size_t>(at - fork->branches.begin())] = std::move(input);
    if (std::all_of(owner->results.begin(), owner->results.end(), [](const auto& r) { return r.has_value(); })) complete(parent, owner->input);
}

void stepper::join(frame_id fork, flow::task_id branch, value_ref output) {
    auto* owner = s_.find(fork);
    const auto& body = std::get<flow::fork_task>(s_.task_of(*owner).body);
    const auto at = std::find(body.branches.begin(), body.branches.end(), branch);
    if (body.compete) {
        decide(decision::kind::won, owner->task, static_cast<std::size_t>(at - body.branches.begin()));
        remove_below(fork, false, "cancelled");
        return complete(fork, std::move(output));
    }
    owner->results[static_cast<std::size_t>(at - body.branches.begin())] = std::move(output);
    if (!std::all_of(owner->results.begin(), owner->results.end(), [](const auto& r) { return r.has_value(); })) return;
    std::size_t bytes = 0;
    for (const auto& result : owner->results) bytes += result->text().size();
    if (constexpr auto most = expr::limits().result_bytes; bytes > most) {
        return fail(fork, make_problem(problem_type::expression, "The branches of task `" + s_.task_of(*owner).name + "` yield " + std::to_string(bytes) + " bytes of JSON together; the limit is " +
                                                                     std::to_string(most) + ". Let each yield less (`output.as`)."));
    }
    json::array all;
    for (const auto& result : owner->results) all.push_back(**result);
    complete(fork, value_ref(std::move(all)));
}

void stepper::finish(value_ref output) {
    const auto& w = *s_.workflow;
    remove_below(root_frame, false, "cancelled");
    if (w.output.transform) {
        auto transformed = scope(s_, world_, nullptr).with_output(*output).evaluate(*w.output.transform, *output);
        if (!transformed) return fault_at("/output", transformed.error());
        output = value_ref(std::move(*transformed));
    }
    if (w.input.transform && w.input.transform->uses().has(flow::variable::secrets)) {
        if (auto bad = check_secrets(*output, s_, world_, "the output of the workflow")) return fault_at("/output", std::move(*bad));
    }
    if (auto bad = check(w.output.schema, *output, "the output of the workflow")) return fault_at("/output", std::move(*bad));
    s_.output = std::move(output);
    s_.status = run_status::completed;
    note(lifecycle_phase::completed);
    s_.deadline.reset();
}

void stepper::record(const frame& f, std::string_view function, std::string_view outcome, value_ref result, json::object facts) {
    out_.steps.push_back({s_.next_step++, f.task, std::string(function), f.key, f.digest, f.attempt, std::string(outcome), f.started_at, world_.now,
                          std::move(result), std::move(facts)});
}

result<milliseconds> stepper::duration(const flow::duration_source& source, scope& where, const json::value& dot) {
    if (source.known) return *source.known;
    auto value = where.evaluate(*source.computed, dot);
    if (!value) return value.error();
    return flow::duration_from(*value);
}

}  // namespace pawl::run
