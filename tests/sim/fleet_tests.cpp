// Many engines and every misfortune that a store and its clients know: what must hold whatever happens.
#include "sim/fleet.hpp"
#include "sim/flows.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <set>

using namespace pawl;

namespace {

constexpr std::string_view counting = R"(
document: { dsl: '1.0.3', namespace: sim, name: counting, version: '1.0.0' }
do:
  - first: { call: sim.remember, with: {} }
  - work: { call: sim.pay, with: { at: counting } }
  - second: { call: sim.remember, with: {} }
)";

constexpr std::string_view risky = R"(
document: { dsl: '1.0.3', namespace: sim, name: risky, version: '1.0.0' }
do:
  - risk:
      try:
        - once: { call: sim.once, with: { x: 1 }, output: { as: '"done"' } }
      catch:
        errors: { with: { type: runtime } }
        do:
          - admit: { set: '${ $error.title }' }
)";

constexpr std::string_view child = R"(
document: { dsl: '1.0.3', namespace: sim, name: child, version: '1.0.0' }
do:
  - pay: { call: sim.pay, with: { of: '${ $workflow.input.n }' } }
  - pause: { wait: PT2S }
  - say: { set: { paid: '${ $workflow.input.n }' } }
)";

constexpr std::string_view parent = R"(
document: { dsl: '1.0.3', namespace: sim, name: parent, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - one: { run: { workflow: { namespace: sim, name: child, version: '1.0.0', input: { n: 1 } } } }
          - two: { run: { workflow: { namespace: sim, name: child, version: '1.0.0', input: { n: 2 } } } }
  - third: { run: { workflow: { namespace: sim, name: child, version: '1.0.0', input: { n: 3 } } }, output: { as: '$input + [.]' } }
)";

constexpr std::string_view lengthy = R"(
document: { dsl: '1.0.3', namespace: sim, name: lengthy, version: '1.0.0' }
do:
  - first: { call: sim.long, with: { items: 40 } }
)";

/// An hour of nothing but polls says nothing more than half a minute of it.
std::string without_long_waits(std::string_view yaml) {
    std::string out(yaml);
    const std::string_view hour = "PT1H";
    return out.replace(out.find(hour), hour.size(), "PT30S");
}

struct flows {
    std::vector<std::shared_ptr<const flow::workflow>> all{sim::compiled(without_long_waits(sim::everything)), sim::compiled(sim::listening), sim::compiled(counting), sim::compiled(risky), sim::compiled(lengthy)};

    flows() { all.push_back(sim::compiled(parent, {sim::compiled(child)})); }
};

const std::vector<std::shared_ptr<const flow::workflow>>& workflows() {
    static const flows compiled_once;
    return compiled_once.all;
}

constexpr int counters = 3;

sim::fleet_options options_for(std::uint64_t seed) {
    sim::fleet_options o;
    o.seed = seed;
    o.engines = 2 + seed % 3;
    o.shards = 3 + static_cast<std::uint32_t>(seed % 4);
    // Short leases are lost in the ordinary course of things.
    o.lease_ttl = milliseconds(seed % 5 == 0 ? 1'500 : seed % 5 == 1 ? 4'000 : 10'000);
    o.fault_probability = seed % 3 == 0 ? 0.01 : 0.004;
    o.loss_probability = seed % 7 == 0 ? 0.05 : 0.01;
    o.most_faults = 4 + seed % 16;
    return o;
}

void fill(sim::fleet& f, std::uint64_t seed) {
    f.create_run("everything-1", "everything", 0, nullptr, "a", "k");
    f.create_run("everything-2", "everything", 1, nullptr, "a", "l");
    f.create_run("listening-1", "listening", 2, nullptr);
    for (int i = 0; i < counters; ++i) f.create_run("counting-" + std::to_string(i), "counting", 2, nullptr, "c", "k");
    f.create_run("risky-1", "risky", 1, nullptr);
    f.create_run("parent-1", "parent", 0, nullptr);
    f.create_run("lengthy-1", "lengthy", 1, nullptr);
    // An operator, who comes at any time.
    for (int i = 0; i < 2; ++i) {
        const auto number = std::to_string(i);
        const auto at = milliseconds(static_cast<std::int64_t>(seed * 7'919 % 40'000)) + std::chrono::seconds(15 * i);
        f.later(at, [&f, number] { f.post({1, "everything-2", "pause", "operator", "pause " + number, R"({"by":"somebody"})"}); });
        f.later(at + std::chrono::seconds(7), [&f, number] { f.post({1, "everything-2", "resume", "operator", "resume " + number, R"({"by":"somebody"})"}); });
    }
    // Also where misfortune has kept the run from beginning until then.
    for (int n = 1; n <= 8; ++n) {
        const auto* type = n <= 6 ? "bill" : n == 7 ? "stop" : "enough";
        f.later(std::chrono::seconds(60 + 2 * n), [&f, n, type = std::string(type)] {
            const auto id = std::to_string(n);
            f.publish({"/t", id, type, R"({"id":")" + id + R"(","source":"/t","type":")" + type + R"(","subject":"ours","data":)" + id + "}"});
        });
    }
}

void check(const sim::fleet& f) {
    const auto& runs = f.rows().runs();
    for (const auto& violation : f.rows().violations()) BOOST_ERROR(violation);
    for (const auto& [id, row] : runs) BOOST_TEST((row.status == run_status::completed), id << " " << to_string(row.status) << " " << row.error);
    BOOST_TEST(f.outside().digest_violations.empty());
    for (const auto* id : {"everything-1", "everything-2"}) {
        BOOST_TEST(runs.at(id).output == R"({"count":2,"context":{"started":1}})");
        BOOST_TEST(f.rows().blobs_of(id).empty());
    }
    BOOST_TEST(f.rows().agents().at("a/k").state == R"({"count":2})");
    BOOST_TEST(f.rows().agents().at("a/l").state == R"({"count":2})");
    BOOST_TEST(f.rows().agents().at("c/k").state == R"({"count":)" + std::to_string(2 * counters) + "}");
    BOOST_TEST(runs.at("listening-1").output == R"({"bills":[1,2,3,4,5,6],"sum":21})");
    const auto& risk = runs.at("risky-1").output;
    BOOST_TEST((risk == "\"done\"" || risk == "\"Unknown Outcome\""), risk);
    for (const auto& [key, arguments] : f.outside().arguments) {
        if (arguments == json::value{{"x", 1}} && f.outside().executions.at(key) > 1 && !f.outside().effects.contains(key)) BOOST_ERROR("an at-most-once call ran twice");
    }
    BOOST_TEST(runs.at("parent-1").output == R"([{"paid":1},{"paid":2},{"paid":3}])");
    BOOST_TEST(runs.size() == 6u + counters + 3u);
    BOOST_TEST(runs.at("lengthy-1").output == R"({"done":40})");
    // Done again is only what was not known to be done when somebody else went on with it.
    BOOST_TEST_REQUIRE(f.outside().items.size() == 1u);
    BOOST_TEST(f.outside().items.begin()->second.size() == 40u);
    BOOST_TEST(f.rows().heartbeats_of("lengthy-1").empty());
    // Five of each `everything` beside the flaky one, six bills, one of each counter, three children's.
    std::size_t payments = 0;
    for (const auto& [key, arguments] : f.outside().arguments) payments += arguments == json::value{{"x", 1}} ? 0 : 1;
    BOOST_TEST(payments == 2 * 5 + 6 + counters + 3);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fleet)

BOOST_AUTO_TEST_CASE(engines_without_misfortune_share_the_work) {
    auto o = options_for(1);
    o.most_faults = 0;
    sim::fleet f(o, workflows());
    fill(f, o.seed);
    BOOST_TEST_REQUIRE(f.run_to_end());
    check(f);
    BOOST_TEST(f.counts().fenced == 0u);
    for (const auto& [key, count] : f.outside().executions) BOOST_TEST((count == 1 || count == 3), key << " ran " << count << " times");
}

BOOST_AUTO_TEST_CASE(thousands_of_histories_of_a_fleet_end_the_same) {
    const char* wanted = std::getenv("PAWL_SIMULATION_SEEDS");
    const char* one = std::getenv("PAWL_SIMULATION_SEED");
#ifdef NDEBUG
    constexpr std::uint64_t usual = 1'000;
#else
    constexpr std::uint64_t usual = 100;
#endif
    const auto seeds = wanted != nullptr ? std::max<std::uint64_t>(usual, std::strtoull(wanted, nullptr, 10)) : usual;
    const auto first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
    const auto last = one != nullptr ? first : seeds;
    sim::fleet_counts all;
    for (auto seed = first; seed <= last; ++seed) {
        auto options = options_for(seed);
        options.tells = one != nullptr;
        sim::fleet f(options, workflows());
        fill(f, seed);
        BOOST_TEST_INFO_SCOPE("PAWL_SIMULATION_SEED=" << seed);
        const bool ended = f.run_to_end();
        BOOST_TEST_REQUIRE(ended, "stuck" << f.where_it_stands());
        check(f);
        const auto& c = f.counts();
        all.kills += c.kills;
        all.stops += c.stops;
        all.cuts += c.cuts;
        all.restarts += c.restarts;
        all.clock_steps += c.clock_steps;
        all.full_disks += c.full_disks;
        all.refusals += c.refusals;
        all.losses += c.losses;
        all.take_overs += c.take_overs;
        all.fenced += c.fenced;
        all.commits += c.commits;
        all.steps += c.steps;
    }
    std::cout << "fleet: " << last - first + 1 << " seeds, " << all.steps << " steps, " << all.commits << " commits, " << all.kills << " kills, " << all.stops << " stops, " << all.cuts << " cut connections, "
              << all.restarts << " restarts of the database, " << all.clock_steps << " clocks set, " << all.full_disks << " full disks, " << all.refusals << " refusals, " << all.losses << " lost questions or answers, " << all.take_overs << " take-overs, " << all.fenced
              << " fenced checkpoints\n";
    if (one == nullptr) {
        BOOST_TEST(all.take_overs > seeds);
        BOOST_TEST(all.fenced > 0u);
        BOOST_TEST(all.losses > seeds);
    }
}

BOOST_AUTO_TEST_CASE(a_seed_of_a_fleet_reproduces_its_history_exactly) {
    std::set<std::uint64_t> histories;
    for (int round = 0; round < 2; ++round) {
        sim::fleet f(options_for(4711), workflows());
        fill(f, 4711);
        BOOST_TEST_REQUIRE(f.run_to_end());
        histories.insert(f.fingerprint() + f.counts().steps);
    }
    BOOST_TEST(histories.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
