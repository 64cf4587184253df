// orders and payments, above all: a refund is paid once, whoever crashes when.
#include "tool/world.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace pawl;
using namespace pawl::tool_tests;

namespace {

tool::tool_call refund(std::string key, std::string_view more = "", unsigned attempt = 1) {
    auto call = call_of("refund", R"({"orderId":"A-1","amount":49.5,"currency":"EUR")" + std::string(more) + "}");
    call.key = std::move(key);
    call.attempt = attempt;
    return call;
}

std::size_t count_lines(const std::string& path) {
    const auto text = read_file(path);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(standard_plugins)

BOOST_AUTO_TEST_CASE(an_order_is_found_or_clearly_not) {
    world w;
    const temporary_folder folder;
    write_file(folder.path("orders.json"), R"([{"orderId":"A-1","total":49.5,"items":["lamp"]},{"orderId":"A-2"}])");
    const auto host = host_of(w, kind::isolated, standard_plugin("orders"), {{"file", folder.path("orders.json")}, {"delayMs", 1}});
    BOOST_TEST(parse_json(start(*host, call_of("lookup", R"({"orderId":"A-1"})")).get().value()).value().at("items").at(0) == "lamp");
    const auto missing = start(*host, call_of("lookup", R"({"orderId":"A-9"})")).get().error();
    BOOST_TEST(missing.status == 404);
    BOOST_TEST(missing.detail == "There is no order `A-9`.");
    write_file(folder.path("orders.json"), "{");
    BOOST_TEST(start(*host, call_of("lookup", R"({"orderId":"A-1"})")).get().error().type == type_uri(problem_type::configuration));
}

BOOST_AUTO_TEST_CASE(a_refund_is_paid_once_per_key) {
    world w;
    const temporary_folder folder;
    const auto ledger = folder.path("new/ledger.jsonl");
    const auto host = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", ledger}});
    const auto first = start(*host, refund("key-1")).get().value();
    BOOST_TEST(start(*host, refund("key-1", "", 2)).get().value() == first);
    BOOST_TEST(count_lines(ledger) == 1u);
    BOOST_TEST(read_file(ledger).find(R"("amount":49.5,)") != std::string::npos);
    BOOST_TEST(start(*host, refund("key-1", R"(,"reason":"another")")).get().error().status == 409);
    BOOST_TEST(start(*host, refund("key-2")).get().has_value());
    BOOST_TEST(count_lines(ledger) == 2u);
}

BOOST_AUTO_TEST_CASE(a_refund_can_fail_for_a_while) {
    world w;
    const temporary_folder folder;
    const auto host = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", folder.path("l")}, {"failTimes", 2}});
    for (unsigned attempt : {1u, 2u}) {
        const auto why = start(*host, refund("k", "", attempt)).get().error();
        BOOST_TEST(why.status == 503);
        BOOST_TEST(why.extra.at("retryable").as_bool());
    }
    BOOST_TEST(start(*host, refund("k", "", 3)).get().has_value());
    BOOST_TEST(start(*host, refund("other", R"(,"failTimes":0)")).get().has_value());
}

BOOST_AUTO_TEST_CASE(a_crash_before_or_after_the_payment_leads_to_one_line) {
    world w;
    const temporary_folder folder;
    const auto ledger = folder.path("l");
    const auto host = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", ledger}});
    BOOST_TEST(start(*host, refund("k", R"(,"crash":"before")")).get().has_error());
    BOOST_TEST(count_lines(ledger) == 0u);
    BOOST_TEST(start(*host, refund("k", R"(,"crash":"after")")).get().has_error());
    BOOST_TEST(count_lines(ledger) == 1u);
    BOOST_TEST(start(*host, refund("k")).get().has_value());
    BOOST_TEST(count_lines(ledger) == 1u);
}

BOOST_AUTO_TEST_CASE(half_a_line_is_taken_away_at_every_length) {
    world w;
    const temporary_folder folder;
    const auto ledger = folder.path("l");
    const auto host = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", ledger}});
    BOOST_TEST(start(*host, refund("first")).get().has_value());
    const auto one = read_file(ledger);
    BOOST_TEST(start(*host, refund("second")).get().has_value());
    const auto two = read_file(ledger);
    for (auto cut = one.size(); cut <= two.size(); cut += 7) {
        write_file(ledger, std::string_view(two).substr(0, cut));
        BOOST_TEST(start(*host, refund("second")).get().has_value());
        BOOST_TEST(read_file(ledger) == two);
    }
}

BOOST_AUTO_TEST_CASE(two_processes_pay_once) {
    world w;
    const temporary_folder folder;
    const auto ledger = folder.path("l");
    const auto one = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", ledger}});
    const auto two = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", ledger}});
    std::vector<pending> all;
    for (int i = 0; i < 40; ++i) all.push_back(start(i % 2 == 0 ? *one : *two, refund("key-" + std::to_string(i / 4))));
    for (auto& each : all) BOOST_TEST(each.get().has_value());
    BOOST_TEST(count_lines(ledger) == 10u);
}

BOOST_AUTO_TEST_CASE(a_slow_refund_that_is_cancelled_pays_nothing) {
    world w;
    const temporary_folder folder;
    const auto host = host_of(w, kind::isolated, standard_plugin("payments"), {{"ledger", folder.path("l")}, {"delayMs", 3'600'000}});
    auto slow = start(*host, refund("k"));
    BOOST_TEST(slow.news->wait_for("waiting for the payment provider"));
    host->cancel(slow.id);
    BOOST_TEST(slow.get().has_error());
    BOOST_TEST(count_lines(folder.path("l")) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
