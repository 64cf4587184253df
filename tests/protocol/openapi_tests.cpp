// `call: openapi`: both generations of documents, of the project and at a URL, against a server on loopback.
#include "flow/openapi.hpp"
#include "place.hpp"
#include "protocol/openapi_effect.hpp"

using namespace pawl;
using namespace pawl::protocol_tests;

namespace {

/// A document whose server is where it came from.
constexpr std::string_view swagger = R"({"swagger": "2.0", "basePath": "/v2", "paths": {
  "/pets/{id}": {"parameters": [{"$ref": "#/parameters/id"}], "get": {"operationId": "getPet", "parameters": [
    {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}, {"name": "ids", "in": "query", "type": "array", "collectionFormat": "pipes"},
    {"name": "X-Trace", "in": "header", "type": "string"}]}},
  "/pets": {"post": {"operationId": "addPet", "consumes": ["application/json"], "parameters": [{"name": "pet", "in": "body", "required": true, "schema": {"type": "object"}}]},
    "get": {"operationId": "findByStatus", "parameters": [{"name": "status", "in": "query", "required": true, "type": "string", "enum": ["available", "sold"]}]}},
  "/forms": {"post": {"operationId": "submit", "consumes": ["application/x-www-form-urlencoded"], "parameters": [{"name": "a", "in": "formData", "type": "string", "required": true}, {"name": "b", "in": "formData", "type": "string"}]}}},
  "parameters": {"id": {"name": "id", "in": "path", "required": true, "type": "string"}}})";

constexpr std::string_view openapi3 = R"(openapi: 3.1.0
info: { title: Notes, version: '1' }
servers:
  - url: '/{stage}/'
    variables: { stage: { default: live } }
paths:
  /notes/{id}:
    put:
      operationId: putNote
      parameters:
        - { name: id, in: path, required: true, schema: { type: string } }
        - { name: filter, in: query, style: deepObject, explode: true, schema: { type: object } }
        - { name: plain, in: query, explode: false, schema: { type: array } }
        - { name: session, in: cookie, schema: { type: string } }
        - { name: exact, in: query, content: { application/json: { schema: {} } } }
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [text], properties: { text: { type: string }, kind: { enum: [a, b] } }, additionalProperties: false } } }
  /login:
    post:
      operationId: login
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object } } } }
)";

struct place {
    std::shared_ptr<hand_clock> clock = std::make_shared<hand_clock>();
    cli::network network{net::http_client_options{}};
    server api{network, [](const net::server_request& request) -> net::server_reply {
                   if (request.target == "/swagger.json") return {200, {{"Content-Type", "application/json"}}, std::string(swagger), {}};
                   if (request.target == "/docs/openapi.yaml") return {200, {}, std::string(openapi3), {}};
                   if (request.target.starts_with("/v2/pets/missing")) return {404, {}, "", {}};
                   if (request.target.starts_with("/v2/pets/moved")) return {302, {}, "", {}};
                   return {200, {{"Content-Type", "application/json"}}, R"({"ok":true})", {}};
               }};
    std::shared_ptr<protocol::authenticated_client> client = std::make_shared<protocol::authenticated_client>(network.client(), clock);
    protocol::openapi_effect effect{client, clock};

    runtime::call_outcome call(const std::string& document, const std::string& operation, json::object parameters, json::object more = {}, runtime::assets assets = {}) {
        more["document"] = json::object{{"endpoint", document}};
        more["operationId"] = operation;
        more["parameters"] = std::move(parameters);
        return begin_call(effect, std::move(more), std::move(assets)).get();
    }
    net::server_request last() { return api.seen(api.count() - 1); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(openapi_calls)

BOOST_AUTO_TEST_CASE(a_swagger_operation_is_called_with_its_parameters_in_place) {
    place p;
    const auto out = p.call(p.api.url("/swagger.json"), "getPet", {{"id", "a/b"}, {"tags", json::array{"x", "y z"}}, {"ids", json::array{1, 2}}, {"X-Trace", "t"}});
    BOOST_TEST_REQUIRE(out.value.has_value(), out.value.error().detail);
    BOOST_TEST(out.value->at("ok").as_bool());
    BOOST_TEST(p.last().target == "/v2/pets/a%2Fb?tags=x&tags=y%20z&ids=1%7C2");
    BOOST_TEST(header_of(p.last(), "X-Trace") == "t");
    BOOST_TEST(header_of(p.last(), "Idempotency-Key").empty());
}

BOOST_AUTO_TEST_CASE(swagger_bodies_are_json_or_forms) {
    place p;
    BOOST_TEST(p.call(p.api.url("/swagger.json"), "addPet", {{"pet", {{"name", "Rex"}}}}).value.has_value());
    BOOST_TEST(p.last().body == R"({"name":"Rex"})");
    BOOST_TEST(header_of(p.last(), "Content-Type") == "application/json");
    BOOST_TEST(header_of(p.last(), "Idempotency-Key") == "key-1");
    BOOST_TEST(p.call(p.api.url("/swagger.json"), "submit", {{"a", "1 2"}, {"b", true}}).value.has_value());
    BOOST_TEST(p.last().body == "a=1%202&b=true");
}

BOOST_AUTO_TEST_CASE(a_path_and_a_parameter_may_stand_elsewhere_in_the_document) {
    const auto document = parse_json(
        R"({"openapi":"3.1.0","paths":{"/pets/{id}":{"parameters":[{"$ref":"#/components/parameters/Pet%20Id"}],"get":{"operationId":"getPet"}},
        "/shared":{"$ref":"#/components/pathItems/Shared"},"/same/{id}":{"$ref":"#/paths/~1pets~1%7Bid%7D"},"/round":{"$ref":"#/paths/~1round"}},
        "components":{"parameters":{"Pet Id":{"name":"id","in":"path","required":true,"schema":{"type":"string"}}},"pathItems":{"Shared":{"get":{"operationId":"shared"}}}}})");
    const auto pet = flow::find_openapi_operation(*document, "getPet");
    BOOST_TEST_REQUIRE(pet.has_value());
    BOOST_TEST(pet->parameters.at(0).name == "id");
    const auto shared = flow::find_openapi_operation(*document, "shared");
    BOOST_TEST_REQUIRE(shared.has_value());
    BOOST_TEST(shared->path == "/shared");
    BOOST_TEST(shared->method == "GET");
}

BOOST_AUTO_TEST_CASE(openapi_3_styles_bodies_and_servers) {
    place p;
    const auto out = p.call(p.api.url("/docs/openapi.yaml"), "putNote",
                            {{"id", 7}, {"filter", {{"by", "me"}, {"n", 1}}}, {"plain", json::array{"a", "b"}}, {"session", "s1"}, {"exact", {{"x", 1}}}, {"text", "hi"}, {"kind", "a"}});
    BOOST_TEST_REQUIRE(out.value.has_value(), out.value.error().detail);
    BOOST_TEST(p.last().method == "PUT");
    BOOST_TEST(p.last().target == "/live/notes/7?filter%5Bby%5D=me&filter%5Bn%5D=1&plain=a,b&exact=%7B%22x%22%3A1%7D");
    BOOST_TEST(header_of(p.last(), "Cookie") == "session=s1");
    BOOST_TEST(p.last().body == R"({"text":"hi","kind":"a"})");
    BOOST_TEST(p.call(p.api.url("/docs/openapi.yaml"), "putNote", {{"id", 7}, {"body", {{"text", "whole"}}}}).value.has_value());
    BOOST_TEST(p.last().body == R"({"text":"whole"})");
    BOOST_TEST(p.call(p.api.url("/docs/openapi.yaml"), "login", {{"user", "a&b"}}).value.has_value());
    BOOST_TEST(p.last().body == "user=a%26b");
}

BOOST_AUTO_TEST_CASE(a_document_at_a_url_is_loaded_once_for_a_while) {
    place p;
    for (int i = 0; i < 3; ++i) BOOST_TEST(p.call(p.api.url("/swagger.json"), "findByStatus", {{"status", "sold"}}).value.has_value());
    BOOST_TEST(p.api.count() == 4u);
    p.clock->advance(milliseconds(301'000));
    BOOST_TEST(p.call(p.api.url("/swagger.json"), "findByStatus", {{"status", "sold"}}).value.has_value());
    BOOST_TEST(p.api.count() == 6u);
}

BOOST_AUTO_TEST_CASE(a_document_of_the_project_is_taken_from_the_definition) {
    place p;
    auto text = std::string(swagger);
    const runtime::assets relative{{"api.json", text}};
    const auto nowhere = p.call("api.json", "findByStatus", {{"status", "sold"}}, {}, relative);
    BOOST_TEST(nowhere.value.error().detail.find("its server is relative, and a file of the project has no address") != std::string::npos, nowhere.value.error().detail);
    text.insert(1, "\"schemes\": [\"http\"], \"host\": \"" + p.api.url().substr(7) + "\", ");
    BOOST_TEST(p.call("api.json", "findByStatus", {{"status", "sold"}}, {}, {{"api.json", text}}).value.has_value());
    BOOST_TEST(p.api.count() == 1u);
}

BOOST_AUTO_TEST_CASE(outputs_and_errors_are_those_of_http) {
    place p;
    const auto whole = p.call(p.api.url("/swagger.json"), "getPet", {{"id", "1"}}, {{"output", "response"}, {"authentication", {{"bearer", {{"token", "hush"}}}}}});
    BOOST_TEST_REQUIRE(whole.value.has_value());
    BOOST_TEST(whole.value->at("statusCode").as_int64() == 200);
    BOOST_TEST(whole.value->at("request").at("uri").as_string() == p.api.url("/v2/pets/1"));
    BOOST_TEST(header_of(p.last(), "Authorization") == "Bearer hush");
    const auto missing = p.call(p.api.url("/swagger.json"), "getPet", {{"id", "missing"}});
    BOOST_TEST(missing.value.error().status == 404);
    BOOST_TEST(type_name_of(missing.value.error().type) == "communication");
    BOOST_TEST(p.call(p.api.url("/swagger.json"), "getPet", {{"id", "moved"}}).value.has_error());
    BOOST_TEST(p.call(p.api.url("/swagger.json"), "getPet", {{"id", "moved"}}, {{"redirect", true}}).value.has_value());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_called_is_said_in_one_sentence) {
    place p;
    const auto url = p.api.url("/swagger.json");
    const auto says = [](const runtime::call_outcome& out, std::string_view text) {
        BOOST_TEST_REQUIRE(out.value.has_error());
        BOOST_TEST(out.value.error().detail.find(text) != std::string::npos, out.value.error().detail);
    };
    says(p.call(url, "findByState", {}), "has no operation `findByState`; did you mean `findByStatus`?");
    says(p.call(url, "findByStatus", {}), "`findByStatus` needs the parameter `status`");
    says(p.call(url, "findByStatus", {{"status", "secret"}}), "must be one of \"available\", \"sold\".");
    says(p.call(url, "findByStatus", {{"status", "sold"}, {"statuss", 1}}), "has no parameter `statuss`; did you mean `status`?");
    says(p.call(p.api.url("/v2/pets/missing"), "x", {}), "cannot be loaded: the server answered 404.");
    says(p.call(p.api.url("/other"), "x", {}), "neither `openapi: 3.x` nor `swagger: '2.0'`");
    says(p.call("nowhere.json", "x", {}), "neither a file of the project nor an absolute http or https URL");
}

BOOST_AUTO_TEST_SUITE_END()
