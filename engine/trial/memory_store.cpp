#include "trial/memory_store.hpp"

#include "flow/listens.hpp"

#include <algorithm>
#include <tuple>

namespace pawl::trial {
namespace {

bool is_among(std::span<const shard_id> shards, shard_id shard) { return std::find(shards.begin(), shards.end(), shard) != shards.end(); }

bool is_runnable(const store::run_row& row) { return row.status == run_status::pending || row.status == run_status::running; }

}  // namespace

store::new_run run_of(const flow::workflow& workflow, std::string id, shard_id shard, const json::value& input, std::string agent, std::string key) {
    store::new_run row;
    row.id = std::move(id);
    row.shard = shard;
    row.definition = workflow.digest;
    row.workflow = workflow.document.ns + "/" + workflow.document.name + ":" + workflow.document.version;
    row.agent = std::move(agent);
    row.agent_key = std::move(key);
    row.input = to_text(input);
    row.subscribed = flow::heard_types(workflow);
    return row;
}

memory_store::memory_store(std::uint32_t shards, std::function<time_point()> clock, observers watching) : clock_(std::move(clock)), watching_(std::move(watching)) {
    for (std::uint32_t i = 0; i < shards; ++i) leases_[static_cast<shard_id>(i)];
}

bool memory_store::is_held(shard_id shard, std::int64_t epoch) const {
    const auto at = leases_.find(shard);
    return at != leases_.end() && at->second.epoch == epoch && !at->second.owner.empty();
}

/// Whether run and agents are as the checkpoint expects them.
bool memory_store::fits(const store::checkpoint& c) const {
    for (const auto& a : c.agents) {
        const auto at = agents_.find(a.agent + "/" + a.key);
        if ((at == agents_.end() ? 0 : at->second.revision) + 1 != a.revision) return false;
    }
    if (c.run.empty()) return true;
    const auto at = runs_.find(c.run);
    return c.born ? at == runs_.end() : at != runs_.end() && at->second.revision == c.expected_revision;
}

store::checkpoint_outcome memory_store::write(const store::checkpoint& c) {
    if (!is_held(c.shard, c.epoch)) return store::checkpoint_outcome::fenced;
    if (!fits(c)) return store::checkpoint_outcome::conflict;
    ++commits_;
    if (!c.run.empty()) write_run(c);
    events_.insert(events_.end(), c.events.begin(), c.events.end());
    write_messages(c);
    for (const auto& key : c.settled) {
        if (key.empty()) {
            heartbeats_.erase(c.run);
        } else if (const auto at = heartbeats_.find(c.run); at != heartbeats_.end()) {
            at->second.erase(key);
        }
    }
    for (const auto& agent : c.agents) {
        const auto name = agent.agent + "/" + agent.key;
        const auto at = agents_.find(name);
        if (watching_.agent_written) watching_.agent_written(at == agents_.end() ? nullptr : &at->second, agent);
        agents_.insert_or_assign(name, agent);
    }
    for (const auto& approval : c.approvals) {
        const bool asked = !approvals_.contains(approval.id);
        approvals_[approval.id] = approval;
        if (asked && watching_.approval_asked) watching_.approval_asked(approval);
    }
    return store::checkpoint_outcome::committed;
}

void memory_store::write_run(const store::checkpoint& c) {
    if (c.born) create(*c.born);
    auto& row = runs_.at(c.run);
    ++row.revision;
    row.status = c.status;
    row.due_at = is_final(c.status) ? std::nullopt : c.due_at;
    row.state = c.status == run_status::completed ? std::string() : c.state;
    row.output = c.output;
    row.error = c.error;
    row.updated_at = now();
    if (is_final(c.status)) row.ended_at = now();
    if (c.moved) {
        row.definition = c.moved->definition;
        row.workflow = c.moved->workflow;
    }
    write_blobs(c);
    auto& steps = steps_[c.run];
    for (const auto& step : c.steps) {
        if (!steps.empty() && step.seq <= steps.back().seq) violations_.push_back("step " + std::to_string(step.seq) + " of run " + c.run + " is recorded twice");
        steps.push_back(step);
    }
}

void memory_store::write_blobs(const store::checkpoint& c) {
    if (is_final(c.status) && (c.state.empty() || c.status == run_status::completed)) {
        blobs_.erase(c.run);
        return;
    }
    auto& blobs = blobs_[c.run];
    for (const auto& digest : c.dropped_blobs) blobs.erase(digest);
    for (const auto& blob : c.blobs) blobs[blob.digest] = blob.body;
}

/// To other runs of this store: started ones, messages, subscriptions. Emitted events are for a relay.
void memory_store::write_messages(const store::checkpoint& c) {
    for (const auto seq : c.consumed) {
        const auto at = inbox_.find(seq);
        if (at != inbox_.end()) {
            inbox_.erase(at);
        } else if (!c.run.empty()) {  // a checkpoint without a run only puts it away: twice does no harm
            violations_.push_back("message " + std::to_string(seq) + " is consumed twice");
        }
    }
    for (const auto& born : c.births) (void)create(born);
    for (const auto& message : c.posts) (void)post(message);
    if (is_final(c.status) && !c.run.empty()) {
        if (c.unsubscribed_all || !c.unsubscribed.empty()) subscriptions_.erase(c.run);
        return;
    }
    for (const auto& type : c.unsubscribed) subscriptions_[c.run].erase(type);
    for (const auto& type : c.subscribed) subscriptions_[c.run].insert(type);
}

void memory_store::beat(const store::heartbeat_row& row) {
    if (is_held(row.shard, row.epoch)) heartbeats_[row.run].insert_or_assign(row.key, row);
}

bool memory_store::post(const store::inbox_post& message) {
    if (!posted_.insert(std::to_string(message.shard) + "\n" + message.source + "\n" + message.id).second) return false;
    store::inbox_entry entry;
    static_cast<store::inbox_post&>(entry) = message;
    entry.seq = next_seq_++;
    entry.received_at = now();
    inbox_[entry.seq] = entry;
    return true;
}

std::vector<store::woken_run> memory_store::publish(const store::published_event& event) {
    std::vector<store::woken_run> listening;
    for (const auto& [run, types] : subscriptions_) {
        if (types.contains(event.type) || types.contains("")) listening.push_back({run, runs_.at(run).shard});
    }
    std::erase_if(listening, [&](const store::woken_run& to) { return !post({to.shard, to.run, "event", event.source, event.id + " " + to.run, event.body}); });
    return listening;
}

bool memory_store::create(const store::new_run& run) {
    const auto [at, fresh] = runs_.try_emplace(run.id);
    if (!fresh) return false;
    static_cast<store::new_run&>(at->second) = run;
    if (!run.subscribed.empty()) subscriptions_[run.id] = run.subscribed;
    at->second.created_at = now();
    at->second.updated_at = now();
    return true;
}

std::vector<store::lease> memory_store::acquire(std::string_view owner, std::span<const shard_id> wanted, std::size_t most, milliseconds ttl) {
    auto held = renew(owner, ttl);
    std::erase_if(held, [&](const store::lease& l) { return !wanted.empty() && !is_among(wanted, l.shard); });
    std::size_t taken = 0;
    for (auto& [shard, row] : leases_) {
        if (taken == most) break;
        if (row.owner == owner || (!wanted.empty() && !is_among(wanted, shard)) || (!row.owner.empty() && row.expires_at > now())) continue;
        row = {row.epoch + 1, std::string(owner), now() + ttl};
        held.push_back({shard, row.epoch});
        ++taken;
    }
    std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.shard < b.shard; });
    return held;
}

std::vector<store::lease> memory_store::renew(std::string_view owner, milliseconds ttl) {
    std::vector<store::lease> held;
    for (auto& [shard, row] : leases_) {
        if (row.owner != owner) continue;
        row.expires_at = now() + ttl;
        held.push_back({shard, row.epoch});
    }
    return held;
}

void memory_store::release(std::string_view owner, std::span<const shard_id> shards) {
    for (auto& [shard, row] : leases_) {
        if (row.owner == owner && is_among(shards, shard)) row = {row.epoch, {}, {}};
    }
}

void memory_store::release_all(std::string_view owner) {
    for (auto& [shard, row] : leases_) {
        if (row.owner == owner) row = {row.epoch, {}, {}};
    }
    if (const auto at = engines_.find(owner); at != engines_.end()) engines_.erase(at);
}

std::size_t memory_store::serve(std::string_view owner, milliseconds ttl) {
    engines_.insert_or_assign(std::string(owner), now() + ttl);
    std::erase_if(engines_, [&](const auto& each) { return each.first != owner && each.second <= now(); });
    return engines_.size();
}

const store::run_row* memory_store::run(std::string_view id) const {
    const auto at = runs_.find(std::string(id));
    return at == runs_.end() ? nullptr : &at->second;
}

std::vector<store::blob_row> memory_store::blobs_of(const std::string& run) const {
    std::vector<store::blob_row> found;
    if (const auto at = blobs_.find(run); at != blobs_.end()) {
        for (const auto& [digest, body] : at->second) found.push_back({digest, body});
    }
    return found;
}

std::vector<store::heartbeat_row> memory_store::heartbeats_of(const std::string& run) const {
    std::vector<store::heartbeat_row> found;
    if (const auto at = heartbeats_.find(run); at != heartbeats_.end()) {
        for (const auto& [key, row] : at->second) found.push_back(row);
    }
    return found;
}

const std::vector<store::step_row>& memory_store::steps_of(const std::string& run) const {
    static const std::vector<store::step_row> none;
    const auto at = steps_.find(run);
    return at == steps_.end() ? none : at->second;
}

std::set<std::string> memory_store::subscriptions_of(const std::string& run) const {
    const auto at = subscriptions_.find(run);
    return at == subscriptions_.end() ? std::set<std::string>() : at->second;
}

std::vector<store::due_run> memory_store::runnable(std::span<const shard_id> shards, std::string_view after, std::size_t limit) const {
    std::vector<store::due_run> found;
    for (auto at = runs_.upper_bound(std::string(after)); at != runs_.end() && found.size() < limit; ++at) {
        if (is_runnable(at->second) && is_among(shards, at->second.shard)) found.push_back({at->first, at->second.shard, at->second.due_at.value_or(at->second.updated_at)});
    }
    return found;
}

std::vector<store::due_run> memory_store::due(std::span<const shard_id> shards, time_point until, std::size_t limit) const {
    std::vector<store::due_run> found;
    for (const auto& [id, row] : runs_) {
        if (row.due_at && *row.due_at <= until && is_among(shards, row.shard)) found.push_back({id, row.shard, *row.due_at});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return std::tie(a.due_at, a.run) < std::tie(b.due_at, b.run); });
    if (found.size() > limit) found.resize(limit);
    return found;
}

std::vector<store::inbox_entry> memory_store::inbox(std::span<const shard_id> shards, std::int64_t after, std::size_t limit) const {
    std::vector<store::inbox_entry> found;
    for (auto at = inbox_.upper_bound(after); at != inbox_.end() && found.size() < limit; ++at) {
        if (is_among(shards, at->second.shard)) found.push_back(at->second);
    }
    return found;
}

std::optional<store::agent_row> memory_store::agent(std::string_view agent, std::string_view key) const {
    const auto at = agents_.find(std::string(agent) + "/" + std::string(key));
    return at == agents_.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace pawl::trial
