#include "agent/manifest.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace pawl;
using namespace pawl::agent;

namespace {

struct read_options {
    std::string environment = "default";
    std::string folder = "/projects/desk";
    std::map<std::string, std::string, std::less<>> variables;
};

manifest_result read(std::string_view text, const read_options& how = {}) {
    manifest_options options;
    options.file = "pawl.yaml";
    options.folder = how.folder;
    options.environment = how.environment;
    options.variable = [&](std::string_view name) -> std::optional<std::string> {
        const auto at = how.variables.find(name);
        return at == how.variables.end() ? std::nullopt : std::optional(at->second);
    };
    return read_manifest(text, options);
}

std::string all_messages(const manifest_result& r) {
    std::string out;
    for (const auto& d : r.diagnostics) out += render(d) + "\n";
    return out;
}

bool says(const manifest_result& r, std::string_view text) { return all_messages(r).find(text) != std::string::npos; }

constexpr std::string_view full = R"(name: desk
version: 1.2.3
agents:
  desk:
    key: the ticket's number
    state:
      version: 2
      schema: { type: object, required: [status], properties: { status: { type: string } } }
      initial: { status: new }
      migrations:
        - { from: 1, to: 2, as: "{status: .state}" }
tools:
  - plugin: orders
    config: { data: ./data/orders.json }
  - plugin: ./lib/payments.so
    host: in-process
models:
  default: fast
  bindings:
    fast: { provider: replay, cassette: cassettes/desk.jsonl }
secrets: [API_TOKEN]
events:
  sinks:
    - file: .pawl/events.jsonl
env:
  cloudflare:
    models:
      bindings:
        fast: { provider: workers-ai, model: "@cf/openai/gpt-oss-20b", account: "${CLOUDFLARE_ACCOUNT_ID}", token: CLOUDFLARE_API_TOKEN }
    secrets: [CLOUDFLARE_API_TOKEN]
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(manifests)

BOOST_AUTO_TEST_CASE(a_full_manifest_reads_with_absolute_paths) {
    const auto r = read(full);
    BOOST_TEST_REQUIRE(r.value.has_value(), all_messages(r));
    const auto& m = *r.value;
    BOOST_TEST(r.diagnostics.empty(), all_messages(r));
    BOOST_TEST(m.name == "desk");
    BOOST_TEST(m.store_url == "sqlite:/projects/desk/.pawl/default.sqlite");
    BOOST_TEST(m.agents.at("desk").state_version == 2);
    BOOST_TEST(m.agents.at("desk").migrations.size() == 1u);
    BOOST_TEST(m.tools.at(0).plugin == "orders");
    BOOST_TEST(to_text(m.tools.at(0).config) == R"({"data":"/projects/desk/data/orders.json"})");
    BOOST_TEST(m.tools.at(1).plugin == "/projects/desk/lib/payments.so");
    BOOST_TEST(!m.tools.at(1).isolated);
    BOOST_TEST(m.default_model == "fast");
    BOOST_TEST(m.models.at("fast").cassette == "/projects/desk/cassettes/desk.jsonl");
    BOOST_TEST(m.sinks.at(0).file == "/projects/desk/.pawl/events.jsonl");
}

BOOST_AUTO_TEST_CASE(a_named_environment_inherits_agents_and_tools_and_shares_nothing_else) {
    const auto r = read(full, {"cloudflare", "/projects/desk", {{"CLOUDFLARE_ACCOUNT_ID", "acc1"}}});
    BOOST_TEST_REQUIRE(r.value.has_value(), all_messages(r));
    const auto& m = *r.value;
    BOOST_TEST(m.agents.size() == 1u);
    BOOST_TEST(m.tools.size() == 2u);
    BOOST_TEST(m.store_url == "sqlite:/projects/desk/.pawl/cloudflare.sqlite");
    BOOST_TEST(m.models.at("fast").account == "acc1");
    BOOST_TEST(m.sinks.empty());
    BOOST_TEST_REQUIRE(r.diagnostics.size() == 1u, all_messages(r));
    BOOST_TEST(says(r, "warning: `events` stands at the top level only; environment `cloudflare` does not inherit it"));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named_with_line_column_and_a_suggestion_all_at_once) {
    const auto r = read("name: desk\nagent: {}\nstore: { ur: x }\nmodels: { defualt: fast }\nsecrets: [A-B]\n");
    BOOST_TEST(!r.value.has_value());
    BOOST_TEST(says(r, "pawl.yaml:2:1: error: unknown key `agent` in the manifest"));
    BOOST_TEST(says(r, "did you mean `agents`?"));
    BOOST_TEST(says(r, "unknown key `ur` in `store`"));
    BOOST_TEST(says(r, "`url` is missing"));
    BOOST_TEST(says(r, "did you mean `default`?"));
    BOOST_TEST(says(r, "pawl.yaml:5:11: error: a secret is named by letters"));
}

BOOST_AUTO_TEST_CASE(wrong_types_never_crash_and_each_section_says_what_it_expects) {
    for (const auto* text : {"[]", "x", "1", "null", "name: 1", "store: 1", "store: {url: 1}", "agents: []", "agents: {a: 1}", "agents: {a: {state: 1}}", "agents: {a: {state: {version: 0}}}",
                             "agents: {a: {state: {schema: {type: 12}}}}", "agents: {a: {state: {migrations: {}}}}", "agents: {a: {state: {migrations: [1]}}}", "agents: {a: {state: {version: 2, migrations: [{from: 2, to: 1, as: .}]}}}",
                             "agents: {a: {on: {message: nowhere.yaml}}}", "agents: {1a: {}}", "tools: {}", "tools: [1]", "tools: [{plugin: x, host: remote}]", "tools: [{plugin: x, sha256: abc}]", "tools: [{plugin: x, config: 1}]",
                             "models: []", "models: {bindings: []}", "models: {bindings: {a: {provider: magic}}}", "models: {bindings: {a: {provider: replay}}}", "models: {bindings: {a: {provider: openai, model: x}}}",
                             "models: {default: b, bindings: {a: {provider: replay, cassette: x}}}", "models: {bindings: {a: {cassette: x}}}", "models: {bindings: {a: {provider: replay, cassette: x, token: 'sk-123 4'}}}", "events: []", "events: {sinks: [{}]}",
                             "events: {sinks: [{file: a, url: b}]}", "events: {sinks: [{url: ftp://x}]}", "env: []", "env: {Staging: {}}", "env: {default: {}}", "env: {x: {env: {}}}", "a: [", "store: {url: 'sqlite:${NOWHERE}'}", "store: {url: 'sqlite:${'}"}) {
        const auto r = read(text);
        BOOST_TEST(!r.value.has_value(), text);
        BOOST_TEST(has_errors(r.diagnostics), text);
        BOOST_TEST(says(r, "pawl.yaml:1:"), text << ": " << all_messages(r));
    }
}

BOOST_AUTO_TEST_CASE(a_password_in_the_store_url_is_refused_with_a_way_out) {
    for (const auto* url : {"postgresql://me:geheim@db/x", "postgresql://db/x?password=geheim", "postgresql:host=db password=geheim"}) {
        BOOST_TEST(holds_password(url), url);
        const auto r = read("store: { url: \"" + std::string(url) + "\" }");
        BOOST_TEST(!r.value.has_value());
        BOOST_TEST(says(r, "PGPASSWORD"));
        BOOST_TEST(!says(r, "geheim"));
    }
    for (const auto* url : {"postgresql://me@db/x", "postgresql://db:5432/x", "sqlite:/a:b/c@d", "postgresql://%2Ftmp%2Fpg:5433/x"}) BOOST_TEST(!holds_password(url), url);
}

BOOST_AUTO_TEST_CASE(variables_expand_in_the_store_url_with_a_fallback) {
    const auto text = "store: { url: \"postgresql://${DB_HOST:-localhost}/${DB}\" }";
    BOOST_TEST(read(text, {"default", "/p", {{"DB", "x"}}}).value.value().store_url == "postgresql://localhost/x");
    BOOST_TEST(read(text, {"default", "/p", {{"DB", "x"}, {"DB_HOST", "h"}}}).value.value().store_url == "postgresql://h/x");
    BOOST_TEST(says(read(text), "the environment variable DB is not set"));
}

BOOST_AUTO_TEST_CASE(an_unknown_environment_is_an_error_that_lists_the_known) {
    const auto r = read(full, {"staging", "/p", {}});
    BOOST_TEST(!r.value.has_value());
    BOOST_TEST(says(r, "there is no environment `staging`"));
    BOOST_TEST(says(r, "known: cloudflare"));
}

BOOST_AUTO_TEST_CASE(an_initial_state_must_follow_its_schema) {
    const auto r = read("agents: { a: { state: { schema: { type: object, required: [x] } } } }");
    BOOST_TEST(!r.value.has_value());
    BOOST_TEST(says(r, "initial"));
}

BOOST_AUTO_TEST_CASE(a_bad_migration_expression_has_its_place) {
    const auto r = read("agents:\n  a:\n    state:\n      version: 2\n      migrations:\n        - {from: 1, to: 2, as: '{a: .b'}\n");
    BOOST_TEST(!r.value.has_value());
    BOOST_TEST(says(r, "pawl.yaml:6:"));
}

BOOST_AUTO_TEST_CASE(retention_is_read_for_its_environment_and_wrong_durations_are_named) {
    constexpr std::string_view text = R"(retention: { finishedRuns: 30d, consumedMessages: P7D }
env:
  staging: { retention: { endedApprovals: 12h } }
)";
    const auto usual = read(text);
    BOOST_TEST_REQUIRE(usual.value.has_value());
    BOOST_TEST((usual.value->retention.finished_runs == milliseconds(30 * 86'400'000LL)));
    BOOST_TEST((usual.value->retention.consumed_messages == milliseconds(7 * 86'400'000LL)));
    BOOST_TEST(!usual.value->retention.live_history.has_value());
    const auto staging = read(text, {"staging", "/projects/desk", {}}).value->retention;
    BOOST_TEST((staging.ended_approvals == milliseconds(12 * 3'600'000LL)));
    BOOST_TEST(!staging.finished_runs.has_value());
    for (const std::string wrong : {"finishedRuns: 30 days", "finishedRuns: -1d", "consumedMessages: 5m", "finished: 1d", "liveHistory: 999999w"}) {
        const auto bad = read("retention: { " + wrong + " }\n");
        BOOST_TEST(!bad.value.has_value(), wrong);
        BOOST_TEST(bad.diagnostics.size() == 1u, wrong);
    }
}

BOOST_AUTO_TEST_CASE(an_egress_map_is_read_for_its_environment_and_holds_origins_only) {
    constexpr std::string_view text = R"(egress:
  https://api.example.com: http://127.0.0.1:${PORT}
env:
  staging:
    egress: { "https://api.example.com": "https://staging.example.com" }
  production: {}
)";
    const auto usual = read(text, {"default", "/projects/desk", {{"PORT", "4100"}}});
    BOOST_TEST_REQUIRE(usual.value.has_value(), all_messages(usual));
    BOOST_TEST(usual.value->egress.at("https://api.example.com") == "http://127.0.0.1:4100");
    BOOST_TEST(read(text, {"staging", "/projects/desk", {}}).value->egress.at("https://api.example.com") == "https://staging.example.com");
    const auto production = read(text, {"production", "/projects/desk", {}});
    BOOST_TEST(production.value->egress.empty());
    BOOST_TEST(says(production, "`egress` stands at the top level only"));
    BOOST_TEST(says(read("egress: { api.example.com: 'http://127.0.0.1' }\n"), "pawl.yaml:1:11: error: `api.example.com` is not an origin"));
    BOOST_TEST(says(read("egress: { 'https://a.example': 'http://127.0.0.1/v2' }\n"), "`http://127.0.0.1/v2` is not an origin"));
}

BOOST_AUTO_TEST_CASE(limits_are_read_with_their_rates_keys_priorities_and_tenants) {
    const auto r = read(R"(limits:
  workflows:
    shop/order: { concurrency: 20, rate: 100/m, priority: 2, queue: 500 }
    shop/*: { priority: 4 }
  tools:
    orders.refund: [ { concurrency: 4 }, { rate: 20/30s, burst: 5, key: '${ .customer }' } ]
    ai.*: { concurrency: 8, key: '$workflow + ($agent.key // "")' }
  fairness: { key: .tenant, weights: { gold: 3 } }
)");
    BOOST_TEST_REQUIRE(r.value.has_value(), all_messages(r));
    const auto& limits = *r.value->limits;
    const auto& order = limits.workflows.at("shop/order");
    BOOST_TEST(order.priority == 2u);
    BOOST_TEST(order.queue == 500u);
    BOOST_TEST(order.rules.at(0).concurrency == 20u);
    BOOST_TEST(order.rules.at(0).rate == 100u);
    BOOST_TEST(order.rules.at(0).per.count() == 60'000);
    BOOST_TEST(limits.workflows.at("shop/*").rules.empty());
    const auto& refund = limits.tools.at("orders.refund");
    BOOST_TEST(refund.at(1).per.count() == 30'000);
    BOOST_TEST(refund.at(1).burst == 5u);
    BOOST_TEST(!refund.at(0).key);
    const json::value arguments = json::object{{"customer", 7}}, input = json::object{{"tenant", "acme"}};
    BOOST_TEST(refund.at(1).key({arguments, input, "shop/order", "", ""}) == "7");
    BOOST_TEST(refund.at(1).key({json::value("no object"), input, "shop/order", "", ""}).empty());
    BOOST_TEST(limits.tools.at("ai.*").at(0).key({arguments, input, "shop/order", "desk", "k1"}) == "shop/orderk1");
    BOOST_TEST(limits.tenant({input, input, "shop/order", "", ""}) == "acme");
    BOOST_TEST(limits.weights.at("gold") == 3u);
}

BOOST_AUTO_TEST_CASE(wrong_limits_are_named_with_their_place) {
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { rate: 10 per s }\n"), "pawl.yaml:3:18: error: `10 per s` is no rate"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { rate: 10/week }\n"), "`week` is no time of a rate"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { rate: 0/s }\n"), "`0/s` is out of range"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { concurrency: 0 }\n"), "pawl.yaml:3:25: error: `concurrency` must be a whole number from 1 to"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { key: .c }\n"), "states neither `concurrency` nor `rate`"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { concurrency: 1, key: '${ .c | lenght }' }\n"), "unknown function `lenght/0`"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { concurrency: 1, burst: 3 }\n"), "`burst` belongs to a `rate`"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a*b: { concurrency: 1 }\n"), "pawl.yaml:3:5: error: `a*b` names no function"));
    BOOST_TEST(says(read("limits:\n  workflows:\n    order: { concurrency: 1 }\n"), "`order` names no workflow"));
    BOOST_TEST(says(read("limits:\n  workflows:\n    shop/order: { priority: 9 }\n"), "`priority` must be a whole number from 1 to 5"));
    BOOST_TEST(says(read("limits:\n  tools:\n    a.b: { concurency: 1 }\n"), "did you mean `concurrency`?"));
    BOOST_TEST(says(read("limits:\n  fairness: { weights: { gold: 0 } }\n"), "`gold` must be a whole number from 1 to 1000"));
    BOOST_TEST(says(read("limits: { tools: { a.b: { rate: 1/s } } }\nenv: { staging: {} }\n", {"staging", "/projects/desk", {}}), "`limits` stands at the top level only"));
}

BOOST_AUTO_TEST_SUITE_END()
