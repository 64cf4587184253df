// Several processes and threads on one store.
#include "stores.hpp"

#include <thread>

#include <sys/wait.h>

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(shared)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_store_keeps_the_shard_count_it_was_made_with, kind, every_store) {
    kind at;
    open_options four;
    four.shard_count = 4;
    BOOST_TEST(open_database(at.url, four).value()->shard_count() == 4u);
    auto again = open_database(at.url).value();
    BOOST_TEST(again->shard_count() == 4u);
    BOOST_TEST(again->connect().value()->acquire_leases("me", {}, 64, milliseconds(1000)).value().size() == 4u);
    open_options none;
    none.shard_count = 0;
    BOOST_TEST((open_database(at.url, none).error().code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_migration_keeps_what_is_stored, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    BOOST_TEST((s.commit_one(s.step("r1", 0)) == checkpoint_outcome::committed));
    open_options options;
    const auto next = built_in_migrations().back().version + 1;
    options.later_migrations = {{next, "alter table runs add column note text not null default 'n'"},
                                {next + 1, "create table notes (id {int} not null primary key){strict}; insert into notes values (1)"}};
    auto migrated = open_database(s.at.url, options).value()->connect().value();
    BOOST_TEST(migrated->load_run("r1").value().revision == 1);
    BOOST_TEST(migrated->create_run(s.run("r2")).has_value());
    BOOST_TEST(open_database(s.at.url, options).has_value());  // and again: nothing to do
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_migration_that_fails_changes_nothing, kind, every_store) {
    opened<kind> s;
    open_options options;
    const auto next = built_in_migrations().back().version + 1;
    options.later_migrations = {{next, "create table extra (x {int}){strict}"}, {next + 1, "this is no SQL"}};
    BOOST_TEST(open_database(s.at.url, options).has_error());
    BOOST_TEST(open_database(s.at.url).has_value());
    options.later_migrations.pop_back();
    BOOST_TEST(open_database(s.at.url, options).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_store_of_every_earlier_version_is_brought_up_to_date, kind, every_store) {
    const auto released = built_in_migrations();
    for (std::size_t i = 0; i < released.size(); ++i) {
        BOOST_TEST(released[i].version == static_cast<int>(i) + 1);
        kind at;
        open_options older;
        older.newest_built_in = released[i].version;
        // This program's other statements know the newest tables only: a definition is what every version stores alike.
        BOOST_TEST(open_database(at.url, older).value()->connect().value()->put_definition({"d", "shop", "order", "1.0.0", "{}"}).has_value());
        auto c = open_database(at.url).value()->connect().value();
        BOOST_TEST(c->get_definition("d").value().name == "order");
        new_run r;
        r.id = "new";
        r.parent = "p";
        BOOST_TEST(c->create_run(r).has_value());
        BOOST_TEST(c->load_run("new").value().parent == "p");
        BOOST_TEST(c->deploy({"shop", "order", "1.0.0", "d", "", "", {}}, false).value());
        const published_event event{"/test", "e1", "t", "{}"};
        BOOST_TEST(c->publish(std::span(&event, 1)).value().empty());
        if (i + 1 < released.size()) BOOST_TEST((open_database(at.url, older).error().code == store_errc::newer_schema));
    }
    // Versions to come, beside those of history.
    const auto next = released.back().version + 1;
    open_options newest;
    newest.later_migrations = {{next, "alter table runs add column note text not null default 'n'"},
                               {next + 1, "create table notes (id {int} not null primary key){strict}"},
                               {next + 2, "insert into notes (id) values (7)"}};
    for (std::size_t known = 0; known <= newest.later_migrations.size(); ++known) {
        kind at;
        open_options older;
        older.later_migrations.assign(newest.later_migrations.begin(), newest.later_migrations.begin() + static_cast<std::ptrdiff_t>(known));
        {
            new_run r;
            r.id = "old";
            BOOST_TEST(open_database(at.url, older).value()->connect().value()->create_run(r).has_value());
        }
        auto c = open_database(at.url, newest).value()->connect().value();
        BOOST_TEST(c->load_run("old").has_value());
        if (known < newest.later_migrations.size()) BOOST_TEST((open_database(at.url, older).error().code == store_errc::newer_schema));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_may_create_the_same_store_at_once, kind, every_store) {
    kind at;
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 6; ++i) {
            threads.emplace_back([&] {
                auto db = open_database(at.url);
                if (db && (*db)->connect()) ++good;
            });
        }
    }
    BOOST_TEST(good == 6);
}

namespace {

/// Drives `count` runs of its own shards through ten checkpoints each. Returns how many checkpoints it committed.
int work(const std::string& url, const std::string& name, int count) {
    auto db = open_database(url);
    if (!db) return -1;
    auto c = (*db)->connect();
    if (!c) return -2;
    const auto leases = (*c)->acquire_leases(name, {}, 8, milliseconds(60'000));
    if (!leases || leases->size() != 8) return -3;
    int done = 0;
    std::vector<checkpoint> batch;
    for (int i = 0; i < count; ++i) {
        new_run r;
        r.id = name + "-" + std::to_string(i);
        r.shard = (*leases)[static_cast<std::size_t>(i) % 8].shard;
        r.definition = "d";
        if (!(*c)->create_run(r)) return -4;
        checkpoint k;
        k.shard = r.shard;
        k.epoch = (*leases)[static_cast<std::size_t>(i) % 8].epoch;
        k.run = r.id;
        k.state = "{}";
        k.steps.resize(1);
        k.steps[0].seq = 1;
        batch.push_back(std::move(k));
    }
    for (int round = 0; round < 10; ++round) {
        const auto outcomes = (*c)->commit(batch);
        if (!outcomes) return -5;
        for (const auto o : *outcomes) done += o == checkpoint_outcome::committed ? 1 : 0;
        for (auto& k : batch) {
            ++k.expected_revision;
            ++k.steps[0].seq;
        }
        if (!(*c)->renew_leases(name, milliseconds(60'000))) return -6;
    }
    return done;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(processes_and_threads_work_side_by_side, kind, every_store) {
    kind at;
    BOOST_REQUIRE(open_database(at.url).has_value());
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
        const auto child = ::fork();
        if (child == 0) ::_exit(work(at.url, "process" + std::to_string(i), 10) == 100 ? 0 : 1);
        children.push_back(child);
    }
    std::array<int, 2> done{};
    {
        std::jthread first([&] { done[0] = work(at.url, "thread0", 10); });
        std::jthread second([&] { done[1] = work(at.url, "thread1", 10); });
    }
    BOOST_TEST(done[0] == 100);
    BOOST_TEST(done[1] == 100);
    for (const auto child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        BOOST_TEST(status == 0);
    }
    auto c = open_database(at.url).value()->connect().value();
    run_filter all;
    all.limit = 1000;
    const auto runs = c->list_runs(all).value();
    BOOST_TEST(runs.size() == 40u);
    for (const auto& r : runs) BOOST_TEST(r.revision == 10);
}

BOOST_AUTO_TEST_CASE(two_schemas_of_one_database_share_nothing) {
    const auto url = test::fresh_postgres_url();
    const auto mark = url.find('?') == std::string::npos ? "?" : "&";
    auto staging = open_database(url + mark + "schema=staging").value()->connect().value();
    auto production = open_database(url + mark + "schema=production").value()->connect().value();
    new_run r;
    r.id = "r1";
    BOOST_TEST(staging->create_run(r).has_value());
    BOOST_TEST((production->load_run("r1").error().code == store_errc::not_found));
    BOOST_TEST(production->create_run(r).has_value());
}

BOOST_AUTO_TEST_CASE(state_updates_on_postgresql_stay_within_their_page) {
    opened<postgresql_store> s;
    constexpr int count = 20;
    for (int i = 0; i < count; ++i) BOOST_REQUIRE(s.c->create_run(s.run("r" + std::to_string(i))).has_value());
    for (int revision = 0; revision < 20; ++revision) {
        std::vector<checkpoint> batch;
        for (int i = 0; i < count; ++i) {
            batch.push_back(s.step("r" + std::to_string(i), revision));
            batch.back().state = std::string(400, 'x');
        }
        BOOST_REQUIRE(s.c->commit(batch).has_value());
    }
    s.c.reset();  // statistics are sent when the connection ends
    // An index on a changing column would make it none. On a busy server dead rows are pruned later, so that not every update finds room in its page.
    const auto share = [&] {
        return test::psql(s.at.url,
                          "select n_tup_upd >= 380 and n_tup_hot_upd > 0.4 * n_tup_upd from pg_stat_user_tables where relname = 'run_states'");
    };
    BOOST_TEST(eventually([&] { return share() == "t"; }),
               test::psql(s.at.url, "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'run_states'"));
}

BOOST_AUTO_TEST_SUITE_END()
