#include "flow/functions.hpp"

#include "flow/semantic_version.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

bool is_newer(std::string_view a, std::string_view b) {
    const auto x = parse_semantic_version(a), y = parse_semantic_version(b);
    if (x && y) return *x > *y;
    if (x || y) return x.has_value();
    return a > b;
}

}  // namespace

function_reference parse_reference(std::string_view text) {
    function_reference out;
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        out.catalog = text.substr(at + 1);
        text = text.substr(0, at);
    }
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        out.version = text.substr(colon + 1);
        text = text.substr(0, colon);
    }
    out.name = text;
    return out;
}

const function_description* find_function(std::span<const function_description> all, const function_reference& asked) {
    const function_description* best = nullptr;
    for (const auto& each : all) {
        if (each.name != asked.name || (!asked.version.empty() && !satisfies(each.version, asked.version))) continue;
        if (best == nullptr || is_newer(each.version, best->version)) best = &each;
    }
    return best;
}

std::vector<std::string> versions_of(std::span<const function_description> all, std::string_view name) {
    std::vector<std::string> out;
    for (const auto& each : all) {
        if (each.name == name && !each.version.empty()) out.push_back(each.version);
    }
    std::sort(out.begin(), out.end(), is_newer);
    return out;
}

}  // namespace pawl::flow
