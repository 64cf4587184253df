// Messages from the inbox.
#include "runtime/control.hpp"
#include "runtime/core.hpp"
#include "runtime/migration.hpp"

namespace pawl::runtime {

void core::received(std::vector<store::inbox_entry> entries) {
    // One fetch at a time: whatever was consumed before the previous fetch was received cannot be in a later one.
    const auto before = fetches_++;
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
