#include "sim/simulated_engine.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {
namespace {

constexpr std::size_t journal = 0, first_reader = 1, balancer = 3, all_lanes = 4;
constexpr std::size_t most_in_a_batch = 4;  // small, so that some are left for the next one
constexpr milliseconds look_around{1'000};

}  // namespace

simulated_engine::simulated_engine(fleet& among, std::string owner)
    : among_(among),
      rate_(0.9 + 0.01 * static_cast<double>(among.random(21))),
      booted_(static_cast<std::int64_t>(among.random(100'000'000))),
      database_(database_over(*this, {among.rows_, among.definitions_})),
      commits_(database_, {[this](auto batch, auto outcomes) {
                               for (const auto outcome : outcomes) {
                                   if (outcome == store::checkpoint_outcome::fenced) ++among_.counts_.fenced;
                               }
                               host_->report(std::move(batch), std::move(outcomes), [] {});
                           },
                           [](const store::store_error&) {}, [this] { return !waiting_.empty(); }, [this] { return dying_; },
                           [this] { return runtime::group_commit::moment(std::chrono::duration_cast<runtime::group_commit::moment::duration>(ticks())); }, options_.log}),
      lanes_(all_lanes),
      trouble_("reader", options_.log) {
    options_.owner = std::move(owner);
    options_.lease_ttl = among.options_.lease_ttl;
    options_.budget = 7;  // small, so that yields happen
    options_.max_in_flight_calls = 3;
    options_.agent_loaded = [](store::agent_row&) { return result<void>(); };
    options_.log = [this](std::string_view sentence) { among_.said_.push_back(options_.owner + ": " + std::string(sentence)); };
    workbench bench;
    bench.later = [this](std::function<void()> work, bool outside) {
        (outside ? tools_outside_ : tools_here_).emplace(among_.time_ + milliseconds(static_cast<std::int64_t>(among_.random(200))), std::move(work));
    };
    bench.random = [this](std::uint64_t below) { return among_.random(below); };
    // What its wall clock shows says nothing of the database's.
    const auto wrong = among.time_ + milliseconds(static_cast<std::int64_t>(among.random(86'400'000)) - 43'200'000);
    host_ = std::make_unique<runtime::core_host>(*this, simulated_tools(std::move(bench), among.ledger_), options_, wrong, [this] { return ticks(); });
    keep_at_ = here(options_.lease_ttl / 3);
    poll_at_ = here(options_.poll_interval);
    balance_at_ = among.time_;
}

simulated_engine::~simulated_engine() {
    dying_ = true;
    for (auto& l : lanes_) {
        if (l.body && !l.body->has_ended()) go_on(l);
    }
    alive_.reset();
    core_.clear();
    jobs_.clear();
    tools_outside_.clear();
    tools_here_.clear();
    host_.reset();
}

milliseconds simulated_engine::ticks() const {
    const auto passed = static_cast<double>((among_.time_ - time_point()).count() % 1'000'000'000'000);
    return booted_ + milliseconds(static_cast<std::int64_t>(passed * rate_));
}

/// When its own clock will have gone on by `wait`.
time_point simulated_engine::here(milliseconds wait) const { return among_.time_ + milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) / rate_) + 1); }

std::function<void(std::function<void()>)> simulated_engine::poster() {
    return [this, alive = std::weak_ptr<char>(alive_)](std::function<void()> work) {
        if (!alive.expired()) core_.push_back(std::move(work));
    };
}

void simulated_engine::beat(store::heartbeat_row row) {
    std::pair call(row.run, row.key);
    beats_.insert_or_assign(std::move(call), std::move(row));
}

void simulated_engine::cut() {
    for (auto& l : lanes_) l.is_cut = l.body != nullptr;
}

void simulated_engine::ring(time_point at) { rings_.insert(at); }

std::optional<store::store_error> simulated_engine::travel(whereabouts where) {
    current_->where = where;
    const auto slow = among_.random(50) == 0 ? 400u : 4u;
    current_->ready_at = among_.time_ + milliseconds(static_cast<std::int64_t>(among_.random(slow)));
    auto* self = current_;
    fiber::pause();
    if (std::exchange(self->is_cut, false)) return lost();
    if (!dying_ && among_.may_fail() && among_.chance(among_.options_.loss_probability)) {
        ++among_.counts_.losses;
        return lost();
    }
    return std::nullopt;
}

std::optional<store::store_error> simulated_engine::to_store(bool writes) {
    if (dying_) return lost();
    if (auto never = travel(whereabouts::to_store)) return never;
    // What is under way to the store when the process dies may arrive or not.
    if (dying_) return among_.random(2) == 0 ? std::optional(lost()) : std::nullopt;
    if (among_.time_ < among_.database_away_until_) return lost();
    if (among_.may_fail() && among_.chance(among_.options_.loss_probability)) return store::store_error{store::store_errc::busy, "locked by somebody"};
    if (writes && among_.time_ < among_.disk_full_until_) return store::store_error{store::store_errc::full, "no space left on the device"};
    // For what is in it, as far as anybody can tell: the next time it is taken.
    if (writes && among_.may_fail() && among_.chance(among_.options_.loss_probability / 4)) {
        ++among_.counts_.refusals;
        return store::store_error{store::store_errc::failed, "value too long"};
    }
    return std::nullopt;
}

std::optional<store::store_error> simulated_engine::to_process() {
    if (dying_) return lost();
    if (auto never = travel(whereabouts::to_process)) return never;
    return dying_ ? std::optional(lost()) : std::nullopt;
}

std::optional<store::store_error> simulated_engine::connect() {
    if (dying_ || among_.time_ < among_.database_away_until_) return lost();
    return std::nullopt;
}

void simulated_engine::judged(const store::checkpoint& c, store::checkpoint_outcome outcome) {
    among_.tell([&] {
        auto text = options_.owner + " writes run " + c.run + ", revision " + std::to_string(c.expected_revision + 1) + ", shard " + std::to_string(c.shard) + ", epoch " + std::to_string(c.epoch) + ", " +
                    std::string(to_string(c.status)) + ": " +
                    (outcome == store::checkpoint_outcome::committed ? "committed" : outcome == store::checkpoint_outcome::fenced ? "fenced" : "conflict");
        for (const auto seq : c.consumed) text += ", takes message " + std::to_string(seq);
        for (const auto& a : c.agents) text += ", agent " + a.agent + "/" + a.key + " at revision " + std::to_string(a.revision);
        return text;
    });
}

void simulated_engine::start(lane& l, std::function<void()> body) {
    l.body = std::make_unique<fiber>(std::move(body));
    l.is_cut = false;
    go_on(l);
}

void simulated_engine::go_on(lane& l) {
    current_ = &l;
    l.body->resume();
    current_ = nullptr;
    if (l.body->has_ended()) l.body.reset();
}

bool simulated_engine::has_to_write() const {
    if (commits_.is_busy() || !waiting_.empty() || !beats_.empty()) return true;
    const auto held = commits_.next_held();
    return held && std::chrono::duration_cast<milliseconds>(held->time_since_epoch()) <= ticks();
}

/// journal::run(), a round.
void simulated_engine::write_some() {
    if (!commits_.is_busy()) {
        runtime::group_commit::batch taken;
        while (!waiting_.empty() && taken.size() < most_in_a_batch) {
            taken.push_back(std::move(waiting_.front()));
            waiting_.erase(waiting_.begin());
        }
        std::vector<store::heartbeat_row> beats;
        for (auto& [call, row] : beats_) beats.push_back(std::move(row));
        beats_.clear();
        commits_.give(std::move(taken), std::move(beats));
    }
    const auto pause = commits_.advance();
    lanes_[journal].again_at = here(pause);
}

/// reader::run(), a try.
void simulated_engine::read(lane& l) {
    std::optional<store::store_error> error;
    if (!l.connection) {
        auto made = database_->connect();
        if (made) {
            l.connection = std::move(*made);
        } else {
            error = made.error();
        }
    }
    if (l.connection) error = l.job(*l.connection);
    if (error && (!l.connection || is_transient(*error))) {
        l.again_at = here(trouble_.failed(*error));
        return;
    }
    if (!error) trouble_.passed();
    l.job = nullptr;
}

/// serve_command.cpp: as many shards as is its share.
void simulated_engine::balance(lane& l) {
    if (!l.connection) {
        auto made = database_->connect();
        if (!made) return;
        l.connection = std::move(*made);
    }
    const auto engines = l.connection->serve(options_.owner, options_.lease_ttl);
    if (!engines) return;
    on_core([this, n = *engines] { host_->heart().set_engines(n); });
    const auto share = (among_.options_.shards + *engines - 1) / *engines;
    const auto owned = host_->owned().size();
    if (owned < share) {
        (void)host_->own(*l.connection, {}, share - owned);
    } else if (owned > share) {
        // Both outlive this call, whatever becomes of it.
        const auto given = std::make_shared<std::optional<std::vector<store::lease>>>();
        on_core([this, given, most = owned - share] { *given = host_->let_go(most); });
        while (!*given) {
            if (dying_) return;
            l.where = whereabouts::to_process;
            l.ready_at = among_.time_;
            fiber::pause();
        }
        std::vector<shard_id> shards;
        for (const auto& lease : **given) shards.push_back(lease.shard);
        (void)l.connection->release_shards(options_.owner, shards);
    }
}

std::string simulated_engine::where_it_stands() {
    std::string out = options_.owner + ": " + std::to_string(host_->heart().resident_runs()) + " runs in memory, its clock shows " + to_rfc3339(host_->now());
    if (tick_at_) out += ", looks at its timers at " + to_rfc3339(*tick_at_);
    if (!core_.empty()) out += ", " + std::to_string(core_.size()) + " things for the core";
    if (!jobs_.empty()) out += ", " + std::to_string(jobs_.size()) + " jobs for readers";
    if (has_to_write()) out += ", something to write";
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (lanes_[i].body || lanes_[i].job) out += ", lane " + std::to_string(i) + (lanes_[i].body ? " at work until " + to_rfc3339(lanes_[i].ready_at) : " tries again at " + to_rfc3339(lanes_[i].again_at));
    }
    return out;
}

void simulated_engine::collect(std::vector<std::function<void()>>& possible) {
    const auto now = among_.time_;
    const bool runs = now >= stopped_until_;
    for (auto& l : lanes_) {
        // What has been sent to the store is carried out there, whether the sender stands still or not.
        if (l.body && l.ready_at <= now && (runs || l.where == whereabouts::to_store)) possible.push_back([this, &l] { go_on(l); });
    }
    const auto take = [&](std::multimap<time_point, std::function<void()>>& from) {
        if (from.empty() || from.begin()->first > now) return;
        possible.push_back([&from] {
            auto work = std::move(from.begin()->second);
            from.erase(from.begin());
            work();
        });
    };
    take(tools_outside_);
    if (!runs) return;
    take(tools_here_);
    if (!core_.empty()) {
        possible.push_back([this] {
            auto work = std::move(core_.front());
            core_.pop_front();
            work();
        });
    }
    if (auto& l = lanes_[journal]; !l.body && l.again_at <= now && has_to_write()) possible.push_back([this, &l] { start(l, [this] { write_some(); }); });
    for (auto i = first_reader; i < balancer; ++i) {
        auto& l = lanes_[i];
        if (l.body || l.again_at > now || (!l.job && jobs_.empty())) continue;
        possible.push_back([this, &l] {
            if (!l.job) {
                l.job = std::move(jobs_.front());
                jobs_.pop_front();
            }
            start(l, [this, &l] { read(l); });
        });
    }
    const auto every = [&](time_point& at, milliseconds pause, const std::function<void()>& work) {
        if (at > now) return;
        possible.push_back([this, &at, pause, work] {
            at = here(pause);
            work();
        });
    };
    every(keep_at_, options_.lease_ttl / 3, [this] { host_->keep_leases(); });
    every(poll_at_, options_.poll_interval, [this] { host_->fetch_inbox(); });
    if (auto& l = lanes_[balancer]; !l.body) every(balance_at_, look_around, [this, &l] { start(l, [this, &l] { balance(l); }); });
    if (!rings_.empty() && *rings_.begin() <= now) {
        possible.push_back([this] {
            rings_.erase(rings_.begin());
            host_->fetch_inbox();
        });
    }
    if (tick_at_ && *tick_at_ <= now) {
        possible.push_back([this] {
            tick_at_.reset();
            host_->heart().tick();
        });
    }
}

std::optional<time_point> simulated_engine::next_time() const {
    const auto now = among_.time_;
    std::optional<time_point> next;
    const auto consider = [&](time_point t) {
        if (t > now && (!next || t < *next)) next = t;
    };
    for (const auto& l : lanes_) {
        if (l.body) consider(l.ready_at);
    }
    if (!tools_outside_.empty()) consider(tools_outside_.begin()->first);
    if (now < stopped_until_) {
        consider(stopped_until_);
        return next;
    }
    for (const auto& l : lanes_) {
        if (!l.body) consider(l.again_at);
    }
    if (!tools_here_.empty()) consider(tools_here_.begin()->first);
    for (const auto t : {keep_at_, poll_at_, balance_at_}) consider(t);
    if (!rings_.empty()) consider(*rings_.begin());
    if (tick_at_) consider(*tick_at_);
    if (const auto held = commits_.next_held()) consider(here(std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(held->time_since_epoch()) - ticks())));
    return next;
}

}  // namespace pawl::sim
