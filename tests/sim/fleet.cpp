#include "sim/fleet.hpp"

#include "base/cloud_event.hpp"
#include "sim/simulated_engine.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {
namespace {



}  // namespace

fleet::fleet(fleet_options options, std::vector<std::shared_ptr<const flow::workflow>> workflows)
    : options_(options), random_(options.seed), rows_(options.shards, [this] { return time_ + database_ahead_; }, {{}, [this](const store::approval_row& asked) {
          if (asked.status != store::approval_status::pending) return;
          // A human, and a client that sends the decision again because it heard of no answer.
          for (int i = 0; i < 2; ++i) {
              later(milliseconds(static_cast<std::int64_t>(random(5'000))), [this, shard = asked.shard, run = asked.run, id = asked.id, key = asked.key] {
                  if (rows_.post({shard, run, "approval", "human", id, R"({"key":")" + key + R"(","decision":"approved"})"})) ring();
              });
          }
      }}) {
    for (const auto& w : workflows) define(*w);
    workflows_ = std::move(workflows);
    incarnations_.resize(options_.engines);
    engines_.resize(options_.engines);
    for (std::size_t i = 0; i < options_.engines; ++i) start_engine(i);
}

void fleet::define(const flow::workflow& w) {
    for (const auto& child : w.runs) define(*child);
    definitions_[w.digest] = {w.digest, w.document.ns, w.document.name, w.document.version, w.bundle, {}};
}

/// What is under way when they die may still write to what the fleet holds.
fleet::~fleet() {
    for (auto& e : engines_) e.reset();
}

void fleet::start_engine(std::size_t number) {
    engines_[number] = std::make_unique<simulated_engine>(*this, "engine-" + std::to_string(number) + "." + std::to_string(++incarnations_[number]));
}

void fleet::create_run(const std::string& id, std::string_view workflow, shard_id shard, const json::value& input, const std::string& agent, const std::string& key) {
    const auto& w = **std::find_if(workflows_.begin(), workflows_.end(), [&](const auto& each) { return each->document.name == workflow; });
    (void)rows_.create(trial::run_of(w, id, shard, input, agent, key));
    (void)rows_.post({shard, id, "start", "run", id, "{}"});
    ring();
}

void fleet::publish(const store::published_event& event) {
    for (int i = 0; i < 2; ++i) {
        later(milliseconds(i == 0 ? 0 : static_cast<std::int64_t>(random(3'000))), [this, event] {
            if (!rows_.publish(event).empty()) ring();
        });
    }
}

void fleet::post(const store::inbox_post& message) {
    for (int i = 0; i < 2; ++i) {
        later(milliseconds(i == 0 ? 0 : static_cast<std::int64_t>(random(3'000))), [this, message] {
            if (rows_.post(message)) ring();
        });
    }
}

/// NOTIFY: soon, sometimes late, twice or never.
void fleet::ring() {
    for (auto& e : engines_) {
        if (!e) continue;
        const auto times = random(8) == 0 ? random(3) : 1;
        for (std::uint64_t i = 0; i < times; ++i) e->ring(time_ + milliseconds(static_cast<std::int64_t>(random(random(20) == 0 ? 2'000 : 5))));
    }
}

/// Emitted events, to whoever listens.
void fleet::relay() {
    for (; relayed_ < rows_.events().size(); ++relayed_) {
        const auto& row = rows_.events()[relayed_];
        if (const auto event = parse_json(row.body)) publish({event_attribute_text(*event, "source"), event_attribute_text(*event, "id"), row.type, row.body});
    }
}

void fleet::fail_somehow() {
    const auto number = random(engines_.size());
    auto& victim = engines_[number];
    if (!victim) return;
    ++faults_;
    const auto kind = random(11);
    note(kind);
    tell([&] { return victim->owner() + " meets with a misfortune of kind " + std::to_string(kind); });
    if (kind < 3) {
        ++counts_.kills;
        // On the same host others see that it is dead; elsewhere its leases must run out.
        const bool seen = random(2) == 0;
        const auto owner = victim->owner();
        victim.reset();
        if (seen) rows_.release_all(owner);
        later(milliseconds(static_cast<std::int64_t>(random(5'000))), [this, number] { start_engine(number); });
    } else if (kind < 6) {
        ++counts_.stops;
        victim->stop_until(time_ + milliseconds(static_cast<std::int64_t>(random(static_cast<std::uint64_t>(3 * options_.lease_ttl.count())))));
    } else if (kind < 8) {
        ++counts_.cuts;
        victim->cut();
    } else if (kind < 9) {
        ++counts_.restarts;
        for (auto& e : engines_) {
            if (e) e->cut();
        }
        database_away_until_ = time_ + milliseconds(static_cast<std::int64_t>(random(4'000)));
    } else if (kind < 10) {
        ++counts_.full_disks;
        disk_full_until_ = time_ + milliseconds(static_cast<std::int64_t>(random(4'000)));
    } else {
        ++counts_.clock_steps;
        database_ahead_ += milliseconds(static_cast<std::int64_t>(random(10'000)) - 5'000);
    }
}

bool fleet::let_time_pass(bool idle) {
    std::optional<time_point> next;
    const auto consider = [&](std::optional<time_point> t) {
        if (t && (!next || *t < *next)) next = t;
    };
    if (!outside_actions_.empty()) consider(outside_actions_.begin()->first);
    for (const auto& e : engines_) {
        if (e) consider(e->next_time());
    }
    if (!next) return false;
    // Ahead of what could happen now, but by little: whoever has work is not slower than that.
    const auto ahead = milliseconds(1 + static_cast<std::int64_t>(random(20)));
    time_ = std::max(time_, idle ? *next : std::min(*next, time_ + ahead));
    return true;
}

bool fleet::step() {
    ++counts_.steps;
    if (may_fail() && chance(options_.fault_probability)) {
        fail_somehow();
        return true;
    }
    relay();
    std::vector<std::function<void()>> possible;
    for (auto& e : engines_) {
        if (e) e->collect(possible);
    }
    if (!outside_actions_.empty() && outside_actions_.begin()->first <= time_) {
        possible.push_back([this] {
            auto work = std::move(outside_actions_.begin()->second);
            outside_actions_.erase(outside_actions_.begin());
            work();
        });
    }
    if (possible.empty()) return let_time_pass(true);
    if (random(8) == 0) return let_time_pass(false);
    const auto chosen = random(possible.size());
    note(chosen * 64 + possible.size());
    possible[chosen]();
    return true;
}

std::string fleet::where_it_stands() const {
    std::string out = " after " + std::to_string(counts_.steps) + " steps, at " + to_rfc3339(time_) + ", the database's clock shows " + to_rfc3339(rows_.now());
    for (const auto& [id, row] : rows_.runs()) {
        out += "\n  " + id + " " + std::string(to_string(row.status)) + ", revision " + std::to_string(row.revision) + ", shard " + std::to_string(row.shard);
        if (row.due_at) out += ", due " + to_rfc3339(*row.due_at);
    }
    for (const auto& [shard, lease] : rows_.leases()) out += "\n  shard " + std::to_string(shard) + ": " + lease.owner + ", epoch " + std::to_string(lease.epoch) + ", until " + to_rfc3339(lease.expires_at);
    out += "\n  messages that nobody took: " + std::to_string(rows_.unconsumed());
    for (const auto& e : engines_) {
        if (e) out += "\n  " + e->where_it_stands();
    }
    for (const auto& sentence : said_) out += "\n  " + sentence;
    return out;
}

bool fleet::is_over() const {
    return outside_actions_.empty() && relayed_ == rows_.events().size() && rows_.unconsumed() == 0 &&
           std::all_of(rows_.runs().begin(), rows_.runs().end(), [](const auto& each) { return is_final(each.second.status); });
}

bool fleet::run_to_end() {
    for (std::size_t i = 0; i < options_.most_steps; ++i) {
        if (is_over()) {
            counts_.commits = rows_.commits();
            for (const auto& [shard, lease] : rows_.leases()) counts_.take_overs += static_cast<std::size_t>(lease.epoch > 0 ? lease.epoch - 1 : 0);
            return true;
        }
        if (!step()) return false;
    }
    return false;
}

}  // namespace pawl::sim
