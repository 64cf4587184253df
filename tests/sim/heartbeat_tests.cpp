// Long calls in virtual time: what they told of how far they are survives crashes, and silence beyond what is allowed ends an attempt.
#include "flow/compile.hpp"
#include "trial/world.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace pawl;

namespace {

/// What the outside saw of the long tool.
struct history {
    std::vector<json::value> begun_from;  ///< last_detail of each execution
    std::map<std::int64_t, int> items;    ///< how often each was done
    std::vector<std::string> cancelled;
    std::vector<time_point> deadlines;
};

/// This machine's clock is an hour behind the database's.
class skewed_world final : public trial::world {
public:
    using world::world;
    time_point local(time_point of_database) override { return of_database - std::chrono::hours(1); }
};

/// sim.long does `items` items, one every `every` ms, and tells after each how far it is; `silent_at`: once, in the first attempt, it says nothing any more.
class long_tool final : public runtime::effect {
public:
    long_tool(trial::world& w, history& seen) : world_(w), seen_(seen) {}

    std::vector<function_description> functions() const override { return described(); }
    static std::vector<function_description> described() {
        function_description d{"sim.long", "1.0.0", "", effect_safety::idempotent, {}, {}, "simulation", true, milliseconds(60'000)};
        auto once = d;
        once.name = "sim.once";
        once.safety = effect_safety::at_most_once;
        return {d, once};
    }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        auto last = request->last_detail.empty() ? json::value(nullptr) : parse_json(request->last_detail).value();
        seen_.begun_from.push_back(last);
        if (request->deadline) seen_.deadlines.push_back(*request->deadline);
        if (request->heartbeat_timeout) request->beat({});
        next(request, done, last.is_null() ? 0 : last.at("done").to_number<std::int64_t>());
    }
    void cancel(std::string_view key) override { seen_.cancelled.emplace_back(key); }

private:
    void next(const std::shared_ptr<const runtime::call_request>& request, const runtime::completion& done, std::int64_t at) {
        const auto number = [&](const char* name, std::int64_t otherwise) {
            const auto* found = request->arguments.as_object().if_contains(name);
            return found == nullptr ? otherwise : found->to_number<std::int64_t>();
        };
        if (at == number("silent_at", -1) && request->attempt == 1) return;
        if (at == number("fail_at", -1) && request->attempt == 1) return done({make_problem(problem_type::communication, "cut off"), {}, {}});
        if (at == number("big_at", -1)) return request->beat(std::string(70'000, '1'));
        if (at == number("items", 10)) return done({json::object{{"done", at}}, {}, {}});
        world_.later(
            [this, request, done, at] {
                ++seen_.items[at];
                request->beat("{\"done\":" + std::to_string(at + 1) + "}");
                next(request, done, at + 1);
            },
            milliseconds(number("every", 1'000)));
    }

    trial::world& world_;
    history& seen_;
};

struct long_story {
    history seen;
    std::shared_ptr<const flow::workflow> workflow;
    std::unique_ptr<trial::world> world;

    explicit long_story(std::string_view with, std::string_view metadata = "", trial::world_options options = {}, std::string_view function = "sim.long") {
        std::string yaml = "document: { dsl: '1.0.3', namespace: sim, name: long, version: '1.0.0' }\ndo:\n  - job:\n      try:\n        - work:\n            call: " +
                           std::string(function) + "\n            with: { " + std::string(with) + " }\n";
        if (!metadata.empty()) yaml += "            metadata: { " + std::string(metadata) + " }\n";
        yaml += "      catch: { as: why, retry: { delay: PT10S, limit: { attempt: { count: 3 } } }, do: [ { told: { set: '${ $why }' } } ] }\n";
        flow::compile_options compile;
        compile.file = "long.yaml";
        compile.functions = long_tool::described();
        auto made = flow::compile(yaml, compile);
        for (const auto& d : made.diagnostics) {
            if (d.level == severity::error) BOOST_ERROR(render(d, yaml));
        }
        BOOST_REQUIRE(made.compiled);
        workflow = made.compiled;
        world = std::make_unique<skewed_world>(std::move(options), [this](trial::world& w) {
            auto registry = std::make_shared<runtime::effect_registry>();
            (void)registry->add(std::make_shared<long_tool>(w, seen));
            return registry;
        });
        world->deploy(workflow);
        world->create_run("r", *workflow, nullptr);
    }
    json::value output() const { return parse_json(world->row("r").output).value(); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(heartbeats)

BOOST_AUTO_TEST_CASE(a_call_that_gives_signs_of_life_may_take_as_long_as_it_likes) {
    long_story s("items: 400, every: 59000");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST(s.world->row("r").output == R"({"done":400})");
    BOOST_TEST(s.seen.begun_from.size() == 1u);
    BOOST_TEST(s.world->heartbeats_of("r") == 0u);
}

BOOST_AUTO_TEST_CASE(silence_beyond_what_is_allowed_ends_the_attempt_and_the_next_goes_on_from_its_detail) {
    for (const auto& [metadata, silence] : {std::pair{"", 60'000}, std::pair{"heartbeatTimeout: PT5S", 5'000}, std::pair{"heartbeatTimeout: { minutes: 3 }", 180'000}}) {
        long_story s("items: 6, silent_at: 4", metadata);
        BOOST_TEST_REQUIRE(s.world->run_to_end());
        BOOST_TEST(s.world->row("r").output == R"({"done":6})");
        BOOST_TEST_REQUIRE(s.seen.begun_from.size() == 2u);
        BOOST_TEST(s.seen.begun_from[1] == (json::value{{"done", 4}}));
        BOOST_TEST(s.seen.cancelled.size() == 1u);
        for (const auto& [item, times] : s.seen.items) BOOST_TEST(times == 1);
        const auto& steps = s.world->steps("r");
        BOOST_TEST_REQUIRE(steps.size() >= 2u);
        BOOST_TEST(steps[0].outcome == "timeout");
        const auto took = (steps[0].ended_at - steps[0].started_at).count();
        BOOST_TEST(took >= 4'000 + silence);
        BOOST_TEST(took <= 4'000 + silence + 250);
        BOOST_TEST(steps[0].result.find("gave no sign of life for") != std::string::npos, steps[0].result);
        BOOST_TEST(s.world->heartbeats_of("r") == 0u);
    }
}

BOOST_AUTO_TEST_CASE(a_tool_hears_its_deadline_in_its_own_clock_and_the_engine_keeps_its_own) {
    long_story s("items: 100", "heartbeatTimeout: PT5S }\n            timeout: { after: PT3.5S");
    const auto begun = s.world->now();
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST_REQUIRE(s.seen.deadlines.size() == 3u);
    BOOST_TEST((s.seen.deadlines[0] == begun + milliseconds(3'500) - std::chrono::hours(1)));
    BOOST_TEST((s.seen.deadlines[1] == begun + milliseconds(17'000) - std::chrono::hours(1)));  // 3.5 s, 10 s of back-off, 3.5 s
    BOOST_TEST(s.seen.cancelled.size() == 3u);
    BOOST_TEST(s.seen.begun_from[1] == (json::value{{"done", 3}}));
    BOOST_TEST(s.seen.begun_from[2] == (json::value{{"done", 6}}));
}

BOOST_AUTO_TEST_CASE(an_attempt_that_fails_hands_its_last_detail_on) {
    long_story s("items: 6, fail_at: 3, every: 10");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    BOOST_TEST_REQUIRE(s.seen.begun_from.size() == 2u);
    BOOST_TEST(s.seen.begun_from[1] == (json::value{{"done", 3}}));
    BOOST_TEST(s.world->heartbeats_of("r") == 0u);
}

BOOST_AUTO_TEST_CASE(a_detail_over_the_limit_is_an_error_that_says_so) {
    long_story s("items: 6, big_at: 2");
    BOOST_TEST_REQUIRE(s.world->run_to_end());
    const auto why = parse_json(s.world->row("r").output).value();
    BOOST_TEST(std::string(why.at("detail").as_string()) == "The tool sim.long told with a heartbeat of 70000 bytes how far it is; the limit is 65536. Let it keep what is large "
                                                          "elsewhere, and tell where.");
    BOOST_TEST(s.seen.begun_from.size() == 3u);
    BOOST_TEST(s.world->heartbeats_of("r") == 0u);
}

BOOST_AUTO_TEST_CASE(after_any_crash_a_call_goes_on_from_its_last_durable_detail) {
    std::size_t crashes = 0, resumed = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        trial::world_options o;
        o.seed = seed;
        o.keep_time = true;
        o.crash_probability = 0.05;
        o.most_crashes = 5;
        long_story s("items: 40, every: 100", "", o);
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        BOOST_TEST_REQUIRE(s.world->run_to_end());
        BOOST_TEST(s.world->row("r").output == R"({"done":40})");
        BOOST_TEST(s.seen.items.size() == 40u);
        int repeated = 0;
        for (const auto& [item, times] : s.seen.items) repeated += times - 1;
        // At most what was done since the last look, 250 ms and the post to the core, for each crash.
        BOOST_TEST(repeated <= static_cast<int>(4 * s.world->crashes()));
        BOOST_TEST(s.world->heartbeats_of("r") == 0u);
        crashes += s.world->crashes();
        for (const auto& from : s.seen.begun_from) resumed += from.is_null() ? 0 : 1;
    }
    BOOST_TEST(crashes > 100u);
    BOOST_TEST(resumed > 50u);
}

BOOST_AUTO_TEST_CASE(a_call_that_runs_at_most_once_is_not_repeated_and_the_error_says_how_far_it_was) {
    std::size_t told = 0, crashed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        trial::world_options o;
        o.seed = seed;
        o.keep_time = true;
        o.crash_probability = 0.03;
        o.most_crashes = 1;
        long_story s("items: 30, every: 300", "", o, "sim.once");
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        BOOST_TEST_REQUIRE(s.world->run_to_end());
        for (const auto& step : s.world->steps("r")) {
            if (step.outcome != "unknown") continue;
            ++crashed;
            const auto why = parse_json(step.result).value();
            if (const auto* last = why.as_object().if_contains("lastDetail")) {
                ++told;
                BOOST_TEST(last->at("done").to_number<int>() <= static_cast<int>(s.seen.items.size()));
            }
        }
    }
    BOOST_TEST(crashed > 5u);
    BOOST_TEST(told > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
