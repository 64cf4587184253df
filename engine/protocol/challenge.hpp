// The challenges of `WWW-Authenticate` (RFC 9110 section 11.6.1), and the answer to a digest challenge (RFC 7616). Pure but for the client nonce; any thread.
#pragma once

#include "net/http.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::protocol {

struct challenge {
    std::string scheme;                         ///< lower case
    std::map<std::string, std::string> params;  ///< names in lower case
};

/// Of all headers of that name, in order; what cannot be read is left out.
std::vector<challenge> challenges_of(const std::vector<net::http_header>& headers);

/// The strongest digest challenge that can be answered; nothing when there is none.
std::optional<challenge> digest_challenge(const std::vector<net::http_header>& headers);

struct digest_credentials {
    std::string_view username, password;
};

/// The value of `Authorization`. `target` is the request's path and query, `client_nonce` any fresh text, `count` how often the server's nonce was used.
std::string digest_answer(const challenge& asked, const digest_credentials& who, const net::http_request& request, std::string_view target,
                          std::string_view client_nonce, unsigned count = 1);

/// 32 random hex digits.
std::string random_nonce();

}  // namespace pawl::protocol
