// bench_waiting --store URL [--runs 1000000] [--due 10000]
//
// One run that waits, copied in the store as often as asked; `due` of the copies fall due at the same moment. Prints one JSON line: how long an engine takes to own all
// shards, its resident memory, and how late the due runs end. Use an empty store: what it holds is kept.
#include "flow/compile.hpp"
#include "runtime/engine.hpp"
#include "store/soci_database.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>

using namespace pawl;

namespace {

using steady = std::chrono::steady_clock;

constexpr const char* flow_text = R"(document: { dsl: '1.0.3', namespace: bench, name: waiting, version: '1.0.0' }
do:
  - sleep: { wait: { days: 300 } }
  - done: { set: { awake: true } }
)";

struct settings {
    std::string store;
    std::int64_t runs = 1'000'000;
    std::int64_t due = 10'000;
};

double seconds_since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

double resident_mib() {
    std::ifstream in("/proc/self/statm");
    long total = 0, resident = 0;
    in >> total >> resident;
    return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

std::int64_t now_ms() { return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// Ends of runs, and how late they came.
struct ends {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::int64_t> at;
    bool waits = false;

    void operator()(const runtime::run_event& event) {
        const std::lock_guard lock(mutex);
        if (event.what == runtime::run_event::kind::finished) at.push_back(now_ms());
        if (event.what == runtime::run_event::kind::waiting) waits = true;
        changed.notify_all();
    }
};

std::string make_template(std::shared_ptr<store::database> database, std::shared_ptr<const flow::workflow> workflow) {
    ends seen;
    runtime::engine_options options;
    options.listener = [&](const runtime::run_event& e) { seen(e); };
    runtime::engine engine(std::move(database), std::make_shared<runtime::effect_registry>(), options);
    const auto owned = engine.own({0}, 1);
    if (!owned || owned->empty()) throw std::runtime_error("shard 0 cannot be owned");
    store::new_run run;
    run.id = new_uuid7();
    run.definition = workflow->digest;
    run.workflow = "bench/waiting:1.0.0";
    run.input = "{}";
    if (!engine.submit(run, *workflow)) throw std::runtime_error("the template cannot be submitted");
    std::unique_lock lock(seen.mutex);
    seen.changed.wait(lock, [&] { return seen.waits; });
    return run.id;
}

/// Runs statements with the database's own tools: this is no business of the store's interface.
void execute(const std::string& url, const std::string& statements) {
    if (url.starts_with("sqlite:")) {
        sqlite3* raw = nullptr;
        const int opened = sqlite3_open(url.substr(7).c_str(), &raw);
        const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(raw, sqlite3_close);
        if (opened != SQLITE_OK || sqlite3_exec(db.get(), statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db.get()));
        return;
    }
    const std::unique_ptr<FILE, int (*)(FILE*)> psql(popen(("PATH=$PATH:/usr/lib/postgresql/15/bin psql -q -X -v ON_ERROR_STOP=1 -d '" + url + "'").c_str(), "w"), pclose);
    if (!psql || std::fputs(("set search_path = pawl;\n" + statements + "\n").c_str(), psql.get()) < 0) throw std::runtime_error("psql does not start");
}

/// Copies of the template: id prefix-0000001 and so on, over all shards.
std::string copies(bool sqlite, const std::string& id, const std::string& prefix, std::int64_t count, std::uint32_t shards, std::int64_t due_at) {
    const auto number = std::to_string(count), due = std::to_string(due_at);
    const auto series = sqlite ? "(with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < " + number + ") select i from n) n"
                               : "generate_series(0, " + number + " - 1) n(i)";
    const std::string name = sqlite ? "printf('" + prefix + "-%07d', n.i)" : "'" + prefix + "-' || lpad(n.i::text, 7, '0')";
    const auto shard = "n.i % " + std::to_string(shards);
    return "insert into runs (shard, id, definition, workflow, agent, agent_key, environment, project, input, created_at) select " + shard + ", " + name +
           ", r.definition, r.workflow, '', '', '', '', '{}', r.created_at from " + series + ", runs r where r.id = '" + id + "';\n" +
           "insert into run_states (shard, run, revision, status, due_at, state, output, error, updated_at) select " + shard + ", " + name +
           ", s.revision, s.status, " + due + ", replace(s.state, cast(s.due_at as text), '" + due + "'), '', '', s.updated_at from " + series +
           ", run_states s where s.run = '" + id + "';\n";
}

int measure(const settings& s) {
    flow::compile_options compiling;
    compiling.file = "bench.yaml";
    const auto compiled = flow::compile(flow_text, compiling);
    if (!compiled.compiled) return 1;
    auto database = store::open_database(s.store);
    if (!database) throw std::runtime_error(database.error().detail);
    const auto id = make_template(*database, compiled.compiled);
    const auto shards = (*database)->shard_count();
    const bool sqlite = s.store.starts_with("sqlite:");
    const auto copying = steady::now();
    const std::int64_t far = now_ms() + 300LL * 24 * 3600 * 1000;
    execute(s.store, "begin;\n" + copies(sqlite, id, "idle", s.runs - s.due, shards, far) + "commit;\nanalyze;\n");
    const auto due_at = now_ms() + 8'000;
    execute(s.store, "begin;\n" + copies(sqlite, id, "due", s.due, shards, due_at) + "commit;\n");
    std::fprintf(stderr, "%lld runs made in %.1f s\n", static_cast<long long>(s.runs), seconds_since(copying));

    ends seen;
    const double before = resident_mib();
    runtime::engine_options options;
    options.listener = [&](const runtime::run_event& e) { seen(e); };
    options.log = [](std::string_view sentence) { std::cerr << sentence << "\n"; };
    runtime::engine engine(*database, std::make_shared<runtime::effect_registry>(), options);
    const auto owning = steady::now();
    const auto owned = engine.own({}, shards);
    const double own_seconds = seconds_since(owning);
    if (!owned || owned->size() != shards) throw std::runtime_error("not all shards could be owned");
    double idle = 0;
    {
        std::unique_lock lock(seen.mutex);
        seen.changed.wait_for(lock, std::chrono::seconds(2), [&] { return !seen.at.empty(); });
        idle = resident_mib();  // what it keeps of a million runs that wait
        seen.changed.wait_for(lock, std::chrono::seconds(300), [&] { return static_cast<std::int64_t>(seen.at.size()) >= s.due; });
    }
    const double after = resident_mib();
    engine.stop();
    std::sort(seen.at.begin(), seen.at.end());
    const auto late = [&](double p) { return seen.at.empty() ? -1.0 : static_cast<double>(seen.at[static_cast<std::size_t>(p * static_cast<double>(seen.at.size() - 1))] - due_at) / 1000.0; };
    std::printf("{\"what\":\"waiting\",\"store\":\"%s\",\"runs\":%lld,\"ownSeconds\":%.2f,\"residentMiBBefore\":%.1f,\"residentMiBIdle\":%.1f,\"residentMiBAfterDue\":%.1f,"
                "\"due\":%lld,\"ended\":%zu,\"lateSecondsFirst\":%.2f,\"lateSecondsP50\":%.2f,\"lateSecondsLast\":%.2f}\n",
                sqlite ? "sqlite" : "postgresql", static_cast<long long>(s.runs), own_seconds, before, idle, after, static_cast<long long>(s.due), seen.at.size(), late(0), late(0.5), late(1));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    settings s;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--store") s.store = argv[i + 1];
        if (name == "--runs") s.runs = std::max(2LL, std::atoll(argv[i + 1]));
        if (name == "--due") s.due = std::max(1LL, std::atoll(argv[i + 1]));
    }
    if (s.store.empty() || s.due >= s.runs) {
        std::cerr << "usage: bench_waiting --store sqlite:FILE|postgresql://... [--runs 1000000] [--due 10000]\n";
        return 1;
    }
    try {
        return measure(s);
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
