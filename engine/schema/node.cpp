#include "schema/node.hpp"

#include <algorithm>
#include <cstring>

namespace pawl::schema {
namespace {

// Length first: most names differ in it, so most comparisons touch no bytes.
int order(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    return a.empty() ? 0 : std::memcmp(a.data(), b.data(), a.size());
}

}  // namespace

void object_rules::sort() {
    std::sort(properties.begin(), properties.end(), [](const auto& a, const auto& b) { return order(a.name, b.name) < 0; });
}

const property_rule* object_rules::find(std::string_view name) const noexcept {
    std::size_t low = 0, high = properties.size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const int c = order(properties[middle].name, name);
        if (c == 0) return &properties[middle];
        if (c < 0) low = middle + 1;
        else high = middle;
    }
    return nullptr;
}

}  // namespace pawl::schema
