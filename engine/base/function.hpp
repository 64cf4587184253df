// What a callable function (a tool, a model call, a built-in) says about itself: for the checker, for `pawl tools`, for retry safety.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pawl {

/// What may happen when a call is repeated (DESIGN.md section 4.7).
enum class effect_safety {
    pure,           ///< no effect: may be repeated freely
    idempotent,     ///< takes the idempotency key: repeating with the same key has one effect
    at_most_once,   ///< never repeated by the engine: a call without a known outcome becomes *unknown*
    transactional   ///< commits with the checkpoint of its step: happens exactly once
};

std::string_view to_string(effect_safety safety) noexcept;

struct function_description {
    std::string name;     ///< "orders.lookup", "ai.chat", "http"
    std::string version;  ///< semantic version
    std::string summary;  ///< one line
    effect_safety safety = effect_safety::at_most_once;
    std::optional<json::value> input_schema;   ///< JSON Schema 2020-12 of the arguments
    std::optional<json::value> output_schema;
    std::string origin;   ///< "built-in", or the plugin's file
    bool beats = false;   ///< its calls give signs of life while they run
    std::optional<milliseconds> heartbeat_timeout = {};  ///< how long they may be silent; absent: as long as they like
};

/// The origin of what tasks of the language stand for: no `call` can name it.
inline constexpr std::string_view origin_language = "language";

}  // namespace pawl
