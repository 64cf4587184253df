// "did you mean": the closest of a set of names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pawl {

/// The candidate with the smallest optimal-string-alignment distance (Damerau-Levenshtein, adjacent swaps),
/// if it is at most a third of the word's length (at least 1, at most 3)..
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

}  // namespace pawl
