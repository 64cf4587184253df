// listen: events are offered to the live listens, consumed, gone through one at a time by `foreach`, and become the output (dsl-reference.md,
// "Listen", "Subscription Iterator").
#include "run/activation.hpp"
#include "run/stepper.hpp"

namespace pawl::run {
namespace {

constexpr std::size_t most_events = 10'000;  ///< that a listen holds: consumed for its output, or waiting for `foreach`

const flow::listen_task& listen_of(const run_state& s, const frame& f) { return std::get<flow::listen_task>(s.task_of(f).body); }

json::value outputs_of(const frame& f) {
    json::array all;
    all.reserve(f.listen->outputs.size());
    for (const auto& each : f.listen->outputs) all.push_back(*each);
    return all;
}

}  // namespace

void stepper::begin(frame_id id, const flow::listen_task&) {
    auto* f = s_.find(id);
    f->phase = frame_phase::listening;
    f->listen.emplace();
    note(lifecycle_phase::correlation_started, *f);
    offer_kept(id);
}

void stepper::event_arrived(const value_ref& event) {
    // Every listen that is live now gets the event; those that it brings about wait for the next one. Whatever none of them takes is kept for a later one.
    std::vector<frame_id> listening;
    for (const auto& f : s_.frames) {
        if (f.phase == frame_phase::listening && !f.listen->satisfied) listening.push_back(f.id);
    }
    bool taken = false;
    for (const auto id : listening) {
        if (is_final(s_.status)) return;
        if (s_.find(id) != nullptr && offer(id, event)) taken = true;
    }
    if (!taken) keep(event);
    drain();
}

/// True when the listen took it: also for its `until`, and when it failed over it.
bool stepper::offer(frame_id id, const value_ref& event) {
    auto* f = s_.find(id);
    const auto& task = listen_of(s_, *f);
    scope where(s_, world_, f);
    const auto evaluate = [&](const flow::evaluable& e, const json::value& dot) { return where.evaluate(e, dot); };
    const auto verdict = offer_event(task.to, f->listen->progress, *event, *f->input, evaluate);
    if (!verdict) {
        fail(id, verdict.error());
        return true;
    }
    if (*verdict == event_verdict::ignored || *verdict == event_verdict::noted) return *verdict == event_verdict::noted;
    auto& listen = *f->listen;
    listen.satisfied = *verdict != event_verdict::consumed;
    if (*verdict != event_verdict::stopped) {
        if (listen.outputs.size() + listen.waiting.size() >= most_events) {
            fail(id, make_problem(problem_type::runtime, "Task `" + s_.task_of(*f).name + "` holds " + std::to_string(most_events) +
                                                             " events, the most that one `listen` may; end it sooner, or take the events by `foreach` faster than they come."));
            return true;
        }
        value_ref item(read_event(*event, task.read));
        if (task.foreach) {
            listen.waiting.push_back(std::move(item));
        } else if (!consume(id, std::move(item))) {
            return true;
        }
    }
    if (!listen.busy) next_event(id);
    return true;
}

/// Adds to the output and asks `until`. False when that failed, and the task with it.
bool stepper::consume(frame_id id, value_ref output) {
    auto* f = s_.find(id);
    const auto& to = listen_of(s_, *f).to;
    if (!to.endless) f->listen->outputs.push_back(std::move(output));
    if (!to.until || to.endless || f->listen->satisfied) return true;
    const auto enough = scope(s_, world_, f).test(*to.until, outputs_of(*f));
    if (!enough) {
        fail(id, enough.error());
        return false;
    }
    f->listen->satisfied = *enough;
    if (*enough) f->listen->waiting.clear();  // consumed, but after the end of the listening
    return true;
}

/// Begins with the next event that waits for `foreach`; ends the task when none will come.
void stepper::next_event(frame_id id) {
    for (;;) {
        auto* f = s_.find(id);
        auto& listen = *f->listen;
        if (listen.waiting.empty()) {
            if (listen.satisfied) end_listen(id);
            return;
        }
        f->visits.clear();
        listen.busy = true;
        const auto first = listen_of(s_, *f).foreach->first;
        if (first != flow::no_task) {
            s_.ready.push_back({id, first, listen.waiting.front()});
            return;
        }
        if (!end_event(id, listen.waiting.front())) return;
    }
}

/// What `foreach` made of the event at the front. False when the task failed.
bool stepper::end_event(frame_id id, value_ref output) {
    auto* f = s_.find(id);
    const auto& iterator = *listen_of(s_, *f).foreach;
    const auto& name = s_.task_of(*f).name;
    const auto item = f->listen->waiting.front();
    const json::value index(f->index);
    const auto failed = [&](problem why) {
        fail(id, std::move(why));
        return false;
    };
    scope where(s_, world_, f);
    where.with_locals({item.get(), &index});
    if (iterator.output.transform) {
        auto transformed = where.evaluate(*iterator.output.transform, *output);
        if (!transformed) return failed(transformed.error());
        output = value_ref(std::move(*transformed));
    }
    if (auto bad = check(iterator.output.schema, *output, "the output of `foreach` in task `" + name + "`")) return failed(std::move(*bad));
    if (auto bad = export_context(iterator.export_, where, output, "`foreach` in task", s_.task_of(*f))) return failed(std::move(*bad));
    f->listen->waiting.erase(f->listen->waiting.begin());
    f->listen->busy = false;
    ++f->index;
    return consume(id, std::move(output));
}

void stepper::end_listen(frame_id id, const json::array& outputs) {
    auto& listen = *s_.find(id)->listen;
    listen.outputs.clear();
    for (const auto& each : outputs) listen.outputs.emplace_back(each);
    listen.waiting.clear();
    end_listen(id);
}

void stepper::end_listen(frame_id id) {
    auto* f = s_.find(id);
    f->key = idempotency_key(s_, *f);
    note(lifecycle_phase::correlation_completed, *f);
    const value_ref output(outputs_of(*f));
    record(*f, "listen", "completed", output);
    complete(id, output);
}

}  // namespace pawl::run
