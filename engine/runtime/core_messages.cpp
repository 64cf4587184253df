// Messages from the inbox, and the agent instance a run belongs to.
#include "runtime/control.hpp"
#include "runtime/core.hpp"
#include "runtime/migration.hpp"

namespace pawl::runtime {

void core::received(std::vector<store::inbox_entry> entries) {
    // One fetch at a time: whatever was consumed before the previous fetch was received cannot be in a later one.
    const auto before = fetches_++;
    for (auto& entry : entries) {
        if (stopping_ || !epochs_.contains(entry.shard) || !handled_.insert(entry.seq).second) continue;
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

void core::reset_agent(const store::inbox_entry& message) {
    const auto body = parse_json(message.body);
    const auto text = [&](std::string_view name) -> std::string {
        const auto* v = body && body->is_object() ? body->get_object().if_contains(name) : nullptr;
        return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
    };
    const auto agent = text("agent"), key = text("agentKey");
    const auto finish = [this, shard = message.shard, seq = message.seq, agent, key](std::optional<store::agent_row> stored) {
        if (!epochs_.contains(shard)) return;
        const auto held = agents_.find(agent, key);
        store::checkpoint reset;
        reset.shard = shard;
        reset.epoch = epochs_[shard];
        reset.consumed = {seq};
        if (held || stored) {
            store::agent_row fresh;
            fresh.agent = agent;
            fresh.key = key;
            const auto before = held ? held->view().row.revision : stored->revision;
            const auto made = options_.agent_loaded ? options_.agent_loaded(fresh) : result<void>();
            if (!made && options_.log) options_.log("agent " + agent + "/" + key + " cannot be reset: " + made.error().detail);
            if (made) {
                fresh.revision = before + 1;
                fresh.updated_at = ports_.now();
                if (held) {
                    held->view().row = fresh;
                    held->view().changed = false;
                    held->refresh();
                }
                reset.agents.push_back(std::move(fresh));
            }
        }
        ++committing_;
        ports_.commit(std::move(reset));
    };
    if (agents_.find(agent, key)) return finish(std::nullopt);
    ports_.load_agent(agent, key, [finish, alive = std::weak_ptr<char>(alive_)](std::optional<store::agent_row> stored) {
        if (alive.lock()) finish(std::move(stored));
    });
}

void core::prepare_agent(resident& r, const loaded_run& loaded, std::optional<problem>& failure) {
    if (r.agent_name.empty()) return;
    r.agent = agents_.find(r.agent_name, r.agent_key);
    if (r.agent) return;
    store::agent_row row;
    if (loaded.agent) row = *loaded.agent;
    row.agent = r.agent_name;
    row.key = r.agent_key;
    const auto before = row;
    if (options_.agent_loaded) {
        if (auto made = options_.agent_loaded(row); !made) {
            failure = made.error();
            return;
        }
    }
    r.agent = agents_.keep(row);
    if (row.revision == 0 || row.state != before.state || row.state_version != before.state_version) r.agent->view().changed = true;
}

}  // namespace pawl::runtime
