// Runs that crashed on their way are taken back to any of their tasks, while processes go on crashing: they end as before, and what is repeated has one effect under its new key.
#include "run/control.hpp"
#include "run/replay.hpp"
#include "run/state_codec.hpp"
#include "runtime/control.hpp"
#include "sim/effects.hpp"
#include "sim/flows.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <set>

using namespace pawl;

namespace {

constexpr std::string_view winding = R"(
document: { dsl: '1.0.3', namespace: sim, name: winding, version: '1.0.0' }
do:
  - prepare: { set: { orders: [ 1, 2, 3 ], paid: [] }, export: { as: '{ started: 1 }' } }
  - payAll:
      for: { each: order, in: .orders }
      do:
        - pay: { call: sim.pay, with: { order: '${ $order }', position: '${ $index }' }, output: { as: '$input | .paid += [$order]' } }
        - pause: { if: '$order == 2', wait: PT10S }
  - together:
      fork:
        branches:
          - left: { call: sim.pay, with: { branch: left }, output: { as: .echo.branch } }
          - right: { do: [ { first: { call: sim.pay, with: { n: 1 } } }, { second: { call: sim.pure, with: { branch: right }, output: { as: .echo.branch } } } ] }
          - slow: { wait: PT1H, output: { as: '"slow"' } }
      output: { as: '{ branches: . }' }
  - stubborn:
      try:
        - attempt: { call: sim.flaky, with: { x: 1 }, output: { as: '$input + { flaky: .echo.x }' } }
      catch:
        errors: { with: { type: communication } }
        retry: { delay: PT1S, backoff: { exponential: {} }, limit: { attempt: { count: 5 } }, jitter: { from: PT0S, to: PT1S } }
  - ask: { call: sim.ask, with: { title: may I }, output: { as: '$input + { answer: . }' } }
  - announce: { emit: { event: { with: { type: sim.done.v1, data: '${ . }' } } }, output: { as: .data } }
  - last: { call: sim.pay, with: { all: '${ . }', context: '${ $context }' }, output: { as: '$input + { last: true }' } }
)";

run::past_run past_of(const trial::world& w, const std::string& id, const std::shared_ptr<const flow::workflow>& workflow) {
    run::past_run past;
    past.id = id;
    past.workflow = workflow;
    past.input = run::value_ref(parse_json(w.row(id).input).value());
    past.until = w.row(id).ended_at.value_or(time_point::max());
    for (const auto& s : w.steps(id)) {
        past.steps.push_back({s.seq, s.pointer, s.function, s.key, s.digest, static_cast<unsigned>(s.attempt), s.outcome, s.started_at, s.ended_at, s.result});
    }
    return past;
}

std::vector<flow::task_id> authored(const flow::workflow& workflow) {
    std::vector<flow::task_id> tasks;
    for (const auto& task : workflow.tasks) {
        if (task.is_authored()) tasks.push_back(task.id);
    }
    return tasks;
}

void post(trial::world& w, std::string_view kind, const std::string& id, std::string body) { w.post({w.row("run-1").shard, "run-1", std::string(kind), "test", id, std::move(body)}); }

/// As `pawl runs rewind` does. How many calls will be made again; nothing when the task was never entered.
std::optional<std::size_t> rewind(sim::simulation& in, const std::shared_ptr<const flow::workflow>& workflow, flow::task_id task, const std::string& id) {
    auto& w = in.world();
    const auto past = past_of(w, "run-1", workflow);
    run::surroundings world;
    auto point = run::last_entry(past, task, world);
    const auto why = point.has_error() ? point.error().detail : std::string();
    if (why.starts_with("The run never entered")) return std::nullopt;
    BOOST_TEST_REQUIRE(point.has_value(), why);
    std::set<std::string> payments;
    for (const auto at : point->later) {
        if (past.steps[at].function == "sim.pay" || past.steps[at].function == "sim.pure") payments.insert(past.steps[at].key);
    }
    const auto encoded = run::encode(point->state);
    runtime::rewind_order order{"test", run::task_path(*workflow, task), w.row("run-1").revision, past.steps.empty() ? 1 : past.steps.back().seq + 1, point->at, point->after, encoded.text, {}};
    for (const auto& blob : encoded.blobs) order.blobs.emplace(blob.digest(), blob.text());
    post(w, runtime::rewind_kind, id, runtime::rewind_message(order));
    return payments.size();
}

std::size_t payments(const sim::simulation& s) {
    std::size_t count = 0;
    for (const auto& [key, times] : s.outside().effects) {
        BOOST_TEST(times == 1);
        const auto& given = s.outside().arguments.at(key).as_object();
        count += given.contains("x") ? 0 : 1;  // not the flaky one
    }
    return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rewinding)

BOOST_AUTO_TEST_CASE(a_run_rewound_to_any_task_ends_as_before_whenever_its_process_dies) {
    const auto workflow = sim::compiled(winding);
    const auto tasks = authored(*workflow);
    std::size_t crashes = 0, repeated = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        trial::world_options o;
        o.seed = seed;
        o.crash_probability = seed % 3 == 0 ? 0.1 : 0.02;
        o.most_crashes = 1 + seed % 15;
        o.duplicates = seed % 2 == 0;
        sim::simulation world(o, workflow);
        world.create_run("run-1", nullptr);
        BOOST_TEST_REQUIRE(world.run_to_end(), "stuck with seed " << seed);
        BOOST_TEST_REQUIRE((world.world().row("run-1").status == run_status::completed), "seed " << seed << " " << world.world().row("run-1").error);
        const auto output = world.world().row("run-1").output;
        for (std::uint64_t n = 0; n < 3; ++n) {
            const auto task = tasks[(seed * 7 + n * 5) % tasks.size()];
            BOOST_TEST_INFO_SCOPE("seed " << seed << ", rewind " << n << " to " << run::task_path(*workflow, task));
            const auto before = payments(world);
            const auto again = rewind(world, workflow, task, std::to_string(n));
            BOOST_TEST_REQUIRE(again.has_value());
            BOOST_TEST_REQUIRE(world.world().settle());
            BOOST_TEST_REQUIRE(world.run_to_end());
            BOOST_TEST(world.world().row("run-1").output == output);
            BOOST_TEST(payments(world) == before + *again);
            BOOST_TEST(world.outside().digest_violations.empty());
            BOOST_TEST(world.world().blobs_of("run-1") == 0u);
            repeated += *again;
        }
        const auto& steps = world.world().steps("run-1");
        BOOST_TEST(std::count_if(steps.begin(), steps.end(), [](const store::step_row& s) { return s.function == "rewind" && s.outcome == "completed"; }) == 3);
        crashes += world.world().crashes();
    }
    BOOST_TEST(crashes > 300u);
    BOOST_TEST(repeated > 300u);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_paused_at_any_moment_goes_back_and_ends_as_it_would_have) {
    const auto workflow = sim::compiled(winding);
    const auto tasks = authored(*workflow);
    std::size_t rewound = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        trial::world_options o;
        o.seed = seed;
        o.crash_probability = 0.03;
        o.most_crashes = seed % 5;
        o.duplicates = seed % 2 == 0;
        sim::simulation world(o, workflow);
        auto& w = world.world();
        world.create_run("run-1", nullptr);
        for (std::uint64_t n = 0; n < 3; ++n) {
            BOOST_TEST_INFO_SCOPE("seed " << seed << ", pause " << n);
            for (auto steps = (seed * 13 + n * 29) % 90; steps > 0 && (w.step() || w.pass_time()); --steps) {}
            if (is_final(w.row("run-1").status)) break;
            post(w, runtime::pause_kind, "pause" + std::to_string(n), runtime::control_message("test"));
            BOOST_TEST_REQUIRE(w.settle());
            if (w.row("run-1").status != run_status::suspended) break;  // it was over before it heard of it
            const auto task = tasks[(seed * 7 + n * 5) % tasks.size()];
            if (rewind(world, workflow, task, "rewind" + std::to_string(n))) {
                ++rewound;
            } else {
                post(w, runtime::resume_kind, "resume" + std::to_string(n), runtime::control_message("test"));
            }
        }
        BOOST_TEST_REQUIRE(w.settle());
        BOOST_TEST_REQUIRE(world.run_to_end(), "stuck with seed " << seed);
        BOOST_TEST(w.row("run-1").output == R"({"branches":["left","right","slow"],"flaky":1,"answer":"approved","last":true})", "seed " << seed << w.row("run-1").error);
        BOOST_TEST(world.outside().digest_violations.empty());
        const auto& steps = w.steps("run-1");
        for (const auto& s : steps) BOOST_TEST((s.function != "rewind" || s.outcome == "completed"), "seed " << seed << ": " << s.result);
    }
    BOOST_TEST(rewound > 300u);
}

BOOST_AUTO_TEST_SUITE_END()
