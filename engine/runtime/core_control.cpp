// Runs controlled from outside: between two checkpoints, and recorded in their history whether it worked or not.
#include "run/control.hpp"

#include "run/state_codec.hpp"
#include "runtime/control.hpp"
#include "runtime/core.hpp"

namespace pawl::runtime {
namespace {

std::string text_in(const store::inbox_entry& message, std::string_view name) {
    const auto body = parse_json(message.body);
    const auto* found = body && body->is_object() ? body->get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

std::string control_message(std::string_view by, std::string_view from) {
    json::object body{{"by", by}};
    if (!from.empty()) body["from"] = from;
    return to_text(json::value(std::move(body)));
}

void core::control(resident& r, const store::inbox_entry& message) {
    const auto world = world_of(r);
    const auto by = text_in(message, "by");
    std::optional<problem> refused;
    if (is_final(r.state.status) && !revives(message.kind)) {
        refused = make_problem(problem_type::configuration, "The run is over already: " + std::string(to_string(r.state.status)) + ".");
    } else if (message.kind == pause_kind) {
        absorb(r, run::suspend(r.state, take_back_calls(r), world));
    } else if (message.kind == resume_kind) {
        std::vector<run::frame_id> lost;
        for (const auto& f : r.state.frames) {
            if (f.phase == run::frame_phase::started && !r.calls.contains(f.id)) lost.push_back(f.id);
        }
        absorb(r, run::unsuspend(r.state, lost, world));
    } else if (message.kind == terminate_kind) {
        absorb(r, run::terminate(r.state, "Terminated" + (by.empty() ? "" : " by " + by) + ".", world));
    } else if (auto done = run::retry(r.state, text_in(message, "from"), world)) {
        absorb(r, std::move(*done));
    } else {
        refused = done.error();
    }
    store::step_row step;
    step.seq = r.state.next_step++;
    step.function = message.kind;
    step.key = message.id;
    step.started_at = step.ended_at = world.now;
    step.record = "{}";
    step.outcome = refused ? "faulted" : "completed";
    step.result = refused ? to_text(json::value(to_json(*refused))) : message.body;
    r.steps.push_back(std::move(step));
}

/// Calls that no effect has been given yet: they are not given to any.
std::vector<run::frame_id> core::take_back_calls(resident& r) {
    std::vector<run::frame_id> unseen;
    for (const auto& [frame, call] : r.calls) {
        if (!call.started) unseen.push_back(frame);
    }
    for (const auto frame : unseen) r.calls.erase(frame);
    r.to_start.clear();
    std::erase_if(waiting_calls_, [&](const auto& waiting) { return waiting.first == r.state.id; });
    return unseen;
}

/// A run that is over, as its owner holds it while it decides whether the run goes on.
void core::hold_ended(resident& r, const store::run_row& row) {
    r.state.status = row.status;
    r.state.suspended_at.reset();
    if (!r.state.halt) {
        // It ended where its state could not be read: it stands where its last checkpoint left it.
        r.state.halt = run::standstill{run::root_frame, row.updated_at, std::exchange(r.state.deadline, {}), std::exchange(r.state.frames, {}),
                                       std::exchange(r.state.ready, {}), std::exchange(r.state.visits, {})};
    }
    const auto error = parse_json(row.error);
    if (error && error->is_object()) r.state.error = problem_from_json(error->get_object());
}

/// A run that cannot be brought to life here is ended without it, when somebody asks for that.
bool core::end_unread(const store::run_row& row, const std::vector<run_input>& waiting) {
    const store::inbox_entry* order = nullptr;
    std::vector<std::int64_t> seqs;
    for (const auto& input : waiting) {
        if (input.what != run_input::kind::message) continue;
        seqs.push_back(input.message.seq);
        if (input.message.kind == terminate_kind) order = &input.message;
    }
    const auto epoch = epochs_.find(row.shard);
    if (order == nullptr || is_final(row.status) || epoch == epochs_.end() || stopping_) return false;
    const auto by = text_in(*order, "by");
    auto error = make_problem(problem_type::runtime, "Terminated" + (by.empty() ? "" : " by " + by) + "; its stored state could not be read and was left as it was.");
    error.title = "Terminated";
    end_without(row, epoch->second, run_status::cancelled, error, std::move(seqs));
    return true;
}

}  // namespace pawl::runtime
