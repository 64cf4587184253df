// What authors write who think in another language: JSONPath, Python, JavaScript. Hints for expressions that do not compile; pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl::expr {

/// What may help where the parser met a token of `length` bytes at `offset` that it did not expect; empty when nothing is known.
std::string habit_hint(std::string_view program, std::size_t offset, std::size_t length);

/// What to write for a function of another language: `len`, `toUpperCase`, `None`; empty when nothing is known.
std::string_view foreign_function_hint(std::string_view name) noexcept;

/// `.order-id`: what to write when the unknown function at `offset` is the end of a name with `-`; empty when it is not.
std::string hyphen_hint(std::string_view program, std::size_t offset);

/// The character at `offset`, whole; a blank or invisible one by its name.
std::string character_shown(std::string_view program, std::size_t offset);

}  // namespace pawl::expr
