// call: mcp (dsl-reference.md, "MCP Call"): one method of a Model Context Protocol server.
#include "flow/functions.hpp"
#include "flow/parts.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

const std::vector<std::string>& methods() {
    static const std::vector<std::string> all{"tools/list",     "tools/call",     "prompts/list",            "prompts/get",
                                              "resources/list", "resources/read", "resources/templates/list"};
    return all;
}

bool is_expression(const node& n) { return n.is_string() && n.text().find("${") != std::string_view::npos; }

void check_method(compilation& c, const node& n) {
    if (!n || !expect_string(c, n, "`method: tools/call`") || is_expression(n)) return;
    if (std::find(methods().begin(), methods().end(), n.text()) != methods().end()) return;
    auto hint = c.report.did_you_mean(n.text(), methods());
    if (hint.empty()) hint = "`tools/call`, `tools/list`, `prompts/get`, `prompts/list`, `resources/read`, `resources/list` or `resources/templates/list`";
    c.report.error("bad-value", n, quoted(n.text()) + " is not a method of MCP that a workflow can call", std::move(hint));
}

constexpr std::array<std::string_view, 5> name_keys{"tool", "toolName", "tool_name", "name", "prompt"};
constexpr std::array<std::string_view, 3> uri_keys{"uri", "resource", "resourceUri"};

/// One of `keys` is an unknown key of `n`, and was reported with where it belongs.
bool stands_beside(const compilation& c, const node& n, std::span<const std::string_view> keys) {
    const auto found = c.unknown_keys.find(n.pointer);
    return found != c.unknown_keys.end() && std::any_of(found->second.begin(), found->second.end(), [&](const std::string& each) {
               return std::find(keys.begin(), keys.end(), std::string_view(each)) != keys.end();
           });
}

/// What the method cannot do without.
void check_parameters(compilation& c, const node& with, const node& method) {
    const auto parameters = with.at("parameters");
    if (parameters && !parameters.is_object() && !is_expression(parameters)) {
        c.report.error("wrong-type", parameters, "`parameters` must be a map, or one expression that yields one, but is " + std::string(describe(*parameters.value)));
        return;
    }
    if (is_expression(parameters)) return;
    const auto needed = method.text() == "tools/call" || method.text() == "prompts/get" ? std::string("name") : method.text() == "resources/read" ? std::string("uri") : std::string();
    if (needed.empty() || parameters.at(needed) || (parameters && c.is_misspelled(parameters, needed))) return;
    const auto keys = needed == "uri" ? std::span<const std::string_view>(uri_keys) : std::span<const std::string_view>(name_keys);
    if (!parameters && (stands_beside(c, with, keys) || c.is_misspelled(with, "parameters"))) return;
    const auto where = parameters ? parameters : with;
    auto hint = "add `parameters: { " + needed + ": ... }`";
    for (const auto other : keys) {
        if (parameters.at(other)) hint = "what is called " + quoted(other) + " here is called " + quoted(needed) + " in MCP";
    }
    c.report.key_error("missing-key", where, "`" + std::string(method.text()) + "` needs the parameter " + quoted(needed), std::move(hint));
}

/// What authors write beside `method` that belongs below `parameters`.
std::string hint_for_key(std::string_view key) {
    const auto is_one_of = [&](std::span<const std::string_view> keys) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
    if (is_one_of(name_keys)) return "write `parameters: { name: ..., arguments: { ... } }`";
    if (is_one_of(uri_keys)) return "write `parameters: { uri: ... }`";
    if (key == "arguments" || key == "args" || key == "params" || key == "input")
        return "the arguments of a tool stand in `parameters: { name: ..., arguments: { ... } }`";
    if (key == "http" || key == "stdio" || key == "server" || key == "url" || key == "endpoint" || key == "command")
        return "the way to the server stands in `transport: { http: { endpoint: https://... } }` or `transport: { stdio: { command: ... } }`";
    return {};
}

void compose_endpoint(compilation& c, const node& endpoint, json::value& into, std::vector<origin>& origins) {
    const std::string prefix = "/transport/http/endpoint";
    const auto compose_uri = [&](const node& uri, json::value& value, const std::string& place) {
        if (!expect_string(c, uri, "`endpoint: https://mcp.example.com/mcp`") || is_expression(uri)) return;
        if (auto expanded = expand_uri_template(c, uri)) {
            value = "${ " + *expanded + " }";
            origins.push_back({place, uri.pointer, true});
        } else if (!uri.text().starts_with("http://") && !uri.text().starts_with("https://") && uri.text().find('{') == std::string_view::npos) {
            c.report.error("bad-value", uri, "the endpoint " + quoted(uri.text()) + " does not start with https:// or http://, so no server can be found",
                           "write the whole address, such as https://mcp.example.com/mcp");
        }
    };
    if (!endpoint.is_object()) return compose_uri(endpoint, into, prefix);
    check_keys(c, endpoint, {"uri", "authentication"});
    if (const auto uri = require(c, endpoint, "uri", "it is the address of the server")) compose_uri(uri, into.get_object()["uri"], prefix + "/uri");
    if (const auto authentication = endpoint.at("authentication"))
        compose_authentication(c, authentication, into.get_object()["authentication"], prefix + "/authentication", origins);
}

void compose_http_transport(compilation& c, const node& http, json::value& into, std::vector<origin>& origins) {
    if (!expect_object(c, http)) return;
    check_keys(c, http, {"endpoint", "headers"});
    if (const auto endpoint = require(c, http, "endpoint", "it is the address of the server"))
        compose_endpoint(c, endpoint, into.get_object()["endpoint"], origins);
    const auto headers = http.at("headers");
    if (headers && !headers.is_object() && !is_expression(headers)) expect_object(c, headers);
}

void check_stdio_transport(compilation& c, const node& stdio) {
    if (!expect_object(c, stdio)) return;
    check_keys(c, stdio, {"command", "arguments", "environment"});
    expect_string(c, require(c, stdio, "command", "it is the program of the server"), "`command: npx`");
    if (const auto arguments = stdio.at("arguments"); arguments.is_object()) {
        c.report.error("wrong-type", arguments, "`arguments` of a server must be a list", "write `arguments: [ first, second ]`");
    } else {
        check_process_arguments(c, arguments);
    }
    check_process_environment(c, stdio.at("environment"));
}

void compose_transport(compilation& c, const node& transport, json::value& into, std::vector<origin>& origins) {
    if (!transport || !expect_object(c, transport)) return;
    check_keys(c, transport, {"http", "stdio", "options"});
    const auto http = transport.at("http"), stdio = transport.at("stdio");
    if (http && stdio) {
        c.report.key_error("several-kinds", stdio, "`transport` has both `http` and `stdio`, but there is one way to a server", "remove one of them");
    } else if (http) {
        compose_http_transport(c, http, into.get_object()["http"], origins);
    } else if (stdio) {
        check_stdio_transport(c, stdio);
    } else if (!c.is_misspelled(transport, "http") && !c.is_misspelled(transport, "stdio")) {
        c.report.key_error("no-kind", transport, "`transport` does not say how to reach the server", "add `http: { endpoint: https://... }` or `stdio: { command: ... }`");
    }
    const auto options = transport.at("options");
    if (options && expect_object(c, options) && !options.value->get_object().empty() && !c.rebuild)
        c.report.key_warning("no-effect", options, "the transports of pawl have no further options, so `options` has no effect", "remove it");
}

}  // namespace

void compile_mcp_call(compilation& c, task_id id, const node& call, const node& with) {
    if (!with) {
        c.report.key_error("missing-key", call, "`call: mcp` needs `with`: the method and the transport",
                           "write `with: { method: tools/call, parameters: { name: ... }, transport: { http: { endpoint: https://... } } }`");
        return;
    }
    constexpr std::array<std::string_view, 6> known{"protocolVersion", "method", "parameters", "timeout", "transport", "client"};
    check_keys(c, with, known, {"with", "in `with`", hint_for_key, {}});
    const names_in_scope names{site::definition, c.task_of(id).locals, true};
    const auto method = require(c, with, "method", "it is the method to call, such as `tools/call`");
    check_method(c, method);
    check_parameters(c, with, method);
    if (const auto version = with.at("protocolVersion")) expect_string(c, version, "`protocolVersion: '2025-06-18'`");
    if (const auto timeout = with.at("timeout")) compile_duration(c, timeout, names);
    if (const auto client = with.at("client"); client && expect_object(c, client)) {
        check_keys(c, client, {"name", "version"});
        expect_string(c, require(c, client, "name", "it is what the server calls its client"));
        expect_string(c, require(c, client, "version", "it is the version of the client"));
    }
    composed made{*with.value, {{"", with.pointer, false}}};
    compose_transport(c, require(c, with, "transport", "it says how to reach the server"), made.value.get_object()["transport"], made.origins);
    // Only tools may do something; the other methods read.
    const bool reads = !is_expression(method) && method.text() != "tools/call";
    const auto safety = declared_safety(c, id, reads ? effect_safety::pure : effect_safety::at_most_once);
    if (auto arguments = compile_template(c, made.value, std::move(made.origins), names)) c.task_of(id).body = call_task{"mcp", {}, std::move(*arguments), safety};
}

}  // namespace pawl::flow
