#include "trial/world.hpp"

#include "base/cloud_event.hpp"


namespace pawl::trial {
namespace {

constexpr std::size_t runnable_at_once = 50;

}  // namespace

world::world(world_options options, effect_maker effects)
    : options_(std::move(options)), make_effects_(std::move(effects)), random_(options_.seed), clock_(options_.clock),
      store_(1, [this] { return clock_; }, {options_.agent_written, options_.on_approval}) {
    boot();
}

world::~world() = default;

void world::deploy(std::shared_ptr<const flow::workflow> workflow) {
    for (const auto& child : workflow->runs) deploy(child);
    const auto digest = workflow->digest;
    definitions_.insert_or_assign(digest, std::move(workflow));
}

void world::create_run(const std::string& id, const flow::workflow& workflow, const json::value& input, const std::string& agent, const std::string& key) {
    (void)store_.create(run_of(workflow, id, 0, input, agent, key));
    post({0, id, "start", "test", id, "{}"});
}

void world::post(store::inbox_post message) {
    if (options_.duplicates) {
        ++posted_twice_;
        (void)store_.post(message);
    }
    (void)store_.post(message);
    fetch_inbox();
}

std::size_t world::publish(const store::published_event& event) {
    const auto woken = store_.publish(event).size();
    if (options_.duplicates) {
        posted_twice_ += woken;
        (void)store_.publish(event);
    }
    if (woken > 0) fetch_inbox();
    return woken;
}

void world::boot() {
    const auto name = [this] { return "process " + std::to_string(process_); };
    store_.release_all(name());
    ++process_;
    epoch_ = store_.acquire(name(), all_shards, 1, milliseconds(0)).front().epoch;
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
    core_->own({{0, epoch_}}, store_.runnable(all_shards, {}, without_limit));
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

void world::beat(store::heartbeat_row row) { store_.beat(row); }

void world::load(std::string run) {
    later([this, run = std::move(run)] {
        runtime::loaded_run loaded;
        loaded.row = store_.runs().at(run);
        loaded.workflow = definitions_.at(loaded.row.definition);
        loaded.blobs = store_.blobs_of(run);
        loaded.heartbeats = store_.heartbeats_of(run);
        loaded.agent = store_.agent(loaded.row.agent, loaded.row.agent_key);
        posts_.push_back([this, loaded = std::make_shared<runtime::loaded_run>(std::move(loaded))] { core_->loaded(std::move(*loaded)); });
    });
}

void world::load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) {
    later([this, agent = std::move(agent), key = std::move(key), done = std::move(done)] {
        auto row = store_.agent(agent, key);
        posts_.push_back([done, row = std::move(row)] { done(row); });
    });
}

void world::fetch_inbox() {
    if (fetching_) return;
    fetching_ = true;
    later([this] {
        auto entries = store_.inbox(all_shards, 0, without_limit);
        posts_.push_back([this, entries = std::move(entries)]() mutable {
            fetching_ = false;
            core_->received(std::move(entries));
        });
    });
}

void world::fetch_runnable(std::string after) {
    later([this, after = std::move(after)] {
        auto found = store_.runnable(all_shards, after, runnable_at_once);
        posts_.push_back([this, found = std::move(found)] { core_->runnable(found, found.size() == runnable_at_once); });
    });
}

std::function<void(std::function<void()>)> world::poster() {
    // Work of a process that died does not reach the next one.
    return [this, process = process_](std::function<void()> work) {
        if (process == process_) posts_.push_back(std::move(work));
    };
}

/// The store has sent what the checkpoint sends: once more changes nothing, and is what happens where everything comes twice. Emitted events go to those that listen, as a relay brings them.
void world::spread(const store::checkpoint& c) {
    for (const auto& message : c.posts) post(message);
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
    const auto outcome = store_.write(c);
    if (outcome == store::checkpoint_outcome::committed) spread(c);
    if (here) return crash();
    reports_.emplace_back(std::move(c), outcome);
}

}  // namespace pawl::trial
