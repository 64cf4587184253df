// Heartbeats of running calls: their details become durable, at most every detail_gap each, and silence beyond what is allowed ends an attempt.
#include "runtime/core.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

/// What a call that is killed may have to repeat: its details of this long.
constexpr milliseconds detail_gap{250};
/// A process that was held up for longer than this (SIGSTOP, a suspended machine) has not heard its tools meanwhile: that silence is not theirs.
constexpr milliseconds late_look{1'000};
/// Details of calls that nobody has started again yet, per run; the oldest go.
constexpr std::size_t most_details = 100;

/// "30 seconds", "1.5 seconds", "2 minutes": for people.
std::string in_words(milliseconds time) {
    const auto unit = [](auto n, const char* name) { return std::to_string(n) + " " + name + (n == 1 ? "" : "s"); };
    if (time.count() % 60'000 == 0) return unit(time.count() / 60'000, "minute");
    if (time.count() % 1'000 == 0) return unit(time.count() / 1'000, "second");
    return unit(time.count(), "millisecond");
}

/// A call may come again with the same key: something around it retries.
bool may_retry(const run::run_state& s) {
    return std::any_of(s.frames.begin(), s.frames.end(), [&](const run::frame& f) {
        const auto* task = std::get_if<flow::try_task>(&s.task_of(f).body);
        return task != nullptr && task->retry && f.phase != run::frame_phase::handler;
    });
}

}  // namespace

/// The functions whose calls give signs of life get where to give them, and how far an earlier attempt was.
void core::listen_to(resident& r, run::frame_id id, call_request& request, live_call& call, const function_description& known) {
    if (!known.beats) return;
    const auto* f = r.state.find(id);
    const auto& body = std::get<flow::call_task>(r.state.task_of(*f).body);
    request.heartbeat_timeout = body.heartbeat_timeout ? body.heartbeat_timeout : known.heartbeat_timeout;
    if (const auto at = r.details.find(request.key); at != r.details.end()) request.last_detail = at->second;
    call.signs = std::make_shared<pulse>();
    call.silence = request.heartbeat_timeout;
    request.beat = [this, post = post_, alive = std::weak_ptr<char>(alive_), signs = call.signs, run = r.state.id, id, key = request.key,
                    attempt = request.attempt](std::string_view detail) {
        if (!signs->beat(detail)) return;
        post([this, alive, signs, run, id, key, attempt] {
            if (alive.lock()) heard(run, id, key, attempt, *signs);
        });
    };
}

void core::heard(const std::string& run, run::frame_id id, const std::string& key, unsigned attempt, pulse& signs) {
    const auto at = residents_.find(run);
    if (at == residents_.end()) return;
    auto& r = *at->second;
    const auto call = r.calls.find(id);
    if (call == r.calls.end()) {
        // Cancelled, and it told at last how far it came: the attempt that follows goes on from there.
        auto last = signs.take();
        if (last.detail && (r.details.contains(key) || may_retry(r.state))) keep_detail(r, key, attempt, std::move(*last.detail));
        return;
    }
    const auto now = ports_.now();
    call->second.heard = now;
    look_at(r, id, stopping_ ? now : std::max(now, call->second.next_look));
}

void core::look_at(resident& r, run::frame_id id, time_point at) {
    auto& call = r.calls.at(id);
    if (call.look && *call.look <= at) return;
    unwatch(r, id);
    call.look = at;
    looks_.insert({at, {r.state.id, id}});
    if (at <= ports_.now()) {
        unwatch(r, id);
        look(r, id);
    } else {
        arm();
    }
}

void core::unwatch(resident& r, run::frame_id id) {
    auto& call = r.calls.at(id);
    if (call.look) looks_.erase({*call.look, {r.state.id, id}});
    call.look.reset();
}

void core::look_at_due() {
    const auto now = ports_.now();
    while (!looks_.empty() && looks_.begin()->first <= now) {
        const auto [asked, who] = *looks_.begin();
        looks_.erase(looks_.begin());
        const auto at = residents_.find(who.first);
        if (at == residents_.end()) continue;
        const auto call = at->second->calls.find(who.second);
        if (call == at->second->calls.end()) continue;
        call->second.look.reset();
        if (now - asked > late_look && call->second.heard) call->second.heard = now;
        look(*at->second, who.second);
    }
}

void core::look(resident& r, run::frame_id id) {
    auto& call = r.calls.at(id);
    const auto now = ports_.now();
    auto signs = call.signs->take();
    if (signs.too_long != 0) {
        return end_call(r, id, make_problem(problem_type::runtime, "The tool " + call.request->function + " told with a heartbeat of " + std::to_string(signs.too_long) +
                                                                       " bytes how far it is; the limit is " + std::to_string(max_detail_bytes) +
                                                                       ". Let it keep what is large elsewhere, and tell where."));
    }
    if (signs.detail && !parse_json(*signs.detail)) {
        return end_call(r, id, make_problem(problem_type::runtime, "The tool " + call.request->function + " told with a heartbeat how far it is, but not in JSON."));
    }
    if (signs.beaten) {
        call.heard = now;
        call.next_look = now + detail_gap;
    }
    if (signs.detail) keep_detail(r, call.request->key, call.request->attempt, std::move(*signs.detail));
    if (!call.silence || !call.heard || stopping_) return;
    const auto until = *call.heard + *call.silence;
    if (until > now) return look_at(r, id, until);
    end_call(r, id, make_problem(problem_type::timeout, "The tool " + call.request->function + " gave no sign of life for " + in_words(*call.silence) +
                                                            ", which is its heartbeat time-out; it was told to stop."));
}

/// Nobody waits for the call any more, and its task has failed.
void core::end_call(resident& r, run::frame_id id, problem why) {
    r.calls.at(id).owner->cancel(r.calls.at(id).request->key);
    call_ended(r.state.id, id, {std::move(why), {}, {}});
}

void core::keep_detail(resident& r, const std::string& key, unsigned attempt, std::string detail) {
    store::heartbeat_row row;
    row.shard = r.shard;
    row.epoch = r.epoch;
    row.run = r.state.id;
    row.key = key;
    row.attempt = static_cast<int>(attempt);
    row.detail = detail;
    r.details.insert_or_assign(key, std::move(detail));
    ports_.beat(std::move(row));
}

/// The end of a call: its last detail is for the next attempt, when it failed, and for nobody, when it did not.
void core::last_sign(resident& r, const live_call& call, bool succeeded) {
    if (!call.signs) return;
    if (succeeded) {
        if (r.details.erase(call.request->key) > 0) r.settled.push_back(call.request->key);
        return;
    }
    auto last = call.signs->take();
    if (last.detail && last.too_long == 0 && parse_json(*last.detail)) keep_detail(r, call.request->key, call.request->attempt, std::move(*last.detail));
}

/// With a checkpoint: details that no attempt will ask for go.
void core::settle_details(resident& r, store::checkpoint& next) {
    next.settled = std::exchange(r.settled, {});
    if (r.details.empty()) return;
    if (is_final(r.state.status)) {
        next.settled = {""};
        r.details.clear();
        return;
    }
    const bool retries = may_retry(r.state);
    for (auto each = r.details.begin(); each != r.details.end();) {
        const bool wanted = r.state.find_call(each->first) != nullptr || (retries && r.details.size() <= most_details);
        if (!wanted) next.settled.push_back(each->first);
        each = wanted ? std::next(each) : r.details.erase(each);
    }
}

}  // namespace pawl::runtime
