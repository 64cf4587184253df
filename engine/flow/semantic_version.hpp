// Semantic versions (semver.org 2.0.0), as far as the language needs them. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::flow {

struct semantic_version {
    std::uint64_t major = 0, minor = 0, patch = 0;
    std::string prerelease;  ///< without the `-`; empty for a release

    /// By precedence: a prerelease stands before its release; prereleases by text.
    std::strong_ordering operator<=>(const semantic_version& other) const;
    bool operator==(const semantic_version&) const = default;
};

std::optional<semantic_version> parse_semantic_version(std::string_view text);
/// "1.0" -> "1.0.0", "v1.2.3" -> "1.2.3"; empty when there is nothing to repair.
std::string repaired_semantic_version(std::string_view text);
/// True when `version` is what "1", "1.2" or "1.2.3" asks for.
bool satisfies(std::string_view version, std::string_view asked);

}  // namespace pawl::flow
