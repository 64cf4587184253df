#include "observe/logger.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::observe;

BOOST_AUTO_TEST_SUITE(observe_room)

BOOST_AUTO_TEST_CASE(a_line_is_one_json_object_with_time_level_and_event_first) {
    std::string seen;
    const logger log([&](std::string_view line) { seen += line; }, log_level::info);
    log.write(log_level::debug, "quiet");
    log.write(log_level::warning, "lease-lost", {{"shard", 7}, {"text", "two\nlines"}});
    BOOST_TEST(seen.starts_with("{\"time\":\"2"));
    BOOST_TEST(seen.find("\"level\":\"warning\",\"event\":\"lease-lost\",\"shard\":7,\"text\":\"two\\nlines\"}\n") != std::string::npos);
    BOOST_TEST(std::count(seen.begin(), seen.end(), '\n') == 1);
    BOOST_TEST(parse_json(seen).has_value());
}

BOOST_AUTO_TEST_CASE(secrets_with_quotes_and_what_steers_a_terminal_leave_no_trace_either) {
    auto secrets = std::make_shared<secret_values>();
    secrets->add("pa\"ss\\wo\nrd");
    std::string seen;
    const logger log([&](std::string_view line) { seen += line; }, log_level::debug, secrets);
    log.write(log_level::error, "call", {{"detail", "sent pa\"ss\\wo\nrd"}, {"more", "\u009b2J\u202e\x7f"}});
    BOOST_TEST(seen.find("ss") == std::string::npos, seen);
    BOOST_TEST(seen.find("\"sent [redacted]\"") != std::string::npos, seen);
    BOOST_TEST(seen.find("\\u009b2J\\u202e\\u007f") != std::string::npos, seen);
    BOOST_TEST(parse_json(seen).value().at("more").as_string() == "\u009b2J\u202e\x7f");
}

BOOST_AUTO_TEST_CASE(off_writes_nothing) {
    std::string seen;
    const logger log([&](std::string_view line) { seen += line; }, log_level::off);
    log.write(log_level::error, "anything");
    BOOST_TEST(seen.empty());
}

BOOST_AUTO_TEST_CASE(secrets_leave_no_trace_in_a_line) {
    auto secrets = std::make_shared<secret_values>();
    secrets->add("s3cr");
    secrets->add("s3cr-and-longer");
    secrets->add("abc");  // too short to be replaced everywhere
    std::string seen;
    const logger log([&](std::string_view line) { seen += line; }, log_level::debug, secrets);
    log.write(log_level::error, "call", {{"detail", "sent s3cr-and-longer and s3cr"}, {"headers", {{"Authorization", "Bearer x"}, {"X-Api-Key", "k"}}}, {"totalTokens", 12}, {"abc", "abc"}});
    BOOST_TEST(seen.find("s3cr") == std::string::npos);
    BOOST_TEST(seen.find("Bearer") == std::string::npos);
    BOOST_TEST(seen.find("\"k\"") == std::string::npos);
    BOOST_TEST(seen.find("sent [redacted] and [redacted]") != std::string::npos);
    BOOST_TEST(seen.find("\"totalTokens\":12") != std::string::npos);
    BOOST_TEST(seen.find("\"abc\":\"abc\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(level_names_read_back) {
    for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error, log_level::off}) {
        BOOST_TEST((log_level_from(to_string(level)) == level));
    }
    BOOST_TEST(!log_level_from("loud").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
