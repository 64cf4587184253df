#include "runtime/core.hpp"

#include "run/state_codec.hpp"
#include "runtime/control.hpp"
#include "runtime/secrets.hpp"
#include "runtime/workflow_effect.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

/// Inputs applied before a checkpoint is cut: a loop of transactional calls must not gather for ever.
constexpr std::size_t most_inputs_at_once = 256;
constexpr std::size_t most_births_to_load = 5'000;
/// A run that waits for less than this stays in memory.
constexpr milliseconds short_wait{2'000};

store::step_row row_of(const resident& r, const run::step_record& step) {
    const auto& task = task_of(r, step);
    return {step.seq, task.name, task.pointer, step.function, step.key, step.digest, static_cast<int>(step.attempt), step.outcome,
            step.started_at, step.ended_at, step.result.text(), to_text(json::value(step.record))};
}

/// A run that ends says so to the call that waits for it, in the checkpoint that ends it.
void tell_parent(const store::new_run& run, store::checkpoint& last) {
    if (auto told = end_of_child(run, last.status, last.output, last.error)) last.posts.push_back(std::move(*told));
}

}  // namespace

core::core(core_ports& ports, std::shared_ptr<const effect_registry> effects, const engine_options& options)
    : ports_(ports), effects_(std::move(effects)), options_(options), post_(ports.poster()),
      limits_(options.limits), turns_(options.max_in_flight_calls, options.max_waiting, limits_.settings().weights) {}

core::~core() = default;

void core::tell_born(resident& r, bool committed) {
    if (auto told = std::exchange(r.on_born, nullptr)) told(committed);
}

/// Ends a run that is not in memory. Its state stays: what could not be read here may be read elsewhere, when it is retried.
void core::end_without(const store::run_row& row, std::int64_t epoch, run_status status, const problem& error, std::vector<std::int64_t> consumed) {
    store::checkpoint last;
    last.shard = row.shard;
    last.epoch = epoch;
    last.run = row.id;
    last.expected_revision = row.revision;
    last.status = status;
    last.state = row.state;
    last.error = to_text(json::value(to_json(error)));
    last.unsubscribed_all = true;
    last.consumed = std::move(consumed);
    tell_parent(row, last);
    ++committing_;
    ports_.commit(std::move(last));
    run_event event;
    event.what = run_event::kind::finished;
    event.run = row.id;
    event.status = status;
    event.detail = error.title + ": " + error.detail;
    tell(event);
}

void core::consume_only(shard_id shard, std::vector<std::int64_t> seqs) {
    if (seqs.empty()) return;
    store::checkpoint only;
    only.shard = shard;
    only.epoch = held_.at(shard).epoch;
    only.consumed = std::move(seqs);
    ++committing_;
    ports_.commit(std::move(only));
}

run::surroundings core::world_of(const resident& r) {
    run::surroundings world;
    world.now = ports_.now();
    world.agent = r.agent ? &r.agent->descriptor() : nullptr;
    world.runtime_version = options_.runtime_version;
    world.secret_placeholder = &secret_placeholder;
    world.budget = options_.budget;
    world.lifecycle = options_.lifecycle_events;
    world.decisions = options_.decided != nullptr;
    world.details = &r.details;
    return world;
}

void core::process(resident& r) {
    if (r.committing || stopping_ || (r.agent && r.agent->is_in_doubt())) return;
    r.yielded = false;
    for (std::size_t applied = 0; !r.inputs.empty() && !r.yielded && applied < most_inputs_at_once; ++applied) {
        auto input = std::move(r.inputs.front());
        r.inputs.pop_front();
        apply(r, std::move(input));
    }
    if (r.dirty) {
        save(r);
    } else {
        settle(r);
    }
}

void core::apply(resident& r, run_input input) {
    using kind = run_input::kind;
    const auto world = world_of(r);
    switch (input.what) {
        case kind::begin: {
            const auto raw = r.state.raw_input;
            return absorb(r, run::start(r.state, raw, world));
        }
        case kind::recover: {
            // Only what changed something is written: a run that merely came back into memory is as the store has it.
            const auto before = r.dirty;
            const bool had_work = !r.state.ready.empty() && !r.state.suspended_at;
            auto done = run::recover(r.state, world);
            const bool changed = had_work || !done.steps.empty() || done.yielded || is_final(r.state.status);
            std::vector<run::call_intent> again;
            std::swap(again, done.calls);
            std::erase_if(again, [&](const run::call_intent& c) {
                if (!c.recovered) done.calls.push_back(c);
                return !c.recovered;
            });
            const bool more = !done.calls.empty();
            const auto queued = std::exchange(done.queued, {});
            absorb(r, std::move(done));
            r.dirty = before || changed || more;
            for (const auto& intent : again) stage(r, intent);
            for (const auto call : queued) get_in_line(r, call);
            run_input time;
            time.what = kind::due;
            r.inputs.push_back(std::move(time));
            return;
        }
        case kind::resume: return absorb(r, run::resume(r.state, world));
        case kind::due: {
            const auto due = r.state.due_at();
            if (due && *due <= world.now) absorb(r, run::time_passed(r.state, world));
            return;
        }
        case kind::outcome: {
            forget_call(r, input.call);
            if (r.agent && !input.outcome.agent_meta.empty()) r.agent->merge_meta(input.outcome.agent_meta);
            if (r.state.find(input.call) == nullptr) return;
            if (input.outcome.value) return absorb(r, run::call_completed(r.state, input.call, std::move(*input.outcome.value), input.outcome.record, world));
            return absorb(r, run::call_failed(r.state, input.call, input.outcome.value.error(), input.outcome.record, world));
        }
        case kind::message: return take_message(r, input.message);
        case kind::granted: return call_granted(r, input.call);
    }
}

void core::absorb(resident& r, run::transition done) {
    r.dirty = true;
    for (const auto& step : done.steps) {
        r.steps.push_back(row_of(r, step));
        notice_step(r, step);
    }
    for (auto& event : done.events) r.events.push_back({std::move(event.id), r.state.id, std::move(event.type), event.event.text()});
    for (const auto& told : done.lifecycle) r.events.push_back(lifecycle_row(r, told));
    if (!done.decisions.empty()) options_.decided(*r.state.workflow, done.decisions);
    for (const auto& call : done.abandoned) abandon(r, call);
    for (const auto& intent : done.calls) stage(r, intent);
    for (const auto call : done.due_calls) answer(r, call, {"due", nullptr, ports_.now()});
    if (done.yielded) {
        r.yielded = true;
        run_input more;
        more.what = run_input::kind::resume;
        r.inputs.push_back(std::move(more));
    }
}

void core::save(resident& r) {
    update_agent_meta(r);
    store::checkpoint next;
    next.born = std::exchange(r.born, std::nullopt);
    next.shard = r.shard;
    next.epoch = r.epoch;
    next.run = r.state.id;
    next.expected_revision = r.revision;
    next.status = r.state.status;
    next.steps = std::exchange(r.steps, {});
    next.events = std::exchange(r.events, {});
    next.approvals = std::exchange(r.approvals, {});
    next.births = std::exchange(r.births, {});
    next.posts = std::exchange(r.posts, {});
    next.moved = std::exchange(r.moved, std::nullopt);
    next.consumed = std::exchange(r.consumed, {});
    r.consuming = next.consumed;
    if (r.agent) {
        if (auto row = r.agent->take_change(ports_.now())) next.agents.push_back(std::move(*row));
    }
    if (is_final(r.state.status)) {
        if (r.state.status == run_status::completed) next.output = r.state.output.text();
        if (r.state.error) next.error = to_text(json::value(to_json(*r.state.error)));
        store::new_run self;
        self.id = r.state.id;
        self.shard = r.shard;
        self.parent = r.parent;
        self.parent_key = r.parent_key;
        tell_parent(self, next);
        next.unsubscribed_all = !std::exchange(r.subscribed, {}).empty() || !r.born_subscribed.empty();
        r.born_subscribed.clear();
        // What it would go on from, should somebody retry it.
        if (r.state.halt) {
            save_state(r, next);
        } else {
            r.stored_blobs.clear();
        }
    } else {
        save_subscriptions(r, next);
        next.due_at = r.state.due_at();
        set_timer(r, next.due_at);
        save_state(r, next);
    }
    settle_details(r, next);
    r.starting = std::exchange(r.to_start, {});
    r.telling = std::exchange(r.notices, {});
    r.dirty = false;
    r.committing = true;
    ++committing_;
    ports_.commit(std::move(next));
}

void core::save_state(resident& r, store::checkpoint& next) {
    auto encoded = run::encode(r.state);
    next.state = std::move(encoded.text);
    std::set<std::string> live;
    for (const auto& blob : encoded.blobs) {
        live.insert(blob.digest());
        if (!r.stored_blobs.contains(blob.digest())) next.blobs.push_back({blob.digest(), blob.text()});
    }
    for (const auto& digest : r.stored_blobs) {
        if (!live.contains(digest)) next.dropped_blobs.push_back(digest);
    }
    r.stored_blobs = std::move(live);
}

void core::save_subscriptions(resident& r, store::checkpoint& next) {
    auto wanted = run::subscriptions(r.state);
    if (wanted == r.subscribed && r.born_subscribed.empty()) return;
    std::set_difference(wanted.begin(), wanted.end(), r.subscribed.begin(), r.subscribed.end(), std::back_inserter(next.subscribed));
    auto stored = std::exchange(r.born_subscribed, {});
    stored.merge(r.subscribed);
    std::set_difference(stored.begin(), stored.end(), wanted.begin(), wanted.end(), std::back_inserter(next.unsubscribed));
    r.subscribed = std::move(wanted);
}

/// Its checkpoint was not written: the run goes on elsewhere, or here from what is stored.
void core::refused(const store::checkpoint& checkpoint, store::checkpoint_outcome outcome) {
    const auto run = checkpoint.run;
    if (outcome == store::checkpoint_outcome::fenced) {
        disown({{checkpoint.shard, checkpoint.epoch}});
        if (options_.log) options_.log("shard " + std::to_string(checkpoint.shard) + " belongs to another engine now; its runs go on there");
        return;
    }
    if (options_.log) options_.log("run " + run + " was changed by somebody else; it is loaded again");
    const auto agent = residents_.at(run)->agent;
    drop(run);
    wake(run);
    if (agent) doubt(agent);
    ports_.fetch_inbox();  // what it had taken
}

/// Its last checkpoint is durable.
void core::finished(resident& r) {
    auto last = notice(r, run_event::kind::finished);
    if (r.state.error) last.detail = r.state.error->title + ": " + r.state.error->detail;
    const auto run = r.state.id;
    // Messages that came too late are consumed without effect, unless one brings the run back.
    auto late = std::exchange(r.inputs, {});
    const auto shard = r.shard;
    drop(run);
    tell(last);
    const bool again = std::any_of(late.begin(), late.end(), [](const run_input& i) { return i.what == run_input::kind::message && revives(i.message.kind); });
    std::vector<std::int64_t> seqs;
    for (auto& input : late) {
        if (input.what != run_input::kind::message) continue;
        if (again) {
            ensure_loaded(run, std::move(input));
        } else {
            seqs.push_back(input.message.seq);
        }
    }
    consume_only(shard, std::move(seqs));
    load_more();
}

void core::committed(const store::checkpoint& done, store::checkpoint_outcome outcome) {
    --committing_;
    if (outcome == store::checkpoint_outcome::committed) note_changes(done);
    for (const auto seq : done.consumed) {
        if (outcome == store::checkpoint_outcome::committed) {
            retired_.emplace_back(fetches_, seq);
        } else {
            handled_.erase(seq);  // they stand in the inbox as before
        }
    }
    if (done.run.empty()) return reset_answered(done, outcome);
    const auto at = residents_.find(done.run);
    if (at == residents_.end() || !at->second->committing || at->second->revision != done.expected_revision || at->second->epoch != done.epoch) {
        return;  // of a run that left memory meanwhile
    }
    auto& r = *at->second;
    r.committing = false;
    const auto agent = r.agent;
    if (agent && !done.agents.empty()) agent->change_answered();
    if (outcome != store::checkpoint_outcome::committed) return refused(done, outcome);
    if (agent) read_again(agent);
    tell_born(r, true);
    ++r.revision;
    for (const auto& child : done.births) {
        // Those that find no room in line for memory are in the store.
        if (to_load_.size() < most_births_to_load) {
            wake(child.id);
        } else {
            left_out_ = true;
        }
    }
    if (!done.posts.empty()) ports_.fetch_inbox();
    for (auto& event : std::exchange(r.telling, {})) {
        event.revision = r.revision;
        tell(event);
    }
    if (is_final(r.state.status)) return finished(r);
    start_calls(r, std::exchange(r.starting, {}));
    // Starting may have ended calls at once; the run may be gone only by being final, which takes another commit.
    process(r);
}

void core::settle(resident& r) {
    set_timer(r, r.state.due_at());
    if (!r.is_idle()) return;
    notice_waiting(r);
    const auto due = r.state.due_at();
    if (due && *due < ports_.now() + short_wait) return;
    const bool in_line = has_queued_call(r);
    if (in_line && !is_memory_tight()) return;
    const auto run = r.state.id;
    drop(run, in_line ? departure::keeps_its_turn : departure::forgets);
    load_more();
}

void core::drop(const std::string& run, departure how) {
    const auto at = residents_.find(run);
    if (at == residents_.end()) return;
    auto& r = *at->second;
    tell_born(r, false);
    set_timer(r, std::nullopt);
    release_messages(r.inputs);
    for (const auto seq : r.consumed) handled_.erase(seq);
    for (const auto& [frame, call] : r.calls) {
        unwatch(r, frame);
        if (call.started) call.owner->cancel(call.request->key);
        give_back(r, frame, call);
    }
    residents_.erase(at);
    if (how == departure::forgets) give_up_turns(run);
}

void core::stop() {
    stopping_ = true;
    for (auto& [id, r] : residents_) {
        for (auto& [frame, call] : r->calls) {
            if (call.started) call.owner->cancel(call.request->key);
        }
    }
}

std::size_t core::beating_calls() const {
    std::size_t count = 0;
    for (const auto& [id, r] : residents_) {
        count += static_cast<std::size_t>(std::count_if(r->calls.begin(), r->calls.end(), [](const auto& c) { return c.second.started && c.second.signs; }));
    }
    return count;
}

bool core::is_quiet() const { return committing_ == 0; }

void core::set_timer(resident& r, std::optional<time_point> at) {
    if (r.timer == at) return;
    if (r.timer) timers_.erase({*r.timer, r.state.id});
    r.timer = at;
    if (at) timers_.insert({*at, r.state.id});
    arm();
}

void core::arm() {
    if (timers_.empty() && looks_.empty() && !turn_alarm_) return;
    const auto late = time_point::max();
    ports_.wake_at(std::min({timers_.empty() ? late : timers_.begin()->first, looks_.empty() ? late : looks_.begin()->first, turn_alarm_.value_or(late)}));
}

void core::due(const std::vector<store::due_run>& runs, bool more) {
    more_due_ = more;
    for (const auto& run : runs) {
        if (held_.contains(run.shard) && !residents_.contains(run.run)) timers_.insert({run.due_at, run.run});
    }
    arm();
}

void core::tick() {
    const auto now = ports_.now();
    turns_.tick(now);
    turns_changed();
    while (!timers_.empty() && timers_.begin()->first <= now && !stopping_) {
        const auto run = timers_.begin()->second;
        timers_.erase(timers_.begin());
        if (const auto at = residents_.find(run); at != residents_.end()) at->second->timer.reset();
        run_input input;
        input.what = run_input::kind::due;
        ensure_loaded(run, std::move(input));
    }
    look_at_due();
    arm();
}

void core::tell(const run_event& event) {
    if (options_.listener) options_.listener(event);
}

}  // namespace pawl::runtime
