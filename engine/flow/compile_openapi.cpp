// call: openapi (dsl-reference.md, "OpenAPI Call"). A document of the project is pinned, and the call checked against it; one at a URL is loaded when the call is made.
#include "flow/functions.hpp"
#include "flow/openapi.hpp"
#include "flow/parts.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

bool is_final(const json::value& value) { return !holds_expression(value); }

bool is_expression(const node& n) { return n.is_string() && n.text().find("${") != std::string_view::npos; }

/// A document at a constant place that is no URL is part of the project.
bool is_of_project(const node& uri) {
    return uri.is_string() && !is_expression(uri) && !uri.text().starts_with("http://") && !uri.text().starts_with("https://");
}

struct openapi_arguments {
    json::value value;
    std::vector<origin> origins;
    std::optional<json::value> document;  ///< of the project
};

void compose_document(compilation& c, const node& with, openapi_arguments& out) {
    const auto resource = require(c, with, "document", "it is the OpenAPI document that describes the operation");
    if (!resource || !expect_object(c, resource)) return;
    check_keys(c, resource, {"name", "endpoint"});
    const auto endpoint = require(c, resource, "endpoint", "it says where the document is");
    if (!endpoint) return;
    const auto uri = endpoint.is_object() ? endpoint.at("uri") : endpoint;
    auto& into = out.value.get_object()["document"].get_object()["endpoint"];
    if (is_of_project(uri) && uri.text().find('{') == std::string_view::npos && !resolve_reference(c.base, uri.text()).starts_with("http")) {
        const auto file = read_external(c, endpoint, "the OpenAPI document");
        if (!file) return;
        auto document = read_yaml(file->text, file->name);
        if (document.has_error()) {
            c.report.error("wrong-type", uri, "the OpenAPI document " + quoted(file->name) + " is not readable: " + render(document.error()));
            return;
        }
        into = file->name;
        out.document = std::move(document->value);
        return;
    }
    if (!uri || !expect_string(c, uri, "`endpoint: https://api.example.com/openapi.json`")) return;
    const bool object = endpoint.is_object();
    if (object) check_keys(c, endpoint, {"uri", "authentication"});
    auto& place = object ? into.get_object()["uri"] : into;
    const std::string prefix = object ? "/document/endpoint/uri" : "/document/endpoint";
    if (auto expanded = is_expression(uri) ? std::nullopt : expand_uri_template(c, uri)) {
        place = "${ " + *expanded + " }";
        out.origins.push_back({prefix, uri.pointer, true});
    } else if (is_of_project(uri)) {
        place = resolve_reference(c.base, uri.text());
    }
    if (const auto authentication = endpoint.at("authentication"))
        compose_authentication(c, authentication, into.get_object()["authentication"], "/document/endpoint/authentication", out.origins);
}

void check_call(compilation& c, const node& with, const openapi_operation& operation) {
    const auto parameters = with.at("parameters");
    if (parameters && !parameters.is_object()) return;  // one expression: known only when it runs
    static const json::object none;
    for (auto& each : check_openapi_parameters(operation, parameters ? parameters.value->get_object() : none, is_final)) {
        const auto& where = parameters ? parameters : with;
        if (each.missing) {
            if (!c.is_misspelled(where, each.parameter)) c.report.key_error("missing-argument", where, std::move(each.message), std::move(each.hint));
        } else if (each.message.find("has no parameter") != std::string::npos) {
            c.report.key_error("unknown-argument", parameters.at(each.parameter), std::move(each.message), std::move(each.hint));
        } else {
            c.report.error("bad-argument", parameters.at(each.parameter), std::move(each.message), std::move(each.hint));
        }
    }
}

effect_safety safety_of_method(std::string_view method, effect_safety fallback) {
    if (method == "GET" || method == "HEAD" || method == "OPTIONS") return effect_safety::pure;
    return method == "PUT" || method == "DELETE" ? effect_safety::idempotent : fallback;
}

}  // namespace

void compile_openapi_call(compilation& c, task_id id, const node& call, const node& with) {
    if (!with) {
        c.report.key_error("missing-key", call, "`call: openapi` needs `with`: the document and the operation",
                           "write `with: { document: { endpoint: https://... }, operationId: ... }`");
        return;
    }
    check_keys(c, with, {"document", "operationId", "parameters", "authentication", "output", "redirect"});
    function_description openapi;
    openapi.name = "openapi";
    if (const auto* known = find_function(c.options.functions, {"openapi", {}, {}})) openapi = *known;
    openapi_arguments made{*with.value, {{"", with.pointer, false}}, std::nullopt};
    compose_document(c, with, made);
    if (const auto authentication = with.at("authentication"))
        compose_authentication(c, authentication, made.value.get_object()["authentication"], "/authentication", made.origins);
    if (const auto parameters = with.at("parameters"); parameters && !parameters.is_object() && !is_expression(parameters)) expect_object(c, parameters);
    check_http_settings(c, with, "an OpenAPI call");
    auto safety = openapi.safety;
    const auto operation_id = require(c, with, "operationId", "it names the operation to call");
    if (operation_id && expect_string(c, operation_id) && !is_expression(operation_id) && made.document) {
        const auto operation = find_openapi_operation(*made.document, operation_id.text());
        if (operation.has_error()) {
            c.report.error("unknown-name", operation_id, operation.error().detail);
        } else {
            safety = safety_of_method(operation->method, safety);
            if (!c.rebuild) check_call(c, with, *operation);
        }
    }
    auto arguments = compile_template(c, made.value, std::move(made.origins), {site::definition, c.task_of(id).locals, true});
    c.pinned_functions.emplace(openapi.name + ":" + openapi.version, openapi);
    if (arguments) c.task_of(id).body = call_task{openapi.name, openapi.version, std::move(*arguments), safety};
}

}  // namespace pawl::flow
