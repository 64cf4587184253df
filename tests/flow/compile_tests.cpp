// The compiled form of every construct.
#include "base/digest.hpp"
#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::flow;
using namespace pawl::flow_tests;

namespace {

/// Evaluates with `context`, `input` and `steps` set to recognisable values, and `locals` behind them.
json::value value_of(const evaluable& e, std::string_view input, std::vector<json::value> locals = {}) {
    const json::value null_value, context = parse_json(R"({"c":1})").value(), steps = parse_json(R"({"a":{"x":7}})").value(),
                                  secrets = parse_json(R"({"token":"t0"})").value();
    const auto dot = parse_json(input).value();
    std::vector<const json::value*> variables(fixed_variable_count, &null_value);
    variables[static_cast<std::size_t>(variable::context)] = &context;
    variables[static_cast<std::size_t>(variable::input)] = &dot;
    variables[static_cast<std::size_t>(variable::steps)] = &steps;
    variables[static_cast<std::size_t>(variable::secrets)] = &secrets;
    for (const auto& each : locals) variables.push_back(&each);
    const auto value = e.evaluate(dot, variables);
    if (value.has_error()) return json::value("error: " + value.error().detail);
    return *value;
}

std::string text_of(const evaluable& e, std::string_view input, std::vector<json::value> locals = {}) {
    return to_text(value_of(e, input, std::move(locals)));
}

const char* only_codes_of(const std::vector<diagnostic>& all, std::string_view code) {
    for (const auto& d : all) {
        if (d.code == code) return d.message.c_str();
    }
    return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_compile)

BOOST_AUTO_TEST_CASE(a_workflow_keeps_its_document_definition_and_order) {
    const auto w = compiled(
        "document: { dsl: '1.0.1', namespace: a, name: b, version: 1.2.3, title: T, tags: { x: y }, metadata: { m: 1 } }\n"
        "do:\n  - one: { set: { a: 1 } }\n  - two: { set: { a: 2 }, metadata: { k: v } }\n");
    BOOST_TEST(w->document.name == "b");
    BOOST_TEST(w->document.version == "1.2.3");
    BOOST_TEST(to_text(w->document.metadata) == R"({"m":1})");
    BOOST_TEST(to_text(w->definition.at("do").at(0)) == R"({"one":{"set":{"a":1}}})");
    const auto& one = w->tasks[w->first];
    BOOST_TEST(one.name == "one");
    BOOST_TEST(one.pointer == "/do/0/one");
    BOOST_TEST(one.parent == no_task);
    BOOST_TEST(w->tasks[one.next].name == "two");
    BOOST_TEST(w->tasks[one.next].next == no_task);
    BOOST_TEST(to_text(w->tasks[one.next].metadata) == R"({"k":"v"})");
    BOOST_TEST(one.mark.line == 3u);
    BOOST_TEST(one.mark.column == 5u);
}

BOOST_AUTO_TEST_CASE(data_filters_take_bare_and_braced_expressions_and_documents) {
    const auto w = compiled(
        "input: { from: .order, schema: { document: { type: object } } }\noutput: { as: '${ .x }' }\n"
        "do:\n  - a:\n      if: .go\n      input: { from: { k: '${ .v }' } }\n      set: { r: '${ .k }' }\n      output: { as: '{ o: ., i: $input.k "
        "}' }\n"
        "      export: { as: '$context + { e: $output }', schema: { document: { required: [ e ] } } }\n");
    BOOST_TEST(w->input.schema.has_value());
    BOOST_TEST(text_of(*w->input.transform, R"({"order":5})") == "5");
    BOOST_TEST(text_of(*w->output.transform, R"({"x":[1]})") == "[1]");
    const auto& a = task_named(*w, "a");
    BOOST_TEST(text_of(*a.condition, R"({"go":true})") == "true");
    BOOST_TEST(text_of(*a.input.transform, R"({"v":3})") == R"({"k":3})");
    BOOST_TEST(text_of(std::get<set_task>(a.body).value, R"({"k":"z"})") == R"({"r":"z"})");
    BOOST_TEST(text_of(*a.output.transform, R"({"k":1})") == R"({"o":{"k":1},"i":1})");
    BOOST_TEST(text_of(*a.export_.transform, "9") == R"({"c":1,"e":null})");
    BOOST_TEST(a.export_.schema->is_valid(parse_json("{}").value()) == false);
}

BOOST_AUTO_TEST_CASE(only_braces_count_in_strict_mode_and_loose_mode_tries) {
    const auto strict = compiled("do:\n  - a: { set: { plain: '1 + 1', text: 'sum ${ 1 + 1 }!', value: '${ 1 + 1 }' } }\n");
    BOOST_TEST(text_of(std::get<set_task>(task_named(*strict, "a").body).value, "null") == R"({"plain":"1 + 1","text":"sum 2!","value":2})");
    const auto loose = compiled("evaluate: { mode: loose }\ndo:\n  - a: { set: { sum: '1 + .n', words: 'not an expression' } }\n");
    BOOST_TEST(text_of(std::get<set_task>(task_named(*loose, "a").body).value, R"({"n":2})") == R"({"sum":3,"words":"not an expression"})");
}

BOOST_AUTO_TEST_CASE(directives_lead_to_tasks_of_their_scope) {
    const auto w = compiled(
        "do:\n  - a: { set: { x: 1 }, then: c }\n  - b: { set: { x: 1 }, then: exit }\n  - c:\n      do:\n        - d: { set: { x: 1 }, then: f }\n  "
        "      - e: { set: { x: 1 }, then: end }\n"
        "        - f: { set: { x: 1 }, then: e }\n      then: b\n");
    using kind = flow_directive::kind;
    BOOST_TEST((task_named(*w, "a").then.what == kind::task && w->tasks[task_named(*w, "a").then.target].name == "c"));
    BOOST_TEST((task_named(*w, "b").then.what == kind::exit));
    BOOST_TEST((task_named(*w, "e").then.what == kind::end));
    BOOST_TEST(w->tasks[task_named(*w, "f").then.target].name == "e");
    const auto& c = task_named(*w, "c");
    BOOST_TEST(w->tasks[std::get<do_task>(c.body).first].name == "d");
    BOOST_TEST(task_named(*w, "d").parent == c.id);
    BOOST_TEST(task_named(*w, "d").pointer == "/do/2/c/do/0/d");
}

BOOST_AUTO_TEST_CASE(switch_for_and_fork) {
    const auto w = compiled(
        "do:\n  - choose:\n      switch:\n        - low: { when: .n < 3, then: each }\n        - rest: { then: end }\n"
        "  - each:\n      for: { each: pet, in: .pets, at: i }\n      while: $i < 2 and $pet != null\n      do:\n        - inner:\n            for: "
        "{ in: [ { a: 1 }, { a: '${ $pet }' } ] }\n            do:\n"
        "              - use: { set: { r: '${ [$pet, $i, $item.a, $index] }' } }\n"
        "  - both:\n      fork: { compete: true, branches: [ l: { set: { a: 1 } }, r: { do: [ s: { set: { a: 2 } } ] } ] }\n");
    const auto& choose = std::get<switch_task>(task_named(*w, "choose").body);
    BOOST_TEST(choose.cases.size() == 2u);
    BOOST_TEST(text_of(*choose.cases[0].when, R"({"n":2})") == "true");
    BOOST_TEST(w->tasks[choose.cases[0].then.target].name == "each");
    BOOST_TEST(!choose.cases[1].when.has_value());
    const auto& each = std::get<for_task>(task_named(*w, "each").body);
    BOOST_TEST(each.each == "pet");
    BOOST_TEST(each.at == "i");
    BOOST_TEST(text_of(*each.while_, "null", {"x", 1}) == "true");
    BOOST_TEST(task_named(*w, "each").locals.empty());
    const auto& inner = std::get<for_task>(task_named(*w, "inner").body);
    BOOST_TEST(text_of(inner.in, "null", {"dog", 0}) == R"([{"a":1},{"a":"dog"}])");
    const auto& use = task_named(*w, "use");
    BOOST_TEST(use.locals == (std::vector<std::string>{"pet", "i", "item", "index"}), boost::test_tools::per_element());
    BOOST_TEST(text_of(std::get<set_task>(use.body).value, "null", {"dog", 0, parse_json(R"({"a":5})").value(), 1}) == R"({"r":["dog",0,5,1]})");
    const auto& both = std::get<fork_task>(task_named(*w, "both").body);
    BOOST_TEST(both.compete);
    BOOST_TEST_REQUIRE(both.branches.size() == 2u);
    BOOST_TEST(w->tasks[both.branches[1]].name == "r");
    BOOST_TEST(w->tasks[both.branches[0]].next == no_task);
}

BOOST_AUTO_TEST_CASE(an_inner_name_hides_an_outer_one) {
    const auto w = compiled(
        "do:\n  - outer:\n      for: { in: .a }\n      do:\n        - inner:\n            for: { in: $item }\n            do:\n              - use: "
        "{ set: { r: '${ $item }' } }\n");
    BOOST_TEST(text_of(std::get<for_task>(task_named(*w, "inner").body).in, "null", {"outer", 0}) == "\"outer\"");
    BOOST_TEST(text_of(std::get<set_task>(task_named(*w, "use").body).value, "null", {"outer", 0, "inner", 1}) == R"({"r":"inner"})");
}

BOOST_AUTO_TEST_CASE(try_catch_and_retry) {
    const auto w = compiled(
        "use:\n  retries:\n    patient:\n      when: $err.status == 503\n      delay: { seconds: 2 }\n      backoff: { linear: { increment: PT1S } "
        "}\n"
        "      limit: { attempt: { count: 4, duration: PT9S }, duration: '${ \"PT\\(.m)M\" }' }\n      jitter: { from: PT0S, to: { milliseconds: 500 "
        "} }\n"
        "do:\n  - t:\n      try:\n        - find: { call: orders.lookup, with: { orderId: A } }\n      catch:\n        errors: { with: { type: "
        "https://x/errors/communication, status: 503 } }\n"
        "        as: err\n        when: .status > 1\n        exceptWhen: $err.title == \"x\"\n        retry: patient\n        do:\n          - note: "
        "{ set: { e: '${ $err }' } }\n        then: after\n"
        "  - skipped: { set: { a: 1 } }\n  - after: { set: { a: 1 } }\n");
    const auto& t = std::get<try_task>(task_named(*w, "t").body);
    BOOST_TEST(w->tasks[t.first].name == "find");
    BOOST_TEST(w->tasks[t.handler].name == "note");
    BOOST_TEST(task_named(*w, "find").locals.empty());
    BOOST_TEST(task_named(*w, "note").locals == std::vector<std::string>{"err"}, boost::test_tools::per_element());
    BOOST_TEST(t.as == "err");
    BOOST_TEST(*t.errors->type == "https://x/errors/communication");
    BOOST_TEST(*t.errors->status == 503);
    BOOST_TEST(text_of(*t.when, R"({"status":2})", {nullptr}) == "true");
    BOOST_TEST(text_of(*t.except_when, "null", {parse_json(R"({"title":"x"})").value()}) == "true");
    BOOST_TEST_REQUIRE(t.retry.has_value());
    BOOST_TEST(text_of(*t.retry->when, "null", {parse_json(R"({"status":503})").value()}) == "true");
    BOOST_TEST(t.retry->delay->known->count() == 2000);
    BOOST_TEST((t.retry->backoff == retry_policy::backoff_kind::linear));
    BOOST_TEST(t.retry->linear_increment->known->count() == 1000);
    BOOST_TEST(*t.retry->attempt_count == 4u);
    BOOST_TEST(t.retry->attempt_duration->known->count() == 9000);
    BOOST_TEST(text_of(*t.retry->total_duration->computed, R"({"m":3})", {nullptr}) == "\"PT3M\"");
    BOOST_TEST(t.retry->jitter_to->known->count() == 500);
    BOOST_TEST(w->tasks[t.then->target].name == "after");
}

BOOST_AUTO_TEST_CASE(raise_wait_emit) {
    const auto w = compiled(
        "use: { errors: { gone: { type: https://x/gone, status: 410, title: Gone, detail: '${ \"no \\(.id)\" }' } }, timeouts: { t: { after: PT1H } "
        "} }\ntimeout: t\n"
        "do:\n  - w1: { wait: { days: 1, milliseconds: 5 } }\n  - w2: { wait: PT1.5S, timeout: { after: { minutes: 1 } } }\n  - w3: { wait: '${ .d "
        "}' }\n  - w4: { wait: { seconds: '${ .n }' } }\n"
        "  - e: { emit: { event: { with: { type: a.b, data: { id: '${ .id }' } } } } }\n  - r: { raise: { error: gone } }\n");
    const auto wait = [&](std::string_view name) -> const duration_source& { return std::get<wait_task>(task_named(*w, name).body).duration; };
    BOOST_TEST(wait("w1").known->count() == 86'400'005);
    BOOST_TEST(wait("w2").known->count() == 1500);
    BOOST_TEST(task_named(*w, "w2").timeout->known->count() == 60'000);
    BOOST_TEST(duration_from(value_of(*wait("w3").computed, R"({"d":"PT2S"})"))->count() == 2000);
    BOOST_TEST(duration_from(value_of(*wait("w4").computed, R"({"n":3})"))->count() == 3000);
    BOOST_TEST(w->timeout->known->count() == 3'600'000);
    BOOST_TEST(text_of(std::get<emit_task>(task_named(*w, "e").body).event, R"({"id":1})") == R"({"type":"a.b","data":{"id":1}})");
    BOOST_TEST(text_of(std::get<raise_task>(task_named(*w, "r").body).error, R"({"id":1})") ==
               R"({"type":"https://x/gone","status":410,"title":"Gone","detail":"no 1"})");
    for (const auto* bad : {"5", "\"24h\"", "{}", R"({"hours":"x"})", R"({"weeks":1})", R"({"days":-1})", R"({"days":1e300})", "null"})
        BOOST_TEST(duration_from(parse_json(bad).value()).has_error(), bad);
}

BOOST_AUTO_TEST_CASE(calls_are_pinned_to_the_newest_version_that_fits) {
    const auto w = compiled(
        "do:\n  - a: { call: orders.lookup, with: { orderId: '${ .id }' } }\n  - b: { call: 'orders.lookup:1@default', with: { orderId: x } }\n  - "
        "c: { call: 'orders.lookup:1.0.0', with: { orderId: x } }\n  - d: { call: log }\n");
    const auto call = [&](std::string_view name) -> const call_task& { return std::get<call_task>(task_named(*w, name).body); };
    BOOST_TEST(call("a").version == "2.0.0");
    BOOST_TEST((call("a").safety == effect_safety::idempotent));
    BOOST_TEST(text_of(call("a").arguments, R"({"id":"A-1"})") == R"({"orderId":"A-1"})");
    BOOST_TEST(call("b").function == "orders.lookup");
    BOOST_TEST(call("b").version == "1.4.2");
    BOOST_TEST((call("b").safety == effect_safety::pure));
    BOOST_TEST(call("c").version == "1.0.0");
    BOOST_TEST(text_of(call("d").arguments, "1") == "{}");
}

BOOST_AUTO_TEST_CASE(http_endpoints_expand_uri_templates_from_the_input) {
    const auto w = compiled(
        "use: { authentications: { shop: { bearer: { token: '${ $secrets.token }' } } }, secrets: [ token ] }\n"
        "do:\n  - a: { call: http, with: { method: get, endpoint: 'https://x/{id}/y?q={pet.id}' } }\n  - b: { call: http, with: { method: post, "
        "endpoint: '${ \"https://x/\\(.id)\" }' } }\n"
        "  - c: { call: http, with: { method: put, endpoint: { uri: 'https://x/{id}', authentication: { use: shop } }, body: { n: '${ .id }' } } }\n "
        " - d: { call: http, with: { method: post, endpoint: 'https://x', headers: { Idempotency-Key: k } } }\n");
    const auto call = [&](std::string_view name) -> const call_task& { return std::get<call_task>(task_named(*w, name).body); };
    BOOST_TEST(text_of(call("a").arguments, R"({"id":"a b/ä","pet.id":5})") ==
               "{\"method\":\"get\",\"endpoint\":\"https://x/a%20b%2F%C3%A4/y?q=5\"}");
    BOOST_TEST(text_of(call("a").arguments, R"({"id":null})") == R"({"method":"get","endpoint":"https://x//y?q="})");
    // What has no properties has no value for any name: an empty string.
    BOOST_TEST(text_of(call("a").arguments, R"("text")") == R"({"method":"get","endpoint":"https://x//y?q="})");
    BOOST_TEST(text_of(call("a").arguments, R"({"id":false,"pet.id":0})") == R"({"method":"get","endpoint":"https://x/false/y?q=0"})");
    BOOST_TEST(text_of(call("a").arguments, R"({"id":[1]})").find("the value of `id` in the endpoint must be a string") != std::string::npos);
    BOOST_TEST(text_of(call("b").arguments, R"({"id":1})") == R"({"method":"post","endpoint":"https://x/1"})");
    BOOST_TEST(text_of(call("c").arguments, R"({"id":1})") ==
               R"({"method":"put","endpoint":{"uri":"https://x/1","authentication":{"bearer":{"token":"t0"}}},"body":{"n":1}})");
    BOOST_TEST((call("a").safety == effect_safety::pure));
    BOOST_TEST((call("b").safety == effect_safety::at_most_once));
    BOOST_TEST((call("c").safety == effect_safety::idempotent));
    BOOST_TEST((call("d").safety == effect_safety::idempotent));
}

BOOST_AUTO_TEST_CASE(a_function_is_compiled_in_place_with_its_arguments_as_input) {
    const auto w = compiled(
        "use:\n  functions:\n    getPet:\n      input: { schema: { document: { required: [ petId ] } } }\n      call: http\n      with: { method: "
        "get, endpoint: 'https://x/{petId}' }\n    unused: { set: { a: 1 } }\n"
        "do:\n  - each:\n      for: { in: .pets }\n      do:\n        - find: { call: getPet, with: { petId: '${ $item }' }, output: { as: .name } "
        "}\n        - plain: { call: getPet }\n");
    const auto& find = task_named(*w, "find");
    const auto& arguments = w->tasks[std::get<do_task>(find.body).first];
    BOOST_TEST(arguments.pointer == "/do/0/each/do/0/find/with");
    BOOST_TEST(text_of(std::get<set_task>(arguments.body).value, "null", {7, 0}) == R"({"petId":7})");
    const auto& function = w->tasks[arguments.next];
    BOOST_TEST(function.name == "getPet");
    BOOST_TEST(function.pointer == "/use/functions/getPet");
    BOOST_TEST(function.parent == find.id);
    BOOST_TEST(function.input.schema.has_value());
    BOOST_TEST(text_of(std::get<call_task>(function.body).arguments, R"({"petId":7})", {0, 0}) == R"({"method":"get","endpoint":"https://x/7"})");
    BOOST_TEST(w->tasks[std::get<do_task>(task_named(*w, "plain").body).first].name == "getPet");
    for (const auto& t : w->tasks) BOOST_TEST(t.name != "unused");
}

BOOST_AUTO_TEST_CASE(prompts_and_schema_files_are_pinned) {
    const auto w = compiled(
        "input: { schema: { resource: { endpoint: schemas/order.json } } }\n"
        "do:\n  - ask: { call: ai.chat, with: { model: m, system: { file: prompts/classify.md, values: { ticket: '${ .t }' } }, prompt: hi } }\n");
    BOOST_TEST(w->assets.at("prompts/classify.md") == "Classify {{ ticket }}");
    BOOST_TEST(!w->input.schema->is_valid(parse_json("{}").value()));
    BOOST_TEST(text_of(std::get<call_task>(task_named(*w, "ask").body).arguments, R"({"t":"x"})") ==
               R"({"model":"m","system":{"file":"prompts/classify.md","values":{"ticket":"x"}},"prompt":"hi"})");
}

BOOST_AUTO_TEST_CASE(a_bundle_rebuilds_the_same_workflow) {
    const auto text = with_document(
        "input: { schema: { resource: { endpoint: schemas/order.json } } }\ndo:\n  - ask: { call: ai.chat, with: { system: { file: "
        "prompts/classify.md } } }\n"
        "  - a: { call: orders.lookup, with: { orderId: A-1 } }\n  - b: { call: 'orders.lookup:1', with: { orderId: A-1 } }\n  - c: { call: http, "
        "with: { method: post, endpoint: https://x } }\n");
    const auto first = compile(text, options_for()).compiled;
    BOOST_TEST_REQUIRE(first != nullptr);
    BOOST_TEST(first->digest == sha256_hex(first->bundle));
    const auto again = compile_bundle(first->bundle);
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST((*again)->bundle == first->bundle);
    BOOST_TEST((*again)->digest == first->digest);
    BOOST_TEST((*again)->tasks.size() == first->tasks.size());
    BOOST_TEST(std::get<call_task>(task_named(**again, "b").body).version == "1.4.2");
    BOOST_TEST((std::get<call_task>(task_named(**again, "b").body).safety == effect_safety::pure));
    BOOST_TEST((*again)->assets.at("prompts/classify.md") == "Classify {{ ticket }}");
    for (const auto* bad : {"", "{}", "[]", R"({"format":2})", R"({"format":1,"file":"a","source":"x: 1","assets":{},"functions":{}})",
                            R"({"format":1,"file":"a","source":"x: 1","assets":{},"functions":{"f":1}})"}) {
        const auto outcome = compile_bundle(bad);
        BOOST_TEST_REQUIRE(outcome.has_error(), bad);
        BOOST_TEST(outcome.error().detail.starts_with("The stored workflow definition cannot be read: "));
    }
}

BOOST_AUTO_TEST_CASE(an_evaluable_tells_what_it_reads) {
    const auto w = compiled(
        "do:\n  - a: { set: { x: '${ $context.c + $input.i }' } }\n  - b: { set: { x: '${ $steps.a.x }', y: '${ .z }' } }\n  - c:\n      for: { in: "
        ".l }\n      do:\n        - d: { set: { x: '${ $item }' } }\n  - e: { set: { k: 1 } }\n");
    const auto value = [&](std::string_view name) -> const evaluable& { return std::get<set_task>(task_named(*w, name).body).value; };
    BOOST_TEST(value("a").uses().has(variable::context));
    BOOST_TEST(value("a").uses().has(variable::input));
    BOOST_TEST(!value("a").uses().has(variable::steps));
    BOOST_TEST(value("b").steps_read() == std::vector<std::string>{"a"}, boost::test_tools::per_element());
    BOOST_TEST(text_of(value("b"), R"({"z":2})") == R"({"x":7,"y":2})");
    BOOST_TEST(value("d").uses().locals);
    BOOST_TEST(to_text(*value("e").constant()) == R"({"k":1})");
    BOOST_TEST(value("a").constant() == nullptr);
    BOOST_TEST(task_named(*w, "a").output_is_read);
    BOOST_TEST(!task_named(*w, "b").output_is_read);
    const auto all = compiled("do:\n  - a: { set: { x: 1 } }\n  - b: { set: { x: '${ $steps }' } }\n");
    BOOST_TEST(task_named(*all, "b").output_is_read);
}

BOOST_AUTO_TEST_CASE(a_runtime_error_names_file_line_and_column) {
    const auto w = compiled("do:\n  - a:\n      if: .n + 1 > 0\n      set:\n        text: |\n          sum:\n          ${ .n + 1 }\n");
    const auto& a = task_named(*w, "a");
    const auto said = value_of(std::get<set_task>(a.body).value, R"({"n":"x"})").as_string();
    BOOST_TEST(std::string(said).starts_with("error: flow.yaml:8:"), said);
    const std::vector<const json::value*> none(fixed_variable_count, &w->definition);
    const auto test = a.condition->test(parse_json(R"({"n":"x"})").value(), none);
    BOOST_TEST_REQUIRE(test.has_error());
    BOOST_TEST(type_name_of(test.error().type) == "expression");
    BOOST_TEST(test.error().detail.starts_with("flow.yaml:4:"), test.error().detail);
}

BOOST_AUTO_TEST_CASE(state_names_and_portability_are_checked_when_asked) {
    const auto schema = parse_json(R"({"properties":{"status":{"type":"string"},"facts":{"properties":{"plan":{}}}}})").value();
    auto options = options_for();
    options.agent_state_schema = &schema;
    options.portable = true;
    const auto source = with_document(
        "do:\n  - a: { set: { x: '${ $agent.state.statsu }', y: '${ $agent.state.facts.plan }' } }\n  - b: { call: orders.lookup, with: { orderId: x "
        "} }\n");
    const auto all = compile(source, options).diagnostics;
    BOOST_TEST(only_codes_of(all, "unknown-state") != nullptr);
    BOOST_TEST(only_codes_of(all, "not-portable") != nullptr);
    BOOST_TEST(!has_errors(all));
}

BOOST_AUTO_TEST_CASE(expressions_of_one_value_get_no_warning_and_generators_do) {
    const auto warned = [](std::string_view text) {
        const auto all = compile_text("do:\n  - a: { set: { x: '${ " + std::string(text) + " }' } }\n").diagnostics;
        BOOST_TEST(!has_errors(all), text);
        return only_codes_of(all, "several-outputs") != nullptr;
    };
    for (const auto* once :
         {".items | map(.a) | add", "first(.[])", ".a // 1", "[.[] | .a] | join(\",\")", ".a | test(\"x\")", ".a | sub(\"a\"; \"b\")",
          "reduce .[] as $x (0; . + $x)", "if .a then .b else .c end", "[paths]", "any(.[]; . > 1)", "del(.a)", ".a += 1"}) {
        BOOST_TEST(!warned(once), once);
    }
    for (const auto* many : {".[]", ".items[].name", "paths", "range(3)", ".a, .b", ".. | numbers"}) BOOST_TEST(warned(many), many);
}

BOOST_AUTO_TEST_CASE(all_problems_are_told_at_once_and_not_without_end) {
    const auto three = compile_text("do:\n  - a: { set: { x: '${ . | foo }' }, thn: b }\n  - c: { wait: 5x }\n").diagnostics;
    BOOST_TEST(three.size() == 3u);
    for (std::size_t i = 1; i < three.size(); ++i) BOOST_TEST((three[i - 1].mark.line <= three[i].mark.line));
    std::string many = "do:\n";
    for (int i = 0; i < 5000; ++i) many += "  - t" + std::to_string(i) + ": { wiat: 5, then: t" + std::to_string(i + 7000) + " }\n";
    const auto capped = compile_text(many).diagnostics;
    BOOST_TEST(capped.size() == 201u);
    BOOST_TEST(capped.back().code == "more-problems");
}

BOOST_AUTO_TEST_CASE(a_process_runs_at_most_once_unless_the_task_says_more) {
    const auto w = compiled(R"(do:
  - plain: { run: { shell: { command: ls } } }
  - same: { run: { shell: { command: ls } }, metadata: { safety: idempotent, owner: me } }
  - alone: { run: { script: { language: js, code: 'console.log(`${1 + 1} "quoted" \\ }`)' }, await: false } }
  - tools: { call: mcp, with: { method: tools/list, transport: { stdio: { command: server } } } }
  - tool: { call: mcp, with: { method: tools/call, parameters: { name: a }, transport: { stdio: { command: server } } } }
)");
    const auto call = [&](std::string_view name) { return std::get<flow::call_task>(task_named(*w, name).body); };
    BOOST_TEST((call("plain").safety == effect_safety::at_most_once));
    BOOST_TEST((call("same").safety == effect_safety::idempotent));
    BOOST_TEST((call("tools").safety == effect_safety::pure));
    BOOST_TEST((call("tool").safety == effect_safety::at_most_once));
    BOOST_TEST(!call("plain").outputs_input);
    BOOST_TEST(call("alone").outputs_input);
    BOOST_TEST_REQUIRE(call("alone").arguments.constant() == nullptr);  // code is an expression that yields it
    const json::value nothing;
    const std::vector<const json::value*> variables(flow::fixed_variable_count, &nothing);
    const auto arguments = call("alone").arguments.evaluate(nothing, variables);
    BOOST_TEST_REQUIRE(arguments.has_value());
    BOOST_TEST(arguments->at("code") == json::value("console.log(`${1 + 1} \"quoted\" \\\\ }`)"));
}

BOOST_AUTO_TEST_SUITE_END()
