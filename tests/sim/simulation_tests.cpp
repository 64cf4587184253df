#include "sim/effects.hpp"
#include "sim/flows.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

using namespace pawl;

namespace {

/// Crashes between any two events, unless a test says otherwise.
trial::world_options crashing(std::uint64_t seed = 1) {
    trial::world_options o;
    o.seed = seed;
    o.crash_probability = 0.05;
    o.most_crashes = 10;
    return o;
}

void check_world(const sim::simulation& s, const std::string& run, const trial::world_options& o) {
    const auto& w = s.world();
    BOOST_TEST_INFO_SCOPE("seed " << o.seed << ", crashes " << w.crashes() << ", error " << w.row(run).error);
    BOOST_TEST((w.row(run).status == run_status::completed));
    BOOST_TEST(w.row(run).output == R"({"count":2,"context":{"started":1}})");
    BOOST_TEST(w.row(run).state.empty());
    BOOST_TEST(w.blobs_of(run) == 0u);
    // 3 payments, left, right, flaky: each key had its effect, exactly six keys exist.
    BOOST_TEST(s.outside().effects.size() == 6u);
    BOOST_TEST(s.outside().digest_violations.empty());
    BOOST_TEST(w.events().size() == 1u);
    BOOST_TEST(w.agents().at("a/k").state == R"({"count":2})");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(simulation)

BOOST_AUTO_TEST_CASE(a_run_without_crashes_executes_each_call_once) {
    const auto w = sim::compiled(sim::everything);
    auto o = crashing();
    o.crash_probability = 0;
    sim::simulation world(o, w);
    world.create_run("run-1", nullptr, "a", "k");
    BOOST_TEST_REQUIRE(world.run_to_end());
    check_world(world, "run-1", o);
    for (const auto& [key, count] : world.outside().executions) BOOST_TEST((count == 1 || count == 3), key << " ran " << count << " times");
}

BOOST_AUTO_TEST_CASE(thousands_of_crash_histories_end_the_same) {
    const auto w = sim::compiled(sim::everything);
    std::size_t crashes = 0, commits = 0;
    // As many as somebody wants: PAWL_SIMULATION_SEEDS=100000 .build/release/bin/test_sim --run_test=simulation/thousands*
    const char* wanted = std::getenv("PAWL_SIMULATION_SEEDS");
#ifdef NDEBUG
    constexpr std::uint64_t usual = 2'000;
#else
    constexpr std::uint64_t usual = 300;  // the sanitizer builds are an order of magnitude slower
#endif
    const auto seeds = wanted != nullptr ? std::max<std::uint64_t>(usual, std::strtoull(wanted, nullptr, 10)) : usual;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        auto o = crashing(seed);
        o.crash_probability = seed % 3 == 0 ? 0.15 : 0.03;
        o.most_crashes = 1 + seed % 12;
        o.duplicates = seed % 2 == 0;
        sim::simulation world(o, w);
        world.create_run("run-1", nullptr, "a", "k");
        BOOST_TEST_REQUIRE(world.run_to_end(), "stuck with seed " << seed);
        check_world(world, "run-1", o);
        crashes += world.world().crashes();
        commits += world.world().commits();
    }
    BOOST_TEST(crashes > seeds);
    std::cout << "simulation: " << seeds << " seeds, " << crashes << " crashes, " << commits << " commits\n";
}

BOOST_AUTO_TEST_CASE(a_seed_reproduces_its_history_exactly) {
    const auto w = sim::compiled(sim::everything);
    std::vector<std::string> first;
    for (int round = 0; round < 2; ++round) {
        auto o = crashing(4711);
        sim::simulation world(o, w);
        world.create_run("run-1", nullptr, "a", "k");
        BOOST_TEST_REQUIRE(world.run_to_end());
        auto history = world.call_outcomes("run-1");
        history.push_back(std::to_string(world.world().crashes()) + " " + std::to_string(world.world().commits()));
        if (round == 0) {
            first = history;
        } else {
            BOOST_TEST(history == first, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_at_most_once_call_is_never_repeated) {
    const auto w = sim::compiled(R"(
document: { dsl: '1.0.3', namespace: sim, name: once, version: '1.0.0' }
do:
  - first: { call: sim.pure, with: {} }
  - risky:
      try:
        - once: { call: sim.once, with: { x: 1 }, output: { as: '"done"' } }
      catch:
        errors: { with: { type: runtime } }
        do:
          - admit: { set: '${ $error.title }' }
)");
    std::size_t unknown = 0;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        auto o = crashing(seed);
        o.crash_probability = 0.1;
        sim::simulation world(o, w);
        world.create_run("run-1", nullptr);
        BOOST_TEST_REQUIRE(world.run_to_end());
        BOOST_TEST_INFO("seed " << seed);
        BOOST_TEST((world.world().row("run-1").output == "\"done\"" || world.world().row("run-1").output == "\"Unknown Outcome\""));
        if (world.world().row("run-1").output != "\"done\"") ++unknown;
        for (const auto& [key, outcome] : world.outside().arguments) {
            if (outcome == json::value{{"x", 1}}) BOOST_TEST(world.outside().executions.at(key) == 1);
        }
    }
    BOOST_TEST(unknown > 0u);
}

BOOST_AUTO_TEST_CASE(a_long_loop_keeps_its_state_small_whatever_crashes) {
    const auto w = sim::compiled(R"(
document: { dsl: '1.0.3', namespace: sim, name: loop, version: '1.0.0' }
do:
  - make: { set: { items: '${ [range(300)] }' } }
  - each:
      for: { each: item, in: .items }
      do:
        - one: { call: sim.pay, with: { item: '${ $item }' }, output: { as: '{ last: $item }' } }
)");
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        auto o = crashing(seed);
        o.crash_probability = 0.005;
        sim::simulation world(o, w);
        world.create_run("run-1", nullptr);
        BOOST_TEST_REQUIRE(world.run_to_end());
        BOOST_TEST(world.world().row("run-1").output == R"({"last":299})");
        BOOST_TEST(world.outside().effects.size() == 300u);
    }
}

BOOST_AUTO_TEST_CASE(events_are_gone_through_once_and_in_order_whatever_crashes) {
    const auto w = sim::compiled(sim::listening);
    std::size_t crashes = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        auto o = crashing(seed);
        o.crash_probability = seed % 3 == 0 ? 0.1 : 0.02;
        o.most_crashes = 1 + seed % 15;
        o.duplicates = seed % 2 == 0;
        sim::simulation world(o, w);
        world.create_run("run-1", nullptr);
        BOOST_TEST_REQUIRE(world.world().settle());
        int id = 0;
        const auto publish = [&](const std::string& type, const std::string& shop, int n) {
            const auto name = std::to_string(++id);
            const auto body = R"({"id":")" + name + R"(","source":"/t","type":")" + type + R"(","subject":")" + shop + R"(","data":)" + std::to_string(n) + "}";
            for (int times = 0; times < 2; ++times) world.world().publish({"/t", name, type, body});
            for (auto steps = (seed * 7 + static_cast<std::uint64_t>(id) * 5) % 11; steps > 0 && world.world().step(); --steps) {}
        };
        for (int n = 1; n <= 6; ++n) {
            publish("bill", "ours", n);
            publish("bill", "theirs", 100 * n);
            if (n == 3) publish("stop", "", 0);
        }
        publish("enough", "", 0);
        BOOST_TEST_REQUIRE(world.run_to_end(), "stuck with seed " << seed);
        BOOST_TEST(world.world().row("run-1").output == R"({"bills":[1,2,3,4,5,6],"sum":21})", "seed " << seed);
        BOOST_TEST(world.outside().effects.size() == 6u);
        for (const auto& [key, count] : world.outside().effects) BOOST_TEST(count == 1);
        crashes += world.world().crashes();
    }
    BOOST_TEST(crashes > 300u);
}

BOOST_AUTO_TEST_SUITE_END()
