#include "base/run_status.hpp"

#include <algorithm>
#include <array>

namespace pawl {
namespace {
constexpr std::array<std::string_view, 7> names{"pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"};
}

std::string_view to_string(run_status status) noexcept { return names[static_cast<std::size_t>(status)]; }

std::optional<run_status> run_status_from(std::string_view text) noexcept {
    const auto at = std::find(names.begin(), names.end(), text);
    if (at == names.end()) return std::nullopt;
    return static_cast<run_status>(at - names.begin());
}

}  // namespace pawl
