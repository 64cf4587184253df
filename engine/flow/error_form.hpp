// What members of errors (RFC 9457) and attributes of events (CloudEvents 1.0) may be: for the checker, and for those that are computed. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace pawl::flow {

/// A URI reference, or the template of one.
bool is_uri_reference(std::string_view text);
/// `https:...`, `urn:...`, `about:blank`: not relative to anything.
bool is_absolute_uri(std::string_view text);
/// A status that HTTP knows (RFC 9110, 15).
constexpr bool is_http_status(std::int64_t status) noexcept { return status >= 100 && status <= 599; }
/// What a server may answer all the same, so that an error can have it.
constexpr bool is_possible_status(std::int64_t status) noexcept { return status >= 100 && status <= 999; }

}  // namespace pawl::flow
