// A provider answers model requests: one HTTP API, or a recording. It knows nothing of retries, repairs and flows.
//
// Everything here happens on the network thread. A provider calls `done` exactly once, also after its canceller was called, perhaps before start() returns.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::ai {

/// One request to a model, the same for every provider. Immutable.
struct model_request {
    std::string function;               ///< "ai.chat", "ai.embed", "ai.run"
    std::string model;                  ///< the provider's name
    std::string task;                   ///< name of the calling task
    std::string system;                 ///< ai.chat; may be empty
    json::array messages;               ///< ai.chat: {role, content} without the system message
    std::optional<json::value> schema;  ///< ai.chat: JSON Schema of the answer
    json::object settings;              ///< ai.chat: temperature, max_tokens and the author's `options`, in OpenAI's words
    json::value input;                  ///< ai.embed: array of strings. ai.run: the model's own body
    milliseconds timeout{120'000};
};

/// What the model answered.
struct model_reply {
    json::value content;        ///< ai.chat: a string, or in JSON mode perhaps an object. ai.embed: array of vectors. ai.run: the raw result
    json::array tool_calls;     ///< {id?, name, arguments}, arguments as a value where they were JSON text
    std::string finish_reason;
    std::string request_id;
    std::string gateway_log_id;
    json::object usage;         ///< promptTokens, completionTokens, totalTokens, cachedTokens; what is known
};

/// Errors are problems with `extra`: retryable (always), retryAfterMs and code (when known). They never hold tokens or content.
using reply_handler = std::function<void(result<model_reply>)>;
using canceller = std::function<void()>;

class provider {
public:
    provider() = default;
    provider(const provider&) = delete;
    provider& operator=(const provider&) = delete;
    virtual ~provider() = default;

    virtual std::string_view kind() const noexcept = 0;  ///< "workers-ai"
    /// The canceller may be empty; calling it is best effort.
    virtual canceller start(const model_request& request, reply_handler done) = 0;
};

/// What a recording knows a request by: function, model, system, messages, schema, input. Settings are not part of it.
json::object recorded_form(const model_request& request);

/// The system message in front of the others, as chat APIs want it.
json::array all_messages(const model_request& request);

}  // namespace pawl::ai
