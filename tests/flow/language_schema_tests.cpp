// The schema that `pawl schema` prints: what checks clean validates, what has a mistake of form does not.
#include "catalog.hpp"
#include "flow/language_schema.hpp"
#include "flow/yaml.hpp"
#include "schema/validator.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace pawl;
using namespace pawl::flow_tests;

namespace {

/// With the functions of the test catalog, or with none.
const schema::validator& validator(bool functions = true) {
    static const auto with = schema::validator::compile(flow::language_schema(options_for().functions));
    static const auto without = schema::validator::compile(flow::language_schema({}));
    const auto& made = functions ? with : without;
    if (made.has_error()) BOOST_FAIL("the schema does not compile: " << made.error().detail << " " << to_text(json::value(made.error().extra)));
    return *made;
}

std::string problems_of(std::string_view text, bool functions = true) {
    const auto document = flow::read_yaml(text, "flow.yaml");
    BOOST_TEST_REQUIRE(document.has_value());
    std::string out;
    for (const auto& v : validator(functions).validate(document->value)) out += v.instance + " " + v.message + "\n";
    return out;
}

std::vector<std::string> files_below(const std::string& folder) {
    std::vector<std::string> out;
    if (!std::filesystem::is_directory(folder)) return out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".yaml" && read_file(entry.path().string()).starts_with("document:")) out.push_back(entry.path().string());
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_language_schema)

BOOST_AUTO_TEST_CASE(what_checks_clean_validates) {
    auto files = files_below(PAWL_SOURCE_DIR "/examples");
    BOOST_TEST(files.size() > 2u);
    if (const auto folder = conformance_folder(); !folder.empty()) {
        for (auto& file : files_below(folder + "/ows/examples")) files.push_back(std::move(file));
    }
    std::size_t clean = 0;
    for (const auto& file : files) {
        const auto text = read_file(file);
        const auto ours = file.starts_with(PAWL_SOURCE_DIR "/examples");  // they call plugins that options_for() does not know
        if (!ours && flow::compile(text, options_for(file)).compiled == nullptr) continue;
        ++clean;
        BOOST_TEST(problems_of(text, !ours).empty(), file << "\n" << problems_of(text, !ours));
    }
    std::cout << "language schema: " << clean << " files validate\n";
}

BOOST_AUTO_TEST_CASE(mistakes_of_form_do_not_validate) {
    for (const std::string tasks : {
             "do:\n  - t: { wiat: PT5S }\n",
             "do:\n  - t: { set: { a: 1 }, with: { a: 1 } }\n",
             "do:\n  - t: { wait: 24h }\n",
             "do:\n  - t: { wait: 30 }\n",
             "do:\n  - t: { wait: { secs: 5 } }\n",
             "do:\n  - t: { wait: PT5S, timeout: PT30S }\n",
             "do: { t: { set: { a: 1 } } }\n",
             "do: []\n",
             "do:\n  - t: { call: http, with: { method: get } }\n",
             "do:\n  - t: { call: http, with: { method: get, endpont: https://example.com } }\n",
             "do:\n  - t: { call: http }\n",
             "do:\n  - t: { call: orders.lookup }\n",
             "do:\n  - t: { call: orders.lookup, with: { orderID: A-1 } }\n",
             "do:\n  - t: { call: 'orders.lookup:2.0.0@default', with: { orderId: A-1, limit: many } }\n",
             "do:\n  - t: { set: { a: 1 }, input: { as: .order } }\n",
             "do:\n  - t: { for: { each: $order, in: .orders }, do: [ a: { set: { b: 1 } } ] }\n",
             "do:\n  - t: { for: { in: .orders } }\n",
             "do:\n  - t: { try: [ a: { set: { b: 1 } } ] }\n",
             "do:\n  - t: { try: [ a: { set: { b: 1 } } ], catch: { retry: { maxAttempts: 3 } } }\n",
             "do:\n  - t: { try: [ a: { set: { b: 1 } } ], catch: { errors: { status: 503 } } }\n",
             "do:\n  - t: { raise: { error: { status: 400 } } }\n",
             "do:\n  - t: { switch: [ small: { when: .n < 10 } ] }\n",
             "do:\n  - t: { emit: { event: { with: { source: https://example.com } } } }\n",
             "input: { schema: { type: object } }\ndo:\n  - t: { set: { a: 1 } }\n",
             "use: { extensions: [ log: { extend: do, before: [ a: { set: { b: 1 } } ] } ] }\ndo:\n  - t: { set: { a: 1 } }\n",
             "evaluate: { mode: lax }\ndo:\n  - t: { set: { a: 1 } }\n",
             "input: { from: .a }\n",
             "do:\n  - t: { run: { shell: { command: ls, return: code } } }\n",
             "do:\n  - t: { run: { script: { language: python, code: pass, await: false } } }\n",
             "do:\n  - t: { wait: { days: 1.5 } }\n",
             "do:\n  - t: { call: mcp, with: { server: 'https://example.com', tool: search } }\n",
             "do:\n  - t: { call: mcp, with: { method: tools/list, transport: { stdio: { cmd: uvx } } } }\n",
         }) {
        BOOST_TEST(!problems_of(with_document(tasks)).empty(), "validates: " << tasks);
        BOOST_TEST((flow::compile(with_document(tasks), options_for()).compiled == nullptr), "checks clean: " << tasks);
    }
    BOOST_TEST(!problems_of("document: { dsl: '2.0.0', namespace: a_b, name: x, version: 1.0 }\ndo:\n  - t: { set: { a: 1 } }\n").empty());
}

BOOST_AUTO_TEST_CASE(what_the_language_leaves_open_is_open_here) {
    for (const std::string tasks : {
             "do:\n  - t: { run: { workflow: { namespace: test, name: child } } }\n",
             "do:\n  - t: { run: { shell: { command: ls, stdin: x, arguments: [ a ], environment: { A: b } }, return: code, await: true } }\n",
             "do:\n  - t: { call: mcp, with: { method: tools/call, timeout: PT5S, parameters: { name: search, arguments: { q: '${ .q }' } }, "
             "transport: { stdio: { command: uvx, arguments: [ server ] } }, client: { name: a, version: '1' } } }\n",
             "do:\n  - t: { call: mcp, with: { method: tools/list, transport: { http: { endpoint: { uri: 'https://example.com', authentication: { "
             "bearer: { token: x } } }, headers: { A: b } } } } }\n",
             "do:\n  - t: { set: ready }\n",
             "do:\n  - t: { wait: { seconds: '${ .n }' } }\n",
         }) {
        BOOST_TEST(problems_of(with_document(tasks)).empty(), tasks << problems_of(with_document(tasks)));
    }
}

BOOST_AUTO_TEST_CASE(arguments_take_expressions_where_tools_want_other_types) {
    BOOST_TEST(problems_of(with_document(
                               "do:\n  - t: { call: orders.lookup, with: { orderId: A-1, limit: '${ .limit }', filter: { open: '${ .open }' } } }\n"))
                   .empty());
    BOOST_TEST(problems_of(with_document("do:\n  - t: { call: 'payments.charge:1', with: { amount: '${ .amount }' } }\n")).empty());
    BOOST_TEST(!problems_of(with_document("do:\n  - t: { call: payments.charge, with: { amount: five } }\n")).empty());
}

BOOST_AUTO_TEST_SUITE_END()
