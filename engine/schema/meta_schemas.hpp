// The meta-schemas of draft 2020-12, so that a schema may refer to them without a network. Any thread.
#pragma once

#include <optional>
#include <string_view>

namespace pawl::schema {

inline constexpr std::string_view draft_uri = "https://json-schema.org/draft/2020-12/schema";
inline constexpr std::string_view vocabulary_base = "https://json-schema.org/draft/2020-12/vocab/";

/// JSON text of the meta-schema at `uri` (without fragment).
std::optional<std::string_view> built_in_schema(std::string_view uri) noexcept;

}  // namespace pawl::schema
