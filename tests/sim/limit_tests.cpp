// Limits, priorities and tenants in the real core: a tool that takes a second of virtual time, and whoever wants it.
#include "flow/compile.hpp"
#include "trial/world.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

constexpr std::string_view one_call = R"(
document: { dsl: '1.0.3', namespace: sim, name: one, version: '1.0.0' }
do:
  - work: { call: slow.work, with: { customer: '${ .customer }' } }
)";

/// What the outside saw of slow.work.
struct slow_tool {
    effect_safety safety = effect_safety::at_most_once;
    std::size_t running = 0, most_running = 0;
    std::map<std::string, std::size_t> running_of, most_of;  ///< by customer
    std::map<std::string, int> executions;                   ///< by run
    std::vector<std::string> order;                          ///< runs
    std::vector<time_point> starts;
};

class slow_effect final : public runtime::effect {
public:
    slow_effect(trial::world& w, slow_tool& outside) : world_(w), outside_(outside) {}

    std::vector<function_description> functions() const override {
        function_description d;
        d.name = "slow.work";
        d.version = "1.0.0";
        d.safety = outside_.safety;
        return {d};
    }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        const auto customer = to_text(request->arguments);
        outside_.most_running = std::max(outside_.most_running, ++outside_.running);
        outside_.most_of[customer] = std::max(outside_.most_of[customer], ++outside_.running_of[customer]);
        ++outside_.executions[request->run];
        outside_.order.push_back(request->run);
        outside_.starts.push_back(world_.now());
        world_.later(
            [this, done, customer] {
                --outside_.running;
                --outside_.running_of[customer];
                done({json::object{{"done", true}}, {}, {}});
            },
            milliseconds(1'000));
    }

    void cancel(std::string_view) override {}

private:
    trial::world& world_;
    slow_tool& outside_;
};

struct shop {
    explicit shop(trial::world_options options, runtime::limit_settings limits, std::string_view yaml = one_call) {
        options.limits = std::make_shared<runtime::limit_settings>(std::move(limits));
        options.most_steps = 5'000'000;
        function_description d;
        d.name = "slow.work";
        d.version = "1.0.0";
        d.safety = tool.safety;
        flow::compile_options compiling;
        compiling.functions = {d};
        auto made = flow::compile(yaml, compiling);
        BOOST_REQUIRE(made.compiled);
        workflow = made.compiled;
        world = std::make_unique<trial::world>(std::move(options), [this](trial::world& w) {
            tool.running = 0;  // calls die with their process
            tool.running_of.clear();
            auto registry = std::make_shared<runtime::effect_registry>();
            (void)registry->add(std::make_shared<slow_effect>(w, tool));
            return registry;
        });
        world->deploy(workflow);
    }

    void submit(const std::string& id, std::string_view customer) { world->create_run(id, *workflow, json::object{{"customer", customer}}); }

    std::size_t count(run_status status) const {
        return static_cast<std::size_t>(std::count_if(world->runs().begin(), world->runs().end(), [&](const auto& r) { return r.second.status == status; }));
    }

    slow_tool tool;
    std::shared_ptr<const flow::workflow> workflow;
    std::unique_ptr<trial::world> world;
};

std::string customer_of(const runtime::limit_subject& s) { return std::string(s.data.at("customer").get_string()); }
std::string tenant_in_input(const runtime::limit_subject& s) { return std::string(s.input.at("customer").get_string()); }

runtime::limit_rule at_most(std::uint32_t concurrency, runtime::key_function key = {}) {
    runtime::limit_rule rule;
    rule.concurrency = concurrency;
    rule.key = std::move(key);
    return rule;
}

runtime::limit_settings for_tool(std::vector<runtime::limit_rule> rules) {
    runtime::limit_settings limits;
    limits.tools["slow.*"] = std::move(rules);
    limits.tenant = tenant_in_input;
    return limits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(a_tool_never_runs_more_often_at_a_time_than_its_limit) {
    shop s({}, for_tool({at_most(4), at_most(1, customer_of)}));
    for (int i = 0; i < 100; ++i) s.submit("run-" + std::to_string(i), std::to_string(i % 7));
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.count(run_status::completed) == 100u);
    BOOST_TEST(s.tool.most_running == 4u);
    for (const auto& [customer, most] : s.tool.most_of) BOOST_TEST(most == 1u);
    for (const auto& [run, times] : s.tool.executions) BOOST_TEST(times == 1);
}

BOOST_AUTO_TEST_CASE(a_rate_spreads_the_starts_over_time) {
    runtime::limit_rule rule;
    rule.rate = 5;
    shop s({}, for_tool({rule}));
    for (int i = 0; i < 40; ++i) s.submit("run-" + std::to_string(i), "c");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST_REQUIRE(s.tool.starts.size() == 40u);
    for (std::size_t i = 5; i < 40; ++i) BOOST_TEST((s.tool.starts[i] - s.tool.starts[i - 5]).count() >= 1'000);
    BOOST_TEST((s.tool.starts.back() - s.tool.starts.front()).count() <= 8'000);
}

BOOST_AUTO_TEST_CASE(ten_runs_of_one_tenant_end_early_although_another_submitted_thousands_and_memory_is_small) {
    trial::world_options o;
    o.max_resident_runs = 8;
    shop s(o, for_tool({at_most(1)}));
    for (int i = 0; i < 2'000; ++i) s.submit("a-" + std::to_string(10'000 + i), "a");
    for (int i = 0; i < 10; ++i) s.submit("b-" + std::to_string(i), "b");
    std::size_t ended_of_b = 0;
    while (ended_of_b < 10 && (s.world->step() || s.world->pass_time())) {
        ended_of_b = 0;
        for (int i = 0; i < 10; ++i) ended_of_b += is_final(s.world->row("b-" + std::to_string(i)).status) ? 1 : 0;
    }
    BOOST_TEST(ended_of_b == 10u);
    const auto of_a = std::count_if(s.tool.order.begin(), s.tool.order.end(), [](const std::string& run) { return run.starts_with("a-"); });
    BOOST_TEST(of_a <= 15, "the noisy tenant had " << of_a << " turns");
}

BOOST_AUTO_TEST_CASE(the_engines_own_bound_is_shared_fairly_when_memory_is_short) {
    trial::world_options o;
    o.max_resident_runs = 8;
    o.max_in_flight_calls = 1;
    runtime::limit_settings limits;
    limits.tenant = tenant_in_input;
    shop s(o, std::move(limits));
    for (int i = 0; i < 300; ++i) s.submit("a-" + std::to_string(1'000 + i), "a");
    for (int i = 0; i < 5; ++i) s.submit("b-" + std::to_string(i), "b");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.tool.most_running == 1u);
    const auto last = std::find(s.tool.order.begin(), s.tool.order.end(), "b-4") - s.tool.order.begin();
    BOOST_TEST(last <= 25);
    BOOST_TEST(s.count(run_status::completed) == 305u);
}

BOOST_AUTO_TEST_CASE(what_finds_no_room_in_line_stays_in_the_store_and_another_tenant_still_finds_room) {
    for (const bool by_workflow : {false, true}) {
        trial::world_options o;
        o.max_resident_runs = 8;
        o.max_waiting = 40;
        auto limits = by_workflow ? runtime::limit_settings() : for_tool({at_most(1)});
        limits.tenant = tenant_in_input;
        if (by_workflow) limits.workflows["sim/one"].rules = {at_most(1)};
        shop s(o, std::move(limits));
        for (int i = 0; i < 400; ++i) s.submit("a-" + std::to_string(1'000 + i), "a");
        for (int i = 0; i < 5; ++i) s.submit("b-" + std::to_string(i), "b");
        BOOST_TEST_INFO_SCOPE(by_workflow);
        BOOST_TEST_REQUIRE(s.world->run_to_end());
        BOOST_TEST(s.count(run_status::completed) == 405u);
        BOOST_TEST(s.tool.most_running == 1u);
        const auto last = std::find(s.tool.order.begin(), s.tool.order.end(), "b-4") - s.tool.order.begin();
        BOOST_TEST(last <= 15);
    }
}

BOOST_AUTO_TEST_CASE(a_run_that_holds_a_place_finds_room_in_line_although_those_that_want_its_place_have_filled_it) {
    trial::world_options o;
    o.max_waiting = 4;
    auto limits = for_tool({at_most(1)});
    limits.workflows["sim/one"].rules = {at_most(2)};
    shop s(std::move(o), std::move(limits), R"(
document: { dsl: '1.0.3', namespace: sim, name: one, version: '1.0.0' }
do:
  - rest: { wait: { milliseconds: 500 } }
  - work: { call: slow.work, with: { customer: '${ .customer }' } }
)");
    auto other = flow::compile(std::string(one_call).replace(one_call.find("name: one"), 9, "name: other"), [&] {
        flow::compile_options compiling;
        function_description d;
        d.name = "slow.work";
        d.version = "1.0.0";
        compiling.functions = {d};
        return compiling;
    }());
    BOOST_REQUIRE(other.compiled);
    s.world->deploy(other.compiled);
    // It has the tool for a second. Meanwhile two of the others rest, and want the tool when the rest have filled the line.
    s.world->create_run("other", *other.compiled, json::object{{"customer", "c"}});
    BOOST_TEST_REQUIRE(s.world->settle());
    BOOST_TEST(s.tool.running == 1u);
    for (int i = 0; i < 8; ++i) s.submit("run-" + std::to_string(i), "c");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.count(run_status::completed) == 9u);
    BOOST_TEST(s.tool.most_running == 1u);
}

BOOST_AUTO_TEST_CASE(urgent_runs_go_first) {
    auto limits = for_tool({at_most(1)});
    limits.workflows["sim/urgent"].priority = 1;
    shop s({}, std::move(limits));
    auto urgent = flow::compile(std::string(one_call).replace(one_call.find("name: one"), 9, "name: urgent"), [&] {
        flow::compile_options o;
        function_description d;
        d.name = "slow.work";
        d.version = "1.0.0";
        o.functions = {d};
        return o;
    }());
    BOOST_REQUIRE(urgent.compiled);
    s.world->deploy(urgent.compiled);
    for (int i = 0; i < 50; ++i) s.submit("a-" + std::to_string(100 + i), "a");
    s.world->create_run("urgent", *urgent.compiled, json::object{{"customer", "a"}});
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    const auto place = std::find(s.tool.order.begin(), s.tool.order.end(), "urgent") - s.tool.order.begin();
    BOOST_TEST(place <= 2);
}

BOOST_AUTO_TEST_CASE(runs_of_a_workflow_wait_in_the_store_for_their_turn_to_begin) {
    runtime::limit_settings limits;
    limits.workflows["sim/*"].rules = {at_most(3)};
    shop s({}, std::move(limits));
    for (int i = 0; i < 50; ++i) s.submit("run-" + std::to_string(i), "c");
    BOOST_TEST_REQUIRE(s.world->settle());
    BOOST_TEST(s.count(run_status::pending) == 47u);
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.tool.most_running == 3u);
    BOOST_TEST(s.count(run_status::completed) == 50u);
}

BOOST_AUTO_TEST_CASE(what_waits_for_its_turn_can_be_cancelled) {
    runtime::limit_settings limits = for_tool({at_most(1)});
    limits.workflows["sim/*"].rules = {at_most(3)};
    shop s({}, std::move(limits));
    for (int i = 0; i < 6; ++i) s.submit("run-" + std::to_string(i), "c");
    BOOST_TEST_REQUIRE(s.world->settle());
    for (const auto* id : {"run-2", "run-5"}) s.world->post({0, id, "cancel", "test", std::string("cancel-") + id, "{}"});
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.count(run_status::cancelled) == 2u);
    BOOST_TEST(s.count(run_status::completed) == 4u);
    BOOST_TEST(s.tool.order.size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_call_whose_time_is_over_before_its_turn_is_never_started) {
    shop s({}, for_tool({at_most(1)}), R"(
document: { dsl: '1.0.3', namespace: sim, name: one, version: '1.0.0' }
do:
  - work: { call: slow.work, with: { customer: '${ .customer }' }, timeout: { after: PT2.5S } }
)");
    for (int i = 0; i < 6; ++i) s.submit("run-" + std::to_string(i), "c");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.count(run_status::completed) == 2u);
    BOOST_TEST(s.count(run_status::faulted) == 4u);
    // The third had its turn, and its time was over before it was done.
    BOOST_TEST(s.tool.order.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_call_in_line_survives_any_crash_whatever_its_function_promises) {
    for (std::size_t commit = 1; commit <= 60; ++commit) {
        for (const bool after : {false, true}) {
            trial::world_options o;
            o.crash = trial::crash_point{commit, after};
            o.max_resident_runs = 4;
            shop s(o, for_tool({at_most(2)}));
            for (int i = 0; i < 12; ++i) s.submit("run-" + std::to_string(i), "c");
            BOOST_TEST_INFO_SCOPE("crash " << (after ? "after" : "before") << " commit " << commit);
            BOOST_TEST_REQUIRE(s.world->run_to_end());
            // Only those that had been let go when the process died have an unknown outcome.
            BOOST_TEST(s.count(run_status::faulted) <= 2u);
            BOOST_TEST(s.count(run_status::completed) + s.count(run_status::faulted) == 12u);
            BOOST_TEST(s.tool.most_running <= 2u);
            for (const auto& [run, times] : s.tool.executions) BOOST_TEST(times == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(any_history_keeps_the_limits_and_ends) {
#ifdef NDEBUG
    constexpr std::uint64_t seeds = 300;
#else
    constexpr std::uint64_t seeds = 300;
#endif
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        trial::world_options o;
        o.seed = seed;
        o.crash_probability = 0.01;
        o.most_crashes = 4;
        o.duplicates = seed % 2 == 0;
        o.max_resident_runs = 2 + seed % 9;
        o.max_in_flight_calls = 1 + seed % 5;
        if (seed % 3 == 0) o.max_waiting = 4 + seed % 7;
        auto limits = for_tool({at_most(3), at_most(1, customer_of)});
        limits.tools["*"].push_back(at_most(4));
        limits.tools["*"].back().rate = 3;
        limits.workflows["*"].rules = {at_most(5), at_most(2, tenant_in_input)};
        shop s(o, std::move(limits));
        for (int i = 0; i < 25; ++i) s.submit("run-" + std::to_string(i), std::to_string(i % 4));
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        BOOST_TEST_REQUIRE(s.world->run_to_end());
        BOOST_TEST(s.tool.most_running <= 3u);
        for (const auto& [customer, most] : s.tool.most_of) BOOST_TEST(most <= 1u);
        for (const auto& [run, times] : s.tool.executions) BOOST_TEST(times == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
