// The store fails under load in the ways that stores do: its server ends the connections, another process holds it, its disk is full. Engines wait, say so once, and go on; no run faults.
#include "support/postgres.hpp"
#include "system/load.hpp"

#include <boost/test/unit_test.hpp>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr int runs_per_second = 15;

/// Engines at work on one store, and clients that do not stop.
struct busy_place {
    busy_place(const std::string& url, std::size_t engines, const variables& more = {}) : work(url) {
        for (std::size_t i = 0; i < engines; ++i) all.push_back(work.engine(more));
        work.await_engines(engines);
        work.start(runs_per_second);
    }

    void until_more_runs(std::size_t count) {
        const auto enough = work.submitted() + count;
        wait_for([&] { return work.submitted() >= enough; }, "clients submit runs");
    }
    bool all_say(const std::string& what) const {
        return std::all_of(all.begin(), all.end(), [&](const process& one) { return one.err().find(what) != std::string::npos; });
    }
    /// The journal says that the store is away, then that it is back, in turns.
    void check_that_outages_are_told_once() {
        for (const auto& one : all) {
            std::istringstream lines(one.err());
            bool down = false, unavailable = false;
            for (std::string line; std::getline(lines, line);) {
                if (line.find("journal: the store does not answer") != std::string::npos) {
                    BOOST_TEST(!down, line);
                    down = true;
                }
                if (line.find("store-unavailable") != std::string::npos) {
                    BOOST_TEST(!unavailable, line);
                    unavailable = true;
                }
                if (line.find("store-available") != std::string::npos) {
                    BOOST_TEST(unavailable, line);
                    unavailable = false;
                }
                if (line.find("journal: the store answers again") != std::string::npos) {
                    BOOST_TEST(down, line);
                    down = false;
                }
            }
            BOOST_TEST(!down);
        }
    }
    void check() {
        work.stop();
        work.check();
        for (auto& one : all) {
            BOOST_TEST(one.running());
            one.send(SIGTERM);
            BOOST_TEST(one.wait().code == 0);
        }
        check_that_outages_are_told_once();
    }

    load work;
    std::vector<process> all;
};

struct sqlite_file {
    temporary_folder folder;
    std::string path = folder.path() + "/store.sqlite";
    std::string url = "sqlite:" + path;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(outages)

BOOST_AUTO_TEST_CASE(connections_are_ended_by_the_server_at_any_moment_also_in_the_middle_of_a_commit) {
    const auto url = test::fresh_postgres_url();
    busy_place p(url, 2);
    // Half of them by chance, then whoever works on a transaction while we look.
    constexpr const char* by_chance = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5";
    constexpr const char* at_work =
        "do $$ begin for i in 1..200 loop perform pg_stat_clear_snapshot(); "
        "perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and random() < 0.3; "
        "perform pg_sleep(0.001); end loop; end $$";
    for (int i = 0; i < 5; ++i) {
        p.until_more_runs(5);
        test::psql(url, by_chance);
        p.until_more_runs(5);
        test::psql(url, at_work);
    }
    p.check();
}

BOOST_AUTO_TEST_CASE(a_file_that_another_process_holds_makes_engines_wait) {
    const sqlite_file file;
    busy_place p(file.url, 2);
    for (int i = 0; i < 2; ++i) {
        p.until_more_runs(10);
        const auto told = [&] {
            std::size_t count = 0;
            for (const auto& one : p.all) {
                const auto err = one.err();
                for (auto at = err.find("journal: the store does not answer"); at != std::string::npos; at = err.find("journal: the store does not answer", at + 1)) ++count;
            }
            return count;
        };
        const auto before = told();
        soci::session other(soci::sqlite3, file.path);
        wait_for([&] {
            try {
                other << "begin immediate";
                return true;
            } catch (const soci::soci_error&) {
                return false;
            }
        }, "another process gets the file");
        wait_for([&] { return told() > before; }, "an engine says that the store is held");
        other << "rollback";
    }
    p.check();
}

BOOST_AUTO_TEST_CASE(a_full_disk_makes_engines_under_load_wait_until_there_is_room) {
    const sqlite_file file;
    const auto full = file.folder.path() + "/full";
    busy_place p(file.url, 1, {{"LD_PRELOAD", PAWL_DISK_FULL}, {"PAWL_TEST_DISK_FULL", full}});
    p.until_more_runs(10);
    file.folder.write("full", "");
    wait_for([&] { return p.all_say("the disk or the quota is full"); }, "the engine says that the disk is full");
    p.until_more_runs(5);
    BOOST_TEST(p.all.front().running());
    std::remove(full.c_str());
    p.check();
}

BOOST_AUTO_TEST_SUITE_END()
