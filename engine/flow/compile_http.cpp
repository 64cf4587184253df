// The arguments of `call: http` (dsl-reference.md, "HTTP Call", "Endpoint", "Authentication").
#include "base/header_text.hpp"
#include "flow/parts.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

const std::vector<std::string>& methods() {
    static const std::vector<std::string> all{"get", "head", "post", "put", "patch", "delete", "options", "trace", "connect"};
    return all;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& ch : out) {
        if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
    }
    return out;
}

bool is_expression(const node& n) { return n.is_string() && n.text().find("${") != std::string_view::npos; }

void check_method(compilation& c, const node& n) {
    if (!n || !expect_string(c, n, "`method: get`") || is_expression(n)) return;
    const auto method = lower(n.text());
    if (std::find(methods().begin(), methods().end(), method) != methods().end()) return;
    const bool token = !method.empty() && std::all_of(method.begin(), method.end(), [](char ch) { return ch >= 'a' && ch <= 'z'; });
    auto hint = c.report.did_you_mean(method, methods());
    if (token && hint.empty()) return;  // HTTP allows further methods
    c.report.error("bad-value", n, quoted(n.text()) + " is not an HTTP method", hint.empty() ? "for example `method: get`" : std::move(hint));
}

/// `headers` and `query`: a map, or one expression that yields one.
void check_map_or_expression(compilation& c, const node& n) {
    if (!n || n.is_object() || is_expression(n)) return;
    c.report.error(
        "wrong-type", n,
        quoted(n.name()) + " must be a map of names to values, or one expression that yields one, but is " + std::string(describe(*n.value)),
        "write the values as `name: value` lines below it");
}

/// Names and values that HTTP does not let a header have (RFC 9110, 5.1 and 5.5), as far as they are written there.
void check_headers(compilation& c, const node& headers) {
    if (!headers.is_object() || c.rebuild) return;
    for (const auto& [key, value] : headers.value->get_object()) {
        const auto at = headers.at(key);
        const std::string_view name = key;
        if (!is_token(name)) {
            auto meant = std::string(name);
            while (meant.ends_with(':') || meant.ends_with(' ')) meant.pop_back();
            std::replace(meant.begin(), meant.end(), ' ', '-');
            c.report.key_error("bad-name", at, quoted(name) + " cannot be the name of a header: it may hold letters, digits and `-`, and no blanks",
                               is_token(meant) ? "did you mean " + quoted(meant) + "?" : "");
        } else if (const auto* text = value.if_string();
                   text != nullptr && !is_expression(at) && !is_header_value(std::string_view(*text))) {
            c.report.error("bad-value", at,
                           "the header " + quoted(name) + " has a line break or another control character, and no header can hold one",
                           "write it in one line; a block text (`|`) ends with a line break, `|-` does not");
        }
    }
}

void compose_uri(compilation& c, const node& uri, json::value& into, const std::string& prefix, std::vector<origin>& origins) {
    if (!expect_string(c, uri, "`endpoint: https://api.example.com/orders`")) return;
    if (is_expression(uri)) return;
    if (auto expanded = expand_uri_template(c, uri)) {
        into = "${ " + *expanded + " }";
        origins.push_back({prefix, uri.pointer, true});
    } else if (!uri.text().starts_with("http://") && !uri.text().starts_with("https://") && uri.text().find('{') == std::string_view::npos &&
               !c.rebuild) {
        c.report.warning("relative-endpoint", uri,
                         "the endpoint " + quoted(uri.text()) + " does not start with https:// or http://, so no server can be found",
                         "write the whole address, such as https://" +
                             std::string(uri.text().find("://") == std::string_view::npos ? uri.text() : "api.example.com"));
    }
}

}  // namespace

void check_http_settings(compilation& c, const node& with, std::string_view what) {
    if (const auto output = with.at("output"); output && expect_string(c, output, "`output: content`") && !is_expression(output)) {
        static const std::vector<std::string> forms{"content", "raw", "response"};
        if (std::find(forms.begin(), forms.end(), output.text()) == forms.end()) {
            auto hint = c.report.did_you_mean(output.text(), forms);
            c.report.error("bad-value", output, "`output` of " + std::string(what) + " must be `content`, `raw` or `response`, but is " + quoted(output.text()),
                           std::move(hint));
        }
    }
    if (const auto redirect = with.at("redirect"); redirect && !redirect.value->is_bool() && !is_expression(redirect)) {
        c.report.error("wrong-type", redirect, "`redirect` must be true or false, but is " + std::string(describe(*redirect.value)));
    }
}

composed compose_http(compilation& c, const node& with) {
    composed out{*with.value, {{"", with.pointer, false}}};
    check_keys(c, with, {"method", "endpoint", "headers", "body", "query", "output", "redirect"});
    check_method(c, require(c, with, "method", "it is the HTTP method, such as `get`"));
    check_map_or_expression(c, with.at("headers"));
    check_headers(c, with.at("headers"));
    check_map_or_expression(c, with.at("query"));
    check_http_settings(c, with, "an HTTP call");
    const auto endpoint = require(c, with, "endpoint", "it is the address to send the request to");
    if (!endpoint) return out;
    auto& into = out.value.get_object()["endpoint"];
    if (!endpoint.is_object()) {
        compose_uri(c, endpoint, into, "/endpoint", out.origins);
        return out;
    }
    check_keys(c, endpoint, {"uri", "authentication"});
    if (const auto uri = require(c, endpoint, "uri", "it is the address to send the request to"))
        compose_uri(c, uri, into.get_object()["uri"], "/endpoint/uri", out.origins);
    if (const auto authentication = endpoint.at("authentication"))
        compose_authentication(c, authentication, into.get_object()["authentication"], "/endpoint/authentication", out.origins);
    return out;
}

effect_safety safety_of_http(const node& with, effect_safety fallback) {
    const auto method = lower(with.at("method").text());
    if (method == "get" || method == "head" || method == "options") return effect_safety::pure;
    if (method == "put" || method == "delete") return effect_safety::idempotent;
    if (const auto headers = with.at("headers"); headers.is_object()) {
        for (const auto& member : headers.value->get_object()) {
            if (lower(member.key()) == "idempotency-key") return effect_safety::idempotent;
        }
    }
    return fallback;
}

}  // namespace pawl::flow
