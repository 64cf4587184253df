// What a project says about its models, as plain values: engine/cli fills them from pawl.yaml (`models`).
#pragma once

#include "base/clock.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::ai {

/// One model that flows may name.
struct model_options {
    std::string provider;      ///< "workers-ai", "openai", "replay"
    std::string model;         ///< the provider's own name for it; empty: the alias (replay)
    std::string base_url;      ///< openai: up to and without /chat/completions. workers-ai: instead of https://api.cloudflare.com or the gateway's host
    std::string account;       ///< workers-ai
    std::string gateway;       ///< workers-ai: the name of an AI Gateway to go through
    std::string token;         ///< the name of the secret that holds the token; never the token
    std::string cassette;      ///< replay: the file with the recorded answers
    std::string record_to;     ///< another provider: append every answer to this cassette
    bool encode_model_path = false;  ///< workers-ai: `@cf%2Fmeta%2Fx` instead of `@cf/meta/x`
};

/// The internal retries of one request; what is left goes to the flow's own `try`.
struct retry_options {
    unsigned retries = 2;
    milliseconds first_delay{500};
    milliseconds longest_delay{20'000};  ///< a longer Retry-After is handed to the flow
};

/// The value of a secret by its name. Any thread; asked at dispatch, for every request anew.
using secret_resolver = std::function<std::optional<std::string>(std::string_view name)>;

struct ai_options {
    std::map<std::string, model_options, std::less<>> models;  ///< by alias
    std::string default_model;                                 ///< alias for calls that name none
    secret_resolver secrets;
    retry_options retry;
    milliseconds request_timeout{120'000};  ///< of one request, when the call's deadline is later
    std::shared_ptr<const clock_source> clock = std::make_shared<system_clock_source>();
};

}  // namespace pawl::ai
