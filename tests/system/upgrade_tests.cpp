// A newer pawl upgrades the store while engines of this version work: they commit nothing more, stand aside with one message, and nothing is lost.
#include "store/soci_database.hpp"
#include "support/postgres.hpp"
#include "system/load.hpp"

#include <boost/test/unit_test.hpp>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <csignal>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr int exit_superseded = 5;
constexpr std::size_t enough_runs = 20;

int known_version() { return store::built_in_migrations().back().version; }

struct upgradable {
    explicit upgradable(const std::string& kind) : is_sqlite(kind == "sqlite"), url(is_sqlite ? "sqlite:" + folder.path() + "/store.sqlite" : test::fresh_postgres_url()) {}

    temporary_folder folder;
    bool is_sqlite;
    std::string url;

    /// As the next release would: it opens the store.
    std::shared_ptr<store::database> upgrade() const {
        store::open_options newer;
        newer.later_migrations = {{known_version() + 1, "alter table runs add column note text not null default ''"}};
        return store::open_database(url, newer).value();
    }
    /// What is never done in earnest: the tables are still ones that this version can use.
    void downgrade() const {
        const auto sql = "update " + std::string(is_sqlite ? "" : "pawl.") + "meta set value = " + std::to_string(known_version()) + " where name = 'schema_version'";
        if (is_sqlite) {
            soci::session other(soci::sqlite3, folder.path() + "/store.sqlite");
            other << "pragma busy_timeout = 30000";  // engines are at work in it
            other << sql;
        } else {
            test::psql(url, sql);
        }
    }
};

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++count;
    return count;
}

/// How many checkpoints the runs have made.
std::int64_t checkpoints(store::database& database) {
    store::run_filter all;
    all.limit = 1'000'000;
    std::int64_t sum = 0;
    for (const auto& row : database.connect().value()->list_runs(all).value()) sum += row.revision;
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(upgrades)

BOOST_AUTO_TEST_CASE(engines_under_load_stand_aside_when_a_newer_version_upgrades_their_store_and_nothing_is_lost) {
    for (const auto& kind : store_kinds()) {
        BOOST_TEST_CONTEXT(kind) {
            const upgradable at(kind);
            load work(at.url);
            std::vector<process> engines;
            for (int i = 0; i < 2; ++i) engines.push_back(work.engine());
            work.await_engines(engines.size());
            work.start(15);
            wait_for([&] { return work.submitted() >= enough_runs; }, "clients submit runs");

            const auto newer = at.upgrade();
            const auto before = checkpoints(*newer);
            for (auto& one : engines) {
                const auto end = one.wait(std::chrono::seconds(30));
                BOOST_TEST(end.code == exit_superseded, end);
                BOOST_TEST(count_of(end.err, "stands aside") == 1u, end);
                BOOST_TEST(end.err.find("have version " + std::to_string(known_version() + 1)) != std::string::npos, end);
                BOOST_TEST(count_of(end.err, "belongs to another engine") == 0u, end);
            }
            BOOST_TEST(checkpoints(*newer) == before);  // nothing was committed after the upgrade
            const auto late = work.engine().wait();
            BOOST_TEST(late.code == exit_superseded, late);
            BOOST_TEST(late.err.find("Use the newer pawl") != std::string::npos, late);
            BOOST_TEST(checkpoints(*newer) == before);

            at.downgrade();
            auto last = work.engine();
            work.stop();
            work.check();
            last.send(SIGTERM);
            BOOST_TEST(last.wait().code == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_process_that_only_waits_notices_too_and_leaves_the_run_to_the_newer_version) {
    for (const auto& kind : store_kinds()) {
        BOOST_TEST_CONTEXT(kind) {
            const upgradable at(kind);
            at.folder.write("flow.yaml", "document: { dsl: '1.0.3', namespace: test, name: waits, version: '1.0.0' }\ndo:\n  - w: { wait: { hours: 1 } }\n");
            const place here{at.folder.path(), {{"PAWL_STORE", at.url}}};
            auto server = here.start({"serve"});
            wait_for([&] { return server.err().find("serving") != std::string::npos; }, "the engine serves, so that there is a store to look at");
            auto waiting = here.start({"run", "flow.yaml"});
            wait_for([&] { return here.run({"runs", "list", "--status", "waiting", "--json"}).document().as_array().size() == 1u; }, "the run waits");
            const auto newer = at.upgrade();
            for (auto* one : {&server, &waiting}) {
                const auto end = one->wait(std::chrono::seconds(30));
                BOOST_TEST(end.code == exit_superseded, end);
                BOOST_TEST(end.err.find("have version " + std::to_string(known_version() + 1)) != std::string::npos, end);
            }
            // Every other command says so as well.
            const auto list = here.run({"runs", "list"});
            BOOST_TEST(list.code == exit_superseded, list);
            store::run_filter live;
            live.statuses = {run_status::waiting};
            BOOST_TEST(newer->connect().value()->list_runs(live).value().size() == 1u);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
