// bench_age --store URL [--iterations 1000000] [--result-bytes 0]
//
// Does a step cost more when its run is old? One run goes through a loop with one no-op call per iteration; one JSON line for each tenth of it says what its steps cost, in
// order. What grows with age shows as a last tenth slower than the first.
#include "../no_op.hpp"

#include "flow/compile.hpp"
#include "runtime/engine.hpp"
#include "store/soci_database.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>

using namespace pawl;

namespace {

using steady = std::chrono::steady_clock;

struct settings {
    std::string store;
    std::int64_t iterations = 1'000'000;
    std::size_t result_bytes = 0;
};

std::optional<settings> parse(int argc, char** argv) {
    settings s;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i], value = argv[i + 1];
        if (name == "--store") {
            s.store = value;
        } else if (name == "--iterations") {
            s.iterations = std::max(10LL, std::atoll(value.c_str()));
        } else if (name == "--result-bytes") {
            s.result_bytes = static_cast<std::size_t>(std::max(0, std::atoi(value.c_str())));
        } else {
            return std::nullopt;
        }
    }
    if (s.store.empty() || argc % 2 == 0) return std::nullopt;
    return s;
}

std::string flow_of(std::int64_t iterations) {
    return "document: { dsl: '1.0.3', namespace: bench, name: age, version: '1.0.0' }\n"
           "do:\n"
           "  - loop:\n"
           "      for: { each: i, in: '${ [range(" + std::to_string(iterations) + ")] }' }\n"
           "      do:\n"
           "        - step: { call: bench.noop, with: {} }\n";
}

/// Prints each tenth as it ends. Fed on the core thread; main waits for the end.
class clock_of_tenths {
public:
    explicit clock_of_tenths(std::int64_t iterations) : tenth_(iterations / 10) {}

    void operator()(const runtime::run_event& event) {
        if (event.what == runtime::run_event::kind::step_finished && ++steps_ % tenth_ == 0) print();
        if (event.what != runtime::run_event::kind::finished) return;
        const std::lock_guard lock(mutex_);
        status_ = event.status;
        ended_.notify_one();
    }

    run_status wait() {
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [&] { return status_.has_value(); });
        return *status_;
    }

private:
    void print() {
        const auto now = steady::now();
        const double micros = std::chrono::duration<double, std::micro>(now - since_).count() / static_cast<double>(tenth_);
        since_ = now;
        std::printf("{\"what\":\"age\",\"steps\":%lld,\"microsPerStep\":%.1f}\n", static_cast<long long>(steps_), micros);
        std::fflush(stdout);
    }

    const std::int64_t tenth_;
    std::int64_t steps_ = 0;
    steady::time_point since_ = steady::now();
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<run_status> status_;
};

}  // namespace

int main(int argc, char** argv) {
    const auto s = parse(argc, argv);
    if (!s) {
        std::cerr << "usage: bench_age --store sqlite:FILE|postgresql://... [--iterations 1000000] [--result-bytes 0]\n";
        return 1;
    }
    auto tool = std::make_shared<bench::no_op>(s->result_bytes);
    flow::compile_options compiling;
    compiling.file = "bench.yaml";
    compiling.functions = tool->functions();
    const auto compiled = flow::compile(flow_of(s->iterations), compiling);
    if (!compiled.compiled) {
        for (const auto& d : compiled.diagnostics) std::cerr << render(d) << "\n";
        return 1;
    }
    auto database = store::open_database(s->store, {});
    if (!database) {
        std::cerr << "bench_age: " << database.error().detail << "\n";
        return 1;
    }
    auto registry = std::make_shared<runtime::effect_registry>();
    (void)registry->add(tool);
    clock_of_tenths tenths(s->iterations);
    runtime::engine_options options;
    options.listener = [&](const runtime::run_event& e) { tenths(e); };
    runtime::engine engine(*database, registry, options);
    const auto shards = engine.own({}, 1);
    if (!shards || shards->empty()) {
        std::cerr << "bench_age: no shard is free\n";
        return 1;
    }
    store::new_run run;
    run.id = new_uuid7();
    run.shard = shards->front();
    run.definition = compiled.compiled->digest;
    run.workflow = "bench/age:1.0.0";
    run.input = "null";
    if (auto done = engine.submit(run, *compiled.compiled); !done) {
        std::cerr << "bench_age: " << done.error().detail << "\n";
        return 1;
    }
    const auto status = tenths.wait();
    engine.stop();
    if (status != run_status::completed) {
        std::cerr << "bench_age: the run ended as " << to_string(status) << "\n";
        return 1;
    }
    return 0;
}
