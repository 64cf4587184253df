// What both hosts promise, whatever a plugin does.
#include "tool/world.hpp"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::tool_tests;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(hosts)

BOOST_DATA_TEST_CASE(a_call_answers, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("plain"));
    BOOST_TEST(start(*host, call_of("echo", R"({"a":[1,2.5,"ü"]})")).get().value() == R"({"a":[1,2.5,"ü"]})");
}

BOOST_DATA_TEST_CASE(an_answer_from_another_thread_and_after_start_counts, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("plain"));
    auto call = start(*host, call_of("thread"));
    BOOST_TEST(call.get().value() == "\"from another thread\"");
    BOOST_TEST(call.news->any_contains("heartbeat: {\"at\":1}"));
    BOOST_TEST(start(*host, call_of("echo", "1")).get().value() == "1");
    BOOST_TEST(!call.news->any_contains("too late"));
}

BOOST_DATA_TEST_CASE(the_second_answer_is_ignored_and_logged, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("plain"));
    BOOST_TEST(start(*host, call_of("twice")).get().value() == "1");
    BOOST_TEST(w.log.wait_for("completed a call that is not live"));
    BOOST_TEST(start(*host, call_of("echo", "1")).get().value() == "1");
}

BOOST_DATA_TEST_CASE(a_failure_without_json_is_still_a_problem, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("plain"));
    const auto outcome = start(*host, call_of("shrug")).get();
    BOOST_TEST_REQUIRE(outcome.has_error());
    BOOST_TEST(outcome.error().type == type_uri(problem_type::runtime));
    BOOST_TEST(outcome.error().detail.find("plain.shrug") != std::string::npos);
}

BOOST_DATA_TEST_CASE(what_a_handler_throws_becomes_a_problem, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("rogue"));
    const auto failed = start(*host, call_of("throws", R"({"what":"failure"})")).get().error();
    BOOST_TEST(failed.type == type_uri(problem_type::communication));
    BOOST_TEST(failed.status == 503);
    BOOST_TEST(failed.title == "Communication Error");
    BOOST_TEST(failed.detail == "The other side is away.");
    BOOST_TEST(failed.extra.at("retryable").as_bool());
    BOOST_TEST(failed.extra.at("tool") == "rogue.throws");
    const auto standard = start(*host, call_of("throws", R"({"what":"standard"})")).get().error();
    BOOST_TEST(standard.type == type_uri(problem_type::runtime));
    BOOST_TEST(standard.detail == "no such thing");
    BOOST_TEST(start(*host, call_of("throws", R"({"what":"int"})")).get().error().detail.find("not a std::exception") != std::string::npos);
}

BOOST_DATA_TEST_CASE(a_cancelled_call_ends, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("rogue"));
    auto call = start(*host, call_of("waits"));
    BOOST_TEST(call.news->wait_for("progress: waiting"));
    host->cancel(call.id);
    BOOST_TEST(call.get().error().type == type_uri(problem_type::timeout));
    host->cancel(call.id);  // late and unknown ones do no harm
    host->cancel(123456789);
}

BOOST_DATA_TEST_CASE(calls_run_at_the_same_time_up_to_the_limit_and_the_others_wait, data::make(both), k) {
    world w;
    auto options = quick_options();
    options.max_in_flight = 8;
    const auto host = host_of(w, k, test_plugin("rogue"), {}, options);
    std::vector<pending> all;
    for (int i = 0; i < 8; ++i) all.push_back(start(*host, call_of("meets", R"({"group":8})")));
    for (auto& each : all) BOOST_TEST(each.get().has_value());
    all.clear();
    // Nine are needed, eight may run: nobody meets anybody until places are free.
    for (int i = 0; i < 9; ++i) all.push_back(start(*host, call_of("waits")));
    for (std::size_t i = 0; i < 8; ++i) BOOST_TEST(all[i].news->wait_for("waiting"));
    BOOST_TEST(!all[8].news->any_contains("waiting"));
    host->cancel(all[0].id);
    BOOST_TEST(all[8].news->wait_for("waiting"));
    for (auto& each : all) host->cancel(each.id);
    for (auto& each : all) BOOST_TEST(each.get().has_error());
}

BOOST_DATA_TEST_CASE(too_many_waiting_calls_are_refused, data::make(both), k) {
    world w;
    auto options = quick_options();
    options.max_in_flight = 1;
    options.max_waiting = 2;
    const auto host = host_of(w, k, test_plugin("rogue"), {}, options);
    std::vector<pending> all;
    for (int i = 0; i < 4; ++i) all.push_back(start(*host, call_of("waits")));
    BOOST_TEST(all[3].get().error().detail.find("too many calls waiting") != std::string::npos);
    for (auto& each : all) host->cancel(each.id);
    for (int i = 0; i < 3; ++i) BOOST_TEST(all[static_cast<std::size_t>(i)].get().has_error());
}

BOOST_DATA_TEST_CASE(inputs_and_outputs_have_limits, data::make(both), k) {
    world w;
    auto options = quick_options();
    options.max_value_bytes = 2'000'000;
    const auto host = host_of(w, k, test_plugin("rogue"), {}, options);
    BOOST_TEST(start(*host, call_of("grows", R"({"bytes":1900000})")).get().value().size() == 1900002u);
    BOOST_TEST(start(*host, call_of("grows", R"({"bytes":2000001})")).get().error().detail.find("the limit is 2000000") != std::string::npos);
    BOOST_TEST(start(*host, call_of("echoes", "\"" + std::string(2'000'000, 'b') + "\"")).get().error().type == type_uri(problem_type::validation));
    const auto large = "\"" + std::string(1'900'000, 'c') + "\"";
    std::vector<pending> all;
    for (int i = 0; i < 20; ++i) all.push_back(start(*host, call_of("echoes", large)));
    for (auto& each : all) BOOST_TEST((each.get().value() == large));
}

BOOST_DATA_TEST_CASE(secrets_reach_the_tool_and_no_line_of_text, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("rogue"));
    BOOST_TEST(start(*host, call_of("tells")).get().value() == R"({"size":16})");
    BOOST_TEST(w.log.wait_for("the token is [secret TOKEN]"));
    auto again = call_of("tells");
    again.attempt = 2;
    BOOST_TEST(start(*host, std::move(again)).get().error().detail == "failed with [secret TOKEN]");
    auto without = call_of("tells");
    without.secrets.clear();
    BOOST_TEST(start(*host, std::move(without)).get().error().type == type_uri(problem_type::authorization));
    BOOST_TEST(!w.log.any_contains("hunter2"));
}

BOOST_DATA_TEST_CASE(a_flood_of_lines_is_cut, data::make(both), k) {
    world w;
    const auto host = host_of(w, k, test_plugin("rogue"));
    BOOST_TEST(start(*host, call_of("talks", k == kind::isolated ? R"({"lines":5000,"stderr":true})" : R"({"lines":5000,"stderr":false})"))
                   .get()
                   .has_value());
    // 5,000 lines of 90 bytes, twice when stderr counts too: the budget lets 64 KiB a second through.
    BOOST_TEST(w.log.wait_for("line 0"));
    BOOST_TEST(w.log.all().size() < 4000u);
}

BOOST_DATA_TEST_CASE(a_refusing_plugin_says_why, data::make(both), k) {
    world w;
    auto made = make_host(w, k, test_plugin("rogue"), {{"refuse", 5}});
    const auto why = made.has_error() ? made.error() : start(**made, call_of("throws")).get().error();
    BOOST_TEST(why.type == type_uri(problem_type::configuration));
    BOOST_TEST(why.detail.find("`/refuse` must be a string, but is a number") != std::string::npos, why.detail);
}

BOOST_DATA_TEST_CASE(a_host_that_ends_ends_its_calls, data::make(both), k) {
    world w;
    pending quick, silent;
    {
        const auto host = host_of(w, k, test_plugin("rogue"));
        quick = start(*host, call_of("waits"));
        BOOST_TEST(quick.news->wait_for("waiting"));
    }
    BOOST_TEST(quick.get().has_error());
    {
        const auto host = host_of(w, k, test_plugin("plain"));
        silent = start(*host, call_of("never"));
    }
    BOOST_TEST(silent.get().error().detail.find("engine is ending") != std::string::npos);
}

BOOST_DATA_TEST_CASE(a_plugin_can_be_used_again_after_its_host_ended, data::make(both), k) {
    world w;
    // Often where it is cheap: the threads of the host before may still be ending.
    for (int i = 0; i < (k == kind::isolated ? 3 : 500); ++i) {
        const auto host = host_of(w, k, test_plugin("plain"));
        BOOST_TEST(start(*host, call_of("echo", "1")).get().value() == "1");
    }
}

BOOST_AUTO_TEST_CASE(a_plugin_that_speaks_when_its_host_has_ended_is_not_heard) {
    world w;
    pending silent;
    {
        const auto host = host_of(w, kind::in_process, test_plugin("plain"));
        silent = start(*host, call_of("never"));
    }
    BOOST_TEST(silent.get().has_error());
    const boost::dll::shared_library library(test_plugin("plain"));
    const auto speak = library.get<std::int32_t()>("plain_speak");
    BOOST_TEST(speak() == 1);
    {
        const auto host = host_of(w, kind::in_process, test_plugin("plain"));
        BOOST_TEST(start(*host, call_of("echo", "1")).get().value() == "1");
        BOOST_TEST(speak() == 1);
        BOOST_TEST(w.log.wait_for("too late"));
    }
    BOOST_TEST(std::ranges::count_if(w.log.all(), [](const auto& line) { return line.find("too late") != std::string::npos; }) == 1);
    BOOST_TEST(!silent.news->any_contains("too late"));
}

BOOST_AUTO_TEST_CASE(an_in_process_library_serves_one_host_at_a_time) {
    world w;
    const auto host = host_of(w, kind::in_process, test_plugin("plain"));
    const auto second = make_host(w, kind::in_process, test_plugin("plain"));
    BOOST_TEST(second.error().detail.find("already in use") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
