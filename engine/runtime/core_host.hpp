// The engine without its threads: a core on a store. What the core asks becomes jobs for readers and checkpoints for a journal; leases, the database's clock and news of the store
// become calls of the core. The same code runs on the engine's threads and in the simulator.
//
// Threads: what core_ports says on the core thread; jobs on a reader's; the others as they are marked. Whatever is posted to the core thread must not outlive the host.
#pragma once

#include "runtime/core.hpp"
#include "runtime/database_clock.hpp"
#include "runtime/definitions.hpp"
#include "runtime/engine.hpp"
#include "runtime/run_loader.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pawl::runtime {

/// Who does the work of a core_host. Any thread, but the core's own requests.
class host_threads {
public:
    virtual ~host_threads() = default;
    /// On the core thread, in the order of the calls.
    virtual void on_core(std::function<void()> work) = 0;
    /// The same for those who may outlive the host; then it is dropped.
    virtual std::function<void(std::function<void()>)> poster() = 0;
    /// On another thread, with a connection to the store; tried again while the store does not answer. Jobs start in order.
    virtual void ask(reader::job job) = 0;
    virtual void write(store::checkpoint checkpoint) = 0;
    virtual void beat(store::heartbeat_row row) = 0;
    /// From the core thread: core::tick() after `wait`. Only the latest request counts.
    virtual void tick_after(milliseconds wait) = 0;
    /// A time of the database on this machine's wall clock.
    virtual time_point local(time_point of_database, time_point now_of_database) = 0;
    /// The same by this process' own passing of time, which nobody sets; nothing where time is not that of this process.
    virtual std::optional<std::chrono::steady_clock::time_point> steady(time_point /*of_database*/, time_point /*now_of_database*/) { return std::nullopt; }
};

class core_host final : public core_ports {
public:
    using epochs = std::map<shard_id, std::int64_t>;

    /// `options` outlive the host, and hold the owner's name. `first`: what the database's clock is taken to show before anybody has asked it.
    core_host(host_threads& threads, std::shared_ptr<const effect_registry> effects, const engine_options& options, time_point first, database_clock::ticker ticks = &database_clock::since_boot);
    ~core_host() override;

    core& heart() noexcept { return *heart_; }  ///< core thread
    void end() { heart_.reset(); }              ///< when no thread works for the core any more
    definition_cache& definitions() noexcept { return definitions_; }

    // Any thread.
    std::vector<shard_id> owned() const;
    bool owns(shard_id shard) const;
    /// What a journal wrote.
    void report(std::vector<store::checkpoint> batch, std::vector<store::checkpoint_outcome> outcomes, std::function<void()> then);
    /// A newer version has taken over the store, and all leases with it: nothing of what is under way can be committed any more.
    void stand_aside(const store::store_error& why);
    /// Asks for a renewal of what is held; one at a time, so that a store that is away does not find a heap of them when it comes back. To be called every third of a lease's time.
    void keep_leases();

    // One thread at a time, with a connection of its own.
    /// engine::own()
    store::store_result<std::vector<shard_id>> own(store::connection& c, std::vector<shard_id> wanted, std::size_t most);
    /// Shards in which nothing is under way leave the core at once, at most so many: they may be released in the store. Core thread.
    std::vector<store::lease> let_go(std::size_t most);

    // core_ports
    time_point now() override;
    time_point local(time_point of_database) override { return threads_.local(of_database, clock_.now()); }
    std::optional<std::chrono::steady_clock::time_point> steady(time_point of_database) override { return threads_.steady(of_database, clock_.now()); }
    void commit(store::checkpoint checkpoint) override { threads_.write(std::move(checkpoint)); }
    void beat(store::heartbeat_row row) override { threads_.beat(std::move(row)); }
    void load(std::string run) override { loader_.load(std::move(run)); }
    void load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) override;
    void fetch_inbox() override;  ///< any thread: also at every ring of the store's doorbell, and now and then without one
    void pass_over_inbox(std::int64_t up_to) override { inbox_after_ = up_to; }
    void fetch_runnable(std::string after) override;
    void wake_at(time_point t) override;
    void note_unloadable(const store::run_row& row, const std::string& why) override;
    std::shared_ptr<const flow::workflow> definition(const std::string& digest) override { return definitions_.find(digest); }
    std::function<void(std::function<void()>)> poster() override { return threads_.poster(); }

private:
    run_loader::answers loads();
    std::optional<store::store_error> renew(store::connection& c);
    std::optional<store::store_error> fetch(store::connection& c);
    void load_target(store::connection& c, const std::string& message);
    store::store_result<void> set_clock(store::connection& c);
    epochs held_leases() const;
    void forget(const std::vector<store::lease>& lost);
    void adopt(store::connection& c, const std::vector<store::lease>& held);

    host_threads& threads_;
    const engine_options& options_;
    definition_cache definitions_;
    database_clock clock_;
    time_point last_now_{};
    std::atomic<bool> aside_ = false;
    std::atomic<std::int64_t> inbox_after_ = 0;  ///< what comes before it nobody can take now
    std::atomic<bool> fetching_ = false, fetch_again_ = false, renewing_ = false;
    mutable std::mutex mutex_;
    epochs leases_;
    epochs strangers_;  ///< one renewal at a time: leases that the store says are ours, and that we do not know of
    run_loader loader_;
    std::unique_ptr<core> heart_;
};

}  // namespace pawl::runtime
