// A token request: RFC 6749 sections 2.3.1, 4.3, 4.4 and 6, RFC 7523 (assertions), RFC 8693 (token exchange).
#include "base/digest.hpp"
#include "protocol/challenge.hpp"
#include "protocol/http_text.hpp"
#include "protocol/token_source.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace pawl::protocol {
namespace {

using field_list = std::vector<std::pair<std::string, std::string>>;

std::string to_base64url(std::string_view bytes) {
    auto out = to_base64(bytes);
    while (out.ends_with('=')) out.pop_back();
    for (auto& ch : out) ch = ch == '+' ? '-' : ch == '/' ? '_' : ch;
    return out;
}

/// `client_secret_jwt`: a short-lived assertion signed with the client's secret.
std::string signed_assertion(const oauth_settings& settings, const std::string& audience, time_point now) {
    const auto seconds = now.time_since_epoch().count() / 1000;
    const auto claims = json::object{{"iss", settings.client_id}, {"sub", settings.client_id}, {"aud", audience}, {"jti", random_nonce()}, {"iat", seconds}, {"exp", seconds + 60}};
    const auto text = to_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + to_base64url(to_text(claims));
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    HMAC(EVP_sha256(), settings.client_secret.data(), static_cast<int>(settings.client_secret.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
    return text + "." + to_base64url(std::string_view(reinterpret_cast<const char*>(mac.data()), size));
}

void add_client(const oauth_settings& settings, net::http_request& request, field_list& fields, time_point now) {
    const auto& method = settings.client_authentication;
    if (method == "client_secret_basic") {
        return set_header(request.headers, "Authorization", "Basic " + to_base64(percent_encoded(settings.client_id) + ":" + percent_encoded(settings.client_secret)));
    }
    if (!settings.client_id.empty()) fields.emplace_back("client_id", settings.client_id);
    if (method == "client_secret_post") fields.emplace_back("client_secret", settings.client_secret);
    if (method == "private_key_jwt" || method == "client_secret_jwt") {
        fields.emplace_back("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        fields.emplace_back("client_assertion", settings.client_assertion.empty() ? signed_assertion(settings, request.url, now) : settings.client_assertion);
    }
}

void add_grant(const oauth_settings& settings, const std::string& refresh_token, field_list& fields) {
    fields.emplace_back("grant_type", refresh_token.empty() ? settings.grant : "refresh_token");
    if (!refresh_token.empty()) {
        fields.emplace_back("refresh_token", refresh_token);
    } else if (settings.grant == "password") {
        fields.emplace_back("username", settings.username);
        fields.emplace_back("password", settings.password);
    } else if (!settings.subject.token.empty()) {
        fields.emplace_back("subject_token", settings.subject.token);
        fields.emplace_back("subject_token_type", settings.subject.type);
        if (!settings.actor.token.empty()) {
            fields.emplace_back("actor_token", settings.actor.token);
            fields.emplace_back("actor_token_type", settings.actor.type);
        }
    }
    std::string scope;
    for (const auto& each : settings.scopes) scope += (scope.empty() ? "" : " ") + each;
    if (!scope.empty()) fields.emplace_back("scope", scope);
    for (const auto& each : settings.audiences) fields.emplace_back("audience", each);
}

/// A name that stands several times becomes a list.
std::string json_text(const field_list& fields) {
    json::object out;
    for (const auto& [name, value] : fields) {
        auto* before = out.if_contains(name);
        if (before == nullptr) {
            out[name] = value;
        } else if (before->is_array()) {
            before->get_array().emplace_back(value);
        } else {
            *before = json::array{std::move(*before), json::value(value)};
        }
    }
    return to_text(out);
}

}  // namespace

net::http_request token_request(const oauth_settings& settings, const std::string& url, const std::string& refresh_token, time_point now) {
    net::http_request request;
    request.method = "POST";
    request.url = url;
    request.max_response_bytes = 1024 * 1024;
    request.headers = {{"Content-Type", settings.json_request ? "application/json" : "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    field_list fields;
    add_grant(settings, refresh_token, fields);
    add_client(settings, request, fields, now);
    request.body = settings.json_request ? json_text(fields) : form_text(fields);
    return request;
}

}  // namespace pawl::protocol
