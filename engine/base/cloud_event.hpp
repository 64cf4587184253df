// CloudEvents 1.0 (structured JSON) as they come from outside: whether a value is one, and what is filled in. Pure; any thread.
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

#include <string>

namespace pawl {

inline constexpr std::size_t longest_event_name = 900;  ///< bytes of `id`, `source` and `type`: they are keys in the store

/// What an event gets that does not have it.
struct event_defaults {
    std::string id;
    std::string source;
    time_point time;
};

/// The event with `specversion`, `id`, `source`, `time` (and with data its `datacontenttype`) filled in. Error: a `validation` problem that says what
/// keeps it from being a CloudEvent.
result<json::value> complete_cloud_event(json::value event, const event_defaults& defaults);

/// An attribute that is a text; empty when it is not there.
std::string event_attribute_text(const json::value& event, std::string_view name);

}  // namespace pawl
