// What `authentication` of a call says, read after its secrets are in place (dsl-reference.md, "Authentication"). Pure; any thread.
#pragma once

#include "base/json.hpp"

#include <string>
#include <vector>

namespace pawl::protocol {

/// A token of the party that a token is exchanged for.
struct party_token {
    std::string token;
    std::string type;
};

/// `oauth2` and `oidc`: whom to ask for a token, and how.
struct oauth_settings {
    bool discover = false;  ///< oidc: the token endpoint stands in the authority's metadata
    std::string authority;
    std::string token_endpoint = "/oauth2/token";
    std::string grant;
    std::string client_id, client_secret, client_assertion;
    std::string client_authentication = "client_secret_post";
    bool json_request = false;
    std::vector<std::string> issuers, scopes, audiences;
    std::string username, password;
    party_token subject, actor;
};

struct authentication {
    enum class kind { basic, bearer, digest, oauth2 } scheme = kind::bearer;
    std::string username, password;  ///< basic, digest
    std::string token;               ///< bearer
    oauth_settings oauth;            ///< oauth2, oidc
};

/// JSON Schema of a policy in call arguments: exactly one scheme, either its settings or the text of the secret that holds them.
json::value authentication_schema();

/// Error: `authentication` problem that repeats no credential.
result<authentication> read_authentication(const json::value& policy);

}  // namespace pawl::protocol
