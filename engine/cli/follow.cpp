#include "cli/follow.hpp"

#include "base/visible.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/waits.hpp"

#include <algorithm>
#include <unistd.h>

namespace pawl::cli {
namespace {

constexpr milliseconds tick{200};
constexpr milliseconds between_looks{500};
constexpr std::size_t page = 500;

}  // namespace

follower::follower(session& in, std::string run, shard_id shard, follow_options options)
    : in_(in), run_(std::move(run)), shard_(shard), options_(std::move(options)), view_([](std::string_view text) { print_err(text); }) {
    in_.on_event([this](const runtime::run_event& e) { event(e); });
}

void follower::event(const runtime::run_event& e) {
    if (e.run != run_) return;
    const auto now = progress::steady::now();
    using kind = runtime::run_event::kind;
    if (e.what != kind::waiting) waits_ = false;
    switch (e.what) {
        case kind::started: break;
        case kind::step_started: if (!options_.json) view_.started(e, now); break;
        case kind::step_finished: if (!options_.json) view_.finished(e, now); break;
        case kind::progress: if (!options_.json) view_.words(e); break;
        case kind::waiting:
            waits_ = true;
            if (e.function == "pause") {
                say_that_it_is_suspended();
                break;
            }
            if (e.function == "listen") {
                if (!options_.json && !options_.leave_to_owner)
                    view_.note("  waiting " + e.task + ": listens for events (" + shortened(e.detail, 200) + ")" + (e.until ? " until " + to_rfc3339(*e.until) : ""));
                break;
            }
            say_what_it_waits_for(e.until, e.parked);
            break;
        case kind::finished: ended_ = true; break;
    }
}

void follower::say_that_it_is_suspended() {
    if (!options_.json && !options_.leave_to_owner && !std::exchange(told_suspended_, true)) view_.note("  suspended; from another shell: pawl runs resume " + short_id(run_));
}

void follower::say_what_it_waits_for(std::optional<time_point> until, bool parked) {
    if (options_.json || options_.leave_to_owner) return;
    if (parked) {
        const auto pending = in_.connection().list_approvals(store::approval_status::pending, run_, 10);
        if (pending.has_value()) {
            for (const auto& approval : *pending) {
                view_.note("  waiting " + approval.task + ": \"" + shortened(approval.title, 120) + "\" needs a decision" +
                           (approval.expires_at ? " before " + to_rfc3339(*approval.expires_at) : "") + "; from another shell:\n            pawl approvals approve " +
                           short_id(approval.id) + "    (or: reject)");
            }
            if (!pending->empty()) return;
        }
    }
    if (until) view_.note("  waiting until " + to_rfc3339(*until));
}

bool follower::fail_with(const store::store_error& error) {
    if (is_transient(error)) {
        if (!options_.json) view_.note("  the store does not answer (" + error.detail + "); trying again");
        return false;
    }
    failure_ = to_problem(error);
    return true;
}

void follower::note_owner() {
    if (here_ || !in_.has_engine()) return;
    const auto owned = in_.own(shard_);
    if (owned.has_value() && *owned) {
        here_ = true;
        in_.engine().wake(run_);
        // What happened so far was shown, or is history; from here on events tell.
        return;
    }
    if (!told_elsewhere_ && !options_.json && !options_.leave_to_owner) view_.note("  another pawl process drives this run; following it from the store");
    told_elsewhere_ = true;
}

void follower::read_steps() {
    for (;;) {
        const auto steps = in_.connection().list_steps(run_, steps_seen_, page);
        if (steps.has_error() || steps->empty()) return;
        for (const auto& step : *steps) {
            steps_seen_ = step.seq;
            if (options_.json || !told_elsewhere_) continue;
            runtime::run_event e;
            e.task = step.task;
            e.pointer = step.pointer;
            e.function = step.function;
            e.key = step.key;
            e.attempt = static_cast<unsigned>(step.attempt);
            e.outcome = step.outcome;
            e.duration = step.ended_at - step.started_at;
            view_.finished(e, progress::steady::now());
        }
        if (steps->size() < page) return;
    }
}

/// As the store has it: whatever the engine here makes of a message or a timer is a checkpoint before anything follows from it.
bool follower::only_waits(const store::run_row& row) {
    told_suspended_ = told_suspended_ && row.status == run_status::suspended;
    if (row.status != run_status::waiting && row.status != run_status::suspended) return false;
    const auto now = in_.connection().now();
    if (now.has_error() || (row.due_at && *row.due_at <= *now)) return false;
    if (!here_) return true;
    // While it is suspended, calls go on to their end.
    if (row.status == run_status::suspended && has_call_under_way(row)) return false;
    // A message that has not been taken yet may end the waiting, and one that has been taken since the row was read has changed the row.
    const auto messages = in_.connection().fetch_inbox(std::span(&shard_, 1), 0, page);
    if (messages.has_error() || std::any_of(messages->begin(), messages->end(), [&](const store::inbox_entry& m) { return m.run == run_; })) return false;
    const auto again = in_.connection().load_run(run_);
    return again.has_value() && again->revision == row.revision;
}

bool follower::look_at_store() {
    if (!here_) {
        note_owner();
    } else if (!in_.owns(shard_)) {
        here_ = told_elsewhere_ = false;  // the lease was lost; what was shown so far is skipped silently below
    }
    if (!here_) read_steps();
    auto row = in_.connection().load_run(run_);
    if (row.has_error()) return fail_with(row.error());
    row_ = std::move(*row);
    if (is_final(row_->status)) return true;
    const bool applied = !options_.applied || options_.applied();
    if (applied && options_.leave_to_owner && !here_) return true;
    const bool waits = only_waits(*row_);
    if (waits && row_->status == run_status::suspended) say_that_it_is_suspended();
    if (waits && !here_) say_what_it_waits_for(row_->due_at, true);
    return options_.detach && applied && waits;
}

bool follower::look() {
    const auto now = progress::steady::now();
    if (!options_.json) view_.tick(now);
    if (!ended_ && !(waits_ && options_.detach) && now < next_look_) return false;
    next_look_ = now + between_looks;
    return look_at_store();
}

result<int> follower::follow() {
    here_ = in_.owns(shard_);
    if (!here_) {
        // Steps that were done before this command came are history, not news.
        read_steps();
    }
    const auto end = in_.wait_until([this] { return look(); }, tick);
    if (in_.superseded()) return *in_.superseded();
    if (failure_) return *failure_;
    if (!options_.json) view_.flush(progress::steady::now());
    if (end == session::wait_end::interrupted) {
        if (!options_.json) print_err("\npawl: stopping; what is done is stored\n");
        in_.close();
    }
    return finish();
}

result<int> follower::finish() {
    auto row = in_.connection().load_run(run_);
    if (row.has_error()) return to_problem(row.error());
    row_ = std::move(*row);
    if (options_.quiet_result) {
        if (!options_.json) print_err("run " + short_id(run_) + " is " + std::string(to_string(row_->status)) + "\n");
    } else if (options_.json) {
        print_out(to_text(run_document(in_.connection(), *row_)) + "\n");
    } else {
        print_result(*row_);
    }
    return exit_code_of(row_->status);
}

void follower::print_result(const store::run_row& row) {
    const auto id = short_id(row.id);
    switch (row.status) {
        case run_status::completed: {
            print_err("completed " + id + " in " + to_human((row.ended_at ? *row.ended_at : row.updated_at) - row.created_at) + "\n");
            const auto output = parse_json(row.output);
            print_out((output.has_value() ? to_pretty_text(*output) : row.output) + "\n");
            return;
        }
        case run_status::faulted: {
            const auto parsed = parse_json(row.error);
            const auto error = parsed.has_value() && parsed->is_object() ? problem_from_json(parsed->get_object()) : problem{};
            // Only the detail is indented where it goes on: no line of it can pass for one of ours.
            print_err("pawl: run " + id + " faulted" + (error.instance.empty() ? "" : " at " + visible_line(error.instance)) + ": " + visible_line(error.title) + " (" + std::to_string(error.status) + "): " + indented_lines(error.detail) +
                      "\n  details: pawl runs show " + id + "\n");
            return;
        }
        case run_status::cancelled: print_err("pawl: run " + id + " was cancelled\n"); return;
        default: print_err("run " + id + " is not over (" + std::string(to_string(row.status)) + "); go on with: pawl runs resume " + id + "\n"); return;
    }
}

}  // namespace pawl::cli
