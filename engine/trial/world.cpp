#include "trial/world.hpp"

#include "base/cloud_event.hpp"

#include <algorithm>

namespace pawl::trial {
namespace {

constexpr std::size_t runnable_at_once = 50;

}  // namespace

world::world(world_options options, effect_maker effects)
    : options_(std::move(options)), make_effects_(std::move(effects)), random_(options_.seed), clock_(options_.clock) {
    boot();
}

world::~world() = default;

void world::deploy(std::shared_ptr<const flow::workflow> workflow) {
    for (const auto& child : workflow->runs) deploy(child);
    const auto digest = workflow->digest;
    definitions_.insert_or_assign(digest, std::move(workflow));
}

void world::create_run(const std::string& id, const flow::workflow& workflow, const json::value& input, const std::string& agent, const std::string& key) {
    store::run_row row;
    row.id = id;
    row.definition = workflow.digest;
    row.workflow = workflow.document.ns + "/" + workflow.document.name + ":" + workflow.document.version;
    row.agent = agent;
    row.agent_key = key;
    row.input = to_text(input);
    row.created_at = clock_;
    runs_[id] = row;
    post({0, id, "start", "test", id, "{}"});
}

void world::put_agent(store::agent_row row) {
    const auto name = row.agent + "/" + row.key;
    agents_.insert_or_assign(name, std::move(row));
}

void world::post(store::inbox_post message) {
    const auto copies = options_.duplicates ? 2 : 1;
    if (options_.duplicates) ++posted_twice_;
    for (int i = 0; i < copies; ++i) {
        if (!posted_.insert(message.source + "\n" + message.id).second) continue;
        store::inbox_entry entry;
        static_cast<store::inbox_post&>(entry) = message;
        entry.seq = next_seq_++;
        entry.received_at = clock_;
        inbox_[entry.seq] = entry;
    }
    fetch_inbox();
}

std::size_t world::publish(const store::published_event& event) {
    std::vector<std::string> listening;
    for (const auto& [run, types] : subscriptions_) {
        if (types.contains(event.type) || types.contains("")) listening.push_back(run);
    }
    for (const auto& run : listening) post({0, run, "event", event.source, event.id + " " + run, event.body});
    return listening.size();
}

void world::boot() {
    ++process_;
    ++epoch_;
    engine_options_ = std::make_unique<runtime::engine_options>();
    engine_options_->budget = options_.budget;
    engine_options_->max_in_flight_calls = options_.max_in_flight_calls;
    engine_options_->max_resident_runs = options_.max_resident_runs;
    engine_options_->max_waiting = options_.max_waiting;
    engine_options_->limits = options_.limits;
    engine_options_->agent_loaded = options_.agent_loaded ? options_.agent_loaded : [](store::agent_row&) { return result<void>(); };
    engine_options_->secret = options_.secret;
    engine_options_->decided = options_.decided;
    engine_options_->log = [this](std::string_view sentence) { said_.emplace_back(sentence); };
    core_ = std::make_unique<runtime::core>(*this, make_effects_(*this), *engine_options_);
    std::vector<store::due_run> runnable;
    for (const auto& [id, row] : runs_) {
        if (row.status == run_status::pending || row.status == run_status::running) runnable.push_back({id, 0, clock_});
    }
    core_->own({{0, epoch_}}, runnable);
}

void world::crash() {
    ++crashes_;
    core_.reset();
    journal_.clear();
    reports_.clear();
    posts_.clear();
    actions_.clear();
    timed_.clear();
    alarm_.reset();
    fetching_ = false;
    boot();
}

void world::commit(store::checkpoint checkpoint) { journal_.push_back(std::move(checkpoint)); }

void world::beat(store::heartbeat_row row) {
    if (row.epoch != epoch_) return;
    auto& place = heartbeats_[row.run][row.key];
    place = std::move(row);
}

void world::load(std::string run) {
    later([this, run = std::move(run)] {
        runtime::loaded_run loaded;
        loaded.row = runs_.at(run);
        loaded.workflow = definitions_.at(loaded.row.definition);
        for (const auto& [digest, body] : blobs_[run]) loaded.blobs.push_back({digest, body});
        for (const auto& [key, beat] : heartbeats_[run]) loaded.heartbeats.push_back(beat);
        if (const auto at = agents_.find(loaded.row.agent + "/" + loaded.row.agent_key); at != agents_.end()) loaded.agent = at->second;
        posts_.push_back([this, loaded = std::make_shared<runtime::loaded_run>(std::move(loaded))] { core_->loaded(std::move(*loaded)); });
    });
}

void world::load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) {
    later([this, name = agent + "/" + key, done] {
        std::optional<store::agent_row> row;
        if (const auto at = agents_.find(name); at != agents_.end()) row = at->second;
        posts_.push_back([done, row] { done(row); });
    });
}

void world::fetch_inbox() {
    if (fetching_) return;
    fetching_ = true;
    later([this] {
        std::vector<store::inbox_entry> entries;
        for (const auto& [seq, entry] : inbox_) entries.push_back(entry);
        posts_.push_back([this, entries = std::move(entries)]() mutable {
            fetching_ = false;
            core_->received(std::move(entries));
        });
    });
}

void world::fetch_runnable(std::string after) {
    later([this, after = std::move(after)] {
        std::vector<store::due_run> found;
        for (auto at = runs_.upper_bound(after); at != runs_.end() && found.size() < runnable_at_once; ++at) {
            if (at->second.status == run_status::pending || at->second.status == run_status::running) found.push_back({at->first, 0, clock_});
        }
        posts_.push_back([this, found = std::move(found)] { core_->runnable(found, found.size() == runnable_at_once); });
    });
}

std::function<void(std::function<void()>)> world::poster() {
    // Work of a process that died does not reach the next one.
    return [this, process = process_](std::function<void()> work) {
        if (process == process_) posts_.push_back(std::move(work));
    };
}

store::checkpoint_outcome world::write_run(const store::checkpoint& c) {
    if (c.epoch != epoch_) return store::checkpoint_outcome::fenced;
    for (const auto& agent : c.agents) {
        const auto at = agents_.find(agent.agent + "/" + agent.key);
        if ((at == agents_.end() ? 0 : at->second.revision) + 1 != agent.revision) return store::checkpoint_outcome::conflict;
    }
    if (c.run.empty()) return store::checkpoint_outcome::committed;
    if (c.born && !runs_.contains(c.run)) static_cast<store::new_run&>(runs_[c.run]) = *c.born;
    auto& row = runs_.at(c.run);
    if (row.revision != c.expected_revision) return store::checkpoint_outcome::conflict;
    ++row.revision;
    row.status = c.status;
    row.due_at = c.due_at;
    row.state = c.state;
    row.output = c.output;
    row.error = c.error;
    for (const auto& blob : c.blobs) blobs_[c.run][blob.digest] = blob.body;
    for (const auto& digest : c.dropped_blobs) blobs_[c.run].erase(digest);
    if (is_final(c.status)) {
        if (c.state.empty() || c.status == run_status::completed) blobs_.erase(c.run);
        row.ended_at = clock_;
    }
    steps_[c.run].insert(steps_[c.run].end(), c.steps.begin(), c.steps.end());
    return store::checkpoint_outcome::committed;
}

void world::write_rest(const store::checkpoint& c) {
    ++commits_;
    for (const auto& born : c.births) {
        const auto [at, fresh] = runs_.try_emplace(born.id);
        if (!fresh) continue;
        static_cast<store::new_run&>(at->second) = born;
        at->second.created_at = clock_;
    }
    for (const auto& message : c.posts) post(message);
    events_.insert(events_.end(), c.events.begin(), c.events.end());
    for (const auto seq : c.consumed) inbox_.erase(seq);
    for (const auto& key : c.settled) {
        if (key.empty()) heartbeats_.erase(c.run);
        heartbeats_[c.run].erase(key);
    }
    write_messages(c);
    for (const auto& agent : c.agents) {
        const auto name = agent.agent + "/" + agent.key;
        const auto at = agents_.find(name);
        if (options_.agent_written) options_.agent_written(at == agents_.end() ? nullptr : &at->second, agent);
        agents_.insert_or_assign(name, agent);
    }
    for (const auto& approval : c.approvals) {
        const bool asked = !approvals_.contains(approval.id);
        approvals_[approval.id] = approval;
        if (asked && options_.on_approval) options_.on_approval(approval);
    }
}

/// To other runs of this store: started ones, messages, subscriptions, and emitted events, which a relay brings to those that listen.
void world::write_messages(const store::checkpoint& c) {
    for (const auto& born : c.births) {
        if (runs_.contains(born.id)) continue;
        static_cast<store::new_run&>(runs_[born.id]) = born;
        runs_[born.id].created_at = clock_;
    }
    for (const auto& message : c.posts) post(message);
    if (c.unsubscribed_all) subscriptions_.erase(c.run);
    for (const auto& type : c.unsubscribed) subscriptions_[c.run].erase(type);
    for (const auto& type : c.subscribed) subscriptions_[c.run].insert(type);
    for (const auto& e : c.events) {
        const auto event = parse_json(e.body);
        if (event) publish({event_attribute_text(*event, "source"), event_attribute_text(*event, "id"), e.type, e.body});
    }
}

void world::write(store::checkpoint c) {
    ++written_;
    const bool here = options_.crash && options_.crash->commit == written_;
    if (here && !options_.crash->after) return crash();
    const bool only_gave_way = c.status == run_status::running && !c.due_at && c.steps.empty() && c.events.empty() && c.consumed.empty() && c.approvals.empty() && c.agents.empty() &&
                               c.births.empty() && c.posts.empty();
    circles_ = only_gave_way ? circles_ + 1 : 0;
    const auto outcome = write_run(c);
    if (outcome == store::checkpoint_outcome::committed) write_rest(c);
    if (here) return crash();
    reports_.emplace_back(std::move(c), outcome);
}

const std::vector<store::step_row>& world::steps(const std::string& run) const {
    static const std::vector<store::step_row> none;
    const auto at = steps_.find(run);
    return at == steps_.end() ? none : at->second;
}

std::size_t world::blobs_of(const std::string& run) const {
    const auto at = blobs_.find(run);
    return at == blobs_.end() ? 0 : at->second.size();
}

std::size_t world::heartbeats_of(const std::string& run) const {
    const auto at = heartbeats_.find(run);
    return at == heartbeats_.end() ? 0 : at->second.size();
}

}  // namespace pawl::trial
