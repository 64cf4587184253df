// `authentication` where a call or a resource has it, and `use.authentications` (dsl-reference.md, "Authentication").
#include "flow/parts.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

bool is_expression(const node& n) { return n.is_string() && n.text().find("${") != std::string_view::npos; }

bool is_one_of(compilation& c, const node& n, std::initializer_list<std::string_view> words, std::string_view what) {
    if (!n || is_expression(n)) return true;
    if (!expect_string(c, n)) return false;
    if (std::find(words.begin(), words.end(), n.text()) != words.end()) return true;
    std::vector<std::string> known(words.begin(), words.end());
    auto hint = c.report.did_you_mean(n.text(), known);
    if (hint.empty()) {
        for (const auto& word : known) hint += (hint.empty() ? "choose among " : ", ") + quoted(word);
    }
    c.report.error("bad-value", n, quoted(n.text()) + " is not " + std::string(what), std::move(hint));
    return false;
}

void check_texts(compilation& c, const node& n) {
    if (!n || is_expression(n)) return;
    if (!n.is_array()) {
        c.report.error("wrong-type", n, quoted(n.name()) + " must be a list of texts, but is " + std::string(describe(*n.value)), "write `" + n.name() + ": [ ... ]`");
        return;
    }
    for (std::size_t i = 0; i < n.value->get_array().size(); ++i) expect_string(c, n.at(i));
}

void check_party(compilation& c, const node& n) {
    if (!n || !expect_object(c, n)) return;
    check_keys(c, n, {"token", "type"});
    expect_string(c, require(c, n, "token", "it is the token of that party"));
    expect_string(c, require(c, n, "type", "it says what kind of token it is"));
}

bool check_grant(compilation& c, const node& grant) {
    if (!grant || is_expression(grant)) return static_cast<bool>(grant);
    if (!expect_string(c, grant)) return false;
    if (grant.text() == "authorization_code" || grant.text() == "refresh_token") {
        c.report.error("unsupported", grant,
                       "the grant " + quoted(grant.text()) + " is part of the workflow language but needs what only a person at a browser gets, so this version of pawl cannot use it",
                       "use `client_credentials`; a refresh token that a server hands out is used by itself");
        return false;
    }
    return is_one_of(c, grant, {"client_credentials", "password", "urn:ietf:params:oauth:grant-type:token-exchange"}, "a grant");
}

bool check_oauth(compilation& c, const node& n) {
    const auto errors = c.report.error_count();
    const bool open_id = n.name() == "oidc";
    if (open_id) {
        check_keys(c, n, {"authority", "grant", "client", "request", "issuers", "scopes", "audiences", "username", "password", "subject", "actor", "use"});
    } else {
        check_keys(c, n, {"authority", "endpoints", "grant", "client", "request", "issuers", "scopes", "audiences", "username", "password", "subject", "actor", "use"});
    }
    if (const auto authority = require(c, n, "authority", "it is the URI of the server that gives tokens")) expect_string(c, authority);
    check_grant(c, require(c, n, "grant", "it says what the token is given for, such as `client_credentials`"));
    if (const auto endpoints = n.at("endpoints"); endpoints && expect_object(c, endpoints)) check_keys(c, endpoints, {"token", "revocation", "introspection"});
    const auto client = n.at("client");
    std::string method = "client_secret_post";
    if (client && expect_object(c, client)) {
        check_keys(c, client, {"id", "secret", "assertion", "authentication"});
        is_one_of(c, client.at("authentication"), {"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"}, "a way for a client to show itself");
        if (client.at("authentication").is_string()) method = client.at("authentication").text();
    }
    if (!client.at("id") && method != "none") require(c, client ? client : n, client ? "id" : "client", "only `client.authentication: none` works without it");
    if (method == "private_key_jwt" && client && !client.at("assertion")) require(c, client, "assertion", "`private_key_jwt` shows a JWT that was signed elsewhere");
    if (const auto request = n.at("request"); request && expect_object(c, request)) {
        check_keys(c, request, {"encoding"});
        is_one_of(c, request.at("encoding"), {"application/x-www-form-urlencoded", "application/json"}, "an encoding of token requests");
    }
    if (n.at("grant").text() == "password") {
        require(c, n, "username", "the grant `password` asks for a token of a user");
        require(c, n, "password", "the grant `password` asks for a token of a user");
    }
    for (const auto* list : {"issuers", "scopes", "audiences"}) check_texts(c, n.at(list));
    check_party(c, n.at("subject"));
    check_party(c, n.at("actor"));
    return c.report.error_count() == errors;
}

bool check_scheme(compilation& c, const node& policy) {
    if (policy.name() == "bearer" && policy.is_string()) {
        c.report.error("wrong-type", policy, "`bearer` must be a map with the token", "write `bearer: { token: " + std::string(policy.text()) + " }`");
        return false;
    }
    if (!expect_object(c, policy)) return false;
    if (const auto use = policy.at("use")) {
        check_keys(c, policy, {"use"});
        return expect_string(c, use, "`use: my-secret`");
    }
    if (policy.name() == "oauth2" || policy.name() == "oidc") return check_oauth(c, policy);
    if (policy.name() == "bearer") {
        check_keys(c, policy, {"token", "use"});
        return expect_string(c, require(c, policy, "token", "it is what the server checks, such as ${ $secrets.apiToken }"));
    }
    check_keys(c, policy, {"username", "password", "use"});
    const auto why = policy.name() + " authentication has a name and a password";
    const bool user = expect_string(c, require(c, policy, "username", why));
    return expect_string(c, require(c, policy, "password", why)) && user;
}

/// The scheme of a policy that is known to be well-formed.
node scheme_of(const node& policy) { return policy.at(policy.value->get_object().begin()->key()); }

}  // namespace

bool check_authentication(compilation& c, const node& n) {
    if (!expect_object(c, n)) return false;
    check_keys(c, n, {"basic", "bearer", "digest", "oauth2", "oidc", "certificate"});
    if (const auto found = n.at("certificate")) {
        unsupported(c, found, "`certificate` authentication");
        return false;
    }
    if (n.value->get_object().size() != 1) {
        c.report.key_error("bad-value", n, "an authentication needs exactly one scheme",
                           "write `bearer: { token: ... }`, `basic: { username: ..., password: ... }`, `digest`, `oauth2` or `oidc`");
        return false;
    }
    const auto policy = scheme_of(n);
    return c.is_misspelled(n, policy.name()) || check_scheme(c, policy);
}

node authentication_policy(compilation& c, const node& n) {
    if (!n) return {};
    if (!n.is_string() && !expect_object(c, n)) return {};
    const auto use = n.is_string() ? n : n.at("use");
    if (!use) return check_authentication(c, n) ? n : node{};
    if (n.is_object()) check_keys(c, n, {"use"});
    if (!expect_string(c, use)) return {};
    const auto policy = named(c, use, "authentications");
    return policy && check_authentication(c, policy) ? policy : node{};
}

void compose_authentication(compilation& c, const node& n, json::value& into, const std::string& prefix, std::vector<origin>& origins) {
    const auto policy = authentication_policy(c, n);
    if (!policy) return;
    into = *policy.value;
    origins.push_back({prefix, policy.pointer, false});
    const auto scheme = scheme_of(policy);
    const auto place = prefix + "/" + scheme.name();
    auto& settings = into.get_object()[scheme.name()];
    if (const auto secret = scheme.at("use")) {
        settings = "${ $secrets" + (is_variable_name(secret.text()) ? "." + std::string(secret.text()) : "[" + to_text(json::value(secret.text())) + "]") + " }";
        origins.push_back({place, secret.pointer, true});
    } else if (const auto authority = scheme.at("authority"); authority.is_string() && !is_expression(authority)) {
        if (auto expanded = expand_uri_template(c, authority)) {
            settings.get_object()["authority"] = "${ " + *expanded + " }";
            origins.push_back({place + "/authority", authority.pointer, true});
        }
    }
}

}  // namespace pawl::flow
