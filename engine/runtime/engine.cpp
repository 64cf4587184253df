#include "runtime/engine.hpp"

#include "runtime/core.hpp"
#include "runtime/database_clock.hpp"
#include "runtime/definitions.hpp"
#include "runtime/journal.hpp"
#include "runtime/migration.hpp"
#include "runtime/reader.hpp"
#include "runtime/run_loader.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>

namespace pawl::runtime {
namespace asio = boost::asio;

namespace {

constexpr std::size_t reader_threads = 2;
constexpr std::size_t most_messages_at_once = 1'000;
constexpr std::size_t most_due_at_once = 2'000;
constexpr std::size_t most_runnable_at_once = 2'000;
constexpr std::chrono::seconds last_signs{2};
/// A difference of the clocks that no slow answer explains.
constexpr milliseconds clock_was_set{1'000};

/// The core's io_context, kept alive by work posted to it from threads that outlive the engine.
struct core_thread {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::atomic<bool> open = true;
};

}  // namespace

struct engine::impl final : core_ports {
    impl(std::shared_ptr<store::database> db, std::shared_ptr<const effect_registry> effects, engine_options given)
        : database(std::move(db)), options(std::move(given)) {
        if (options.owner.empty()) options.owner = store::this_process_as_owner();
        thread = std::make_shared<core_thread>();
        heart = std::make_unique<core>(*this, std::move(effects), options);
        due_timer = std::make_unique<asio::steady_timer>(thread->context);
        writer = std::make_unique<journal>(
            database, options.max_batch, [this](auto batch, auto outcomes) { report(std::move(batch), std::move(outcomes)); }, options.log,
            [this](const store::store_error& why) { stand_aside(why); });
        asker = std::make_unique<reader>(database, reader_threads, options.log, [this](const store::store_error& why) { stand_aside(why); });
        loader = std::make_unique<run_loader>(*asker, definitions, loads());
        runner = std::thread([context = thread] { context->context.run(); });
        keeper = std::thread([this] { keep_leases(); });
        listener = std::thread([this] { listen(); });
    }

    // core_ports

    time_point now() override {
        const auto t = clock.now();
        // Small corrections do not turn it back. A database whose own clock was put back is followed: timers must not stand still until it has caught up.
        if (t > last_now || last_now - t > clock_was_set) last_now = t;
        return last_now;
    }

    void commit(store::checkpoint checkpoint) override { writer->write(std::move(checkpoint)); }

    time_point local(time_point of_database) override { return system_clock_source().now() + (of_database - clock.now()); }

    void beat(store::heartbeat_row row) override { writer->beat(std::move(row)); }

    void load(std::string run) override { loader->load(std::move(run)); }

    void load_agent(std::string agent, std::string key, std::function<void(store::store_result<std::optional<store::agent_row>>)> done) override {
        asker->ask([this, agent = std::move(agent), key = std::move(key), done = std::move(done)](store::connection& c) -> std::optional<store::store_error> {
            auto row = c.load_agent(agent, key);
            if (!row && is_transient(row.error())) return row.error();
            on_core([done, row]() mutable { done(std::move(row)); });
            if (!row) return row.error();
            return std::nullopt;
        });
    }

    run_loader::answers loads() {
        return {[this](std::shared_ptr<loaded_run> loaded) { on_core([this, loaded = std::move(loaded)] { heart->loaded(std::move(*loaded)); }); },
                [this](std::string run, problem why, std::shared_ptr<store::run_row> row) {
                    on_core([this, run = std::move(run), why = std::move(why), row = std::move(row)] { heart->load_failed(run, why, row.get()); });
                }};
    }

    void fetch_inbox() override {
        if (fetching.exchange(true)) {
            fetch_again = true;
            return;
        }
        asker->ask([this](store::connection& c) { return fetch(c); });
    }

    void pass_over_inbox(std::int64_t up_to) override { inbox_after = up_to; }

    void fetch_runnable(std::string after) override {
        asker->ask([this, after = std::move(after)](store::connection& c) -> std::optional<store::store_error> {
            auto runs = c.runnable_runs(owned(), after, most_runnable_at_once);
            if (!runs) {
                // Not to be asked again as it is: then nothing of it is known.
                if (!is_transient(runs.error())) on_core([this] { heart->runnable({}, false); });
                return runs.error();
            }
            on_core([this, runs = std::move(*runs)] { heart->runnable(runs, runs.size() == most_runnable_at_once); });
            return std::nullopt;
        });
    }

    void wake_at(time_point t) override {
        const auto wait = std::max(t - now(), milliseconds(0));
        due_timer->expires_after(wait);
        due_timer->async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled) heart->tick();
        });
    }

    void note_unloadable(const store::run_row& row, const std::string& why) override {
        asker->ask([letter = unloadable(row, why)](store::connection& c) -> std::optional<store::store_error> {
            if (auto noted = c.note_dead_letter(letter); noted.has_error()) return noted.error();
            return std::nullopt;
        });
    }

    std::shared_ptr<const flow::workflow> definition(const std::string& digest) override { return definitions.find(digest); }

    std::function<void(std::function<void()>)> poster() override {
        return [context = thread](std::function<void()> work) {
            if (context->open) asio::post(context->context, std::move(work));
        };
    }

    // Threads

    void on_core(std::function<void()> work) {
        if (thread->open) asio::post(thread->context, std::move(work));
    }

    void report(std::vector<store::checkpoint> batch, std::vector<store::checkpoint_outcome> outcomes) {
        on_core([this, batch = std::move(batch), outcomes = std::move(outcomes)] {
            for (std::size_t i = 0; i < batch.size(); ++i) heart->committed(batch[i], outcomes[i]);
            note_quiet();
        });
    }

    /// A newer version has taken over the store, and all leases with it: nothing of what is under way can be committed any more. From any thread.
    void stand_aside(const store::store_error& why) {
        if (aside.exchange(true)) return;
        {
            const std::lock_guard lock(owned_mutex);
            leases.clear();
        }
        on_core([this] { heart->disown(heart->owned()); });
        if (options.superseded) options.superseded(why);
    }

    template <class T>
    store::store_result<T> noticed(store::store_result<T> answer) {
        if (answer.has_error() && answer.error().code == store::store_errc::newer_schema) stand_aside(answer.error());
        return answer;
    }

    /// The definition that a run is to be moved to, so that the core finds it. Without it the core refuses the move and says so.
    void load_target(store::connection& c, const std::string& message) {
        const auto digest = migration_target(message);
        if (digest.empty() || definitions.find(digest)) return;
        if (const auto stored = c.get_definition(digest)) (void)definitions.add(digest, stored->bundle);
    }

    std::optional<store::store_error> fetch(store::connection& c) {
        fetch_again = false;
        const auto held = held_leases();
        const auto shards = shards_of(held);
        const auto failed = [this](const store::store_error& error) -> std::optional<store::store_error> {
            if (!is_transient(error)) fetching = false;
            return error;
        };
        auto entries = c.fetch_inbox(shards, inbox_after, most_messages_at_once);
        if (!entries) return failed(entries.error());
        for (const auto& entry : *entries) {
            if (entry.kind == "migrate") load_target(c, entry.body);
        }
        auto due = c.due_runs(shards, clock.now() + 2 * options.poll_interval, most_due_at_once);
        if (!due) return failed(due.error());
        on_core([this, held, more = entries->size() == most_messages_at_once, entries = std::move(*entries), due = std::move(*due)]() mutable {
            // What was read before a shard went to others and came back may have been consumed by them.
            std::erase_if(entries, [&](const store::inbox_entry& entry) { return !heart->holds({entry.shard, held.at(entry.shard)}); });
            heart->received(std::move(entries), more);
            heart->due(due, due.size() == most_due_at_once);
        });
        fetching = false;  // only now: the core relies on fetches arriving one after the other
        if (fetch_again) fetch_inbox();
        return std::nullopt;
    }

    store::store_result<void> set_clock(store::connection& c) {
        const auto asked = clock.ticks();
        const auto shown = c.now();
        if (!shown) return shown.error();
        const auto wrong = clock.set(*shown, asked);
        if (wrong > clock_was_set || wrong < -clock_was_set) on_core([this] { heart->tick(); });
        return {};
    }

    void listen() {
        std::unique_ptr<store::doorbell> own;
        outage trouble("listener", options.log);
        while (!stopping.is_raised()) {
            if (!own) {
                auto made = database->listen();
                if (!made && made.error().code == store::store_errc::newer_schema) return stand_aside(made.error());
                if (!made) {
                    if (stopping.wait_for(trouble.failed(made.error()))) return;
                    continue;
                }
                own = std::move(*made);
                const std::lock_guard lock(bell_mutex);
                bell = own.get();
                if (stopping.is_raised()) break;
            }
            const auto rang = own->wait(options.poll_interval);
            if (!rang) {
                {
                    const std::lock_guard lock(bell_mutex);
                    bell = nullptr;
                }
                own.reset();
                if (stopping.wait_for(trouble.failed(rang.error()))) return;
                continue;
            }
            trouble.passed();
            fetch_inbox();
        }
        const std::lock_guard lock(bell_mutex);
        bell = nullptr;
    }

    void keep_leases() {
        while (!stopping.wait_for(options.lease_ttl / 3)) {
            // One at a time: a store that is away does not find a heap of them when it comes back.
            if (renewing.exchange(true)) continue;
            asker->ask([this](store::connection& c) -> std::optional<store::store_error> {
                const auto before = held_leases();
                auto held = before.empty() ? store::store_result<std::vector<store::lease>>() : c.renew_leases(options.owner, options.lease_ttl);
                renewing = !held && is_transient(held.error());  // then this job is done again
                if (!held) return held.error();
                (void)set_clock(c);  // not worth an outage of its own: the next round asks again
                std::vector<store::lease> lost;
                for (const auto& [shard, epoch] : before) {
                    if (std::none_of(held->begin(), held->end(), [&](const store::lease& l) { return l.shard == shard && l.epoch == epoch; })) lost.push_back({shard, epoch});
                }
                if (lost.empty()) return std::nullopt;
                if (options.log) options.log("lost the lease of " + std::to_string(lost.size()) + " shard(s); their runs go on elsewhere");
                forget(lost);
                on_core([this, lost] { heart->disown(lost); });
                return std::nullopt;
            });
        }
    }

    using epochs = std::map<shard_id, std::int64_t>;

    epochs held_leases() const {
        const std::lock_guard lock(owned_mutex);
        return leases;
    }

    static std::vector<shard_id> shards_of(const epochs& held) {
        std::vector<shard_id> shards;
        for (const auto& [shard, epoch] : held) shards.push_back(shard);
        return shards;
    }

    std::vector<shard_id> owned() const { return shards_of(held_leases()); }

    /// A shard that has been taken again meanwhile, under another epoch, stays.
    void forget(const std::vector<store::lease>& lost) {
        const std::lock_guard lock(owned_mutex);
        for (const auto& l : lost) {
            if (const auto at = leases.find(l.shard); at != leases.end() && at->second == l.epoch) leases.erase(at);
        }
    }

    store::store_result<store::connection*> front() {
        if (!front_connection) {
            auto made = database->connect();
            if (!made) return made.error();
            front_connection = std::move(*made);
        }
        return front_connection.get();
    }

    store::store_result<std::vector<shard_id>> own(std::vector<shard_id> wanted, std::size_t most) {
        const std::lock_guard lock(front_mutex);
        auto c = front();
        if (!c) return c.error();
        if (auto set = set_clock(**c); !set) return set.error();
        auto held = (*c)->acquire_leases(options.owner, wanted, most, options.lease_ttl);
        if (!held) return held.error();
        std::vector<shard_id> taken;
        for (const auto& l : *held) taken.push_back(l.shard);
        auto runnable = (*c)->runnable_runs(taken, {}, most_runnable_at_once);
        if (!runnable) return runnable.error();
        {
            const std::lock_guard also(owned_mutex);
            for (const auto& l : *held) leases.insert_or_assign(l.shard, l.epoch);
        }
        on_core([this, leases = std::move(*held), runnable = std::move(*runnable)] { heart->own(leases, runnable, runnable.size() == most_runnable_at_once); });
        return taken;
    }

    store::store_result<std::size_t> give_back(std::size_t most) {
        std::promise<std::vector<store::lease>> chosen;
        auto answer = chosen.get_future();
        on_core([&] {
            auto idle = heart->idle_shards();
            if (idle.size() > most) idle.resize(most);
            forget(idle);
            heart->disown(idle);
            chosen.set_value(std::move(idle));
        });
        std::vector<shard_id> given;
        for (const auto& l : answer.get()) given.push_back(l.shard);
        const std::lock_guard lock(front_mutex);
        auto c = front();
        if (!c) return c.error();
        if (auto released = (*c)->release_shards(options.owner, given); !released) return released.error();
        return given.size();
    }

    store::store_result<std::size_t> serve() {
        const std::lock_guard lock(front_mutex);
        auto c = front();
        if (!c) return c.error();
        serving = true;
        const auto engines = (*c)->serve(options.owner, options.lease_ttl);
        if (engines) on_core([this, n = *engines] { heart->set_engines(n); });
        return engines;
    }

    store::store_result<void> submit(store::new_run run, const flow::workflow& w) {
        run.tags.merge(tags_of(w));  // what the run was given itself counts more
        std::unique_lock lock(front_mutex);
        auto c = front();
        if (!c) return c.error();
        auto compiled = definitions.find(w.digest);
        if (!compiled) {
            auto put = put_definitions(**c, w);
            if (!put) return put.error();
            auto added = definitions.add(w.digest, w.bundle);
            if (!added) return store::store_error{store::store_errc::failed, added.error().detail};
            compiled = *added;
        }
        if (run.agent.empty() && owns(run.shard)) {
            // Ours: created by its own first checkpoint, grouped with everything else under way.
            const auto promise = std::make_shared<std::promise<bool>>();
            auto born = promise->get_future();
            lock.unlock();  // others may submit meanwhile: their runs join the same transaction
            on_core([this, run, compiled, promise] { heart->begin(run, compiled, [promise](bool committed) { promise->set_value(committed); }); });
            try {
                if (born.get()) return {};
            } catch (const std::future_error&) {
                return store::store_error{store::store_errc::lost, "The engine stopped before the run was stored."};
            }
            lock.lock();
        }
        auto created = (*c)->create_run(run);
        if (!created && created.error().code != store::store_errc::duplicate) return created.error();
        fetch_inbox();
        return {};
    }

    bool owns(shard_id shard) const {
        const std::lock_guard lock(owned_mutex);
        return leases.contains(shard);
    }

    /// Core thread: tells stop() when the last checkpoint under way has been answered.
    void note_quiet() {
        if (quiet_promise && heart->is_quiet()) {
            quiet_promise->set_value();
            quiet_promise.reset();
        }
    }

    /// Tools that were told to stop may still say how far they came: what they say now need not be done again.
    void hear_last_signs() {
        const auto until = std::chrono::steady_clock::now() + last_signs;
        for (auto pause = std::chrono::milliseconds(1); std::chrono::steady_clock::now() < until; pause = std::min(2 * pause, std::chrono::milliseconds(20))) {
            std::promise<std::size_t> left;
            auto count = left.get_future();
            on_core([&] { left.set_value(heart->beating_calls()); });
            if (count.get() == 0) return;
            std::this_thread::sleep_for(pause);
        }
    }

    void stop() {
        if (stopped) return;
        stopped = true;
        stopping.raise();
        {
            const std::lock_guard lock(bell_mutex);
            if (bell != nullptr) bell->wake();
        }
        keeper.join();
        listener.join();
        std::promise<void> quiet;
        auto is_quiet = quiet.get_future();
        asio::post(thread->context, [this, promise = std::make_shared<std::promise<void>>(std::move(quiet))] {
            heart->stop();
            quiet_promise = promise;
            note_quiet();
        });
        // Commits under way end, unless the store does not answer; then what they held is recovered from the state before them.
        is_quiet.wait_for(std::chrono::seconds(5));
        hear_last_signs();
        writer->stop();
        asker->stop();
        thread->open = false;
        thread->context.stop();
        runner.join();
        heart.reset();
        if (const std::lock_guard lock(front_mutex); front_connection || database) {
            if (auto c = front()) {
                (void)(*c)->release_leases(options.owner);
                if (serving) (void)(*c)->stop_serving(options.owner);
            }
            front_connection.reset();
        }
    }

    std::shared_ptr<store::database> database;
    engine_options options;
    definition_cache definitions;
    std::shared_ptr<core_thread> thread;
    std::unique_ptr<core> heart;
    std::unique_ptr<asio::steady_timer> due_timer;
    std::unique_ptr<journal> writer;
    std::unique_ptr<reader> asker;
    std::unique_ptr<run_loader> loader;
    std::thread runner, keeper, listener;
    stop_flag stopping;
    std::atomic<bool> aside = false;
    bool stopped = false;
    bool serving = false;
    database_clock clock{system_clock_source().now()};
    time_point last_now{};
    std::atomic<std::int64_t> inbox_after = 0;  ///< what comes before it nobody can take now
    std::atomic<bool> fetching = false, fetch_again = false, renewing = false;
    std::mutex bell_mutex;
    store::doorbell* bell = nullptr;
    mutable std::mutex owned_mutex;
    epochs leases;
    std::mutex front_mutex;
    std::unique_ptr<store::connection> front_connection;
    std::shared_ptr<std::promise<void>> quiet_promise;
};

engine::engine(std::shared_ptr<store::database> database, std::shared_ptr<const effect_registry> effects, engine_options options)
    : impl_(std::make_unique<impl>(std::move(database), std::move(effects), std::move(options))) {}

engine::~engine() { stop(); }

store::store_result<std::vector<shard_id>> engine::own(std::vector<shard_id> wanted, std::size_t most) { return impl_->noticed(impl_->own(std::move(wanted), most)); }

store::store_result<std::size_t> engine::give_back(std::size_t most) { return impl_->noticed(impl_->give_back(most)); }

store::store_result<std::size_t> engine::serve() { return impl_->noticed(impl_->serve()); }

store::store_result<void> engine::submit(const store::new_run& run, const flow::workflow& definition) { return impl_->noticed(impl_->submit(run, definition)); }

void engine::wake(std::string run) {
    impl_->on_core([i = impl_.get(), run = std::move(run)] { i->heart->wake(run); });
}

std::vector<shard_id> engine::owned() const { return impl_->owned(); }

void engine::stop() { impl_->stop(); }

engine::statistics engine::counts() const {
    statistics s;
    s.checkpoints = impl_->writer->checkpoints();
    s.transactions = impl_->writer->transactions();
    std::promise<std::pair<std::uint64_t, std::size_t>> asked;
    auto answer = asked.get_future();
    if (!impl_->stopped) {
        impl_->on_core([&] { asked.set_value({impl_->heart->calls_started(), impl_->heart->resident_runs()}); });
        std::tie(s.calls, s.resident_runs) = answer.get();
    }
    return s;
}

}  // namespace pawl::runtime
