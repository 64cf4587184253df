// The wall clock of an engine's host is set, by hand or by a time server, while runs wait. Times are the database's: nobody waits shorter or longer for it.
#include "base/clock.hpp"
#include "support/postgres.hpp"
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view waits = "document: { dsl: '1.0.3', namespace: test, name: waits, version: '1.0.0' }\ndo:\n  - pause: { wait: { seconds: 3 } }\n";

struct place_with_engine {
    place_with_engine() : url(test::fresh_postgres_url()) {
        folder.write("waits.yaml", waits);
        folder.write("pawl.yaml", "name: clocks\n");
        at = {folder.path(), {{"PAWL_STORE", url}}};
        engine = std::make_unique<process>(at.start({"serve"}, {{"LD_PRELOAD", PAWL_CLOCK_STEP}, {"PAWL_TEST_CLOCK_STEP", folder.path() + "/step"}}));
        wait_for([&] { return engine->err().find("serving") != std::string::npos; }, "the engine serves");
    }
    void set_clock(long seconds) const { folder.write("step", std::to_string(seconds)); }
    bool waits_in_the_store() const { return test::psql(url, "select count(*) from pawl.run_states where status = 'waiting'") == "1"; }

    /// A run that waits three seconds, and whose engine's clock is off by so much meanwhile. Returns how long it took.
    milliseconds run_while(long seconds) const {
        const auto begun = steady::now();
        auto run = at.start({"run", "waits.yaml"});
        wait_for([&] { return waits_in_the_store(); }, "the run waits");
        set_clock(seconds);
        const auto ended = run.wait();
        BOOST_TEST(ended.code == 0, ended);
        return std::chrono::duration_cast<milliseconds>(steady::now() - begun);
    }

    std::string url;
    temporary_folder folder;
    place at;
    std::unique_ptr<process> engine;
};

}  // namespace

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PAWL_CLOCK_OF_SANITIZER
#endif
#endif
#ifdef PAWL_CLOCK_OF_SANITIZER
// A sanitizer's runtime asks the clock before a preloaded library can answer: then the program does not start. The release build runs this.
BOOST_AUTO_TEST_SUITE(clocks, *boost::unit_test::disabled())
#else
BOOST_AUTO_TEST_SUITE(clocks)
#endif

BOOST_AUTO_TEST_CASE(a_wall_clock_that_is_set_moves_no_timer) {
    place_with_engine p;
    for (const long off : {3'600L, -3'600L, 0L}) {
        const auto took = p.run_while(off);
        BOOST_TEST(took.count() >= 3'000, "off by " << off << " s");
    }
    p.engine->send(SIGTERM);
    BOOST_TEST(p.engine->wait().code == 0);
}

// The timer of the short call, which has ended, is when the others are looked at.
BOOST_AUTO_TEST_CASE(a_wall_clock_that_is_set_ends_no_call) {
    const temporary_folder folder;
    const place at{folder.path(), store_variables("postgresql")};
    folder.write("pawl.yaml", "name: clocks\ntools:\n  - { plugin: " PAWL_WORKER_PLUGIN ", host: in-process }\n");
    folder.write("works.yaml", R"(document: { dsl: '1.0.3', namespace: test, name: works, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - long: { call: worker.work, with: { items: 40, pauseMs: 100, ledger: ledger }, timeout: { after: PT2M } }
          - short: { call: worker.work, with: { items: 1, ledger: short }, timeout: { after: PT1.5S } }
)");
    auto run = at.start({"run", "works.yaml"}, {{"LD_PRELOAD", PAWL_CLOCK_STEP}, {"PAWL_TEST_CLOCK_STEP", folder.path() + "/step"}});
    wait_for([&] { return folder.read("short").find("item") != std::string::npos && folder.read("ledger").find("item") != std::string::npos; }, "both work");
    folder.write("step", "3600");
    const auto ended = run.wait();
    BOOST_TEST(ended.code == 0, ended);
}

BOOST_AUTO_TEST_SUITE_END()
