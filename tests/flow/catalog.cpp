#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pawl::flow_tests {
namespace {

function_description function(std::string name, std::string version, effect_safety safety, std::string_view input_schema) {
    function_description out;
    out.name = std::move(name);
    out.version = std::move(version);
    out.safety = safety;
    if (!input_schema.empty()) out.input_schema = parse_json(input_schema).value();
    return out;
}

constexpr std::string_view lookup_schema = R"({"type":"object","additionalProperties":false,"required":["orderId"],"properties":{
    "orderId":{"type":"string","description":"the number of the order"},"limit":{"type":"integer","minimum":1},
    "filter":{"type":"object","properties":{"open":{"type":"boolean"}},"additionalProperties":false}}})";
constexpr std::string_view pets_api = R"(swagger: '2.0'
host: pets.example.com
schemes: [ https ]
paths:
  /pets:
    get:
      operationId: findPets
      parameters:
        - { name: status, in: query, required: true, type: string, enum: [ available, sold ] }
        - { name: limit, in: query, type: integer }
    post:
      operationId: addPet
      parameters: [ { name: pet, in: body, required: true, schema: { type: object } } ]
)";
constexpr std::string_view charge_schema =
    R"({"type":"object","additionalProperties":false,"required":["amount"],"properties":{"amount":{"type":"number"}}})";
constexpr std::string_view approval_schema =
    R"({"type":"object","additionalProperties":false,"required":["title"],"properties":{"title":{"type":"string"},
    "expires":{"type":"string","anyOf":[{"format":"duration"},{"format":"date-time"}]}}})";
constexpr std::string_view pause_schema =
    R"({"type":"object","properties":{"length":{"type":"string","format":"duration"},"until":{"type":"string","format":"date-time"}}})";

}  // namespace

flow::compile_options options_for(std::string file) {
    flow::compile_options options;
    options.file = std::move(file);
    options.functions = {function("orders.lookup", "1.0.0", effect_safety::pure, lookup_schema),
                         function("orders.lookup", "1.4.2", effect_safety::pure, lookup_schema),
                         function("orders.lookup", "2.0.0", effect_safety::idempotent, lookup_schema),
                         function("payments.charge", "1.0.0", effect_safety::at_most_once, charge_schema),
                         function("payments.refund", "1.0.0", effect_safety::idempotent, charge_schema),
                         function("approval.request", "", effect_safety::transactional, approval_schema),
                         function("robot.pause", "1.0.0", effect_safety::idempotent, pause_schema),
                         function("ai.chat", "", effect_safety::idempotent, {}),
                         function("log", "", effect_safety::pure, {})};
    options.read_asset = [](std::string_view path) -> result<std::string> {
        if (path == "prompts/classify.md") return {boost::system::in_place_value, "Classify {{ ticket }}"};
        if (path == "schemas/order.json") return {boost::system::in_place_value, R"({"type":"object","required":["id"]})"};
        if (path == "scripts/hello.py") return {boost::system::in_place_value, "print('hello')"};
        if (path == "api/pets.yaml") return {boost::system::in_place_value, pets_api};
        if (path == "functions/twice.yaml") return {boost::system::in_place_value, "set: { value: '${ .value * 2 }' }\n"};
        if (path == "functions/chain.yaml") return {boost::system::in_place_value, "do:\n  - inner: { call: ./twice.yaml, with: { value: 21 } }\n"};
        if (path == "functions/broken.yaml") return {boost::system::in_place_value, "do:\n  - inner: { wiat: PT5S }\n"};
        if (path == "functions/round.yaml") return {boost::system::in_place_value, "call: ./round.yaml\n"};
        return make_problem(problem_type::configuration, "no such file");
    };
    // There is everything but `test/othr`, `test/broken` and other versions of `test/other`.
    options.find_workflow = [](std::string_view ns, std::string_view name, std::string_view version) {
        flow::found_workflow found;
        found.similar = {version.empty() ? "test/other" : "test/other:0.1.0"};
        if (ns == "test" && name == "broken") found.why = "broken.yaml has mistakes, the first in line 3: `do` is missing";
        if (ns == "test" && (name == "othr" || name == "broken" || (name == "other" && version == "9.0.0"))) return found;
        found.version = version.empty() ? "0.1.0" : version;
        found.digest = std::string(64, 'd');
        return found;
    };
    // No internet in tests: what the examples refer to stands here.
    options.read_url = [](const std::string& url, const json::value& authentication) -> result<std::string> {
        if (url.ends_with("/serverlessworkflow/catalog/main/functions/log/1.0.0/function.yaml") || url.ends_with("/HEAD/functions/log/1.0.0/function.yaml"))
            return {boost::system::in_place_value, "input: { schema: { document: { type: object } } }\nset: { written: '${ .message }' }\n"};
        if (url == "https://raw.githubusercontent.com/acme/flows/refs/heads/main/functions/greet/1.0.0/function.yaml" && authentication.is_object())
            return {boost::system::in_place_value, "do:\n  - hello: { call: ../../shared/hello.yaml }\n"};
        if (url == "https://raw.githubusercontent.com/acme/flows/refs/heads/main/functions/shared/hello.yaml")
            return {boost::system::in_place_value, "set: { hello: world }\n"};
        if (url == "https://schemas.example.com/order.json") return {boost::system::in_place_value, R"({"type":"object","required":["id"]})"};
        return make_problem(problem_type::communication, "The host name cannot be resolved (" + url.substr(8, url.find('/', 8) - 8) + ":443).");
    };
    return options;
}

std::string with_document(std::string_view text) {
    if (text.starts_with("document:")) return std::string(text);
    return "document: { dsl: '1.0.3', namespace: test, name: example, version: '0.1.0' }\n" + std::string(text);
}

flow::compile_result compile_text(std::string_view text) { return flow::compile(with_document(text), options_for()); }

std::shared_ptr<const flow::workflow> compiled(std::string_view text) {
    const auto source = with_document(text);
    auto out = flow::compile(source, options_for());
    for (const auto& d : out.diagnostics) BOOST_TEST((d.level != severity::error), render(d, source));
    BOOST_TEST_REQUIRE(out.compiled != nullptr);
    return out.compiled;
}

const flow::task& task_named(const flow::workflow& w, std::string_view name) {
    for (const auto& t : w.tasks) {
        if (t.name == name) return t;
    }
    BOOST_FAIL("no task " << name);
    std::abort();
}

std::string conformance_folder() {
    const auto* given = std::getenv("PAWL_CONFORMANCE");
    std::string folder = given != nullptr ? given : PAWL_SOURCE_DIR "/../shared/conformance";
    return std::filesystem::is_directory(folder) ? folder : std::string{};
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

}  // namespace pawl::flow_tests
