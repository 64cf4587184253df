// Calls: staged before the checkpoint, started after it, answered from outside, abandoned with their scope.
#include "runtime/core.hpp"
#include "runtime/secrets.hpp"

namespace pawl::runtime {

std::shared_ptr<call_request> core::request_for(const resident& r, const run::frame& f, bool recovered) const {
    const auto& task = r.state.task_of(f);
    const auto& body = std::get<flow::call_task>(task.body);
    auto made = std::make_shared<call_request>();
    made->run = r.state.id;
    made->key = f.key;
    made->digest = f.digest;
    made->function = body.function;
    made->version = body.version;
    made->arguments = *f.arguments;
    made->attempt = f.attempt;
    made->started_at = f.started_at;
    made->deadline = run::effective_deadline(r.state, f);
    made->task = task.name;
    made->instance = task.pointer;
    made->agent = r.agent_name;
    made->agent_key = r.agent_key;
    made->assets = std::shared_ptr<const assets>(r.state.workflow, &r.state.workflow->assets);
    made->frame = f.id;
    made->definition = r.state.workflow->digest;
    made->depth = r.depth;
    made->recovered = recovered;
    return made;
}

void core::take_staged(resident& r, staging& staged) {
    for (auto& row : staged.approvals) {
        row.shard = r.shard;
        r.approvals.push_back(std::move(row));
        r.dirty = true;
    }
    for (auto& row : staged.events) {
        row.run = r.state.id;
        r.events.push_back(std::move(row));
        r.dirty = true;
    }
    for (auto& run : staged.births) {
        run.shard = r.shard;
        run.agent = r.agent_name;
        run.agent_key = r.agent_key;
        run.environment = r.environment;
        run.project = r.project;
        run.parent = r.state.id;
        run.depth = r.depth + 1;
        r.births.push_back(std::move(run));
        r.dirty = true;
    }
    for (auto& message : staged.posts) {
        message.shard = r.shard;
        r.posts.push_back(std::move(message));
        r.dirty = true;
    }
    if (r.agent) r.agent->refresh();
}

void core::stage(resident& r, const run::call_intent& intent) {
    const auto* f = r.state.find(intent.frame);
    if (f == nullptr) return;
    auto request = request_for(r, *f, intent.recovered);
    const auto* known = effects_->find(request->function);
    run_input ended;
    ended.what = run_input::kind::outcome;
    ended.call = intent.frame;
    if (known == nullptr) {
        ended.outcome.value = make_problem(problem_type::configuration, "Nothing here offers the function `" + request->function +
                                                                            "`; is its plugin listed under `tools` in pawl.yaml?");
        r.inputs.push_front(std::move(ended));
        return;
    }
    staging staged;
    staged.now = ports_.now();
    staged.agent = r.agent ? &r.agent->view() : nullptr;
    auto outcome = known->owner->stage(*request, staged);
    take_staged(r, staged);
    if (outcome) {
        ended.outcome = std::move(*outcome);
        r.inputs.push_front(std::move(ended));
    } else if (staged.parks) {
        run::call_parked(r.state, intent.frame, staged.wake_at);
    } else {
        live_call call;
        if (request->deadline) request->deadline = ports_.local(*request->deadline);
        listen_to(r, intent.frame, *request, call, known->description);
        call.request = std::move(request);
        call.owner = known->owner;
        r.calls.insert_or_assign(intent.frame, std::move(call));
        if (intent.recovered) {
            // Its intent is durable already: no checkpoint stands between it and its start.
            start_calls(r, {intent.frame});
        } else {
            r.to_start.push_back(intent.frame);
        }
    }
}

void core::start_calls(resident& r, const std::vector<run::frame_id>& calls) {
    for (const auto call : calls) {
        if (!r.calls.contains(call)) continue;  // abandoned while its intent was being committed
        if (in_flight_ >= options_.max_in_flight_calls) {
            waiting_calls_.emplace_back(r.state.id, call);
        } else {
            start_call(r, call);
        }
    }
}

void core::start_call(resident& r, run::frame_id id) {
    auto& call = r.calls.at(id);
    if (stopping_) return;
    ++in_flight_;
    ++calls_started_;
    call.started = true;
    auto begun = notice(r, run_event::kind::step_started);
    begun.task = call.request->task;
    begun.pointer = call.request->instance;
    begun.function = call.request->function;
    begun.key = call.request->key;
    begun.attempt = call.request->attempt;
    tell(begun);

    const auto run = r.state.id;
    const auto back = [this, post = post_, alive = std::weak_ptr<char>(alive_), run, id](call_outcome outcome) {
        post([this, alive, run, id, outcome = std::move(outcome)]() mutable {
            if (alive.lock()) call_ended(run, id, std::move(outcome));
        });
    };
    auto request = call.request;
    const auto* f = r.state.find(id);
    if (f != nullptr && !r.state.workflow->secrets.empty()) {
        auto with_secrets = std::make_shared<call_request>(*request);
        auto put = put_secrets(with_secrets->arguments, run, *r.state.workflow, r.state.task_of(*f), options_.secret);
        if (!put) return back(call_outcome{put.error(), {}, {}});
        request = std::move(with_secrets);
    }
    const auto owner = call.owner;
    auto words = [post = post_, alive = std::weak_ptr<char>(alive_), this, begun](std::string_view text) {
        auto event = begun;
        event.what = run_event::kind::progress;
        event.detail = text;
        post([this, alive, event = std::move(event)] {
            if (alive.lock()) tell(event);
        });
    };
    owner->start(std::move(request), back, std::move(words));
}

void core::call_ended(const std::string& run, run::frame_id id, call_outcome outcome) {
    const auto at = residents_.find(run);
    if (at == residents_.end()) return;
    auto& r = *at->second;
    const auto call = r.calls.find(id);
    if (call == r.calls.end()) return;  // abandoned, or answered before
    run_input ended;
    ended.what = run_input::kind::outcome;
    ended.call = id;
    ended.outcome = std::move(outcome);
    last_sign(r, call->second, ended.outcome.value.has_value());
    forget_call(r, id);
    r.inputs.push_back(std::move(ended));
    process(r);
}

void core::forget_call(resident& r, run::frame_id id) {
    const auto call = r.calls.find(id);
    if (call == r.calls.end()) return;
    const bool started = call->second.started;
    unwatch(r, id);
    r.calls.erase(call);
    if (started) {
        --in_flight_;
        start_waiting_calls();
    }
}

void core::start_waiting_calls() {
    while (!waiting_calls_.empty() && in_flight_ < options_.max_in_flight_calls && !stopping_) {
        const auto [run, call] = waiting_calls_.front();
        waiting_calls_.pop_front();
        const auto at = residents_.find(run);
        if (at != residents_.end() && at->second->calls.contains(call)) start_call(*at->second, call);
    }
}

void core::answer(resident& r, run::frame_id id, const external_answer& given) {
    const auto* f = r.state.find(id);
    if (f == nullptr) return;
    const auto request = request_for(r, *f, false);
    const auto* known = effects_->find(request->function);
    if (known == nullptr) return;
    staging staged;
    staged.now = ports_.now();
    staged.agent = r.agent ? &r.agent->view() : nullptr;
    auto outcome = known->owner->answer(*request, given, staged);
    take_staged(r, staged);
    if (!outcome) {
        if (staged.wake_at) run::call_parked(r.state, id, staged.wake_at);
        return;
    }
    run_input ended;
    ended.what = run_input::kind::outcome;
    ended.call = id;
    ended.outcome = std::move(*outcome);
    r.inputs.push_front(std::move(ended));
}

void core::abandon(resident& r, const run::abandoned_call& abandoned) {
    const auto& f = abandoned.call;
    const auto request = request_for(r, f, false);
    if (const auto call = r.calls.find(f.id); call != r.calls.end()) {
        last_sign(r, call->second, false);
        if (call->second.started) call->second.owner->cancel(f.key);
        forget_call(r, f.id);
    }
    const auto* known = effects_->find(request->function);
    if (known == nullptr) return;
    staging staged;
    staged.now = ports_.now();
    staged.agent = r.agent ? &r.agent->view() : nullptr;
    known->owner->abandon(*request, abandoned.reason, staged);
    take_staged(r, staged);
}

}  // namespace pawl::runtime
