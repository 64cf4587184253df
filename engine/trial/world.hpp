// A world in memory for the real core (runtime/core.hpp): a store, a virtual clock, an outside that posts messages, and a scheduler that chooses
// what happens next and when the process dies. The same options give the same history. One thread; no I/O, no waiting: a month passes in no time.
#pragma once

#include "runtime/core.hpp"
#include "trial/memory_store.hpp"

#include <array>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace pawl::trial {

/// The process dies once, at one checkpoint, counted from 1: just before it is written, or just after, before anybody is told.
struct crash_point {
    std::size_t commit = 1;
    bool after = false;
};

struct world_options {
    std::uint64_t seed = 0;            ///< 0: things happen in the order in which they came; others: in any order, and time may run ahead of work
    bool keep_time = false;            ///< with a seed: time passes only when nothing else can happen
    double crash_probability = 0;      ///< per scheduler step, with a seed
    std::size_t most_crashes = 0;
    std::optional<crash_point> crash;
    bool duplicates = false;           ///< every message is delivered twice
    std::size_t most_steps = 200'000;  ///< of the scheduler: a world that needs more is stuck
    std::size_t most_events = std::numeric_limits<std::size_t>::max();   ///< in all: a world that needs more is stuck
    std::size_t most_circles = std::numeric_limits<std::size_t>::max();  ///< circles() from which on it is stuck
    time_point clock{milliseconds(1'800'000'000'000)};
    std::uint64_t budget = 10'000;     ///< engine_options::budget
    std::size_t max_in_flight_calls = 256;
    std::size_t max_resident_runs = 4'096;
    std::size_t max_waiting = 20'000;
    std::shared_ptr<const runtime::limit_settings> limits;
    std::function<result<void>(store::agent_row&)> agent_loaded;                       ///< none: agents are taken as they are stored
    std::function<std::optional<std::string>(std::string_view)> secret;
    std::function<void(const flow::workflow&, const std::vector<run::decision>&)> decided;  ///< every way that a run takes
    std::function<void(const store::agent_row* before, const store::agent_row& after)> agent_written;  ///< before: null for a new one
    std::function<void(const store::approval_row&)> on_approval;                       ///< a new question has become durable
};

class world : public runtime::core_ports {
public:
    /// Makes the effects of one process: called at the start and after every crash.
    using effect_maker = std::function<std::shared_ptr<const runtime::effect_registry>(world&)>;

    world(world_options options, effect_maker effects);
    ~world() override;

    /// Definitions by digest. Before create_run().
    void deploy(std::shared_ptr<const flow::workflow> workflow);
    /// Stores a run and its start message.
    void create_run(const std::string& id, const flow::workflow& workflow, const json::value& input, const std::string& agent = {}, const std::string& key = {});
    void put_agent(store::agent_row row) { store_.put_agent(std::move(row)); }
    /// As anybody may post to the store's inbox: a second post with the same source and id is dropped.
    void post(store::inbox_post message);
    /// A CloudEvent for every run that listens for its type; each takes (source, id) once. How many those are.
    std::size_t publish(const store::published_event& event);
    /// Sends later, and also after a crash: the outside does not die with the process.
    void send(store::inbox_post message) { outside_.push_back(std::move(message)); }

    /// One thing happens. False when nothing can before time passes.
    bool step();
    /// Lets the clock reach the next thing that waits for it, at most `limit`. False when nothing waits for time up to there.
    bool pass_time(std::optional<time_point> limit = std::nullopt);
    /// Until every run is final. False when something is stuck.
    bool run_to_end();
    /// Until nothing can happen before time passes. False when that never comes.
    bool settle();
    bool all_final() const;
    /// More has happened than the options allow.
    bool is_stuck() const { return happened_ > options_.most_events || is_circling(); }
    bool is_circling() const { return circles_ > options_.most_circles; }
    /// Checkpoints in a row of runs that only gave way to their neighbours, while no time passed.
    std::size_t circles() const { return circles_; }
    void set_clock(time_point t) {
        if (t > clock_) circles_ = 0;
        clock_ = std::max(clock_, t);
    }

    const store::run_row& row(const std::string& id) const { return store_.runs().at(id); }
    const std::map<std::string, store::run_row>& runs() const { return store_.runs(); }
    /// By "agent/key".
    const std::map<std::string, store::agent_row>& agents() const { return store_.agents(); }
    const std::vector<store::outbox_row>& events() const { return store_.events(); }
    const std::vector<store::step_row>& steps(const std::string& run) const { return store_.steps_of(run); }
    const std::map<std::string, store::approval_row>& approvals() const { return store_.approvals(); }
    std::size_t crashes() const { return crashes_; }
    std::size_t commits() const { return store_.commits(); }
    /// Checkpoints that reached the journal's head, also those that were refused: where a crash_point counts.
    std::size_t written() const { return written_; }
    /// Messages that were posted a second time (world_options::duplicates).
    std::size_t posted_twice() const { return posted_twice_; }
    std::size_t blobs_of(const std::string& run) const { return store_.blobs_of(run).size(); }
    std::size_t heartbeats_of(const std::string& run) const { return store_.heartbeats_of(run).size(); }
    /// What the process said of itself: a run that cannot be loaded, a lost lease.
    const std::vector<std::string>& said() const { return said_; }

    // For effects: work of this process that takes place some time after now.
    void later(std::function<void()> action, milliseconds delay = milliseconds(0));
    std::uint64_t random(std::uint64_t below);

    // core_ports
    time_point now() override { return clock_; }
    void commit(store::checkpoint checkpoint) override;
    void beat(store::heartbeat_row row) override;
    void load(std::string run) override;
    void load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) override;
    void fetch_inbox() override;
    void fetch_runnable(std::string after) override;
    void wake_at(time_point t) override { alarm_ = t; }
    std::shared_ptr<const flow::workflow> definition(const std::string& digest) override {
        const auto known = definitions_.find(digest);
        return known == definitions_.end() ? nullptr : known->second;
    }
    std::function<void(std::function<void()>)> poster() override;

private:
    static constexpr std::array<shard_id, 1> all_shards{0};
    static constexpr std::size_t without_limit = std::numeric_limits<std::size_t>::max();

    void boot();
    void crash();
    void write(store::checkpoint c);
    void spread(const store::checkpoint& c);
    std::vector<std::function<void()>> possible_now();
    void ring();
    void advance_to(time_point t);

    world_options options_;
    effect_maker make_effects_;
    std::mt19937_64 random_;
    time_point clock_;

    // What survives a crash.
    std::map<std::string, std::shared_ptr<const flow::workflow>> definitions_;
    memory_store store_;
    std::vector<store::inbox_post> outside_;  ///< messages still to be sent
    std::vector<std::string> said_;

    // What dies with the process.
    std::unique_ptr<runtime::engine_options> engine_options_;
    std::unique_ptr<runtime::core> core_;
    std::deque<store::checkpoint> journal_;
    std::deque<std::pair<store::checkpoint, store::checkpoint_outcome>> reports_;
    std::deque<std::function<void()>> posts_;     ///< to the core, from any thread
    std::deque<std::function<void()>> actions_;   ///< of tools and readers: in any order
    std::multimap<time_point, std::function<void()>> timed_;  ///< actions whose time has not come
    std::optional<time_point> alarm_;
    bool fetching_ = false;
    bool polled_ = false;  ///< since the clock last moved

    std::uint64_t process_ = 0;
    std::int64_t epoch_ = 0;
    std::size_t crashes_ = 0;
    std::size_t happened_ = 0;
    std::size_t circles_ = 0;
    std::size_t written_ = 0;
    std::size_t posted_twice_ = 0;
};

}  // namespace pawl::trial
