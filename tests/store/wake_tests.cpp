// What wakes runs costs what is awake, never what waits: every question that an engine asks when it is woken reads as much beside forty thousand waiting runs as beside two thousand.
#include "stores.hpp"

#include <sqlite3.h>

#include <atomic>
#include <functional>

using namespace store_tests;

namespace {

constexpr int few = 2'000, many = 40'000;

std::vector<shard_id> all_shards(const database& db) {
    std::vector<shard_id> shards(db.shard_count());
    for (shard_id i = 0; i < shards.size(); ++i) shards[i] = i;
    return shards;
}

/// Work of SQLite: instructions of its machine, of every statement that ended.
class sqlite_meter {
public:
    explicit sqlite_meter(const std::string&) {
        total = 0;
        sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch));
    }
    ~sqlite_meter() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch)); }
    sqlite_meter(const sqlite_meter&) = delete;
    std::int64_t read() const { return total; }

private:
    static int watch(sqlite3* db, char**, const void*) { return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, &count, nullptr); }
    static int count(unsigned, void*, void* statement, void*) {
        total += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
        return 0;
    }
    static inline std::atomic<std::int64_t> total = 0;
};

/// Work of PostgreSQL: pages of tables and indexes that were looked at. A server process reports them when it ends.
class postgresql_meter {
public:
    explicit postgresql_meter(std::string url) : url_(std::move(url)), others_(processes()), before_(pages()) {}
    std::int64_t read() const {
        BOOST_TEST_REQUIRE(eventually([&] { return processes() == others_; }));
        return pages() - before_;
    }

private:
    std::int64_t number(const std::string& sql) const { return std::stoll(test::psql(url_, sql)); }
    std::int64_t processes() const { return number("select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"); }
    std::int64_t pages() const {
        return number("select coalesce(sum(coalesce(heap_blks_read, 0) + coalesce(heap_blks_hit, 0) + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0)), 0) from pg_statio_user_tables");
    }

    std::string url_;
    std::int64_t others_, before_;
};

void execute(const sqlite_store& at, const std::string& sql) {
    sqlite3* db = nullptr;
    BOOST_TEST_REQUIRE(sqlite3_open(at.url.substr(7).c_str(), &db) == SQLITE_OK);
    BOOST_TEST(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(db));
    sqlite3_close(db);
}
void execute(const postgresql_store& at, const std::string& sql) { test::psql(at.url, "set search_path = pawl; " + sql); }

/// Nobody but the one who asks reads the tables: the pages that autovacuum looks at would count too.
void leave_alone(const sqlite_store&) {}
void leave_alone(const postgresql_store& at) {
    execute(at, "do $$ declare t text; begin for t in select tablename from pg_tables where schemaname = 'pawl' loop"
                " execute format('alter table pawl.%I set (autovacuum_enabled = false)', t); end loop; end $$");
}

std::string series(const sqlite_store&, int count) { return "(with recursive n(i) as (select 1 union all select i + 1 from n where i < " + std::to_string(count) + ") select i from n) n"; }
std::string series(const postgresql_store&, int count) { return "generate_series(1, " + std::to_string(count) + ") n(i)"; }

/// Runs that wait for a timer far away and for an event that does not come, with a long past: messages consumed, events delivered.
template <class Kind>
void add_waiting(const opened<Kind>& s, int count) {
    const auto rows = " from " + series(s.at, count);
    const std::string id = "'w-' || cast(n.i as text)", shard = "n.i % 64";
    execute(s.at, "insert into runs (shard, id, definition, workflow, agent, agent_key, environment, project, input, created_at) select " + shard + ", " + id +
                      ", 'd1', 'default/hello:1.0.0', '', '', '', '', '{}', 0" + rows +
                      "; insert into run_states (shard, run, revision, status, due_at, state, output, error, updated_at) select " + shard + ", " + id +
                      ", 1, 'waiting', 9000000000000, '{}', '', '', 0" + rows + "; insert into subscriptions (shard, run, type) select " + shard + ", " + id + ", 'never'" + rows +
                      "; insert into inbox (shard, run, kind, source, id, body, received_at, consumed_at) select " + shard + ", " + id + ", 'event', 'before', cast(n.i as text), '', 0, 1" + rows +
                      "; insert into outbox (shard, run, id, type, body, created_at, delivered_at) select " + shard + ", " + id + ", cast(n.i as text), 'before', '', 0, 1" + rows + ";");
}

/// One run that is due, listens, has a message and has emitted an event.
template <class Kind>
void add_awake(opened<Kind>& s) {
    BOOST_TEST_REQUIRE(s.c->create_run(s.run("awake", 5)).has_value());
    auto k = s.step("awake", 0, 5);
    k.status = run_status::waiting;
    k.due_at = time_point(milliseconds(1));
    k.subscribed = {"wanted"};
    k.events.push_back({"e1", "told", "{}", {}});
    BOOST_TEST_REQUIRE((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST_REQUIRE(s.c->post({5, "awake", "approval", "cli", "1", "{}"}).value());
}

using question = std::function<void(connection&)>;

template <class Kind>
std::map<std::string, question> questions(const opened<Kind>& s, std::int64_t revision) {
    const auto shards = all_shards(*s.db);
    const auto now = time_point(milliseconds(5'000'000'000'000));
    return {{"what is due", [=](connection& c) { BOOST_TEST(c.due_runs(shards, now, 100).value().size() == 1u); }},
            {"when something is due", [=](connection& c) { BOOST_TEST(c.next_due(shards).value().has_value()); }},
            {"messages", [=](connection& c) { BOOST_TEST(!c.fetch_inbox(shards, 0, 100).value().empty()); }},
            {"what can run", [=](connection& c) { BOOST_TEST(c.runnable_runs(shards, {}, 100).value().empty()); }},
            {"events to deliver", [=](connection& c) { BOOST_TEST(!c.undelivered(shards, 0, 100).value().empty()); }},
            {"an event for those that listen",
             [revision](connection& c) {
                 const published_event event{"test", "p" + std::to_string(revision), "wanted", "{}"};
                 BOOST_TEST(c.publish({&event, 1}).value().size() == 1u);
             }},
            {"the run", [](connection& c) { BOOST_TEST(c.load_run("awake").has_value()); }},
            {"runs that woke together", [](connection& c) { BOOST_TEST(c.load_runs(std::vector<std::string>{"awake", "w-7", "gone", "w-8", "w-1999"}).value().size() == 4u); }},
            {"its checkpoint", [&s, revision](connection& c) {
                 auto k = s.step("awake", revision, 5);
                 k.status = run_status::waiting;
                 k.due_at = time_point(milliseconds(1));
                 BOOST_TEST((c.commit({&k, 1}).value().at(0) == checkpoint_outcome::committed));
             }}};
}

/// By question, what it costs a connection of its own.
template <class Meter, class Kind>
std::map<std::string, std::int64_t> costs(const opened<Kind>& s, std::int64_t revision) {
    std::map<std::string, std::int64_t> out;
    for (const auto& [name, ask] : questions(s, revision)) {
        const Meter meter(s.at.url);
        {
            const auto c = s.db->connect().value();
            ask(*c);
        }
        out[name] = meter.read();
    }
    return out;
}

template <class Meter, class Kind>
void compare() {
    opened<Kind> small, large;
    leave_alone(small.at);
    leave_alone(large.at);
    add_waiting(small, few);
    add_waiting(large, many);
    add_awake(small);
    add_awake(large);
    const auto usual = costs<Meter>(small, 1);
    // Tables of which the database knows nothing yet, and those that it has looked at: often, since what it sees is a sample.
    for (std::int64_t revision = 1; revision <= 5; ++revision) {
        for (const auto& [name, cost] : costs<Meter>(large, revision)) {
            BOOST_TEST(usual.at(name) > 0);
            // By another plan it may look at each shard by itself; a scan would be hundreds of pages.
            BOOST_TEST(cost <= usual.at(name) * 3 / 2 + 2 * large.db->shard_count(), name << " costs " << cost << " beside " << many << " waiting runs, " << usual.at(name) << " beside " << few);
        }
        execute(large.at, "analyze");
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wakes)

BOOST_AUTO_TEST_CASE(a_wake_up_costs_no_scan_on_sqlite) { compare<sqlite_meter, sqlite_store>(); }
BOOST_AUTO_TEST_CASE(a_wake_up_costs_no_scan_on_postgresql) { compare<postgresql_meter, postgresql_store>(); }

BOOST_AUTO_TEST_SUITE_END()
