#include "run/replayer.hpp"

#include "run/activation.hpp"
#include "run/control.hpp"
#include "run/stepper.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

constexpr std::uint64_t most_moves = 10'000'000;
constexpr std::size_t most_looked_ahead = 64;

problem refused(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

std::string quoted(const flow::task& task) { return "`" + task.name + "`"; }

bool same_outcome(std::string_view made, std::string_view recorded) {
    // A call whose outcome nobody learned was answered by an error.
    return made == recorded || (made == "faulted" && recorded == "unknown");
}

bool has_result(const past_step& row) { return !row.result.empty() && row.result != "null"; }

bool is_loop(const flow::task& task) {
    const auto* attempt = std::get_if<flow::try_task>(&task.body);
    return std::holds_alternative<flow::for_task>(task.body) || std::holds_alternative<flow::listen_task>(task.body) || (attempt != nullptr && attempt->retry);
}

/// Where a flow directive may lead back to: the task, one around it, or one before either.
std::set<flow::task_id> leading_to(const flow::workflow& w, flow::task_id target) {
    std::set<flow::task_id> before;
    for (auto at = target; at != flow::no_task; at = w.tasks[at].parent) {
        before.insert(at);
        for (bool more = true; more;) {
            more = false;
            for (const auto& task : w.tasks) {
                if (task.next != flow::no_task && before.contains(task.next) && before.insert(task.id).second) more = true;
            }
        }
    }
    return before;
}

/// True only when it is certain that a run enters the task at most once, as long as nobody from outside leads it back.
bool entered_at_most_once(const flow::workflow& w, flow::task_id target) {
    for (auto at = w.tasks[target].parent; at != flow::no_task; at = w.tasks[at].parent) {
        if (is_loop(w.tasks[at])) return false;
    }
    const auto before = leading_to(w, target);
    const auto leads_back = [&](const flow::flow_directive& then) { return then.what == flow::flow_directive::kind::task && before.contains(then.target); };
    return std::none_of(w.tasks.begin(), w.tasks.end(), [&](const flow::task& task) {
        if (leads_back(task.then)) return true;
        if (const auto* choice = std::get_if<flow::switch_task>(&task.body)) {
            return std::any_of(choice->cases.begin(), choice->cases.end(), [&](const auto& each) { return leads_back(each.then); });
        }
        const auto* attempt = std::get_if<flow::try_task>(&task.body);
        return attempt != nullptr && attempt->then && leads_back(*attempt->then);
    });
}

}  // namespace

bool is_control_step(const past_step& step, std::string_view kind) { return step.pointer.empty() && step.outcome == "completed" && (kind.empty() || step.function == kind); }

std::uint64_t generations_before(const past_run& run, std::int64_t seq) {
    return static_cast<std::uint64_t>(std::count_if(run.steps.begin(), run.steps.end(), [&](const past_step& step) { return step.seq < seq && is_control_step(step, rewind_kind); }));
}

replayer::replayer(const past_run& run, history rows, std::optional<time_point> limit, flow::task_id target, const surroundings& world)
    : run_(run), rows_(std::move(rows)), limit_(limit), target_(target), only_once_(entered_at_most_once(*run.workflow, target)), world_(world), has_agent_(world.agent != nullptr) {
    world_.agent = nullptr;
    world_.agent_read = &agent_read_;
    world_.budget = 0;
    world_.lifecycle = false;
    world_.decisions = true;
    world_.details = nullptr;
    s_.id = run.id;
    s_.workflow = run.workflow;
    if (std::any_of(rows_.begin(), rows_.end(), [](const past_step* row) { return is_control_step(*row, retry_kind); })) only_once_ = false;
}

result<void> replayer::begin() {
    auto first_sign = run_.until;
    for (const auto* row : rows_) {
        if (!row->pointer.empty()) first_sign = std::min(first_sign, row->started_at);
    }
    world_.now = run_.started_at.value_or(first_sign);
    if (paused_before_it_began()) {
        (void)suspend(s_, {}, world_);
        applied_.insert(0);
    }
    if (auto done = take(start(s_, run_.input, world_)); done.has_error()) return done;
    return drain();
}

/// When both were in the same millisecond, what came before it was resumed tells: answers of calls that had begun, or what only resuming brought about.
bool replayer::paused_before_it_began() const {
    if (rows_.empty() || !is_control_step(*rows_.front(), pause_kind) || rows_.front()->ended_at > world_.now) return false;
    if (rows_.front()->ended_at < world_.now) return true;
    return rows_.size() > 1 && rows_[1]->function == "emit" && next_control(resume_kind);
}

result<void> replayer::go_on_from(point_in_past point, const past_step& rewound) {
    s_.status = run_status::cancelled;  // whatever it was
    s_.key_generation = generations_before(run_, rewound.seq);
    world_.now = rewound.ended_at;
    last_seq_ = rewound.seq;
    if (auto done = take(rewind(s_, std::move(point.state), point.at, world_)); done.has_error()) return done;
    return drain();
}

result<void> replayer::run() {
    while (!at_end() && !is_over()) {
        if (auto done = advance(); done.has_error()) return done;
    }
    return is_over() ? result<void>() : follow_tail();
}

problem replayer::lost(std::string_view why) const {
    for (const auto& f : s_.frames) {
        const auto* listen = std::get_if<flow::listen_task>(&s_.task_of(f).body);
        if (listen != nullptr && listen->foreach) {
            return refused("Task " + quoted(s_.task_of(f)) + " went through its events one at a time (`foreach`), and the history does not hold the events, so what the run had after them cannot be rebuilt.");
        }
    }
    const auto where = at_end() ? std::string("at the end of the history") : "at step " + std::to_string(rows_[cursor_]->seq) + " (" + rows_[cursor_]->function +
                                                                                 (rows_[cursor_]->pointer.empty() ? "" : ", " + rows_[cursor_]->pointer) + ")";
    return refused("What the run had then cannot be rebuilt: " + where + " the history says otherwise than the definition does when it is gone through again (" + std::string(why) + ").");
}

/// What the machine did must be what the history has.
result<void> replayer::take(const transition& done) {
    if (++moves_ > most_moves) return refused("The run entered more than " + std::to_string(most_moves) + " tasks; so long a history is not gone through again.");
    if (agent_read_ && has_agent_) return refused("The run read `$agent` (or `$runtime`, which holds it) after step " + std::to_string(last_seq_) + ", and the history does not hold what it was then, so its state cannot be rebuilt.");
    for (const auto& made : done.steps) {
        if (at_end()) {
            beyond_ = true;
            return {};
        }
        const auto& row = *rows_[cursor_];
        const auto& task = run_.workflow->tasks[made.task];
        if (task.pointer != row.pointer || made.function != row.function || !same_outcome(made.outcome, row.outcome)) return lost("there it is " + made.function + " of task " + quoted(task) + ", " + made.outcome);
        if (made.key != row.key) return lost("another idempotency key");
        if (made.digest != row.digest) return lost("another request");
        if (made.attempt != row.attempt) return lost("another attempt");
        last_seq_ = row.seq;
        ++cursor_;
    }
    return {};
}

/// Enters what is ready, one task at a time, and looks who is entered.
result<void> replayer::drain() {
    while (!s_.ready.empty() && !is_final(s_.status) && !s_.suspended_at && !is_over()) {
        std::optional<run_state> before;
        if (s_.ready.front().task == target_) before = s_;
        const auto after = last_seq_;
        world_.budget = 1;
        const auto done = resume(s_, world_);
        world_.budget = 0;
        if (auto taken = take(done); taken.has_error()) return taken;
        const bool entered = before && std::any_of(done.decisions.begin(), done.decisions.end(), [&](const decision& d) { return d.what == decision::kind::entered && d.task == target_; });
        // Where the rows were cut off, the task was entered all the same.
        if (entered && (!beyond_ || limit_)) found = point_in_past{std::move(*before), world_.now, after, {}};
    }
    return {};
}

frame_id replayer::open_call(const past_step& row) const {
    const auto* f = row.key.empty() ? nullptr : s_.find_call(row.key);
    const bool answered = row.outcome == "completed" || ((row.outcome == "faulted" || row.outcome == "unknown" || row.outcome == "timeout") && has_result(row));
    return f != nullptr && f->phase == frame_phase::started && answered ? f->id : root_frame;
}

std::optional<std::size_t> replayer::next_control(std::string_view kind) const {
    for (auto i = cursor_; i < rows_.size(); ++i) {
        if (is_control_step(*rows_[i], kind) && !applied_.contains(i)) return i;
    }
    return std::nullopt;
}

/// When something fell due, it was noticed a little later: when that was, the steps around it tell.
time_point replayer::moment_of(time_point due) const {
    auto best = limit_ && *limit_ >= due ? *limit_ : time_point::max();
    const auto end = std::min(rows_.size(), cursor_ + most_looked_ahead);
    for (auto i = cursor_; i < end; ++i) {
        for (const auto t : {rows_[i]->started_at, rows_[i]->ended_at}) {
            if (t >= due) best = std::min(best, t);
        }
    }
    return best == time_point::max() ? due : best;
}

/// False, and nothing changed: the history has something else next.
bool replayer::fire(time_point due) {
    const auto s = s_;
    const auto cursor = cursor_;
    const auto seq = last_seq_;
    const auto entry = found;
    world_.now = moment_of(due);
    if (auto done = take(time_passed(s_, world_)); done.has_value() && !beyond_ && drain().has_value() && !beyond_) return true;
    s_ = s;
    cursor_ = cursor;
    last_seq_ = seq;
    found = entry;
    beyond_ = false;
    return false;
}

result<void> replayer::advance() {
    const auto& row = *rows_[cursor_];
    if (applied_.contains(cursor_)) {
        last_seq_ = row.seq;
        ++cursor_;
        return {};
    }
    for (auto due = s_.due_at(); due && *due <= row.ended_at && !is_final(s_.status); due = s_.due_at()) {
        const auto before = cursor_;
        if (!fire(*due)) break;
        if (agent_read_ && has_agent_) return take({});
        if (cursor_ != before || is_over()) return {};
    }
    if (is_final(s_.status)) return revive();
    if (is_control_step(row) && row.function != retry_kind) return apply(cursor_);
    if (const auto call = open_call(row); call != root_frame) return deliver(row, call);
    if (s_.suspended_at) {
        const auto resumed = next_control(resume_kind);
        return resumed ? apply(*resumed) : lost("the run is suspended there");
    }
    if (auto listened = recall_listen(row); listened.has_error()) {
        return listened.error();
    } else if (*listened) {
        return {};
    }
    // Nothing that the run did: it was ended from outside, and went on when it was retried.
    if (!next_control(retry_kind)) {
        if (row.outcome == "cancelled" && !has_result(row)) {
            beyond_ = true;  // what it abandoned at its end
            return {};
        }
        return lost("nothing leads to this step");
    }
    world_.now = row.ended_at;
    return take(cancel(s_, "", world_));
}

/// A run that is over went on because somebody retried it.
result<void> replayer::revive() {
    if (is_control_step(*rows_[cursor_], terminate_kind)) {
        applied_.insert(cursor_);
        return {};
    }
    const auto retried = next_control(retry_kind);
    return retried ? apply(*retried) : lost("the run is over there");
}

result<void> replayer::apply(std::size_t at) {
    const auto& row = *rows_[at];
    applied_.insert(at);
    world_.now = row.ended_at;
    transition done;
    if (row.function == pause_kind) {
        done = suspend(s_, {}, world_);
    } else if (row.function == resume_kind) {
        std::vector<frame_id> unknown;
        for (auto i = cursor_; i < at; ++i) {
            const auto* f = rows_[i]->outcome == "unknown" ? s_.find_call(rows_[i]->key) : nullptr;
            if (f != nullptr) unknown.push_back(f->id);
        }
        done = unsuspend(s_, unknown, world_);
    } else if (row.function == terminate_kind) {
        done = terminate(s_, "", world_);
    } else if (row.function == retry_kind) {
        const auto body = parse_json(row.result);
        const auto* from = body && body->is_object() ? body->get_object().if_contains("from") : nullptr;
        auto retried = retry(s_, from != nullptr && from->is_string() ? std::string_view(from->get_string()) : std::string_view(), world_);
        if (retried.has_error()) return lost(retried.error().detail);
        done = std::move(*retried);
    } else {
        return {};  // of no consequence
    }
    if (auto taken = take(done); taken.has_error()) return taken;
    return drain();
}

result<void> replayer::deliver(const past_step& row, frame_id call) {
    if (s_.find(call)->digest != row.digest) return lost("another request");
    auto answer = parse_json(row.result.empty() ? "null" : row.result);
    if (!answer) return lost("its result is not JSON");
    world_.now = row.ended_at;
    const auto before = cursor_;
    const auto done = row.outcome == "completed" ? call_completed(s_, call, std::move(*answer), {}, world_)
                      : answer->is_object()      ? call_failed(s_, call, problem_from_json(answer->get_object()), {}, world_)
                                                 : transition();
    if (auto taken = take(done); taken.has_error()) return taken;
    return cursor_ == before ? result<void>(lost("its error is none")) : drain();
}

/// True when the step is the end of a live `listen`: its output is what it took.
result<bool> replayer::recall_listen(const past_step& row) {
    if (row.function != "listen" || row.outcome != "completed") return false;
    for (const auto& f : s_.frames) {
        if (f.phase != frame_phase::listening || s_.task_of(f).pointer != row.pointer || idempotency_key(s_, f) != row.key) continue;
        if (std::get<flow::listen_task>(s_.task_of(f).body).foreach) return false;
        const auto outputs = parse_json(row.result);
        if (!outputs || !outputs->is_array()) return false;
        world_.now = row.ended_at;
        stepper steps(s_, world_);
        steps.end_listen(f.id, outputs->get_array());
        if (auto taken = take(steps.take()); taken.has_error()) return taken.error();
        if (auto drained = drain(); drained.has_error()) return drained.error();
        return true;
    }
    return false;
}

/// What came after the last step and left none: back-offs that ended.
result<void> replayer::follow_tail() {
    for (auto due = s_.due_at(); due && *due <= limit_.value_or(run_.until) && !is_final(s_.status) && !is_over(); due = s_.due_at()) {
        if (!fire(*due)) break;
        if (agent_read_ && has_agent_) return take({});
    }
    return {};
}

}  // namespace pawl::run
