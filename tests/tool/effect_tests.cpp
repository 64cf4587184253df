// Plugin tools as the engine calls them.
#include "tool/tool_effect.hpp"
#include "tool/world.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::tool_tests;
namespace data = boost::unit_test::data;

namespace pawl::tool_tests {

struct engine_side {
    world w;
    std::optional<std::string> token{"hunter2-and-more"};
    std::shared_ptr<tool::tool_effect> effect;

    explicit engine_side(kind k, const std::vector<std::string>& plugins = {test_plugin("rogue"), test_plugin("plain")}) {
        std::vector<tool::plugin_settings> all;
        for (const auto& each : plugins) all.push_back({each, "", k == kind::isolated, {}});
        auto registry = tool::plugin_registry::open(all);
        BOOST_TEST_REQUIRE(registry.has_value(), registry.error().detail);
        tool::tool_effect_options options;
        options.hosts = quick_options();
        options.log = w.sink();
        options.secret = [this](std::string_view) { return token; };
        auto opened = tool::tool_effect::open(w.io, std::move(*registry), std::move(options));
        BOOST_TEST_REQUIRE(opened.has_value(), opened.error().detail);
        effect = std::move(*opened);
    }

    struct running {
        std::future<runtime::call_outcome> outcome;
        std::shared_ptr<lines> progress = std::make_shared<lines>();
        runtime::call_outcome get() {
            BOOST_TEST_REQUIRE((outcome.wait_for(20s) == std::future_status::ready), "the call did not end");
            return outcome.get();
        }
        problem error() {
            auto ended = get();
            BOOST_TEST_REQUIRE(ended.value.has_error());
            return ended.value.error();
        }
    };
    running start(const std::string& function, std::string_view arguments = "{}", const std::function<void(runtime::call_request&)>& change = {}) {
        auto request = std::make_shared<runtime::call_request>();
        request->function = function;
        request->arguments = parse_json(arguments).value();
        request->key = "key-" + std::to_string(++last_);
        if (change) change(*request);
        running made;
        auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
        made.outcome = promise->get_future();
        effect->start(
            request, [promise](runtime::call_outcome outcome) { promise->set_value(std::move(outcome)); },
            [news = made.progress](std::string_view line) { news->add(std::string(line)); });
        return made;
    }

private:
    int last_ = 0;
};

inline time_point soon(milliseconds after) { return system_clock_source().now() + after; }
inline void within(runtime::call_request& r, milliseconds time) {
    r.deadline = soon(time);
    r.until = std::chrono::steady_clock::now() + time;
}

}  // namespace pawl::tool_tests

BOOST_AUTO_TEST_SUITE(tool_effects)

BOOST_DATA_TEST_CASE(a_tool_is_a_function_of_the_engine, data::make(both), k) {
    engine_side e(k);
    runtime::effect_registry functions;
    BOOST_TEST(functions.add(e.effect).has_value());
    const auto* found = functions.find("rogue.crash");
    BOOST_TEST_REQUIRE(found != nullptr);
    BOOST_TEST((found->description.safety == effect_safety::at_most_once));
    BOOST_TEST(found->description.version == "1.2.0");
    BOOST_TEST(functions.find("rogue") == nullptr);
    BOOST_TEST(functions.functions().size() == 19u);
    BOOST_TEST(functions.add(e.effect).error().detail.find("offered twice") != std::string::npos);
    const auto outcome = e.start("rogue.echoes", R"({"ok":[1,2.5]})").get();
    BOOST_TEST(to_text(outcome.value.value()) == R"({"ok":[1,2.5]})");
    BOOST_TEST(outcome.record.at("plugin") == "rogue 1.2.0");
    BOOST_TEST(outcome.record.contains("latencyMs"));
}

BOOST_DATA_TEST_CASE(arguments_and_outputs_are_held_to_their_schemas, data::make(both), k) {
    engine_side e(k);
    const auto input = e.start("rogue.echoes", "[1]").error();
    BOOST_TEST(input.type == type_uri(problem_type::validation));
    BOOST_TEST(input.detail.find("The input of rogue.echoes") != std::string::npos, input.detail);
    const auto output = e.start("rogue.echoes", R"({"nok":1})").error();
    BOOST_TEST(output.type == type_uri(problem_type::runtime));
    BOOST_TEST(output.detail.find("rogue.echoes answered with something else than it promises") != std::string::npos, output.detail);
    BOOST_TEST(e.start("plain.garbage").error().detail.find("not JSON") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_called_is_refused_before_the_plugin_sees_it) {
    engine_side e(kind::isolated);
    BOOST_TEST(e.start("rogue.missing").error().type == type_uri(problem_type::configuration));
    BOOST_TEST(e.start("rogue.echoes", R"({"ok":1})", [](auto& r) { r.version = "2"; }).error().detail.find("pinned to version 2") != std::string::npos);
    BOOST_TEST(e.start("rogue.echoes", R"({"ok":1})", [](auto& r) { r.version = "1.2"; }).get().value.has_value());
    BOOST_TEST(e.start("rogue.echoes", R"({"ok":1})", [](auto& r) { within(r, -1s); }).error().status == 408);
    e.token.reset();
    const auto secret = e.start("rogue.echoes", R"({"ok":1})").error();
    BOOST_TEST(secret.type == type_uri(problem_type::authorization));
    BOOST_TEST(secret.detail.find("`TOKEN`") != std::string::npos);
}

BOOST_DATA_TEST_CASE(a_deadline_ends_the_call_and_tells_the_tool, data::make(both), k) {
    engine_side e(k);
    auto call = e.start("rogue.waits", "{}", [](auto& r) { within(r, 100ms); });
    auto later = e.start("rogue.echoes", R"({"ok":1})", [](auto& r) { within(r, 1h); });
    BOOST_TEST(later.get().value.has_value());
    const auto why = call.error();
    BOOST_TEST(why.type == type_uri(problem_type::timeout));
    BOOST_TEST(why.status == 408);
    BOOST_TEST(why.detail.find("rogue.waits") != std::string::npos);
}

BOOST_DATA_TEST_CASE(a_deadline_reaches_the_tool_as_it_is, data::make(both), k) {
    engine_side e(k);
    const auto at = soon(1h);
    const auto seen = e.start("rogue.looks", "{}", [&](auto& r) { r.deadline = at; }).get().value.value();
    BOOST_TEST(seen.at("deadlineMs").as_int64() == at.time_since_epoch().count());
    BOOST_TEST(e.start("rogue.looks").get().value.value().at("deadlineMs").as_int64() == 0);
}

// Somebody set the wall clock after the engine had told when the call ends: the passing of time decides.
BOOST_DATA_TEST_CASE(a_wall_clock_that_is_set_neither_ends_nor_prolongs_a_call, data::make(both), k) {
    engine_side e(k);
    const auto set = [](milliseconds by, milliseconds left) {
        return [=](auto& r) {
            within(r, left);
            *r.deadline -= by;
        };
    };
    BOOST_TEST(e.start("rogue.echoes", R"({"ok":1})", set(1h, 1min)).get().value.has_value());
    BOOST_TEST(e.start("rogue.waits", "{}", set(-1h, 50ms)).error().status == 408);
}

BOOST_AUTO_TEST_CASE(a_retry_begins_when_the_attempt_before_it_has_really_ended) {
    engine_side e(kind::isolated);
    const auto same = [](runtime::call_request& r) { r.key = "same"; };
    auto first = e.start("rogue.waits", R"({"deaf":true})", [&](auto& r) { same(r), within(r, 50ms); });
    BOOST_TEST(first.error().status == 408);
    // The deaf attempt still runs, until its process is ended for it; the retry waits that long and then runs.
    auto second = e.start("rogue.looks", "{}", [&](auto& r) { same(r), r.attempt = 2; });
    const auto seen = second.get().value.value();
    BOOST_TEST(seen.at("attempt").as_int64() == 2);
}

BOOST_DATA_TEST_CASE(a_cancelled_call_ends_and_so_does_the_one_that_waits_behind_it, data::make(both), k) {
    engine_side e(k);
    const auto same = [](runtime::call_request& r) { r.key = "same"; };
    auto first = e.start("rogue.waits", "{}", same);
    BOOST_TEST(first.progress->wait_for("waiting"));
    auto second = e.start("rogue.waits", "{}", same);
    e.effect->cancel("same");
    e.effect->cancel("unknown");
    BOOST_TEST(first.error().type == type_uri(problem_type::timeout));
    BOOST_TEST(second.error().detail.find("before it began") != std::string::npos);
}

BOOST_DATA_TEST_CASE(what_a_call_tells_of_itself_reaches_the_engine_and_what_the_engine_knows_reaches_the_call, data::make(both), k) {
    engine_side e(k);
    const auto beats = std::make_shared<lines>();
    const auto attempt = [&](unsigned number, std::string last) {
        return e.start("rogue.resumes", "{}", [&](auto& r) {
            r.key = "r", r.attempt = number, r.last_detail = std::move(last);
            r.beat = [beats](std::string_view detail) { beats->add(std::string(detail)); };
        });
    };
    BOOST_TEST(attempt(1, "").error().detail == "not yet");
    BOOST_TEST(attempt(2, R"({"done":41})").error().detail == "not yet");
    BOOST_TEST(to_text(attempt(3, R"({"done":7})").get().value.value()) == R"({"done":7})");
    BOOST_TEST((beats->all() == std::vector<std::string>{R"({"done":1})", R"({"done":42})", R"({"done":8})"}), boost::test_tools::per_element());
}

BOOST_DATA_TEST_CASE(an_attempt_that_waits_for_the_one_before_it_gets_what_that_one_told_last, data::make(both), k) {
    engine_side e(k);
    const auto same = [](runtime::call_request& r) { r.key = "same", r.last_detail = R"({"done":1})"; };
    auto first = e.start("rogue.parts", "{}", [&](auto& r) { same(r), within(r, 200ms); });
    BOOST_TEST(first.progress->wait_for("waiting"));
    auto second = e.start("rogue.resumes", "{}", [&](auto& r) { same(r), r.attempt = 3; });
    BOOST_TEST(first.error().status == 408);
    BOOST_TEST(to_text(second.get().value.value()) == R"({"done":99})");
}

BOOST_DATA_TEST_CASE(ten_thousand_beats_a_second_cost_little_and_the_newest_arrives, data::make(both), k) {
    engine_side e(k);
    const auto beats = std::make_shared<lines>();
    auto call = e.start("rogue.drums", R"({"beats":20000})", [&](auto& r) {
        r.beat = [beats](std::string_view detail) { beats->add(std::string(detail)); };
    });
    BOOST_TEST(call.get().value.has_value());
    const auto all = beats->all();
    BOOST_TEST_REQUIRE(!all.empty());
    BOOST_TEST(all.back() == R"({"done":20000})");
    // In its own process a tool's beats are thinned out before they cost the engine anything.
    if (k == kind::isolated) BOOST_TEST(all.size() < 500u);
}

BOOST_AUTO_TEST_CASE(a_tool_in_this_process_that_does_not_listen_is_left_behind_with_a_line_in_the_log) {
    engine_side e(kind::in_process);
    const auto same = [](runtime::call_request& r) { r.key = "same"; };
    auto first = e.start("rogue.stubborn", "{}", [&](auto& r) { same(r), within(r, 50ms); });
    BOOST_TEST(first.error().status == 408);
    auto second = e.start("rogue.echoes", R"({"ok":1})", same);
    BOOST_TEST(e.w.log.wait_for("The tool rogue.stubborn was told to stop 300 ms ago and still runs."));
    BOOST_TEST(e.start("rogue.stubborn", R"({"release":true})").get().value.has_value());
    BOOST_TEST(second.get().value.has_value());  // only now
}

BOOST_DATA_TEST_CASE(a_call_counts_as_silent_from_when_its_host_has_it, data::make(both), k) {
    engine_side e(k);
    const auto beats = std::make_shared<lines>();
    const auto watched = [&](runtime::call_request& r) {
        r.key = "same", r.heartbeat_timeout = 1min;
        r.beat = [beats](std::string_view detail) { beats->add("<" + std::string(detail) + ">"); };
    };
    auto first = e.start("rogue.waits", "{}", watched);
    BOOST_TEST(beats->wait_for("<>"));
    auto second = e.start("rogue.echoes", R"({"ok":1})", watched);
    BOOST_TEST(first.progress->wait_for("waiting"));
    BOOST_TEST(beats->all().size() == 1u);  // the second one has not begun
    e.effect->cancel("same");
    BOOST_TEST(first.error().type == type_uri(problem_type::timeout));
    (void)second.get();
}

BOOST_AUTO_TEST_CASE(a_crash_of_an_at_most_once_tool_is_of_unknown_outcome) {
    engine_side e(kind::isolated);
    const auto why = e.start("rogue.crash", R"({"how":"kill"})").error();
    BOOST_TEST(why.extra.at("outcome") == "unknown");
    BOOST_TEST(why.extra.at("signal").as_int64() == 9);
}

BOOST_DATA_TEST_CASE(an_effect_that_ends_ends_every_call_once, data::make(both), k) {
    engine_side e(k);
    std::vector<engine_side::running> all;
    for (int i = 0; i < 5; ++i) all.push_back(e.start("rogue.waits", "{}", [i](auto& r) { r.key = i < 3 ? "same" : "other" + std::to_string(i); }));
    all.push_back(e.start("plain.never"));
    e.effect.reset();
    for (auto& each : all) BOOST_TEST(each.get().value.has_error());
}

BOOST_DATA_TEST_CASE(many_calls_from_many_threads_each_end_once, data::make(both), k) {
    engine_side e(k);
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            std::vector<std::future<runtime::call_outcome>> all;
            for (int i = 0; i < 250; ++i) {
                auto request = std::make_shared<runtime::call_request>();
                request->function = i % 3 == 0 ? "plain.thread" : i % 3 == 1 ? "plain.echo" : "rogue.echoes";
                request->arguments = json::object{{"ok", t * 1000 + i}};
                request->key = std::to_string(t) + "-" + std::to_string(i);
                within(*request, 1min);
                auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
                all.push_back(promise->get_future());
                e.effect->start(request, [promise](runtime::call_outcome outcome) { promise->set_value(std::move(outcome)); }, {});
            }
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (all[i].wait_for(20s) != std::future_status::ready) return;
                const auto ended = all[i].get();
                if (ended.value && (i % 3 == 0 || ended.value->at("ok") == json::value(t * 1000 + static_cast<int>(i)))) ++right;
            }
        });
    }
    for (auto& each : threads) each.join();
    BOOST_TEST(right == 1000);
}

BOOST_AUTO_TEST_SUITE_END()
