// Whose turn it is: the limits of the environment, and the engine's bound of calls in flight, before a call is started and before a run begins.
//
// A call that has to wait for its turn is durable in the phase `queued`: nobody has started it, so a crash or another engine puts it back in line
// whatever its function promises; and its run may leave memory. Only where nothing but the engine's own bound is in the way, and memory is not
// short, it waits as a started one.
#include "runtime/core.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

std::string name_of(const flow::workflow& w) { return w.document.ns + "/" + w.document.name; }

limit_subject subject_of(const resident& r, const std::string& workflow, const json::value& data) {
    return {data, *r.state.raw_input, workflow, r.agent_name, r.agent_key};
}

unsigned priority_of(const resident& r, const limit_index& limits) {
    if (r.priority != 0) return static_cast<unsigned>(r.priority);
    if (const auto stated = limits.priority_of(name_of(*r.state.workflow)); stated != 0) return stated;
    const auto* hint = r.state.workflow->document.metadata.if_contains("priority");
    if (hint != nullptr && hint->is_int64() && hint->get_int64() >= most_urgent && hint->get_int64() <= least_urgent) return static_cast<unsigned>(hint->get_int64());
    return usual_priority;
}

}  // namespace

std::string core::tenant_of(const resident& r) const {
    const auto workflow = name_of(*r.state.workflow);
    if (const auto& key = limits_.settings().tenant) return key(subject_of(r, workflow, *r.state.raw_input));
    return r.agent_name.empty() ? workflow : r.agent_name + "/" + r.agent_key;
}

admission::request core::wish(const resident& r, run::frame_id call, const limit_index::entries& rules, const json::value& data) const {
    admission::request wanted;
    wanted.by = {r.state.id, call};
    wanted.counts_in_flight = call != run::root_frame;
    wanted.priority = priority_of(r, limits_);
    wanted.tenant = tenant_of(r);
    wanted.group = r.shard;
    const auto workflow = name_of(*r.state.workflow);
    for (const auto& rule : rules) {
        wanted.gates.push_back({rule.rule->key ? rule.name + "/" + rule.rule->key(subject_of(r, workflow, data)) : rule.name, rule.rule});
    }
    return wanted;
}

/// Others wait for its run to end. Its calls always find room in line: left out for want of it, they would keep the place for ever, while those
/// that wait for the place fill the line. `concurrency` bounds how many these are.
bool core::others_wait_for(const resident& r) const {
    if (!turns_.has_place({r.state.id, run::root_frame})) return false;
    const auto& rules = limits_.of_workflow(name_of(*r.state.workflow));
    return std::any_of(rules.begin(), rules.end(), [](const auto& each) { return each.rule->concurrency != 0; });
}

/// Before the intent of a call is recorded: may it be started once that is durable? Otherwise it has been put in line.
bool core::admit(resident& r, run::frame_id call, live_call& made) {
    const auto& rules = limits_.of_function(made.request->function);
    if (rules.empty() && !(is_memory_tight() && turns_.is_full())) return true;
    const auto answer = turns_.ask(wish(r, call, rules, made.request->arguments), ports_.now(), !others_wait_for(r));
    turns_changed();
    if (answer == admission::answer::granted) {
        made.held = live_call::place::ticket;
        return true;
    }
    left_out_ |= answer == admission::answer::refused;
    stay_queued(r, call);
    return false;
}

/// Runs that were left in the store for want of room: a page of them, when so few wait that every tenant gets room for some.
void core::take_up_left_out() {
    if (asked_runnable_ || stopping_ || turns_.waiting() > options_.max_waiting / 4) return;
    asked_runnable_ = true;
    // Whoever is left out from now on is found by the next look.
    if (runnable_after_.empty()) left_out_ = false;
    ports_.fetch_runnable(runnable_after_);
}

void core::runnable(const std::vector<store::due_run>& runs, bool more) {
    asked_runnable_ = false;
    runnable_after_ = more && !runs.empty() ? runs.back().run : std::string();
    left_out_ |= more;
    for (const auto& run : runs) {
        if (!held_.contains(run.shard)) continue;
        if (const auto at = residents_.find(run.run); at != residents_.end()) {
            auto& r = *at->second;
            for (const auto& f : r.state.frames) get_in_line(r, f.id);
            if (!r.inputs.empty()) process(r);
        } else if (!turns_.is_in_line(run.run)) {
            wake(run.run);
        }
    }
    load_more();
}

void core::stay_queued(resident& r, run::frame_id call) {
    run::call_queued(r.state, call);
    r.dirty = true;
}

/// A call that is stored as one that waits for its turn, of a run that has come into memory.
void core::get_in_line(resident& r, run::frame_id call) {
    const auto* f = r.state.find(call);
    if (f == nullptr || f->phase != run::frame_phase::queued || turns_.knows({r.state.id, call})) return;
    const auto& rules = limits_.of_function(std::get<flow::call_task>(r.state.task_of(*f).body).function);
    const auto answer = turns_.ask(wish(r, call, rules, *f->arguments), ports_.now(), !others_wait_for(r));
    left_out_ |= answer == admission::answer::refused;
    if (answer == admission::answer::granted) {
        run_input turn;
        turn.what = run_input::kind::granted;
        turn.call = call;
        r.inputs.push_back(std::move(turn));
    }
    turns_changed();
}

void core::give_up_turns(const std::string& run) {
    turns_.release_run(run, ports_.now());
    turns_changed();
}

/// A call that was in line when its run left memory, or when another engine held it.
void core::call_granted(resident& r, run::frame_id call) {
    if (!turns_.has_place({r.state.id, call})) return;
    if (!run::call_let_go(r.state, call)) {
        turns_.release({r.state.id, call}, ports_.now());
        return turns_changed();
    }
    auto request = request_for(r, *r.state.find(call), false);
    const auto* known = effects_->find(request->function);
    if (known == nullptr) return fail_unknown(r, call, request->function);
    auto made = prepare_call(r, call, std::move(request), *known);
    made.held = live_call::place::ticket;
    r.calls.insert_or_assign(call, std::move(made));
    r.to_start.push_back(call);
    r.dirty = true;
}

/// May the run be in memory now? A new one waits in the store for its turn; one that has begun goes on, and counts.
bool core::admit_run(resident& r, bool may_wait) {
    const auto& rules = limits_.of_workflow(name_of(*r.state.workflow));
    if (rules.empty()) return true;
    const admission::who self{r.state.id, run::root_frame};
    if (turns_.has_place(self)) return true;
    const auto now = ports_.now();
    if (may_wait) {
        const auto answer = turns_.ask(wish(r, run::root_frame, rules, *r.state.raw_input), now);
        left_out_ |= answer == admission::answer::refused;
        turns_changed();
        return answer == admission::answer::granted;
    }
    turns_.release(self, now);
    turns_.force(wish(r, run::root_frame, rules, *r.state.raw_input), now);
    turns_changed();
    return true;
}

void core::give_back(const resident& r, run::frame_id call, const live_call& held) {
    if (held.held == live_call::place::plain) {
        turns_.end(ports_.now());
    } else if (held.held == live_call::place::ticket) {
        turns_.release({r.state.id, call}, ports_.now());
    }
    turns_changed();
}

/// Somebody's turn may have come: told when the present work is done, since that work may be on the same run.
void core::turns_changed() {
    if (turns_.has_granted() && !granting_ && !stopping_) {
        granting_ = true;
        post_([this, alive = std::weak_ptr<char>(alive_)] {
            if (alive.lock()) start_granted();
        });
    }
    if (turns_.alarm() != turn_alarm_) {
        turn_alarm_ = turns_.alarm();
        arm();
    }
}

void core::start_granted() {
    granting_ = false;
    if (stopping_) return;
    for (const auto& [run, call] : turns_.take_granted()) {
        if (!turns_.has_place({run, call})) continue;  // gone while the others were told
        if (call == run::root_frame) {
            ensure_loaded(run, std::nullopt, true);
            continue;
        }
        const auto at = residents_.find(run);
        if (at != residents_.end() && at->second->calls.contains(call)) {
            start_call(*at->second, call);
            continue;
        }
        run_input turn;
        turn.what = run_input::kind::granted;
        turn.call = call;
        ensure_loaded(run, std::move(turn), true);
    }
}

bool core::has_queued_call(const resident& r) const {
    return std::any_of(r.state.frames.begin(), r.state.frames.end(), [](const run::frame& f) { return f.phase == run::frame_phase::queued; });
}

void core::set_engines(std::size_t engines) {
    turns_.set_engines(engines, ports_.now());
    turns_changed();
}

}  // namespace pawl::runtime
