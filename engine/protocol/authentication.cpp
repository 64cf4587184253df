#include "protocol/authentication.hpp"

#include "protocol/http_text.hpp"
#include "schema/validator.hpp"

namespace pawl::protocol {
namespace {

constexpr std::string_view settings_schema = R"({
"basic": {"type": "object", "required": ["username", "password"], "additionalProperties": false, "properties": {"username": {"type": "string"}, "password": {"type": "string"}}},
"bearer": {"type": "object", "required": ["token"], "additionalProperties": false, "properties": {"token": {"type": "string"}}},
"oauth2": {"type": "object", "required": ["authority", "grant"], "additionalProperties": false, "properties": {
  "authority": {"type": "string", "minLength": 1},
  "endpoints": {"type": "object", "additionalProperties": false, "properties": {"token": {"type": "string"}, "revocation": {"type": "string"}, "introspection": {"type": "string"}}},
  "grant": {"enum": ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:token-exchange"]},
  "client": {"type": "object", "additionalProperties": false, "properties": {"id": {"type": "string"}, "secret": {"type": "string"}, "assertion": {"type": "string"},
    "authentication": {"enum": ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]}}},
  "request": {"type": "object", "additionalProperties": false, "properties": {"encoding": {"enum": ["application/x-www-form-urlencoded", "application/json"]}}},
  "issuers": {"$ref": "#/$defs/texts"}, "scopes": {"$ref": "#/$defs/texts"}, "audiences": {"$ref": "#/$defs/texts"},
  "username": {"type": "string"}, "password": {"type": "string"}, "subject": {"$ref": "#/$defs/party"}, "actor": {"$ref": "#/$defs/party"}}}
})";

constexpr std::string_view shared_schema = R"({
"texts": {"type": "array", "items": {"type": "string"}},
"party": {"type": "object", "required": ["token", "type"], "additionalProperties": false, "properties": {"token": {"type": "string"}, "type": {"type": "string"}}}
})";

json::value schema_of(std::string_view scheme) {
    auto all = parse_json(settings_schema).value();
    const auto kind = scheme == "digest" ? std::string_view("basic") : scheme == "oidc" ? std::string_view("oauth2") : scheme;
    auto out = all.get_object().at(kind);
    if (scheme == "oidc") out.get_object()["properties"].get_object().erase("endpoints");
    return out;
}

problem unusable(std::string_view why) { return make_problem(problem_type::authentication, std::string(why)); }

/// The settings of a scheme: as they stand, or out of the secret's text.
result<json::object> settings_of(std::string_view scheme, const json::value& value) {
    if (value.is_object()) return value.get_object();
    const auto text = std::string_view(value.get_string());
    auto parsed = parse_json(text);
    if (scheme == "bearer" && (parsed.has_error() || !parsed->is_object())) return json::object{{"token", text}};
    auto schema = schema_of(scheme);
    schema.get_object()["$defs"] = parse_json(shared_schema).value();
    const auto validator = schema::validator::compile(schema);
    if (parsed.has_error() || validator.has_error() || !validator->validate(*parsed).empty()) {
        return unusable("The secret of this call's `" + std::string(scheme) + "` authentication must be a JSON object with " +
                        (scheme == "bearer" ? "`token`" : scheme == "basic" || scheme == "digest" ? "`username` and `password`" : "`authority`, `grant` and `client`") +
                        ", as the workflow language describes them.");
    }
    return std::move(parsed->get_object());
}

std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
    std::vector<std::string> out;
    if (const auto* list = object.if_contains(key)) {
        for (const auto& each : list->get_array()) out.emplace_back(each.get_string());
    }
    return out;
}

const json::object& object_at(const json::object& object, std::string_view key) {
    static const json::object none;
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_object() ? found->get_object() : none;
}

result<oauth_settings> read_oauth(const json::object& from, bool discover) {
    oauth_settings out;
    out.discover = discover;
    out.authority = text_at(from, "authority");
    while (out.authority.ends_with('/')) out.authority.pop_back();
    if (auto path = text_at(object_at(from, "endpoints"), "token"); !path.empty()) out.token_endpoint = std::move(path);
    out.grant = text_at(from, "grant");
    const auto& client = object_at(from, "client");
    out.client_id = text_at(client, "id");
    out.client_secret = text_at(client, "secret");
    out.client_assertion = text_at(client, "assertion");
    if (auto method = text_at(client, "authentication"); !method.empty()) out.client_authentication = std::move(method);
    out.json_request = text_at(object_at(from, "request"), "encoding") == "application/json";
    out.issuers = texts_at(from, "issuers");
    out.scopes = texts_at(from, "scopes");
    out.audiences = texts_at(from, "audiences");
    out.username = text_at(from, "username");
    out.password = text_at(from, "password");
    out.subject = {text_at(object_at(from, "subject"), "token"), text_at(object_at(from, "subject"), "type")};
    out.actor = {text_at(object_at(from, "actor"), "token"), text_at(object_at(from, "actor"), "type")};
    if (out.client_id.empty() && out.client_authentication != "none") return unusable("`client.id` is missing: only `client.authentication: none` works without.");
    if (out.client_assertion.empty() && out.client_authentication == "private_key_jwt") return unusable("`client.authentication: private_key_jwt` needs `client.assertion`, the signed JWT.");
    if (out.grant == "password" && out.username.empty()) return unusable("The grant `password` needs `username` and `password`.");
    if (out.grant.starts_with("urn:") && out.subject.token.empty()) return unusable("The grant of a token exchange needs `subject`: the token to exchange, and its type.");
    return out;
}

}  // namespace

json::value authentication_schema() {
    json::array choices;
    for (const auto* scheme : {"basic", "bearer", "digest", "oauth2", "oidc"}) {
        auto settings = schema_of(scheme);
        // Standing within other schemas: what is shared is written out.
        const auto shared = parse_json(shared_schema).value();
        if (auto* properties = settings.get_object()["properties"].if_object()) {
            for (auto& member : *properties) {
                auto* reference = member.value().get_object().if_contains("$ref");
                if (reference != nullptr) member.value() = json::value(shared.get_object().at(std::string_view(reference->get_string()).substr(8)));
            }
        }
        choices.push_back(json::object{{"type", "object"},
                                       {"properties", json::object{{scheme, json::object{{"anyOf", json::array{json::object{{"type", "string"}}, std::move(settings)}}}}}},
                                       {"required", json::array{scheme}},
                                       {"additionalProperties", false}});
    }
    return json::object{{"anyOf", std::move(choices)}};
}

result<authentication> read_authentication(const json::value& policy) {
    const auto& member = *policy.get_object().begin();
    const auto scheme = std::string_view(member.key());
    const auto settings = settings_of(scheme, member.value());
    if (settings.has_error()) return settings.error();
    authentication out;
    if (scheme == "oauth2" || scheme == "oidc") {
        out.scheme = authentication::kind::oauth2;
        auto oauth = read_oauth(*settings, scheme == "oidc");
        if (oauth.has_error()) return oauth.error();
        out.oauth = std::move(*oauth);
        return out;
    }
    out.scheme = scheme == "basic" ? authentication::kind::basic : scheme == "digest" ? authentication::kind::digest : authentication::kind::bearer;
    out.username = text_at(*settings, "username");
    out.password = text_at(*settings, "password");
    out.token = text_at(*settings, "token");
    if (out.scheme != authentication::kind::bearer && out.username.find(':') != std::string::npos) {
        return make_problem(problem_type::validation, "The user name of basic and digest authentication may not contain a colon.");
    }
    if (!is_header_value(out.username) || !is_header_value(out.password) || !is_header_value(out.token)) {
        return make_problem(problem_type::validation, "The credentials of this call hold a line break or another control character.");
    }
    return out;
}

}  // namespace pawl::protocol
