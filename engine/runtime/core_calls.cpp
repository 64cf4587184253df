// Calls: staged before the checkpoint, started after it, answered from outside, abandoned with their scope.
#include "flow/listens.hpp"
#include "run/secrecy.hpp"
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
        run.priority = r.priority;
        if (const auto definition = ports_.definition(run.definition)) run.subscribed = flow::heard_types(*definition);
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

namespace {

/// What commits with the checkpoint is stored, so a secret in its arguments is an error.
std::optional<problem> kept_secret(const run::run_state& s, const run::frame& f, const call_request& request, const function_description& function) {
    if (function.safety != effect_safety::transactional || s.workflow->secrets.empty() || !flow::may_give_secrets(s.task_of(f))) return std::nullopt;
    const auto* name = run::secret_in(request.arguments, s.id, *s.workflow, &secret_placeholder);
    if (name == nullptr) return std::nullopt;
    const auto what = request.function == "run.workflow" ? "a workflow that is run" : "`" + request.function + "`";
    return make_problem(problem_type::authorization, "The secret `" + *name + "` stands in what is given to " + what +
                                                         ", which would be kept; secrets go to calls of tools, models and services only.");
}

}  // namespace

void core::end_staged(resident& r, run::frame_id call, call_outcome outcome) {
    run_input ended;
    ended.what = run_input::kind::outcome;
    ended.call = call;
    ended.outcome = std::move(outcome);
    r.inputs.push_front(std::move(ended));
}

void core::fail_unknown(resident& r, run::frame_id call, const std::string& function) {
    end_staged(r, call,
               {make_problem(problem_type::configuration,
                             "Nothing here offers the function `" + function + "`; is its plugin listed under `tools` in pawl.yaml?"),
                {},
                {}});
}

live_call core::prepare_call(resident& r, run::frame_id id, std::shared_ptr<call_request> request, const effect_registry::entry& known) {
    live_call call;
    if (request->deadline) {
        request->until = ports_.steady(*request->deadline);
        request->deadline = ports_.local(*request->deadline);
    }
    listen_to(r, id, *request, call, known.description);
    call.request = std::move(request);
    call.owner = known.owner;
    return call;
}

void core::stage(resident& r, const run::call_intent& intent) {
    const auto* f = r.state.find(intent.frame);
    if (f == nullptr) return;
    auto request = request_for(r, *f, intent.recovered);
    const auto* known = effects_->find(request->function);
    if (known == nullptr) return fail_unknown(r, intent.frame, request->function);
    if (auto bad = kept_secret(r.state, *f, *request, known->description)) return end_staged(r, intent.frame, {std::move(*bad), {}, {}});
    staging staged;
    staged.now = ports_.now();
    staged.agent = r.agent ? &r.agent->view() : nullptr;
    auto outcome = known->owner->stage(*request, staged);
    take_staged(r, staged);
    if (outcome) {
        end_staged(r, intent.frame, std::move(*outcome));
    } else if (staged.parks) {
        run::call_parked(r.state, intent.frame, staged.wake_at);
    } else {
        auto made = prepare_call(r, intent.frame, std::move(request), *known);
        if (!admit(r, intent.frame, made)) return;
        r.calls.insert_or_assign(intent.frame, std::move(made));
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
        const auto at = r.calls.find(call);
        if (at == r.calls.end()) continue;  // abandoned while its intent was being committed
        auto& held = at->second.held;
        if (held == live_call::place::none && turns_.begin()) held = live_call::place::plain;
        if (held == live_call::place::none) {
            held = live_call::place::ticket;
            if (turns_.ask(wish(r, call, {}, json::value()), ports_.now(), false) != admission::answer::granted) continue;
        }
        start_call(r, call);
    }
}

void core::start_call(resident& r, run::frame_id id) {
    auto& call = r.calls.at(id);
    if (stopping_) return;
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
    completion done = back;
    const auto* f = r.state.find(id);
    if (f != nullptr && !r.state.workflow->secrets.empty()) {
        auto with_secrets = std::make_shared<call_request>(*request);
        auto put = put_secrets(with_secrets->arguments, run, *r.state.workflow, r.state.task_of(*f), options_.secret);
        if (!put) return back(call_outcome{put.error(), {}, {}});
        request = std::move(with_secrets);
        done = [back, workflow = r.state.workflow, resolve = options_.secret](call_outcome outcome) {
            if (outcome.value.has_error()) {
                auto error = outcome.value.error();
                hide_secrets(error, *workflow, resolve);
                outcome.value = std::move(error);
            }
            back(std::move(outcome));
        };
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
    owner->start(std::move(request), std::move(done), std::move(words));
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
    unwatch(r, id);
    const auto ended = std::move(call->second);
    r.calls.erase(call);
    give_back(r, id, ended);
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
    end_staged(r, id, std::move(*outcome));
}

void core::abandon(resident& r, const run::abandoned_call& abandoned) {
    const auto& f = abandoned.call;
    const auto request = request_for(r, f, false);
    if (const auto call = r.calls.find(f.id); call != r.calls.end()) {
        last_sign(r, call->second, false);
        if (call->second.started) call->second.owner->cancel(f.key);
        forget_call(r, f.id);
    } else if (f.phase == run::frame_phase::queued) {
        turns_.release({r.state.id, f.id}, ports_.now());
        turns_changed();
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
