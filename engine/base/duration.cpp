#include "base/duration.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace pawl {
namespace {

constexpr milliseconds longest(std::int64_t{36'500} * 86'400'000);
constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}}};

}  // namespace

result<milliseconds> parse_duration(std::string_view text) {
    if (const auto iso = parse_iso8601_duration(text); iso && *iso >= milliseconds(0) && *iso <= longest) return *iso;
    std::int64_t count = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& [name, size] : units) {
        if (unit == name && bad == std::errc() && count >= 0 && count <= longest.count() / size) return milliseconds(count * size);
    }
    return make_problem(problem_type::configuration,
                        "`" + std::string(text.substr(0, 100)) + "` is no duration; write a whole number with ms, s, m, h, d or w, such as 2h or 30d (at most 100 years)");
}

}  // namespace pawl
