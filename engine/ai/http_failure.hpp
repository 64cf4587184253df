// The error table of model APIs: what went wrong, as a problem that says whether trying again can help.
// Pure functions; any thread.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"
#include "net/http.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::ai {

/// What an error reply says, whichever envelope it came in.
struct api_error {
    std::int64_t code = 0;    ///< Cloudflare's number; 0 when there is none
    std::string code_text;    ///< OpenAI's word ("rate_limit_exceeded")
    int status = 0;           ///< the envelope's own HTTP status; 0 when it has none
    std::string message;
};

/// Reads `{success:false, errors:[{code, message}]}`, `{internalCode, httpCode, name, message, description}` and `{error:{message, type, code}}`.
/// Nothing when the body is none of them.
std::optional<api_error> read_api_error(const json::value& body);

/// The problem for an error reply. `who` opens the sentence ("Workers AI"); `token` is hidden wherever the server repeats it.
problem failure_of(std::string_view who, int http_status, const api_error& error, std::string_view token);

/// A problem of `type` with `retryable`.
problem model_problem(problem_type type, std::string detail, bool retryable);

/// Retry-After: seconds or an HTTP date. Nothing when it is absent or nonsense; never negative, at most a day.
std::optional<milliseconds> retry_after(const net::http_response& response, time_point now);

bool is_retryable(const problem& error) noexcept;

}  // namespace pawl::ai
