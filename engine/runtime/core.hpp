// The single-threaded heart of the engine: turns what happens (messages, outcomes, time) into transitions, transitions into checkpoints,
// and durable checkpoints into started calls. No thread, no lock, no Asio, no I/O: the same code runs in the engine and in the simulator.
// Every method belongs to the core thread.
#pragma once

#include "runtime/admission.hpp"
#include "runtime/core_ports.hpp"
#include "runtime/resident.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace pawl::runtime {

class core {
public:
    core(core_ports& ports, std::shared_ptr<const effect_registry> effects, const engine_options& options);
    core(const core&) = delete;
    core& operator=(const core&) = delete;
    ~core();

    /// Shards are ours from now on; `runnable` are their runs that must be looked at.
    /// `more`: the store has further ones.
    void own(const std::vector<store::lease>& leases, const std::vector<store::due_run>& runnable, bool more = false);
    /// Shards are not ours any more: their runs leave memory at once.
    void disown(const std::vector<store::lease>& leases);
    std::vector<store::lease> owned() const;
    /// Whether the shard is held under this very lease.
    bool holds(const store::lease& lease) const;
    /// Owned ones without a run that computes, commits or waits for a call under way: nothing is cut off when another engine takes them.
    std::vector<store::lease> idle_shards() const;

    /// How many engines serve the store: limits are divided among them.
    void set_engines(std::size_t engines);

    void wake(const std::string& run);
    /// Starts a run that the store does not know yet: its first checkpoint creates it. `done` is told whether that was committed; false also when
    /// the shard is not ours or memory is full, and then nothing was written, or (after a lost lease) its fate is in the store.
    void begin(store::new_run run, std::shared_ptr<const flow::workflow> workflow, std::function<void(bool)> done);
    /// `more`: the store has further ones, which did not fit.
    void received(std::vector<store::inbox_entry> entries, bool more = false);
    /// Runs whose time has come or comes soon; `more`: the store has further ones, asked for when these have been taken up.
    void due(const std::vector<store::due_run>& runs, bool more = false);
    /// Some of the runs that must be looked at, in the order of their ids; `more`: the store has further ones.
    void runnable(const std::vector<store::due_run>& runs, bool more);
    void tick();
    void loaded(loaded_run run);
    /// `row`: when the run itself could be read, but not what it needs.
    void load_failed(const std::string& run, const problem& error, const store::run_row* row = nullptr);
    void committed(const store::checkpoint& checkpoint, store::checkpoint_outcome outcome);

    /// Starts nothing any more and cancels the calls in flight.
    void stop();
    /// Calls under way that can still tell how far they came.
    std::size_t beating_calls() const;
    /// Nothing gathers and nothing is being committed.
    bool is_quiet() const;
    std::size_t resident_runs() const noexcept { return residents_.size(); }
    std::uint64_t calls_started() const noexcept { return calls_started_; }

private:
    struct held_shard {
        std::int64_t epoch;
        std::uint64_t since;  ///< loads asked for up to then may have been read while somebody else wrote
    };
    /// A run being loaded, and what waits for it.
    struct load {
        std::vector<run_input> inputs;
        std::uint64_t asked = 0;  ///< its number
        std::uint64_t place = 0;  ///< the number it had when it was asked for first
    };

    // core_loading.cpp: shards, and runs that come into memory
    void take_up(loaded_run loaded);
    void take_up_early();
    void answered(const load& asked) { places_.erase(asked.place); }
    void ensure_loaded(const std::string& run, std::optional<run_input> input, bool first = false);
    void load_more();
    bool is_outdated(const store::run_row& row, const load& asked) const;
    static result<void> restore(resident& r, loaded_run& loaded, run::value_ref input);
    void leave_unread(const store::run_row& row, const std::vector<run_input>& inputs, const problem& why);
    void fault_unloadable(const loaded_run& run, const problem& error);

    // core.cpp: runs in memory and their checkpoints
    void process(resident& r);
    void apply(resident& r, run_input input);
    void absorb(resident& r, run::transition done);
    void save(resident& r);
    static void save_state(resident& r, store::checkpoint& next);
    static void save_subscriptions(resident& r, store::checkpoint& next);
    void settle(resident& r);
    enum class departure { forgets, keeps_its_turn };
    void drop(const std::string& run, departure how = departure::forgets);
    static void tell_born(resident& r, bool committed);
    run::surroundings world_of(const resident& r);
    void refused(const store::checkpoint& checkpoint, store::checkpoint_outcome outcome);
    void finished(resident& r);
    void end_without(const store::run_row& row, std::int64_t epoch, run_status status, const problem& error, std::vector<std::int64_t> consumed);
    void consume_only(shard_id shard, std::vector<std::int64_t> seqs);
    void tell(const run_event& event);

    // core_calls.cpp: staging, starting, answers, outcomes
    std::shared_ptr<call_request> request_for(const resident& r, const run::frame& f, bool recovered) const;
    void fail_unknown(resident& r, run::frame_id call, const std::string& function);
    void end_staged(resident& r, run::frame_id call, call_outcome outcome);
    live_call prepare_call(resident& r, run::frame_id call, std::shared_ptr<call_request> request, const effect_registry::entry& known);
    void stage(resident& r, const run::call_intent& intent);
    void start_calls(resident& r, const std::vector<run::frame_id>& calls);
    void start_call(resident& r, run::frame_id call);
    void call_ended(const std::string& run, run::frame_id call, call_outcome outcome);
    void answer(resident& r, run::frame_id call, const external_answer& given);
    void abandon(resident& r, const run::abandoned_call& call);
    void take_staged(resident& r, staging& staged);
    void forget_call(resident& r, run::frame_id call);

    // core_limits.cpp: whose turn it is
    std::string tenant_of(const resident& r) const;
    admission::request wish(const resident& r, run::frame_id call, const limit_index::entries& rules, const json::value& data) const;
    bool others_wait_for(const resident& r) const;
    bool admit(resident& r, run::frame_id call, live_call& made);
    void stay_queued(resident& r, run::frame_id call);
    void get_in_line(resident& r, run::frame_id call);
    void give_up_turns(const std::string& run);
    bool admit_run(resident& r, bool may_wait);
    void take_up_left_out();
    void call_granted(resident& r, run::frame_id call);
    void give_back(const resident& r, run::frame_id call, const live_call& held);
    void turns_changed();
    void start_granted();
    bool has_queued_call(const resident& r) const;
    bool is_memory_tight() const noexcept { return residents_.size() >= options_.max_resident_runs / 2; }

    // core_heartbeats.cpp
    void listen_to(resident& r, run::frame_id id, call_request& request, live_call& call, const function_description& known);
    void heard(const std::string& run, run::frame_id id, const std::string& key, unsigned attempt, pulse& signs);
    void look_at(resident& r, run::frame_id id, time_point at);
    void unwatch(resident& r, run::frame_id id);
    void look_at_due();
    void look(resident& r, run::frame_id id);
    void end_call(resident& r, run::frame_id id, problem why);
    void keep_detail(resident& r, const std::string& key, unsigned attempt, std::string detail);
    void last_sign(resident& r, const live_call& call, bool succeeded);
    void settle_details(resident& r, store::checkpoint& next);

    // core_messages.cpp: inbox entries
    void leave_lying(const std::string& run, const std::vector<run_input>& inputs);
    std::vector<std::int64_t> forget_lying(const std::string& run);
    void take_up_lying(const std::string& run, bool over, std::vector<run_input>& inputs);
    void release_lying(const std::function<bool(shard_id)>& of);
    void pass_over(std::int64_t up_to);
    void take_message(resident& r, const store::inbox_entry& message);
    /// They were taken and not applied: the next fetch may bring them again.
    template <class Inputs>
    void release_messages(const Inputs& inputs) {
        for (const auto& input : inputs) {
            if (input.what == run_input::kind::message) handled_.erase(input.message.seq);
        }
    }

    // core_agents.cpp: the instance that a run belongs to
    result<bool> open_agent(store::agent_row& row) const;
    void prepare_agent(resident& r, const loaded_run& loaded, std::optional<problem>& failure);
    void doubt(const std::shared_ptr<agent_instance>& agent);
    void read_again(const std::shared_ptr<agent_instance>& agent);
    void reset_agent(const store::inbox_entry& message);
    void note_changes(const store::checkpoint& committed);
    bool is_agent_outdated(const store::run_row& row, std::uint64_t asked) const;
    void reset_answered(const store::checkpoint& done, store::checkpoint_outcome outcome);

    // core_migrate.cpp
    void migrate(resident& r, const store::inbox_entry& message);

    // core_control.cpp
    void control(resident& r, const store::inbox_entry& message);
    std::vector<run::frame_id> take_back_calls(resident& r);
    void rewind(resident& r, const store::inbox_entry& message, const run::surroundings& world, store::step_row& step, std::optional<problem>& refused);
    static void hold_ended(resident& r, const store::run_row& row);
    static bool hold_completed(resident& r, const store::run_row& row, const std::vector<run_input>& waiting);
    bool end_unread(const store::run_row& row, const std::vector<run_input>& waiting);

    // core_lifecycle.cpp
    store::outbox_row lifecycle_row(const resident& r, const run::lifecycle_event& told) const;

    // core_notices.cpp
    run_event notice(const resident& r, run_event::kind what) const;
    void notice_step(resident& r, const run::step_record& step);
    void notice_waiting(resident& r);
    void update_agent_meta(resident& r);

    void set_timer(resident& r, std::optional<time_point> at);
    void arm();

    core_ports& ports_;
    std::shared_ptr<const effect_registry> effects_;
    const engine_options& options_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< posted work looks whether the core still lives
    std::function<void(std::function<void()>)> post_;

    std::unordered_map<shard_id, held_shard> held_;
    std::unordered_map<std::string, std::unique_ptr<resident>> residents_;
    std::unordered_map<std::string, load> loading_;
    std::deque<std::string> to_load_;                                  ///< runs that wait for room in memory
    std::size_t loads_under_way_ = 0;
    std::uint64_t loads_asked_ = 0;
    std::set<std::uint64_t> places_;                                   ///< of loads that were asked for and not dealt with
    std::map<std::uint64_t, loaded_run> early_;                        ///< by place: new runs of agents, answered before others that were asked for earlier
    bool more_due_ = false;                                            ///< the store holds due runs that we have not heard of
    bool left_out_ = false;                                            ///< the store holds runs to look at that are not in memory for want of room
    bool asked_runnable_ = false;
    std::string runnable_after_;                                       ///< how far the present look through them has come
    std::set<std::pair<time_point, std::string>> timers_;              ///< of residents, and of runs that are due soon
    std::set<std::pair<time_point, std::pair<std::string, run::frame_id>>> looks_;  ///< calls whose signs of life are looked at then
    std::set<std::int64_t> handled_;                                   ///< inbox entries taken, not yet durably consumed
    /// Consumed entries that a fetch under way may still report, with the number of fetches received when they were consumed.
    std::deque<std::pair<std::uint64_t, std::int64_t>> retired_;
    std::uint64_t fetches_ = 0;
    /// Entries of runs that could not be read. They stay handled, and in the store, until the run can be read or its shard goes.
    struct lying_entries {
        shard_id shard = 0;
        std::vector<std::int64_t> seqs;
    };
    std::unordered_map<std::string, lying_entries> lying_;
    std::set<std::int64_t> lying_seqs_;
    std::int64_t passed_over_ = 0;                                     ///< all unconsumed entries up to there are lying ones
    agent_cache agents_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> changed_agents_;  ///< loads asked for up to then may have read the row before its last change
    mutable limit_index limits_;
    admission turns_;
    bool granting_ = false;                                            ///< start_granted() has been posted
    std::optional<time_point> turn_alarm_;
    std::size_t committing_ = 0;
    std::uint64_t calls_started_ = 0;
    bool stopping_ = false;
};

}  // namespace pawl::runtime
