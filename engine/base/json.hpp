// JSON values are boost::json values everywhere; this is the text and hash form of them.
// All functions are pure and may be called from any thread.
#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl {

namespace json = boost::json;

/// Limits for JSON text that comes from outside.
struct json_limits {
    std::size_t max_bytes = 64 * 1024 * 1024;
    std::size_t max_depth = 256;
};

/// Parses one JSON document (RFC 8259). Integers that fit 64 bits stay exact. The last of duplicate keys wins.
/// Error: `validation` problem whose detail names line and column.
result<json::value> parse_json(std::string_view text, const json_limits& limits = {});

/// Compact text, object keys in stored order, numbers as people and jq write them (2.5, not 2.5E0).
std::string to_text(const json::value& value);
void append_text(std::string& out, const json::value& value);

/// The same with two-space indentation and line breaks, for terminals.
std::string to_pretty_text(const json::value& value);

/// Compact text with object keys sorted by code unit: equal values give equal bytes. For digests only.
std::string to_canonical_text(const json::value& value);

/// Appends the shortest decimal that reads back as `number`; integral values below 1e17 without a fraction
/// or exponent; NaN as null and infinities as the largest double, as jq does.
void append_number(std::string& out, double number);

/// Appends `text` as a JSON string literal. Invalid UTF-8 becomes U+FFFD.
void append_string(std::string& out, std::string_view text);

/// RFC 7396 JSON Merge Patch, in place.
void merge_patch(json::value& target, const json::value& patch);

/// "null", "boolean", "number", "string", "array" or "object", as jq's `type`.
std::string_view type_name(const json::value& value) noexcept;

/// Escapes one reference token of a JSON Pointer (RFC 6901): ~ to ~0, / to ~1.
std::string pointer_token(std::string_view token);

}  // namespace pawl
