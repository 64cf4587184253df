#include "runtime/secrets.hpp"

#include "flow/compile.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

std::shared_ptr<const flow::workflow> with_secret(std::string_view argument) {
    function_description d;
    d.name = "t.call";
    d.version = "1.0.0";
    flow::compile_options options;
    options.functions = {d};
    const auto made = flow::compile("document: { dsl: '1.0.3', namespace: t, name: s, version: '1.0.0' }\nuse: { secrets: [token] }\ndo:\n  - a: { call: t.call, with: { v: '" +
                                        std::string(argument) + "' } }\n",
                                    options);
    for (const auto& diagnostic : made.diagnostics) BOOST_TEST_MESSAGE(render(diagnostic));
    BOOST_REQUIRE(made.compiled);
    return made.compiled;
}

std::optional<std::string> resolve(std::string_view name) {
    if (name == "token") return "s3cret";
    return std::nullopt;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(secrets)

BOOST_AUTO_TEST_CASE(a_placeholder_becomes_the_secret_at_dispatch_only) {
    const auto w = with_secret("${ $secrets.token }");
    json::value arguments = json::object{{"v", "Bearer " + runtime::secret_placeholder("run-1", "token")}};
    BOOST_TEST(to_text(arguments).find("s3cret") == std::string::npos);
    BOOST_REQUIRE(runtime::put_secrets(arguments, "run-1", *w, w->tasks[0], resolve).has_value());
    BOOST_TEST(arguments.at("v").as_string() == "Bearer s3cret");
}

BOOST_AUTO_TEST_CASE(a_placeholder_that_came_in_as_data_stays_text) {
    const auto w = with_secret("${ .given }");
    json::value arguments = json::object{{"v", runtime::secret_placeholder("run-1", "token")}};
    BOOST_REQUIRE(runtime::put_secrets(arguments, "run-1", *w, w->tasks[0], resolve).has_value());
    BOOST_TEST(arguments.at("v").as_string() == runtime::secret_placeholder("run-1", "token"));
    // Nor does one that was made for another run.
    const auto reads = with_secret("${ $secrets.token }");
    json::value other = json::object{{"v", runtime::secret_placeholder("run-2", "token")}};
    BOOST_REQUIRE(runtime::put_secrets(other, "run-1", *reads, reads->tasks[0], resolve).has_value());
    BOOST_TEST(to_text(other).find("s3cret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_secret_without_value_is_an_error_that_names_it) {
    const auto w = with_secret("${ $secrets.token }");
    json::value arguments = json::object{{"v", runtime::secret_placeholder("run-1", "token")}};
    const auto done = runtime::put_secrets(arguments, "run-1", *w, w->tasks[0], [](std::string_view) { return std::nullopt; });
    BOOST_TEST_REQUIRE(done.has_error());
    BOOST_TEST(done.error().status == 403);
    BOOST_TEST(done.error().detail.find("token") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
