#include "runtime/core_host.hpp"

#include "runtime/migration.hpp"

#include <algorithm>
#include <utility>

namespace pawl::runtime {
namespace {

constexpr std::size_t most_messages_at_once = 1'000;
constexpr std::size_t most_due_at_once = 2'000;
constexpr std::size_t most_runnable_at_once = 2'000;
/// A difference of the clocks that no slow answer explains.
constexpr milliseconds clock_was_set{1'000};

std::vector<shard_id> shards_of(const core_host::epochs& held) {
    std::vector<shard_id> shards;
    for (const auto& [shard, epoch] : held) shards.push_back(shard);
    return shards;
}

}  // namespace

core_host::core_host(host_threads& threads, std::shared_ptr<const effect_registry> effects, const engine_options& options, time_point first, database_clock::ticker ticks)
    : threads_(threads), options_(options), clock_(first, std::move(ticks)), loader_([this](reader::job job) { threads_.ask(std::move(job)); }, definitions_, loads()),
      heart_(std::make_unique<core>(*this, std::move(effects), options)) {}

core_host::~core_host() = default;

time_point core_host::now() {
    const auto t = clock_.now();
    // Small corrections do not turn it back. A database whose own clock_ was put back is followed: timers must not stand still until it has caught up.
    if (t > last_now_ || last_now_ - t > clock_was_set) last_now_ = t;
    return last_now_;
}

void core_host::load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) {
    threads_.ask([this, agent = std::move(agent), key = std::move(key), done = std::move(done)](store::connection& c) -> std::optional<store::store_error> {
        auto row = c.load_agent(agent, key);
        if (!row && is_transient(row.error())) return row.error();
        threads_.on_core([done, row]() mutable { done(std::move(row)); });
        if (!row) return row.error();
        return std::nullopt;
    });
}

run_loader::answers core_host::loads() {
    return {[this](std::shared_ptr<loaded_run> loaded) { threads_.on_core([this, loaded = std::move(loaded)] { heart_->loaded(std::move(*loaded)); }); },
            [this](std::string run, problem why, std::shared_ptr<store::run_row> row) {
                threads_.on_core([this, run = std::move(run), why = std::move(why), row = std::move(row)] { heart_->load_failed(run, why, row.get()); });
            }};
}

void core_host::fetch_inbox() {
    if (fetching_.exchange(true)) {
        fetch_again_ = true;
        return;
    }
    threads_.ask([this](store::connection& c) { return fetch(c); });
}

void core_host::fetch_runnable(std::string after) {
    threads_.ask([this, after = std::move(after)](store::connection& c) -> std::optional<store::store_error> {
        auto runs = c.runnable_runs(owned(), after, most_runnable_at_once);
        if (!runs) {
            // Not to be asked again as it is: then nothing of it is known.
            if (!is_transient(runs.error())) threads_.on_core([this] { heart_->runnable({}, false); });
            return runs.error();
        }
        threads_.on_core([this, runs = std::move(*runs)] { heart_->runnable(runs, runs.size() == most_runnable_at_once); });
        return std::nullopt;
    });
}

void core_host::wake_at(time_point t) { threads_.tick_after(std::max(t - now(), milliseconds(0))); }

void core_host::note_unloadable(const store::run_row& row, const std::string& why) {
    threads_.ask([letter = unloadable(row, why)](store::connection& c) -> std::optional<store::store_error> {
        if (auto noted = c.note_dead_letter(letter); noted.has_error()) return noted.error();
        return std::nullopt;
    });
}

void core_host::report(std::vector<store::checkpoint> batch, std::vector<store::checkpoint_outcome> outcomes, std::function<void()> then) {
    threads_.on_core([this, batch = std::move(batch), outcomes = std::move(outcomes), then = std::move(then)] {
        for (std::size_t i = 0; i < batch.size(); ++i) heart_->committed(batch[i], outcomes[i]);
        then();
    });
}

void core_host::stand_aside(const store::store_error& why) {
    if (aside_.exchange(true)) return;
    {
        const std::lock_guard lock(mutex_);
        leases_.clear();
    }
    threads_.on_core([this] { heart_->disown(heart_->owned()); });
    if (options_.superseded) options_.superseded(why);
}

/// The definition that a run is to be moved to, so that the core finds it. Without it the core refuses the move and says so.
void core_host::load_target(store::connection& c, const std::string& message) {
    const auto digest = migration_target(message);
    if (digest.empty() || definitions_.find(digest)) return;
    if (const auto stored = c.get_definition(digest)) (void)definitions_.add(digest, stored->bundle);
}

std::optional<store::store_error> core_host::fetch(store::connection& c) {
    fetch_again_ = false;
    const auto held = held_leases();
    const auto shards = shards_of(held);
    const auto failed = [this](const store::store_error& error) -> std::optional<store::store_error> {
        if (!is_transient(error)) fetching_ = false;
        return error;
    };
    auto entries = c.fetch_inbox(shards, inbox_after_, most_messages_at_once);
    if (!entries) return failed(entries.error());
    for (const auto& entry : *entries) {
        if (entry.kind == "migrate") load_target(c, entry.body);
    }
    auto due = c.due_runs(shards, clock_.now() + 2 * options_.poll_interval, most_due_at_once);
    if (!due) return failed(due.error());
    threads_.on_core([this, held, more = entries->size() == most_messages_at_once, entries = std::move(*entries), due = std::move(*due)]() mutable {
        // What was read before a shard went to others and came back may have been consumed by them.
        std::erase_if(entries, [&](const store::inbox_entry& entry) { return !heart_->holds({entry.shard, held.at(entry.shard)}); });
        heart_->received(std::move(entries), more);
        heart_->due(due, due.size() == most_due_at_once);
    });
    fetching_ = false;  // only now: the core relies on fetches arriving one after the other
    if (fetch_again_) fetch_inbox();
    return std::nullopt;
}

store::store_result<void> core_host::set_clock(store::connection& c) {
    const auto asked = clock_.ticks();
    const auto shown = c.now();
    if (!shown) return shown.error();
    const auto wrong = clock_.set(*shown, asked);
    if (wrong > clock_was_set || wrong < -clock_was_set) threads_.on_core([this] { heart_->tick(); });
    return {};
}

void core_host::keep_leases() {
    if (renewing_.exchange(true)) return;
    threads_.ask([this](store::connection& c) { return renew(c); });
}

std::optional<store::store_error> core_host::renew(store::connection& c) {
    const auto before = held_leases();
    auto held = before.empty() ? store::store_result<std::vector<store::lease>>() : c.renew_leases(options_.owner, options_.lease_ttl);
    renewing_ = !held && is_transient(held.error());  // then this job is done again
    if (!held) return held.error();
    (void)set_clock(c);  // not worth an outage of its own: the next round asks again
    adopt(c, *held);
    std::vector<store::lease> lost;
    for (const auto& [shard, epoch] : before) {
        if (std::none_of(held->begin(), held->end(), [&](const store::lease& l) { return l.shard == shard && l.epoch == epoch; })) lost.push_back({shard, epoch});
    }
    if (lost.empty()) return std::nullopt;
    if (options_.log) options_.log("lost the lease of " + std::to_string(lost.size()) + " shard(s); their runs go on elsewhere");
    forget(lost);
    threads_.on_core([this, lost] { heart_->disown(lost); });
    return std::nullopt;
}

/// The store gave us a lease, or did not hear that we let one go, and the connection was lost before we knew: every renewal would keep it from all others, and nobody would drive its runs.
/// What is unknown for two rounds in a row is nobody's who is just about to say so.
void core_host::adopt(store::connection& c, const std::vector<store::lease>& held) {
    const auto known = held_leases();
    const auto before = std::exchange(strangers_, {});
    std::vector<shard_id> ours;
    for (const auto& [shard, epoch] : held) {
        if (known.contains(shard)) continue;
        const auto at = before.find(shard);
        if (at != before.end() && at->second == epoch) {
            ours.push_back(shard);
        } else {
            strangers_.emplace(shard, epoch);
        }
    }
    if (!ours.empty()) (void)own(c, std::move(ours), 0);  // when it fails, they are strangers again
}

core_host::epochs core_host::held_leases() const {
    const std::lock_guard lock(mutex_);
    return leases_;
}

std::vector<shard_id> core_host::owned() const { return shards_of(held_leases()); }

bool core_host::owns(shard_id shard) const {
    const std::lock_guard lock(mutex_);
    return leases_.contains(shard);
}

/// A shard that has been taken again meanwhile, under another epoch, stays.
void core_host::forget(const std::vector<store::lease>& lost) {
    const std::lock_guard lock(mutex_);
    for (const auto& l : lost) {
        if (const auto at = leases_.find(l.shard); at != leases_.end() && at->second == l.epoch) leases_.erase(at);
    }
}

store::store_result<std::vector<shard_id>> core_host::own(store::connection& c, std::vector<shard_id> wanted, std::size_t most) {
    if (auto set = set_clock(c); !set) return set.error();
    auto held = c.acquire_leases(options_.owner, wanted, most, options_.lease_ttl);
    if (!held) return held.error();
    std::vector<shard_id> taken;
    for (const auto& l : *held) taken.push_back(l.shard);
    auto runnable = c.runnable_runs(taken, {}, most_runnable_at_once);
    if (!runnable) return runnable.error();
    {
        const std::lock_guard lock(mutex_);
        for (const auto& l : *held) leases_.insert_or_assign(l.shard, l.epoch);
    }
    threads_.on_core([this, leases = std::move(*held), runnable = std::move(*runnable)] { heart_->own(leases, runnable, runnable.size() == most_runnable_at_once); });
    return taken;
}

std::vector<store::lease> core_host::let_go(std::size_t most) {
    auto idle = heart_->idle_shards();
    if (idle.size() > most) idle.resize(most);
    forget(idle);
    heart_->disown(idle);
    return idle;
}

}  // namespace pawl::runtime
