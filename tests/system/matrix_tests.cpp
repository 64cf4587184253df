// The crash matrix: three engines on one PostgreSQL under load, while processes are killed and frozen, and the server is restarted and replaced. Nothing is lost, nothing that was not meant
// to be repeated happens twice.
#include "support/postgres.hpp"
#include "system/load.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t runs_per_second = 15;
constexpr std::size_t engines = 3;

std::chrono::seconds duration() {
    const char* given = std::getenv("PAWL_MATRIX_SECONDS");
    return std::chrono::seconds(given != nullptr ? std::max(1, std::atoi(given)) : 6);
}

/// Three engines that work, and somebody who disturbs them.
class matrix {
public:
    explicit matrix(const std::string& url) : work(url) {
        for (std::size_t i = 0; i < engines; ++i) all.push_back(work.engine());
        work.await_engines(engines);
        work.start(static_cast<int>(runs_per_second));
    }

    /// `harm` each time that clients have submitted so many more runs.
    void disturb(std::size_t runs, const std::function<void(process& one)>& harm) {
        const auto end = steady::now() + duration();
        while (steady::now() < end) {
            const auto enough = work.submitted() + runs;
            wait_for([&] { return work.submitted() >= enough; }, "clients submit runs");
            harm(all[harmed++ % engines]);
        }
    }

    void check() {
        const auto submitted = work.stop();
        BOOST_TEST(submitted >= runs_per_second);
        BOOST_TEST(harmed > 0u);
        work.check();
        BOOST_TEST_MESSAGE(submitted << " runs, " << harmed << " disturbances");
        for (auto& one : all) {
            if (!one.running()) continue;
            one.send(SIGTERM);
            BOOST_TEST(one.wait().code == 0);
        }
    }

    load work;
    std::vector<process> all;
    std::size_t harmed = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(matrix_of_crashes)

BOOST_AUTO_TEST_CASE(engines_are_killed_one_after_the_other) {
    matrix m(test::fresh_postgres_url());
    m.disturb(runs_per_second, [&](process& one) {
        one.send(SIGKILL);
        one.wait();
        one = m.work.engine();
    });
    m.check();
}

// What it had in hand when it froze is worth nothing when it wakes: others hold its shards, under a newer epoch.
BOOST_AUTO_TEST_CASE(engines_are_frozen_for_longer_than_their_lease) {
    matrix m(test::fresh_postgres_url());
    m.disturb(runs_per_second, [&](process& one) {
        one.send(SIGSTOP);
        m.work.await_engines(engines - 1);
        one.send(SIGCONT);
        m.work.await_engines(engines);
    });
    m.check();
}

BOOST_AUTO_TEST_CASE(the_server_is_restarted_without_warning) {
    test::postgres_cluster cluster;
    matrix m(cluster.fresh_url());
    m.disturb(2 * runs_per_second, [&](process&) {
        cluster.stop();
        cluster.start();
    });
    m.check();
}

BOOST_AUTO_TEST_CASE(a_standby_takes_the_place_of_the_server) {
    test::postgres_cluster cluster;
    const auto url = cluster.fresh_url();
    cluster.add_standby();
    matrix m(cluster.with_standby(url));
    bool promoted = false;
    m.disturb(2 * runs_per_second, [&](process&) {
        if (std::exchange(promoted, true)) return;
        cluster.stop();
        cluster.promote_standby();
    });
    m.check();
}

BOOST_AUTO_TEST_SUITE_END()
