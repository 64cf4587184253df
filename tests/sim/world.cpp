#include "sim/world.hpp"

#include "sim/effects.hpp"

#include <algorithm>

namespace pawl::sim {

world::world(options o, std::shared_ptr<const flow::workflow> workflow) : options_(o), random_(o.seed), workflow_(std::move(workflow)) { boot(); }

world::~world() = default;

void world::create_run(const std::string& id, const json::value& input, const std::string& agent, const std::string& key) {
    store::run_row row;
    row.id = id;
    row.definition = workflow_->digest;
    row.agent = agent;
    row.agent_key = key;
    row.input = to_text(input);
    runs_[id] = row;
    post_message({0, id, "start", "test", id, "{}"});
}

void world::post_message(store::inbox_post message) {
    const auto copies = options_.duplicates ? 2 : 1;
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

void world::boot() {
    ++process_;
    ++epoch_;
    engine_options_ = std::make_unique<runtime::engine_options>();
    engine_options_->budget = 7;  // small, so that yields happen
    engine_options_->max_in_flight_calls = 3;
    engine_options_->agent_loaded = [](store::agent_row&) { return result<void>(); };
    core_ = std::make_unique<runtime::core>(*this, simulated_effects(*this), *engine_options_);
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
    alarm_.reset();
    fetching_ = false;
    boot();
}

void world::commit(store::checkpoint checkpoint) { journal_.push_back(std::move(checkpoint)); }

void world::load(std::string run) {
    actions_.push_back([this, run] {
        runtime::loaded_run loaded;
        loaded.row = runs_.at(run);
        loaded.workflow = workflow_;
        for (const auto& [digest, body] : blobs_[run]) loaded.blobs.push_back({digest, body});
        if (const auto at = agents_.find(loaded.row.agent + "/" + loaded.row.agent_key); at != agents_.end()) loaded.agent = at->second;
        posts_.push_back([this, loaded = std::make_shared<runtime::loaded_run>(std::move(loaded))] { core_->loaded(std::move(*loaded)); });
    });
}

void world::load_agent(std::string agent, std::string key, std::function<void(std::optional<store::agent_row>)> done) {
    actions_.push_back([this, name = agent + "/" + key, done] {
        std::optional<store::agent_row> row;
        if (const auto at = agents_.find(name); at != agents_.end()) row = at->second;
        posts_.push_back([done, row] { done(row); });
    });
}

void world::fetch_inbox() {
    if (fetching_) return;
    fetching_ = true;
    actions_.push_back([this] {
        std::vector<store::inbox_entry> entries;
        for (const auto& [seq, entry] : inbox_) entries.push_back(entry);
        posts_.push_back([this, entries = std::move(entries)]() mutable {
            fetching_ = false;
            core_->received(std::move(entries));
        });
    });
}

std::function<void(std::function<void()>)> world::poster() {
    // Work of a process that died does not reach the next one.
    return [this, process = process_](std::function<void()> work) {
        if (process == process_) posts_.push_back(std::move(work));
    };
}

void world::write(const store::checkpoint& c) {
    auto outcome = store::checkpoint_outcome::committed;
    if (c.epoch != epoch_) outcome = store::checkpoint_outcome::fenced;
    if (outcome == store::checkpoint_outcome::committed && !c.run.empty()) {
        if (c.born && !runs_.contains(c.run)) static_cast<store::new_run&>(runs_[c.run]) = *c.born;
        auto& row = runs_.at(c.run);
        if (row.revision != c.expected_revision) {
            outcome = store::checkpoint_outcome::conflict;
        } else {
            ++row.revision;
            row.status = c.status;
            row.due_at = c.due_at;
            row.state = c.state;
            row.output = c.output;
            row.error = c.error;
            for (const auto& blob : c.blobs) blobs_[c.run][blob.digest] = blob.body;
            for (const auto& digest : c.dropped_blobs) blobs_[c.run].erase(digest);
            if (is_final(c.status)) blobs_.erase(c.run);
            steps_[c.run].insert(steps_[c.run].end(), c.steps.begin(), c.steps.end());
        }
    }
    if (outcome == store::checkpoint_outcome::committed) {
        ++commits_;
        events_.insert(events_.end(), c.events.begin(), c.events.end());
        for (const auto seq : c.consumed) inbox_.erase(seq);
        for (const auto& agent : c.agents) agents_[agent.agent + "/" + agent.key] = agent;
        for (const auto& approval : c.approvals) {
            const bool asked = !approvals_.contains(approval.id);
            approvals_[approval.id] = approval;
            if (asked && approval.status == store::approval_status::pending) {
                human_.push_back({0, approval.run, "approval", "human", approval.id, R"({"key":")" + approval.key + R"(","decision":"approved"})"});
            }
        }
    }
    reports_.emplace_back(c, outcome);
}

bool world::all_final() const {
    return std::all_of(runs_.begin(), runs_.end(), [](const auto& r) { return is_final(r.second.status); });
}

/// One thing happens. False when nothing can.
bool world::step() {
    if (crashes_ < options_.most_crashes && std::uniform_real_distribution<>(0, 1)(random_) < options_.crash_probability) {
        crash();
        return true;
    }
    std::vector<std::function<void()>> possible;
    if (!journal_.empty()) {
        possible.push_back([this] {
            const auto c = std::move(journal_.front());
            journal_.pop_front();
            write(c);
        });
    }
    if (!reports_.empty()) {
        possible.push_back([this] {
            const auto [c, outcome] = std::move(reports_.front());
            reports_.pop_front();
            core_->committed(c, outcome);
        });
    }
    if (!posts_.empty()) {
        possible.push_back([this] {
            auto work = std::move(posts_.front());
            posts_.pop_front();
            work();
        });
    }
    if (!actions_.empty()) {
        possible.push_back([this] {
            const auto at = actions_.begin() + static_cast<std::ptrdiff_t>(random(actions_.size()));
            auto work = std::move(*at);
            actions_.erase(at);
            work();
        });
    }
    if (!human_.empty()) {
        possible.push_back([this] {
            auto decision = human_.back();
            human_.pop_back();
            post_message(std::move(decision));
        });
    }
    if (possible.empty() && !inbox_.empty() && !polled_) {
        polled_ = true;  // as the engine does every second, long before a far alarm
        fetch_inbox();
        return true;
    }
    // Time may run ahead of work, but not so far that it passes over a human who is about to answer.
    if (alarm_ && (*alarm_ <= clock_ || possible.empty() || (random(8) == 0 && *alarm_ < clock_ + std::chrono::hours(2)))) {
        possible.push_back([this] {
            clock_ = std::max(clock_, *alarm_);
            polled_ = false;
            alarm_.reset();
            core_->tick();
        });
    }
    if (possible.empty()) {
        std::vector<store::due_run> due;  // the store's timers, which the engine polls
        for (const auto& [id, row] : runs_) {
            if (row.due_at && !is_final(row.status)) due.push_back({id, 0, *row.due_at});
        }
        if (due.empty() && inbox_.empty()) return false;
        if (!due.empty()) core_->due(due);
        if (!inbox_.empty()) fetch_inbox();
        return true;
    }
    possible[random(possible.size())]();
    return true;
}

bool world::run_to_end() {
    for (std::size_t i = 0; i < options_.most_steps; ++i) {
        if (all_final()) return true;
        if (!step()) return false;
    }
    return false;
}

std::vector<std::string> world::call_outcomes(const std::string& run) const {
    std::vector<std::string> all;
    if (const auto at = steps_.find(run); at != steps_.end()) {
        for (const auto& s : at->second) all.push_back(s.task + " " + s.outcome);
    }
    return all;
}

std::size_t world::blobs_of(const std::string& run) const {
    const auto at = blobs_.find(run);
    return at == blobs_.end() ? 0 : at->second.size();
}

}  // namespace pawl::sim
