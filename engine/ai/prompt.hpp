// Prompts: texts in the flow, or files pinned with the definition whose `${ }` expressions see the call's `values`.
// Pure; any thread.
#pragma once

#include "base/json.hpp"
#include "runtime/effect.hpp"

namespace pawl::ai {

struct prompt_text {
    std::string text;
    std::string version;  ///< of a file: `version:` of its front matter, else the first 12 hex digits of its SHA-256. Empty for inline text
};

/// `source` is a string, or {file, values}. `what` names it in messages: "system".
/// Error: `configuration` for a file that is not pinned or does not compile, `expression` for a template that fails on these values.
result<prompt_text> resolve_prompt(const json::value& source, const runtime::assets& assets, std::string_view what);

/// The version of a call's prompts: the versions of its files joined by `+`; without files the first 12 hex digits of SHA-256(system, line break, prompt).
std::string prompt_version(const std::optional<prompt_text>& system, const std::optional<prompt_text>& prompt);

}  // namespace pawl::ai
