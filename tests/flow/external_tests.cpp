// What a workflow refers to outside of itself: functions by place and of catalogs, schemas at URLs, OpenAPI documents, authentication.
#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::flow_tests;

namespace {

json::value arguments_of(const flow::workflow& w, std::string_view task) {
    const auto& call = std::get<flow::call_task>(task_named(w, task).body);
    const json::value none;
    std::vector<const json::value*> values(flow::fixed_variable_count, &none);
    const json::value secrets = json::object{{"pass", "PLACEHOLDER"}};
    values[static_cast<std::size_t>(flow::variable::secrets)] = &secrets;
    auto out = call.arguments.constant() != nullptr ? result<json::value>(*call.arguments.constant()) : call.arguments.evaluate(json::object{{"tenant", "t 1"}}, values);
    BOOST_TEST_REQUIRE(out.has_value());
    return *out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_external)

BOOST_AUTO_TEST_CASE(a_function_in_a_file_is_pinned_and_rebuilt_without_reading) {
    const auto w = compiled("do:\n  - go: { call: functions/chain.yaml }\n");
    BOOST_TEST(w->assets.contains("functions/chain.yaml"));
    BOOST_TEST(w->assets.contains("functions/twice.yaml"));  // relative to the file that names it
    BOOST_TEST(std::holds_alternative<flow::set_task>(task_named(*w, "functions/twice.yaml").body));
    const auto again = flow::compile_bundle(w->bundle);
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST((*again)->digest == w->digest);
    BOOST_TEST((*again)->tasks.size() == w->tasks.size());
    boost::system::error_code missing;
    BOOST_TEST(w->definition.find_pointer(task_named(*w, "inner").pointer, missing) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_function_of_a_catalog_comes_from_the_raw_files_of_its_repository) {
    const auto w = compiled(R"(
use:
  catalogs:
    acme: { endpoint: { uri: https://github.com/acme/flows/tree/main, authentication: { bearer: { token: t } } } }
    global: { endpoint: https://github.com/serverlessworkflow/catalog }
do:
  - greet: { call: 'greet:1.0.0@acme' }
  - write: { call: 'log:1.0.0@global', with: { message: hi } }
)");
    BOOST_TEST(w->assets.contains("https://raw.githubusercontent.com/acme/flows/refs/heads/main/functions/shared/hello.yaml"));
    BOOST_TEST(w->assets.contains("https://raw.githubusercontent.com/serverlessworkflow/catalog/HEAD/functions/log/1.0.0/function.yaml"));
    BOOST_TEST(flow::compile_bundle(w->bundle).has_value());
}

BOOST_AUTO_TEST_CASE(a_schema_at_a_url_is_pinned) {
    const auto w = compiled("input: { schema: { resource: { endpoint: https://schemas.example.com/order.json } } }\ndo:\n  - a: { set: { x: 1 } }\n");
    BOOST_TEST(w->input.schema.has_value());
    BOOST_TEST((*flow::compile_bundle(w->bundle))->input.schema.has_value());
}

BOOST_AUTO_TEST_CASE(an_openapi_call_is_as_safe_as_its_method) {
    const auto w = compiled(R"(
do:
  - find: { call: openapi, with: { document: { endpoint: ./api/pets.yaml }, operationId: findPets, parameters: { status: '${ .status }' } } }
  - add: { call: openapi, with: { document: { endpoint: api/pets.yaml }, operationId: addPet, parameters: { pet: { name: Rex } } } }
  - far: { call: openapi, with: { document: { endpoint: 'https://{tenant}.example.com/api.json' }, operationId: x } }
)");
    BOOST_TEST((std::get<flow::call_task>(task_named(*w, "find").body).safety == effect_safety::pure));
    BOOST_TEST((std::get<flow::call_task>(task_named(*w, "add").body).safety == effect_safety::at_most_once));
    BOOST_TEST(arguments_of(*w, "add").at("document").at("endpoint").as_string() == "api/pets.yaml");
    BOOST_TEST(arguments_of(*w, "far").at("document").at("endpoint").as_string() == "https://t%201.example.com/api.json");
    BOOST_TEST(w->assets.size() == 1u);
    BOOST_TEST(flow::compile_bundle(w->bundle).has_value());
}

BOOST_AUTO_TEST_CASE(authentication_comes_by_name_from_a_secret_or_inline) {
    const auto w = compiled(R"(
use:
  secrets: [ pass ]
  authentications:
    users: { digest: { use: pass } }
    tokens: { oauth2: { authority: 'https://auth.example.com/{tenant}', grant: client_credentials, client: { id: me, secret: '${ $secrets.pass }' } } }
do:
  - a: { call: http, with: { method: get, endpoint: { uri: 'https://api.example.com', authentication: { use: users } } } }
  - b: { call: openapi, with: { document: { endpoint: api/pets.yaml }, operationId: findPets, parameters: { status: sold }, authentication: { use: tokens } } }
  - c: { call: http, with: { method: get, endpoint: { uri: 'https://api.example.com', authentication: { oidc: { use: pass } } } } }
)");
    BOOST_TEST(arguments_of(*w, "a").at("endpoint").at("authentication").at("digest").as_string() == "PLACEHOLDER");
    BOOST_TEST(arguments_of(*w, "c").at("endpoint").at("authentication").at("oidc").as_string() == "PLACEHOLDER");
    const auto oauth = arguments_of(*w, "b").at("authentication").at("oauth2");
    BOOST_TEST(oauth.at("authority").as_string() == "https://auth.example.com/t%201");
    BOOST_TEST(oauth.at("client").at("secret").as_string() == "PLACEHOLDER");
}

BOOST_AUTO_TEST_SUITE_END()
