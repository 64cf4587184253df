// Mathematical comparison of JSON numbers and values: 1, 1.0 and 1e0 are equal, and 64-bit integers keep every digit.
// Pure functions, any thread.
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <cstdint>

namespace pawl::schema {

/// A JSON number. `long double` holds every int64, uint64 and double exactly (its mantissa has at least 64 bits).
using number = long double;
static_assert(std::numeric_limits<number>::digits >= 64, "schema numbers need an exact common type");

/// `value` must be a number.
number number_of(const json::value& value) noexcept;

/// An integral number, whatever its notation.
bool is_integer(const json::value& value) noexcept;

/// Decides in decimal: 0.0075 is a multiple of 0.0001, although no binary fraction says so. `divisor` is positive.
bool is_multiple_of(number value, number divisor) noexcept;

/// Equality of JSON values as the specification defines it (4.2.2). Depth beyond `max_depth` counts as different.
bool equal(const json::value& a, const json::value& b, std::size_t max_depth = 512) noexcept;

/// Equal values have equal hashes.
std::size_t hash_of(const json::value& value, std::size_t max_depth = 512) noexcept;

}  // namespace pawl::schema
