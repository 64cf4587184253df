// What errors say and whom they meet: the place that each names (RFC 6901), and the types that a catch takes.
#include "machine/driver.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using pawl::testing::driver;
using namespace std::chrono_literals;

namespace {

/// Does a catch with `wanted` take an error of type `raised`?
bool is_caught(std::string_view wanted, std::string_view raised) {
    driver d("\n  - t: { try: [ { r: { raise: { error: { type: '" + std::string(raised) + "', status: 500 } } } } ], catch: { errors: { with: { type: '" + std::string(wanted) + "' } } } }\n");
    d.start();
    return d.s.status == run_status::completed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(errors_of_the_workflow_itself_name_their_place) {
    driver input("\n  - a: { set: { n: 1 } }\n", "input: { schema: { document: { required: [n] } } }\n");
    input.start("{}");
    BOOST_TEST(input.error_type() == "validation");
    BOOST_TEST(input.s.error->instance == "/input");

    driver from("\n  - a: { set: { n: 1 } }\n", "input: { from: .a.b }\n");
    from.start(R"({"a":1})");
    BOOST_TEST(from.error_type() == "expression");
    BOOST_TEST(from.s.error->instance == "/input");

    driver output("\n  - a: { set: { n: 1 } }\n", "output: { schema: { document: { required: [m] } } }\n");
    output.start("{}");
    BOOST_TEST(output.error_type() == "validation");
    BOOST_TEST(output.s.error->instance == "/output");

    driver as("\n  - a: { set: { n: 1 } }\n", "output: { as: .n.b }\n");
    as.start("{}");
    BOOST_TEST(as.s.error->instance == "/output");

    driver late("\n  - a: { wait: PT1H }\n", "timeout: { after: PT1S }\n");
    late.start("{}").pass(2s);
    BOOST_TEST(late.error_type() == "timeout");
    BOOST_TEST(late.s.error->instance == "/timeout");

    driver limit("\n  - a: { wait: PT1H }\n", "timeout: { after: '${ .t }' }\n");
    limit.start(R"({"t":"24h"})");
    BOOST_TEST(limit.s.error->instance == "/timeout");
}

BOOST_AUTO_TEST_CASE(a_condition_or_a_delay_that_fails_names_the_try) {
    for (const std::string policy : {"when: .status.x", "retry: { when: .status.x }", "retry: { delay: '${ \"24h\" }' }"}) {
        driver d("\n  - t: { try: [ { r: { raise: { error: { type: 'https://example.com/e', status: 500 } } } } ], catch: { " + policy + " } }\n");
        d.start("{}");
        BOOST_TEST((d.s.status == run_status::faulted));
        BOOST_TEST_REQUIRE(d.s.error.has_value());
        BOOST_TEST(d.s.error->instance == "/do/0/t", policy << " says " << d.s.error->instance);
    }
}

BOOST_AUTO_TEST_CASE(standard_types_are_the_same_under_any_base_and_others_are_themselves) {
    constexpr std::string_view current = "https://open-workflow-specification.org/spec/1.0.0/errors/timeout";
    BOOST_TEST(is_caught(current, current));
    BOOST_TEST(is_caught("https://serverlessworkflow.io/spec/1.0.0/errors/timeout", current));
    BOOST_TEST(is_caught(current, "https://serverlessworkflow.io/dsl/errors/types/timeout"));
    BOOST_TEST(is_caught("timeout", current));
    BOOST_TEST(!is_caught("https://open-workflow-specification.org/spec/1.0.0/errors/runtime", current));

    BOOST_TEST(is_caught("https://example.com/orders/unpaid", "https://example.com/orders/unpaid"));
    BOOST_TEST(is_caught("unpaid", "https://example.com/orders/unpaid"));
    BOOST_TEST(!is_caught("https://example.com/orders/unpaid", "https://example.com/invoices/unpaid"));
    // `timeout` of somebody's own is not the standard's.
    BOOST_TEST(!is_caught("https://example.com/orders/timeout", "https://example.com/invoices/timeout"));
    BOOST_TEST(!is_caught(current, "https://example.com/orders/timeout"));
}

BOOST_AUTO_TEST_CASE(an_error_whose_members_are_computed_wrong_is_an_expression_error) {
    const auto raised = [](std::string_view type, std::string_view status) {
        driver d("\n  - a: { raise: { error: { type: '" + std::string(type) + "', status: '" + std::string(status) + "' } } }\n");
        d.start(R"({"no":"out of stock","rel":"out-of-stock","n":409,"big":1000,"text":"409"})");
        BOOST_TEST((d.s.status == run_status::faulted));
        return std::pair(d.s.error->type, d.s.error->status);
    };
    BOOST_TEST(raised("${ .rel }", "${ .n }").first == "out-of-stock");
    BOOST_TEST(raised("https://example.com/e", "${ .n }").second == 409);
    for (const auto& [type, status] : {std::pair("${ .no }", "${ .n }"),
                                       {"${ .absent }", "${ .n }"},
                                       {"${ .rel }", "${ .big }"},
                                       {"${ .rel }", "${ .text }"},
                                       {"${ .rel }", "${ .absent }"}}) {
        const auto error = raised(type, status);
        BOOST_TEST(type_name_of(error.first) == "expression", type << " " << status);
        BOOST_TEST(error.second == 400);
    }
}

BOOST_AUTO_TEST_SUITE_END()
