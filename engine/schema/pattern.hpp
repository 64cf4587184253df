// Regular expressions of `pattern` and `patternProperties`: ECMA-262 with the `u` flag, run by Oniguruma on UTF-8.
// A pattern is immutable; any number of threads may match the same one at the same time. Matching is bounded by a retry limit.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pawl::schema {

enum class match_outcome { no, yes, gave_up };

class pattern {
public:
    /// Nothing compiled: `error` says why, as a phrase ("the group at offset 3 is not closed").
    struct compile_result;
    static compile_result compile(std::string_view ecma);

    /// Searches anywhere in `text`; text that is not valid UTF-8 does not match. `gave_up`: more retries than the limit.
    match_outcome search(std::string_view text) const noexcept;

    const std::string& source() const noexcept { return source_; }

private:
    struct machine;
    pattern() = default;
    std::string source_;
    std::shared_ptr<const machine> machine_;
};

struct pattern::compile_result {
    std::unique_ptr<pattern> value;
    std::string error;
};

/// Rewrites ECMA-262 syntax in Oniguruma's, where the two read the same text differently.
struct translated_pattern {
    std::string text;
    std::string error;  ///< empty on success
};
translated_pattern translate_ecma(std::string_view ecma);

}  // namespace pawl::schema
