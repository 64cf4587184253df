#include "store/records.hpp"

#include "store/administration.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace pawl::store {
namespace {
constexpr std::array<std::string_view, 5> names{"pending", "approved", "rejected", "expired", "cancelled"};
}

std::string_view to_string(approval_status status) noexcept { return names[static_cast<std::size_t>(status)]; }

std::optional<approval_status> approval_status_from(std::string_view text) noexcept {
    const auto at = std::find(names.begin(), names.end(), text);
    if (at == names.end()) return std::nullopt;
    return static_cast<approval_status>(at - names.begin());
}

store_result<std::unique_ptr<administration>> database::administer() {
    return store_error{store_errc::refused, "This kind of store has no administration."};
}

void throw_exception_from_error(const store_error& error, const boost::source_location&) { throw std::runtime_error("store: " + error.detail); }

}  // namespace pawl::store
