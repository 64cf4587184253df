// bench_steps --store URL [--concurrency 1,16,128] [--seconds 5] [--steps 10] [--result-bytes 0] [--no-floor]
//
// Runs of `steps` no-op calls each, `concurrency` at a time, for some seconds. A step counts when its result is durable. Latency is from one durable step of a run to the
// next, that is: call, answer, checkpoint. Prints one JSON line per result, and the floor measured just before it.
#include "floor.hpp"
#include "../no_op.hpp"

#include "flow/compile.hpp"
#include "runtime/engine.hpp"
#include "store/soci_database.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>
#include <unordered_map>

using namespace pawl;

namespace {

using steady = std::chrono::steady_clock;
constexpr int most_submitters = 24;

std::string flow_of(int steps) {
    std::string yaml = "document: { dsl: '1.0.3', namespace: bench, name: steps, version: '1.0.0' }\ndo:\n";
    for (int i = 0; i < steps; ++i) yaml += "  - step" + std::to_string(i) + ": { call: bench.noop, with: {} }\n";
    return yaml;
}

/// Counts durable steps and the time between them. Fed on the core thread; only the end of a run takes a lock that submitters hold, too.
struct meter {
    std::unordered_map<std::string, steady::time_point> last;  ///< core thread's, and main's once the engine has stopped
    std::vector<double> latencies_ms;
    std::atomic<std::uint64_t> steps = 0, finished = 0, faulted = 0;
    std::mutex mutex;
    std::condition_variable ended;

    void operator()(const runtime::run_event& event) {
        const auto now = steady::now();
        if (event.what == runtime::run_event::kind::step_finished) {
            ++steps;
            const auto [at, first] = last.try_emplace(event.run, now);
            if (!first) latencies_ms.push_back(std::chrono::duration<double, std::milli>(now - at->second).count());
            at->second = now;
        } else if (event.what == runtime::run_event::kind::finished) {
            last.erase(event.run);
            if (event.status != run_status::completed) ++faulted;
            const std::lock_guard lock(mutex);
            ++finished;
            ended.notify_one();
        }
    }
};

double percentile(std::vector<double>& sorted, double p) {
    if (sorted.empty()) return 0;
    return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(p * static_cast<double>(sorted.size())))];
}

struct settings {
    std::string store;
    std::vector<int> concurrency{1, 16, 128};
    int seconds = 5;
    int steps = 10;
    std::size_t result_bytes = 0;
    bool floor = true;
};

/// Keeps `concurrency` runs alive until `end`; returns how many were submitted. Submitting blocks until the run is durable, hence several threads.
int keep_busy(meter& m, int concurrency, steady::time_point end, const std::function<void(int)>& submit) {
    std::vector<std::thread> submitters;
    int claimed = 0;
    for (int i = 0; i < std::min(concurrency, most_submitters); ++i) {
        submitters.emplace_back([&] {
            std::unique_lock lock(m.mutex);
            while (steady::now() < end) {
                const bool room = m.ended.wait_until(lock, end, [&] { return claimed - static_cast<int>(m.finished) < concurrency; });
                if (!room) return;
                const int n = ++claimed;
                lock.unlock();
                submit(n);
                lock.lock();
            }
        });
    }
    for (auto& thread : submitters) thread.join();
    return claimed;
}

void measure(const settings& s, int concurrency, const std::shared_ptr<const flow::workflow>& workflow) {
    auto database = store::open_database(s.store, {});
    if (!database) {
        std::cerr << "bench_steps: " << database.error().detail << "\n";
        std::exit(1);
    }
    auto registry = std::make_shared<runtime::effect_registry>();
    (void)registry->add(std::make_shared<bench::no_op>(s.result_bytes));
    meter m;
    runtime::engine_options options;
    options.listener = [&](const runtime::run_event& e) { m(e); };
    options.log = [](std::string_view text) { std::cerr << text << "\n"; };
    runtime::engine engine(*database, registry, options);
    const auto shards = engine.own({}, 8);
    if (!shards || shards->empty()) {
        std::cerr << "bench_steps: no shard is free\n";
        std::exit(1);
    }
    const auto submit = [&](shard_id shard) {
        store::new_run run;
        run.id = new_uuid7();
        run.shard = shard;
        run.definition = workflow->digest;
        run.workflow = "bench/steps:1.0.0";
        run.input = "null";
        if (auto done = engine.submit(run, *workflow); !done) {
            std::cerr << "bench_steps: " << done.error().detail << "\n";
            std::exit(1);
        }
    };
    const auto start = steady::now();
    const auto end = start + std::chrono::seconds(s.seconds);
    const int claimed = keep_busy(m, concurrency, end, [&](int n) { submit((*shards)[static_cast<std::size_t>(n) % shards->size()]); });
    const std::uint64_t steps = m.steps;
    const double elapsed = std::chrono::duration<double>(steady::now() - start).count();
    const auto counts = engine.counts();
    {
        // The next level starts with nothing left over.
        std::unique_lock lock(m.mutex);
        m.ended.wait_for(lock, std::chrono::seconds(30), [&] { return static_cast<int>(m.finished) >= claimed; });
    }
    engine.stop();
    auto& latencies = m.latencies_ms;
    std::sort(latencies.begin(), latencies.end());
    std::printf(
        "{\"what\":\"steps\",\"store\":\"%s\",\"concurrency\":%d,\"seconds\":%.2f,\"stepsPerSecond\":%.0f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,"
        "\"runs\":%llu,\"faulted\":%llu,\"checkpoints\":%llu,\"transactions\":%llu,\"resultBytes\":%zu}\n",
        std::string((*database)->kind()).c_str(), concurrency, elapsed, static_cast<double>(steps) / elapsed, percentile(latencies, 0.5),
        percentile(latencies, 0.99), static_cast<unsigned long long>(m.finished.load()), static_cast<unsigned long long>(m.faulted.load()),
        static_cast<unsigned long long>(counts.checkpoints), static_cast<unsigned long long>(counts.transactions), s.result_bytes);
    std::fflush(stdout);
}

void measure_floor(const settings& s) {
    const auto print = [](const char* store, int clients, const std::optional<bench::floor_result>& r) {
        if (!r) {
            std::printf("{\"what\":\"floor\",\"store\":\"%s\",\"clients\":%d,\"unavailable\":true}\n", store, clients);
        } else {
            std::printf("{\"what\":\"floor\",\"store\":\"%s\",\"clients\":%d,\"commitsPerSecond\":%.0f,\"meanMs\":%.3f}\n", store, clients, r->commits_per_second,
                        r->mean_latency_ms);
        }
        std::fflush(stdout);
    };
    if (s.store.starts_with("sqlite:")) {
        print("sqlite", 1, bench::sqlite_floor(s.store.substr(7), s.seconds));
    } else {
        for (const int clients : {1, 16, 64}) print("postgresql", clients, bench::postgres_floor(s.store, clients, s.seconds));
    }
}

std::optional<settings> parse(int argc, char** argv) {
    settings s;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--no-floor") {
            s.floor = false;
            continue;
        }
        if (i + 1 >= argc) return std::nullopt;
        const std::string value = argv[++i];
        if (name == "--store") {
            s.store = value;
        } else if (name == "--seconds") {
            s.seconds = std::max(1, std::atoi(value.c_str()));
        } else if (name == "--steps") {
            s.steps = std::max(1, std::atoi(value.c_str()));
        } else if (name == "--result-bytes") {
            s.result_bytes = static_cast<std::size_t>(std::max(0, std::atoi(value.c_str())));
        } else if (name == "--concurrency") {
            s.concurrency.clear();
            std::istringstream list(value);
            for (std::string item; std::getline(list, item, ',');) s.concurrency.push_back(std::max(1, std::atoi(item.c_str())));
        } else {
            return std::nullopt;
        }
    }
    if (s.store.empty()) return std::nullopt;
    return s;
}

}  // namespace

int main(int argc, char** argv) {
    const auto s = parse(argc, argv);
    if (!s) {
        std::cerr << "usage: bench_steps --store sqlite:FILE|postgresql://... [--concurrency 1,16,128] [--seconds 5] [--steps 10] [--result-bytes 0] [--no-floor]\n";
        return 1;
    }
    flow::compile_options options;
    options.file = "bench.yaml";
    options.functions = bench::no_op(0).functions();
    const auto compiled = flow::compile(flow_of(s->steps), options);
    if (!compiled.compiled) {
        for (const auto& d : compiled.diagnostics) std::cerr << render(d) << "\n";
        return 1;
    }
    // Before the floor: SQLite then works for both as the store sets it up for the process.
    if (const auto first = store::open_database(s->store, {}); !first) {
        std::cerr << "bench_steps: " << first.error().detail << "\n";
        return 1;
    }
    if (s->floor) measure_floor(*s);
    for (const int concurrency : s->concurrency) measure(*s, concurrency, compiled.compiled);
    return 0;
}
