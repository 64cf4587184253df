// Shards, and the runs that come into memory: asked for, read, and brought to life.
#include "flow/listens.hpp"
#include "run/state_codec.hpp"
#include "runtime/control.hpp"
#include "runtime/core.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

constexpr std::size_t most_loads_at_once = 64;
/// With fewer runs than this left to load, the store is asked for more that are due.
constexpr std::size_t few_to_load = 500;

bool is_message(const run_input& input, std::string_view kind) { return input.what == run_input::kind::message && input.message.kind == kind; }

std::vector<run_input> take_events(std::vector<run_input>& inputs) {
    std::vector<run_input> events;
    std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(events), [](const run_input& i) { return is_message(i, "event"); });
    std::erase_if(inputs, [](const run_input& i) { return is_message(i, "event"); });
    return events;
}

/// A pause is the last that came before the run begins, whatever events came after it: then it comes first.
void put_pause_first(std::deque<run_input>& inputs) {
    const auto last = std::find_if(inputs.rbegin(), inputs.rend(), [](const run_input& i) { return !is_message(i, "event"); });
    if (last != inputs.rend() && is_message(*last, pause_kind)) std::rotate(inputs.begin(), std::prev(last.base()), last.base());
}

std::vector<std::int64_t> messages_of(const std::vector<run_input>& inputs) {
    std::vector<std::int64_t> seqs;
    for (const auto& input : inputs) {
        if (input.what == run_input::kind::message) seqs.push_back(input.message.seq);
    }
    return seqs;
}

}  // namespace

void core::own(const std::vector<store::lease>& leases, const std::vector<store::due_run>& runnable, bool more) {
    left_out_ |= more;
    std::vector<store::lease> former;
    for (const auto& l : leases) {
        const auto at = held_.find(l.shard);
        if (at != held_.end() && at->second.epoch != l.epoch) former.push_back({l.shard, at->second.epoch});  // others may have had it in between
    }
    disown(former);
    pass_over(0);  // what lies in the inbox for the new ones has lower numbers, perhaps
    for (const auto& l : leases) held_.try_emplace(l.shard, held_shard{l.epoch, loads_asked_});
    for (const auto& run : runnable) wake(run.run);
    ports_.fetch_inbox();
}

void core::disown(const std::vector<store::lease>& leases) {
    std::vector<shard_id> shards;
    for (const auto& l : leases) {
        if (holds(l)) shards.push_back(l.shard);
    }
    if (shards.empty()) return;
    const auto lost = [&](shard_id s) { return std::find(shards.begin(), shards.end(), s) != shards.end(); };
    for (const auto s : shards) held_.erase(s);
    std::vector<std::string> gone;
    for (const auto& [id, r] : residents_) {
        if (lost(r->shard)) gone.push_back(id);
    }
    for (const auto& id : gone) drop(id);
    release_lying(lost);
    // Whoever has the shard now takes what waits for runs that are being loaded; should it come back to us, the inbox tells what is left.
    for (auto& [id, load] : loading_) {
        std::erase_if(load.inputs, [&](const run_input& input) {
            const bool theirs = input.what == run_input::kind::message && lost(input.message.shard);
            if (theirs) handled_.erase(input.message.seq);
            return theirs;
        });
    }
    turns_.release_groups(shards, ports_.now());
    turns_changed();
}

std::vector<store::lease> core::owned() const {
    std::vector<store::lease> leases;
    for (const auto& [shard, held] : held_) leases.push_back({shard, held.epoch});
    return leases;
}

bool core::holds(const store::lease& lease) const {
    const auto at = held_.find(lease.shard);
    return at != held_.end() && at->second.epoch == lease.epoch;
}

std::vector<store::lease> core::idle_shards() const {
    auto leases = owned();
    for (const auto& [id, r] : residents_) {
        if (!r->is_idle()) std::erase_if(leases, [&](const store::lease& l) { return l.shard == r->shard; });
    }
    return leases;
}

void core::wake(const std::string& run) { ensure_loaded(run, std::nullopt); }

void core::ensure_loaded(const std::string& run, std::optional<run_input> input, bool first) {
    if (const auto at = residents_.find(run); at != residents_.end()) {
        if (input) {
            at->second->inputs.push_back(std::move(*input));
            process(*at->second);
        }
        return;
    }
    const auto [waiting, fresh] = loading_.try_emplace(run);
    if (input) waiting->second.inputs.push_back(std::move(*input));
    // Whoever has a place shall not hold it in line behind those that have none.
    if (fresh && first) to_load_.push_front(run);
    if (fresh && !first) to_load_.push_back(run);
    load_more();
}

void core::load_more() {
    const auto has_room = [this] {
        if (loads_under_way_ == 0 && !early_.empty()) return true;  // for the one that they all wait for
        return loads_under_way_ < most_loads_at_once && residents_.size() + loads_under_way_ + early_.size() < options_.max_resident_runs;
    };
    while (!stopping_ && !to_load_.empty() && has_room()) {
        ++loads_under_way_;
        auto run = std::move(to_load_.front());
        to_load_.pop_front();
        auto& load = loading_[run];
        load.asked = ++loads_asked_;
        if (load.place == 0) places_.insert(load.place = load.asked);
        ports_.load(std::move(run));
    }
    if (more_due_ && to_load_.size() < few_to_load) {
        more_due_ = false;
        ports_.fetch_inbox();
    }
    if (left_out_ && to_load_.size() < few_to_load) take_up_left_out();
}

void core::load_failed(const std::string& run, const problem& error, const store::run_row* row) {
    --loads_under_way_;
    give_up_turns(run);
    const auto waiting = loading_.extract(run);
    if (!waiting.empty()) answered(waiting.mapped());
    if (row == nullptr || waiting.empty() || !end_unread(*row, waiting.mapped().inputs)) {
        if (!waiting.empty()) leave_lying(run, waiting.mapped().inputs);
        if (options_.log) options_.log("run " + run + " cannot be loaded: " + error.detail);
    }
    take_up_early();
    load_more();
}

/// Whether it may have been read before somebody else, or another run of its agent, had written for the last time.
bool core::is_outdated(const store::run_row& row, const load& asked) const {
    return asked.asked <= held_.at(row.shard).since || is_agent_outdated(row, asked.asked);
}

/// The state as it is stored.
result<void> core::restore(resident& r, loaded_run& loaded, run::value_ref input) {
    std::map<std::string, std::string, std::less<>> blobs;
    for (auto& blob : loaded.blobs) blobs.emplace(blob.digest, std::move(blob.body));
    auto state = run::decode(loaded.row.state, loaded.row.id, loaded.workflow, std::move(input), blobs);
    if (!state) return state.error();
    r.state = std::move(*state);
    for (const auto& [digest, body] : blobs) r.stored_blobs.insert(digest);
    if (is_final(loaded.row.status)) hold_ended(r, loaded.row);
    r.subscribed = run::subscriptions(r.state);
    r.state.listens_late = false;  // from its next checkpoint on
    return {};
}

/// Left as it is in the store: another version of pawl may read it.
void core::leave_unread(const store::run_row& row, const std::vector<run_input>& inputs, const problem& why) {
    give_up_turns(row.id);
    if (end_unread(row, inputs)) return;
    leave_lying(row.id, inputs);
    if (options_.log) options_.log(why.detail);
    ports_.note_unloadable(row, why.detail);
}

/// The runs of an agent begin in the order of their messages, which is that in which they are asked for; answers come in any order.
void core::loaded(loaded_run loaded) {
    --loads_under_way_;
    const auto asked = loading_.find(loaded.row.id);
    const bool begins = !loaded.row.agent.empty() && loaded.row.state.empty();
    if (begins && asked != loading_.end() && asked->second.place > *places_.begin()) {
        early_.insert_or_assign(asked->second.place, std::move(loaded));
        return load_more();
    }
    take_up(std::move(loaded));
    take_up_early();
}

void core::take_up_early() {
    while (!early_.empty() && early_.begin()->first == *places_.begin()) {
        auto next = std::move(early_.begin()->second);
        early_.erase(early_.begin());
        take_up(std::move(next));
    }
}

void core::take_up(loaded_run loaded) {
    const auto lease = held_.find(loaded.row.shard);
    const bool ours = lease != held_.end() && !stopping_;
    auto waiting = loading_.extract(loaded.row.id);
    if (ours && !waiting.empty() && is_outdated(loaded.row, waiting.mapped())) {
        to_load_.push_front(loaded.row.id);
        loading_.insert(std::move(waiting));
        return load_more();
    }
    if (!waiting.empty()) answered(waiting.mapped());
    auto inputs = waiting.empty() ? std::vector<run_input>() : std::move(waiting.mapped().inputs);
    if (!ours) {  // the new owner takes the messages
        release_messages(inputs);
        give_up_turns(loaded.row.id);
        return load_more();
    }
    const auto is_revival = [](const run_input& i) { return i.what == run_input::kind::message && revives(i.message.kind); };
    const bool over = is_final(loaded.row.status);
    const bool fresh = loaded.row.state.empty();
    const auto take_no_notice = [&] {
        give_up_turns(loaded.row.id);
        auto seqs = messages_of(inputs);
        for (const auto seq : forget_lying(loaded.row.id)) seqs.push_back(seq);
        consume_only(loaded.row.shard, std::move(seqs));
        load_more();
    };
    if (over && std::none_of(inputs.begin(), inputs.end(), is_revival)) return take_no_notice();
    auto raw_input = parse_json(loaded.row.input);
    if (!raw_input) return fault_unloadable(loaded, raw_input.error());
    run::value_ref input = run::value_ref::from_text(std::move(*raw_input), loaded.row.input);

    auto made = std::make_unique<resident>();
    auto& r = *made;
    r.belongs(loaded.row);
    r.epoch = lease->second.epoch;
    r.revision = loaded.row.revision;
    if (fresh) {
        r.state.id = loaded.row.id;
        r.state.workflow = loaded.workflow;
        r.state.raw_input = std::move(input);
        if (!over) r.born_subscribed = flow::heard_types(*loaded.workflow);
        if (over && !hold_completed(r, loaded.row, inputs)) return take_no_notice();
    } else if (const auto restored = restore(r, loaded, std::move(input)); !restored) {
        leave_unread(loaded.row, inputs, restored.error());
        return load_more();
    }
    take_up_lying(loaded.row.id, over, inputs);
    for (auto& beat : loaded.heartbeats) r.details.insert_or_assign(std::move(beat.key), std::move(beat.detail));
    // Whoever has nothing to do but begin waits in the store for its turn, and so do the events that come for it.
    const bool only_begins = fresh && std::all_of(inputs.begin(), inputs.end(), [](const run_input& i) { return is_message(i, "start") || is_message(i, "event"); });
    if (!admit_run(r, only_begins)) {
        leave_lying(loaded.row.id, take_events(inputs));
        consume_only(r.shard, messages_of(inputs));
        return load_more();
    }
    std::optional<problem> failure;
    prepare_agent(r, loaded, failure);
    if (failure) return fault_unloadable(loaded, *failure);

    residents_.emplace(loaded.row.id, std::move(made));
    tell(notice(r, run_event::kind::started));
    run_input first;
    first.what = fresh ? run_input::kind::begin : run_input::kind::recover;
    if (!over) r.inputs.push_back(std::move(first));
    for (auto& each : inputs) r.inputs.push_back(std::move(each));
    if (fresh && !over) put_pause_first(r.inputs);
    process(r);
    load_more();
}

void core::begin(store::new_run run, std::shared_ptr<const flow::workflow> workflow, std::function<void(bool)> done) {
    const auto lease = held_.find(run.shard);
    if (stopping_ || lease == held_.end() || residents_.size() >= options_.max_resident_runs || residents_.contains(run.id)) return done(false);
    auto input = parse_json(run.input);
    if (!input) return done(false);  // the ordinary way tells what is wrong with it
    auto made = std::make_unique<resident>();
    auto& r = *made;
    r.belongs(run);
    r.epoch = lease->second.epoch;
    r.state.id = run.id;
    r.state.workflow = std::move(workflow);
    r.state.raw_input = run::value_ref::from_text(std::move(*input), run.input);
    if (!admit_run(r, true)) {
        give_up_turns(run.id);  // it is stored first, and gets in line then
        return done(false);
    }
    r.on_born = std::move(done);
    residents_.emplace(run.id, std::move(made));
    r.born = std::move(run);
    tell(notice(r, run_event::kind::started));
    run_input first;
    first.what = run_input::kind::begin;
    r.inputs.push_back(std::move(first));
    process(r);
}

/// A run that can never go on in this form ends as faulted, so that somebody sees why.
void core::fault_unloadable(const loaded_run& loaded, const problem& error) {
    give_up_turns(loaded.row.id);
    end_without(loaded.row, held_.at(loaded.row.shard).epoch, run_status::faulted, error, {});
    load_more();
}

}  // namespace pawl::runtime
