// The sentences of violations. Each reads on after the name of the value: "`/a` must be a string, but is a number".
// They quote the schema, shortened, and property names, never values: those may be long or secret.
#pragma once

#include "base/json.hpp"
#include "schema/number.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::schema::message {

std::string types(std::uint8_t allowed, const json::value& value);
std::string constant(const json::value& wanted);
std::string choices(const std::vector<json::value>& allowed, const json::value& value);
std::string bound(std::string_view phrase, number limit);
/// `unit`: "long" for strings, "item", "property".
std::string size(std::string_view unit, std::size_t limit, std::size_t actual, bool is_minimum);
std::string pattern_mismatch(std::string_view source, bool gave_up);
std::string contains(std::size_t limit, std::size_t actual, bool is_minimum);
std::string duplicate(std::size_t first, std::size_t second);
std::string missing(std::string_view name);
std::string missing_with(std::string_view name, std::string_view because);
std::string unknown(std::string_view name, const std::vector<std::string>& known);
std::string bad_name(std::string_view name, std::string_view why);
std::string too_many(std::size_t first, std::size_t second);
std::string negated();
std::string not_allowed();
std::string too_deep();
std::string too_costly();
std::string too_many_mistakes();

/// At most `limit` bytes, cut between characters.
std::string shortened(std::string_view text, std::size_t limit = 60);

}  // namespace pawl::schema::message
