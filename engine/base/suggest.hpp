// "did you mean": the closest of a set of names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pawl {

/// The candidate with the smallest optimal-string-alignment distance (Damerau-Levenshtein, adjacent swaps),
/// if it is at most a third of the word's length (at least 1, at most 3) and some letter is shared; else the one candidate that the word is
/// the beginning of (four letters or more), or the same but for capitals.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

}  // namespace pawl
