// Errors: how they travel outwards, how a try takes them, how scopes are abandoned (dsl.md, "Fault Tolerance").
#include "run/activation.hpp"
#include "run/stepper.hpp"

#include <algorithm>
#include <cmath>

namespace pawl::run {
namespace {

constexpr milliseconds longest_delay = std::chrono::hours(24 * 366);

bool matches(const flow::error_filter& filter, const problem& error) {
    const auto same = [](const std::optional<std::string>& wanted, const std::string& is) { return !wanted || *wanted == is; };
    return (!filter.type || is_same_type(*filter.type, error.type)) && (!filter.status || *filter.status == error.status) &&
           same(filter.instance, error.instance) && same(filter.title, error.title) && same(filter.details, error.detail);
}

/// `when` and `exceptWhen` over an error. Sets `failure` when an expression fails.
bool admits(const std::optional<flow::evaluable>& when, const std::optional<flow::evaluable>& except, scope& where, const json::value& error,
            std::optional<problem>& failure) {
    for (const auto& [condition, wanted] : {std::pair{&when, true}, std::pair{&except, false}}) {
        if (!*condition) continue;
        const auto holds = where.test(**condition, error);
        if (!holds) {
            failure = holds.error();
            return false;
        }
        if (*holds != wanted) return false;
    }
    return true;
}

}  // namespace

problem stepper::placed(problem error, frame_id id) const {
    if (error.instance.empty()) error.instance = s_.task_of(*s_.find(id)).pointer;
    return error;
}

void stepper::fail(frame_id id, problem error) {
    error = placed(std::move(error), id);
    auto where = where_it_stands(id);
    for (;;) {
        const auto parent = s_.find(id)->parent;
        note(lifecycle_phase::faulted, *s_.find(id), &error);
        remove_below(id, true, "cancelled");
        if (parent == root_frame) return fault(std::move(error), std::move(where));
        const auto& owner = *s_.find(parent);
        if (std::holds_alternative<flow::try_task>(s_.task_of(owner).body) && owner.phase == frame_phase::body && offer(parent, error)) return;
        id = parent;
    }
}

standstill stepper::where_it_stands(frame_id failed) const { return {failed, world_.now, s_.deadline, s_.frames, s_.ready, s_.visits}; }

void stepper::fault(problem error, std::optional<standstill> where) {
    s_.halt = where ? std::move(*where) : where_it_stands(root_frame);
    remove_below(root_frame, false, "cancelled");
    note(lifecycle_phase::faulted, &error);
    s_.error = std::move(error);
    s_.status = run_status::faulted;
    s_.deadline.reset();
}

void stepper::fault_at(std::string_view part, problem error) {
    if (error.instance.empty()) error.instance = part;
    fault(std::move(error));
}

void stepper::end_cancelled(std::string_view reason, std::string_view title) {
    s_.halt = where_it_stands(root_frame);
    remove_below(root_frame, false, "cancelled");
    s_.error = make_problem(problem_type::runtime, std::string(reason));
    s_.error->title = title;
    note(lifecycle_phase::cancelled);
    s_.status = run_status::cancelled;
    s_.deadline.reset();
}

void stepper::remove_below(frame_id id, bool itself, std::string_view reason) {
    std::vector<frame_id> gone;
    if (itself || id == root_frame) gone.push_back(id);
    const auto is_gone = [&](frame_id f) { return std::find(gone.begin(), gone.end(), f) != gone.end(); };
    // Parents stand before children, so one pass finds all descendants.
    for (const auto& f : s_.frames) {
        if (f.id != id && (f.parent == id || is_gone(f.parent))) gone.push_back(f.id);
    }
    for (const auto& f : s_.frames) {
        if (!is_gone(f.id) || !is_open_call(f.phase)) continue;
        const auto intent = std::find_if(out_.calls.begin(), out_.calls.end(), [&](const call_intent& c) { return c.frame == f.id; });
        if (intent != out_.calls.end() && !intent->recovered) {
            out_.calls.erase(intent);  // not yet handed to anybody
            continue;
        }
        record(f, std::get<flow::call_task>(s_.task_of(f).body).function, reason, value_ref());
        out_.abandoned.push_back({f, std::string(reason)});
    }
    for (const auto& f : s_.frames) {
        if (f.id != id && is_gone(f.id) && std::find(told_.begin(), told_.end(), f.id) == told_.end()) note(lifecycle_phase::cancelled, f);
    }
    std::erase_if(s_.ready, [&](const ready_item& item) { return item.parent == id || is_gone(item.parent); });
    std::erase_if(s_.frames, [&](const frame& f) { return is_gone(f.id); });
}

bool stepper::offer(frame_id id, problem& error) {
    const auto& task = std::get<flow::try_task>(s_.task_of(*s_.find(id)).body);
    if (task.errors && !matches(*task.errors, error)) return false;
    const value_ref as_value{json::value(to_json(error))};
    std::optional<problem> failure;
    {
        scope where(s_, world_, s_.find(id));
        where.with_locals({as_value.get()});
        if (!admits(task.when, task.except_when, where, *as_value, failure)) {
            if (failure) error = placed(std::move(*failure), id);
            return false;
        }
    }
    auto* f = s_.find(id);
    f->error = as_value;
    f->attempt_deadline.reset();
    if (!f->first_failure) f->first_failure = world_.now;
    if (task.retry) {
        const auto delay = retry_delay(id, task, error);
        if (!delay) {
            error = placed(delay.error(), id);
            return false;
        }
        if (*delay) {
            decide(decision::kind::retried, f->task, f->attempt + 1);
            schedule_retry(id, **delay);
            return true;
        }
        decide(decision::kind::exhausted, f->task);
        // Who only asked for more tries did not ask for the last error to be forgotten.
        if (task.handler == flow::no_task && !task.then) return false;
    }
    if (!task.retry) decide(decision::kind::caught, f->task);
    f->visits.clear();
    if (task.handler != flow::no_task) {
        f->phase = frame_phase::handler;
        s_.ready.push_back({id, task.handler, f->input});
    } else {
        complete(id, f->input, task.then ? &*task.then : nullptr);
    }
    return true;
}

/// The delay before the next attempt, or nothing when there is none. Error: an expression that failed.
result<std::optional<milliseconds>> stepper::retry_delay(frame_id id, const flow::try_task& task, const problem& error) {
    const auto& policy = *task.retry;
    const auto* f = s_.find(id);
    const json::value as_value(to_json(error));
    scope where(s_, world_, f);
    where.with_locals({f->error.get()});
    constexpr std::optional<milliseconds> none;
    std::optional<problem> bad;
    if (!admits(policy.when, policy.except_when, where, as_value, bad)) {
        if (bad) return std::move(*bad);
        return none;
    }
    if (policy.attempt_count && f->attempt >= *policy.attempt_count) return none;

    const auto length = [&](const std::optional<flow::duration_source>& source) -> result<milliseconds> {
        if (!source) return milliseconds(0);
        return duration(*source, where, as_value);
    };
    const auto base = length(policy.delay), step = length(policy.linear_increment), total = length(policy.total_duration);
    const auto from = length(policy.jitter_from), to = length(policy.jitter_to);
    for (const auto* each : {&base, &step, &total, &from, &to}) {
        if (each->has_error()) return each->error();
    }
    const auto n = static_cast<double>(f->attempt - 1);
    auto delay = static_cast<double>(base->count());
    if (policy.backoff == flow::retry_policy::backoff_kind::exponential) delay *= std::pow(2.0, n);
    if (policy.backoff == flow::retry_policy::backoff_kind::linear) delay += n * static_cast<double>((policy.linear_increment ? *step : *base).count());
    if (policy.jitter_to) {
        const auto span = static_cast<double>((*to - *from).count());
        delay += static_cast<double>(from->count()) + span * derived_fraction(s_, *f, "jitter " + std::to_string(f->attempt));
    }
    const milliseconds wanted(static_cast<std::int64_t>(std::clamp(delay, 0.0, static_cast<double>(longest_delay.count()))));
    if (policy.total_duration && world_.now + wanted > f->started_at + *total) return none;
    return std::optional(wanted);
}

void stepper::schedule_retry(frame_id id, milliseconds delay) {
    auto* f = s_.find(id);
    ++f->attempt;
    note(lifecycle_phase::retried, *f);
    if (delay.count() <= 0) return start_attempt(id);
    f->phase = frame_phase::backoff;
    f->wake_at = world_.now + delay;
}

void stepper::start_attempt(frame_id id) {
    auto* f = s_.find(id);
    const auto& task = std::get<flow::try_task>(s_.task_of(*f).body);
    f->phase = frame_phase::body;
    f->wake_at.reset();
    f->visits.clear();  // the same keys as in the attempt before
    if (task.retry && task.retry->attempt_duration) {
        scope where(s_, world_, f);
        const json::value none;
        where.with_locals({&none});
        const auto limit = duration(*task.retry->attempt_duration, where, *f->input);
        if (!limit) return fail(id, limit.error());
        f->attempt_deadline = world_.now + *limit;
    }
    if (task.first == flow::no_task) return complete(id, f->input);
    s_.ready.push_back({id, task.first, f->input});
}

}  // namespace pawl::run
