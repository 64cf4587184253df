// The little of RFC 3986 that schema identifiers need. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace pawl::schema {

/// Resolves `reference` against `base` (RFC 3986, 5.2), without its fragment. An empty base leaves a relative reference relative.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// Cuts at the first '#': the part before it, and the fragment behind it (empty when there is none).
std::pair<std::string_view, std::string_view> split_fragment(std::string_view uri) noexcept;

/// Has a scheme.
bool is_absolute_uri(std::string_view uri) noexcept;

/// Percent-decodes; malformed escapes stay as they are.
std::string percent_decode(std::string_view text);

}  // namespace pawl::schema
