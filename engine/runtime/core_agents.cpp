// The agent instance that a run belongs to: opened when its first run comes into memory, read again when a change of it was refused, reset.
#include "runtime/core.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

std::string text_in(const json::object& body, std::string_view name) {
    const auto* v = body.if_contains(name);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

}  // namespace

/// A stored row (revision 0: none), in the form that the project declares now. True when it is not as it is stored any more.
result<bool> core::open_agent(store::agent_row& row) const {
    const auto before = row;
    if (options_.agent_loaded) {
        if (auto made = options_.agent_loaded(row); !made) return made.error();
    }
    return row.revision == 0 || row.state != before.state || row.state_version != before.state_version;
}

void core::prepare_agent(resident& r, const loaded_run& loaded, std::optional<problem>& failure) {
    if (r.agent_name.empty()) return;
    r.agent = agents_.find(r.agent_name, r.agent_key);
    if (r.agent) return;
    auto row = loaded.agent.value_or(store::agent_row());
    row.agent = r.agent_name;
    row.key = r.agent_key;
    const auto opened = open_agent(row);
    if (!opened) {
        failure = opened.error();
        return;
    }
    r.agent = agents_.keep(std::move(row));
    if (*opened) r.agent->view().changed = true;
}

/// Who is in memory sees the change. A load under way may have read the row before it, and may come back when nobody is in memory any more.
void core::note_changes(const store::checkpoint& committed) {
    constexpr std::size_t many = 4'096;
    if (loads_under_way_ == 0 && early_.empty()) {
        changed_agents_.clear();
        return;
    }
    for (const auto& row : committed.agents) changed_agents_[{row.agent, row.key}] = loads_asked_;
    if (changed_agents_.size() <= many) return;
    auto oldest = loads_asked_;
    for (const auto& [run, load] : loading_) {
        if (load.asked > 0) oldest = std::min(oldest, load.asked);
    }
    std::erase_if(changed_agents_, [&](const auto& changed) { return changed.second < oldest; });
}

bool core::is_agent_outdated(const store::run_row& row, std::uint64_t asked) const {
    if (row.agent.empty() || agents_.find(row.agent, row.agent_key)) return false;
    const auto changed = changed_agents_.find({row.agent, row.agent_key});
    return changed != changed_agents_.end() && asked <= changed->second;
}

/// A change of it was refused, so what its runs have seen of it since may never have been. They wait until it has been read again; what they have under way and builds on it is refused too.
void core::doubt(const std::shared_ptr<agent_instance>& agent) {
    agent->doubt();
    read_again(agent);
}

/// Once everything that was under way has been answered: the row changes no more until then.
void core::read_again(const std::shared_ptr<agent_instance>& agent) {
    if (!agent->is_in_doubt() || agent->changes_under_way() > 0 || !agent->begin_to_read()) return;
    const auto& row = agent->view().row;
    ports_.load_agent(row.agent, row.key, [this, name = row.agent, key = row.key, alive = std::weak_ptr<char>(alive_), kept = std::weak_ptr<agent_instance>(agent)](auto stored) {
        if (!alive.lock()) return;
        const auto held = kept.lock();
        if (!held) return;
        std::optional<problem> failure;
        auto fresh = stored.has_value() ? std::move(*stored).value_or(store::agent_row()) : store::agent_row();
        fresh.agent = name;
        fresh.key = key;
        if (stored.has_error()) failure = make_problem(problem_type::runtime, stored.error().detail);
        const auto opened = failure ? result<bool>(*failure) : open_agent(fresh);
        std::vector<std::string> runs;
        for (const auto& [id, r] : residents_) {
            if (r->agent == held) runs.push_back(id);
        }
        if (opened) held->replace(std::move(fresh), *opened);
        for (const auto& run : runs) {
            const auto at = residents_.find(run);
            if (at == residents_.end()) continue;
            if (opened) {
                process(*at->second);
            } else if (!at->second->committing) {  // says what is wrong when it is loaded
                drop(run);
                wake(run);
            }
        }
    });
}

void core::reset_agent(const store::inbox_entry& message) {
    const auto body = parse_json(message.body);
    const auto order = body && body->is_object() ? body->get_object() : json::object();
    const auto agent = text_in(order, "agent"), key = text_in(order, "agentKey");
    const auto finish = [this, lease = store::lease{message.shard, held_.at(message.shard).epoch}, seq = message.seq, agent, key](const std::optional<store::agent_row>& stored) {
        const auto held = agents_.find(agent, key);
        // Under another lease it may have been done by others meanwhile: the inbox tells. In doubt its revision is not known now.
        if (!holds(lease) || (held && held->is_in_doubt())) {
            handled_.erase(seq);
            return;
        }
        store::checkpoint reset;
        reset.shard = lease.shard;
        reset.epoch = lease.epoch;
        reset.consumed = {seq};
        if (held || stored) {
            store::agent_row fresh;
            fresh.agent = agent;
            fresh.key = key;
            const auto made = options_.agent_loaded ? options_.agent_loaded(fresh) : result<void>();
            if (!made && options_.log) options_.log("agent " + agent + "/" + key + " cannot be reset: " + made.error().detail);
            if (made && held) {
                fresh.revision = held->view().row.revision;
                held->replace(std::move(fresh), true);
                reset.agents.push_back(*held->take_change(ports_.now()));
            } else if (made) {
                fresh.revision = stored->revision + 1;
                fresh.updated_at = ports_.now();
                reset.agents.push_back(std::move(fresh));
            }
        }
        ++committing_;
        ports_.commit(std::move(reset));
    };
    if (agents_.find(agent, key)) return finish(std::nullopt);
    ports_.load_agent(agent, key, [this, finish, agent, key, alive = std::weak_ptr<char>(alive_)](auto stored) {
        if (!alive.lock()) return;
        if (stored.has_value()) return finish(*stored);
        if (options_.log) options_.log("agent " + agent + "/" + key + " cannot be read: " + stored.error().detail);
    });
}

/// A reset that was under way: of an instance whose runs are in memory, or of one that had none then.
void core::reset_answered(const store::checkpoint& done, store::checkpoint_outcome outcome) {
    for (const auto& row : done.agents) {
        const auto held = agents_.find(row.agent, row.key);
        const auto lease = held_.find(done.shard);
        if (!held || lease == held_.end() || lease->second.epoch != done.epoch) continue;
        if (held->changes_under_way() > 0) held->change_answered();
        if (outcome == store::checkpoint_outcome::conflict) held->doubt();
        read_again(held);
    }
}

}  // namespace pawl::runtime
