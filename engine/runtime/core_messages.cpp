// Messages from the inbox.
#include "runtime/control.hpp"
#include "runtime/core.hpp"
#include "runtime/migration.hpp"

namespace pawl::runtime {
namespace {

/// With more of them the inbox is not passed over any further: whatever they are for needs an operator.
constexpr std::size_t most_lying = 100'000;

}  // namespace

/// Their run cannot be read now. Whoever can read it later takes them first.
void core::leave_lying(const std::string& run, const std::vector<run_input>& inputs) {
    for (const auto& input : inputs) {
        if (input.what != run_input::kind::message) continue;
        auto& lying = lying_[run];
        lying.shard = input.message.shard;
        lying.seqs.push_back(input.message.seq);
        lying_seqs_.insert(input.message.seq);
    }
}

std::vector<std::int64_t> core::forget_lying(const std::string& run) {
    const auto lying = lying_.extract(run);
    if (lying.empty()) return {};
    for (const auto seq : lying.mapped().seqs) lying_seqs_.erase(seq);
    return lying.mapped().seqs;
}

/// The run can be read again: the inbox brings them, and what came after them, in their order. (One that is over takes first what brings it back.)
void core::take_up_lying(const std::string& run, bool over, std::vector<run_input>& inputs) {
    const auto seqs = forget_lying(run);
    if (seqs.empty()) return;
    for (const auto seq : seqs) handled_.erase(seq);
    if (!over) {
        release_messages(inputs);
        std::erase_if(inputs, [](const run_input& i) { return i.what == run_input::kind::message; });
    }
    pass_over(0);
    ports_.fetch_inbox();
}

void core::release_lying(const std::function<bool(shard_id)>& of) {
    std::vector<std::string> runs;
    for (const auto& [run, lying] : lying_) {
        if (of(lying.shard)) runs.push_back(run);
    }
    for (const auto& run : runs) {
        for (const auto seq : forget_lying(run)) handled_.erase(seq);
    }
}

void core::pass_over(std::int64_t up_to) {
    if (up_to == passed_over_) return;
    passed_over_ = up_to;
    ports_.pass_over_inbox(up_to);
}

void core::received(std::vector<store::inbox_entry> entries, bool more) {
    // One fetch at a time: whatever was consumed before the previous fetch was received cannot be in a later one.
    const auto before = fetches_++;
    if (more && lying_seqs_.size() < most_lying) {
        auto up_to = passed_over_;
        for (auto at = entries.begin(); at != entries.end() && lying_seqs_.contains(at->seq); ++at) up_to = at->seq;
        const bool further = up_to != passed_over_;
        pass_over(up_to);
        if (further) ports_.fetch_inbox();
    }
    for (auto& entry : entries) {
        if (stopping_ || !held_.contains(entry.shard) || !handled_.insert(entry.seq).second) continue;
        if (entry.kind == "reset") {
            reset_agent(entry);
            continue;
        }
        run_input input;
        input.what = run_input::kind::message;
        const auto run = entry.run;
        input.message = std::move(entry);
        ensure_loaded(run, std::move(input));
    }
    while (!retired_.empty() && retired_.front().first <= before) {
        handled_.erase(retired_.front().second);
        retired_.pop_front();
    }
}

void core::take_message(resident& r, const store::inbox_entry& message) {
    r.consumed.push_back(message.seq);
    r.dirty = true;
    if (message.kind == "start") return;  // being in memory is what it asked for
    if (message.kind == "cancel") {
        const auto body = parse_json(message.body);
        std::string reason = "Cancelled on request.";
        if (body && body->is_object()) {
            if (const auto* by = body->get_object().if_contains("by"); by != nullptr && by->is_string()) {
                reason = "Cancelled by " + std::string(by->get_string()) + ".";
            }
        }
        return absorb(r, run::cancel(r.state, reason, world_of(r)));
    }
    if (is_control(message.kind)) return control(r, message);
    if (is_final(r.state.status)) return;  // it came with an order to go on that was refused
    if (message.kind == migrate_kind) return migrate(r, message);
    if (message.kind == "event") {
        // A run that does not listen any more takes no notice.
        auto event = parse_json(message.body);
        if (event) absorb(r, run::event_arrived(r.state, run::value_ref(std::move(*event)), world_of(r)));
        return;
    }
    // Everything else answers a call, named by its key.
    auto body = parse_json(message.body);
    if (!body || !body->is_object()) return;
    const auto* key = body->get_object().if_contains("key");
    const auto* call = key != nullptr && key->is_string() ? r.state.find_call(std::string_view(key->get_string())) : nullptr;
    if (call == nullptr || call->phase != run::frame_phase::parked) return;  // answered, expired or abandoned before
    answer(r, call->id, {message.kind, std::move(*body), message.received_at});
}

}  // namespace pawl::runtime
