#include "runtime/engine.hpp"

#include "flow/listens.hpp"
#include "runtime/core_host.hpp"
#include "runtime/journal.hpp"
#include "runtime/reader.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <future>

namespace pawl::runtime {
namespace asio = boost::asio;

namespace {

constexpr std::size_t reader_threads = 2;
constexpr std::chrono::seconds last_signs{2};
/// Nanoseconds do not reach as far as time-outs may.
constexpr milliseconds longest_wait{std::chrono::hours(24 * 365 * 100)};

/// The core's io_context, kept alive by work posted to it from threads that outlive the engine.
struct core_thread {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::atomic<bool> open = true;
};

}  // namespace

struct engine::impl final : host_threads {
    impl(std::shared_ptr<store::database> db, std::shared_ptr<const effect_registry> effects, engine_options given)
        : database(std::move(db)), options(std::move(given)) {
        if (options.owner.empty()) options.owner = store::this_process_as_owner();
        thread = std::make_shared<core_thread>();
        host = std::make_unique<core_host>(*this, std::move(effects), options, system_clock_source().now());
        writer = std::make_unique<journal>(
            database, options.max_batch, [this](auto batch, auto outcomes) { report(std::move(batch), std::move(outcomes)); }, options.log,
            [this](const store::store_error& why) { host->stand_aside(why); });
        asker = std::make_unique<reader>(database, reader_threads, options.log, [this](const store::store_error& why) { host->stand_aside(why); });
        runner = std::thread([this] { run_core(); });
        keeper = std::thread([this] { keep_leases(); });
        listener = std::thread([this] { listen(); });
    }

    void report(std::vector<store::checkpoint> batch, std::vector<store::checkpoint_outcome> outcomes) {
        const bool several = batch.size() > 1;
        host->report(std::move(batch), std::move(outcomes), [this, several] {
            note_quiet();
            // Behind what these runs have brought about at once.
            if (several) on_core([this] { writer->caught_up(); });
        });
    }

    // host_threads

    void on_core(std::function<void()> work) override {
        if (thread->open) asio::post(thread->context, std::move(work));
    }

    std::function<void(std::function<void()>)> poster() override {
        return [context = thread](std::function<void()> work) {
            if (context->open) asio::post(context->context, std::move(work));
        };
    }

    void ask(reader::job job) override { asker->ask(std::move(job)); }

    void write(store::checkpoint checkpoint) override { writer->write(std::move(checkpoint)); }

    void beat(store::heartbeat_row row) override { writer->beat(std::move(row)); }

    void tick_after(milliseconds wait) override { alarm = std::chrono::steady_clock::now() + std::min(wait, longest_wait); }

    time_point local(time_point of_database, time_point now_of_database) override { return system_clock_source().now() + (of_database - now_of_database); }

    /// With an alarm of its own instead of a timer of Asio's: an io_context with timers sleeps in epoll, and is woken from there by two system calls and a lock that is still held by who wakes it.
    void run_core() {
        auto& context = thread->context;
        while (!context.stopped()) {
            if (!alarm) {
                context.run_one();
            } else if (*alarm > std::chrono::steady_clock::now()) {
                context.run_one_until(*alarm);
            } else {
                alarm.reset();
                host->heart().tick();
                context.poll_one();  // an alarm that is due again at once must not keep others waiting
            }
        }
    }

    std::optional<std::chrono::steady_clock::time_point> steady(time_point of_database, time_point now_of_database) override {
        return std::chrono::steady_clock::now() + std::min(of_database - now_of_database, longest_wait);
    }

    template <class T>
    store::store_result<T> noticed(store::store_result<T> answer) {
        if (answer.has_error() && answer.error().code == store::store_errc::newer_schema) host->stand_aside(answer.error());
        return answer;
    }

    void listen() {
        std::unique_ptr<store::doorbell> own;
        outage trouble("listener", options.log);
        while (!stopping.is_raised()) {
            if (!own) {
                auto made = database->listen();
                if (!made && made.error().code == store::store_errc::newer_schema) return host->stand_aside(made.error());
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
            host->fetch_inbox();
        }
        const std::lock_guard lock(bell_mutex);
        bell = nullptr;
    }

    void keep_leases() {
        while (!stopping.wait_for(options.lease_ttl / 3)) host->keep_leases();
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
        return host->own(**c, std::move(wanted), most);
    }

    store::store_result<std::size_t> give_back(std::size_t most) {
        std::promise<std::vector<store::lease>> chosen;
        auto answer = chosen.get_future();
        on_core([&] { chosen.set_value(host->let_go(most)); });
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
        if (engines) on_core([this, n = *engines] { host->heart().set_engines(n); });
        return engines;
    }

    store::store_result<void> submit(store::new_run run, const flow::workflow& w) {
        run.tags.merge(tags_of(w));  // what the run was given itself counts more
        std::unique_lock lock(front_mutex);
        auto c = front();
        if (!c) return c.error();
        auto compiled = host->definitions().find(w.digest);
        if (!compiled) {
            auto put = put_definitions(**c, w);
            if (!put) return put.error();
            auto added = host->definitions().add(w.digest, w.bundle);
            if (!added) return store::store_error{store::store_errc::failed, added.error().detail};
            compiled = *added;
            host->definitions().add_listening(w.runs);
        }
        if (run.agent.empty() && host->owns(run.shard)) {
            // Ours: created by its own first checkpoint, grouped with everything else under way.
            const auto promise = std::make_shared<std::promise<bool>>();
            auto born = promise->get_future();
            lock.unlock();  // others may submit meanwhile: their runs join the same transaction
            on_core([this, run, compiled, promise] { host->heart().begin(run, compiled, [promise](bool committed) { promise->set_value(committed); }); });
            try {
                if (born.get()) return {};
            } catch (const std::future_error&) {
                return store::store_error{store::store_errc::lost, "The engine stopped before the run was stored."};
            }
            lock.lock();
        }
        run.subscribed = flow::heard_types(*compiled);
        auto created = (*c)->create_run(run);
        if (!created && created.error().code != store::store_errc::duplicate) return created.error();
        host->fetch_inbox();
        return {};
    }

    /// Core thread: tells stop() when the last checkpoint under way has been answered.
    void note_quiet() {
        if (quiet_promise && host->heart().is_quiet()) {
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
            on_core([&] { left.set_value(host->heart().beating_calls()); });
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
            host->heart().stop();
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
        host->end();
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
    std::shared_ptr<core_thread> thread;
    std::unique_ptr<core_host> host;
    std::optional<std::chrono::steady_clock::time_point> alarm;  ///< the core thread's
    std::unique_ptr<journal> writer;
    std::unique_ptr<reader> asker;
    std::thread runner, keeper, listener;
    stop_flag stopping;
    bool stopped = false;
    bool serving = false;
    std::mutex bell_mutex;
    store::doorbell* bell = nullptr;
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
    impl_->on_core([i = impl_.get(), run = std::move(run)] { i->host->heart().wake(run); });
}

std::vector<shard_id> engine::owned() const { return impl_->host->owned(); }

void engine::stop() { impl_->stop(); }

engine::statistics engine::counts() const {
    statistics s;
    s.checkpoints = impl_->writer->checkpoints();
    s.transactions = impl_->writer->transactions();
    std::promise<std::pair<std::uint64_t, std::size_t>> asked;
    auto answer = asked.get_future();
    if (!impl_->stopped) {
        impl_->on_core([&] { asked.set_value({impl_->host->heart().calls_started(), impl_->host->heart().resident_runs()}); });
        std::tie(s.calls, s.resident_runs) = answer.get();
    }
    return s;
}

}  // namespace pawl::runtime
