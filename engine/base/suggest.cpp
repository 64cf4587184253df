#include "base/suggest.hpp"

#include <algorithm>
#include <vector>

namespace pawl {
namespace {

std::size_t alignment_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

/// The one candidate that the word is the beginning of, or the same but for capitals.
std::optional<std::string> beginning_with(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t shortest = 4;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    const auto begins = [&](std::string_view longer) {
        return longer.size() >= word.size() && std::equal(word.begin(), word.end(), longer.begin(), [&](char a, char b) { return lower(a) == lower(b); });
    };
    std::optional<std::string> found;
    for (const auto& candidate : candidates) {
        if (!begins(candidate) || (word.size() < shortest && candidate.size() != word.size())) continue;
        if (found) return std::nullopt;
        found = candidate;
    }
    return found;
}

}  // namespace

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
    const std::size_t allowed = std::clamp<std::size_t>(word.size() / 3, 1, 3);
    std::optional<std::string> best;
    std::size_t best_distance = allowed + 1;
    for (const auto& candidate : candidates) {
        const auto longer = std::max(word.size(), candidate.size());
        const auto shorter = std::min(word.size(), candidate.size());
        if (longer - shorter >= best_distance) continue;
        const auto distance = alignment_distance(word, candidate);
        if (distance < best_distance && distance < longer) {  // at least one letter is shared: `c` is no slip of `a`
            best_distance = distance;
            best = candidate;
        }
    }
    return best ? best : beginning_with(word, candidates);
}

}  // namespace pawl
