// Runs controlled from outside: between two checkpoints, and recorded in their history whether it worked or not.
#include "run/control.hpp"

#include "run/state_codec.hpp"
#include "runtime/control.hpp"
#include "runtime/core.hpp"

#include <algorithm>

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

std::string rewind_message(const rewind_order& order) {
    json::object body{{"by", order.by}, {"to", order.to}, {"revision", order.revision}, {"nextStep", order.next_step}, {"at", order.at.time_since_epoch().count()}, {"after", order.after}};
    body["state"] = order.state;
    auto& blobs = body["blobs"].emplace_object();
    for (const auto& [digest, text] : order.blobs) blobs[digest] = text;
    return to_text(json::value(std::move(body)));
}

std::optional<rewind_order> rewind_order_from(std::string_view message) {
    const auto body = parse_json(message);
    if (!body || !body->is_object()) return std::nullopt;
    const auto& o = body->get_object();
    const auto text = [&](std::string_view name, std::string& to) {
        const auto* found = o.if_contains(name);
        if (found == nullptr || !found->is_string()) return false;
        to = std::string(found->get_string());
        return true;
    };
    const auto number = [&](std::string_view name, std::int64_t& to) {
        const auto* found = o.if_contains(name);
        if (found == nullptr || !found->is_int64()) return false;
        to = found->get_int64();
        return true;
    };
    rewind_order order;
    std::int64_t at = 0;
    const auto* blobs = o.if_contains("blobs");
    if (!text("by", order.by) || !text("to", order.to) || !text("state", order.state) || !number("revision", order.revision) || !number("nextStep", order.next_step) || !number("at", at) ||
        !number("after", order.after) || blobs == nullptr || !blobs->is_object()) {
        return std::nullopt;
    }
    order.at = time_point(milliseconds(at));
    for (const auto& [digest, blob] : blobs->get_object()) {
        if (!blob.is_string()) return std::nullopt;
        order.blobs.emplace(digest, blob.get_string());
    }
    return order;
}

/// Fills in the step that says so: where to, and not the state itself. It stands between what was given up and what comes now.
void core::rewind(resident& r, const store::inbox_entry& message, const run::surroundings& world, store::step_row& step, std::optional<problem>& refused) {
    const auto no = [&](std::string why) {
        refused = make_problem(problem_type::configuration, std::move(why));
        step.seq = r.state.next_step++;
    };
    const auto order = rewind_order_from(message.body);
    if (!order) return no("The request is not one that this version of pawl understands.");
    if (!is_final(r.state.status) && !r.state.suspended_at) return no("The run is " + std::string(to_string(r.state.status)) + ". Pause it first.");
    if (order->revision != r.revision || order->next_step != r.state.next_step) return no("The run changed after it was looked at. Ask again.");
    auto point = run::decode(order->state, r.state.id, r.state.workflow, r.state.raw_input, order->blobs);
    if (!point) return no("The state to go on from cannot be read by this version of pawl.");
    absorb(r, run::give_up(r.state, world));
    step.seq = r.state.next_step++;
    absorb(r, run::rewind(r.state, std::move(*point), order->at, world));
    step.result = to_text(json::value(json::object{{"by", order->by}, {"to", order->to}, {"after", order->after}, {"at", order->at.time_since_epoch().count()}}));
}

void core::control(resident& r, const store::inbox_entry& message) {
    const auto world = world_of(r);
    const auto by = text_in(message, "by");
    store::step_row step;
    step.result = message.body;
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
    } else if (message.kind == rewind_kind) {
        rewind(r, message, world, step, refused);
    } else if (auto done = run::retry(r.state, text_in(message, "from"), world)) {
        absorb(r, std::move(*done));
    } else {
        refused = done.error();
    }
    if (step.seq == 0) step.seq = r.state.next_step++;
    step.function = message.kind;
    step.key = message.id;
    step.started_at = step.ended_at = world.now;
    step.record = "{}";
    step.outcome = refused ? "faulted" : "completed";
    if (refused) step.result = to_text(json::value(to_json(*refused)));
    r.steps.push_back(std::move(step));
    std::sort(r.steps.begin(), r.steps.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
}

/// Calls that no effect has been given yet: they are not given to any.
std::vector<run::frame_id> core::take_back_calls(resident& r) {
    std::vector<run::frame_id> unseen;
    for (const auto& [frame, call] : r.calls) {
        if (!call.started) unseen.push_back(frame);
    }
    for (const auto frame : unseen) forget_call(r, frame);
    for (const auto& f : r.state.frames) {
        if (f.phase == run::frame_phase::queued) turns_.release({r.state.id, f.id}, ports_.now());
    }
    turns_changed();
    r.to_start.clear();
    return unseen;
}

/// A run that is over, as its owner holds it while it decides whether the run goes on.
void core::hold_ended(resident& r, const store::run_row& row) {
    r.state.status = row.status;
    r.state.suspended_at.reset();
    if (!r.state.halt && row.status != run_status::completed) {
        // It ended where its state could not be read: it stands where its last checkpoint left it.
        r.state.halt = run::standstill{run::root_frame, row.updated_at, std::exchange(r.state.deadline, {}), std::exchange(r.state.frames, {}),
                                       std::exchange(r.state.ready, {}), std::exchange(r.state.visits, {})};
    }
    const auto error = parse_json(row.error);
    if (error && error->is_object()) r.state.error = problem_from_json(error->get_object());
}

/// Of a completed run nothing is stored but what came of it. A rewind brings all that is needed; one that was asked for at another time of the run's life does not count.
bool core::hold_completed(resident& r, const store::run_row& row, const std::vector<run_input>& waiting) {
    for (const auto& input : waiting) {
        if (input.what != run_input::kind::message || input.message.kind != rewind_kind) continue;
        const auto order = rewind_order_from(input.message.body);
        if (!order || order->revision != row.revision) continue;
        r.state.status = row.status;
        r.state.next_step = order->next_step;
        return true;
    }
    return false;
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
    const auto lease = held_.find(row.shard);
    if (order == nullptr || is_final(row.status) || lease == held_.end() || stopping_) return false;
    for (const auto seq : forget_lying(row.id)) seqs.push_back(seq);
    const auto by = text_in(*order, "by");
    auto error = make_problem(problem_type::runtime, "Terminated" + (by.empty() ? "" : " by " + by) + "; its stored state could not be read and was left as it was.");
    error.title = "Terminated";
    end_without(row, lease->second.epoch, run_status::cancelled, error, std::move(seqs));
    return true;
}

}  // namespace pawl::runtime
