// Where the parts of a compiled value come from in the definition. One origin for most; several when the compiler put a document together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pawl::flow {

struct origin {
    std::string prefix;   ///< JSON Pointer in the compiled value
    std::string pointer;  ///< JSON Pointer in the definition
    bool opaque = false;  ///< the text was made from the author's: offsets in it mean nothing
};

struct located {
    std::string pointer;
    bool opaque = false;
};

/// The place of `pointer` by the longest matching prefix.
inline located locate(const std::vector<origin>& origins, std::string_view pointer) {
    const origin* best = nullptr;
    for (const auto& each : origins) {
        const bool matches = pointer.starts_with(each.prefix) && (pointer.size() == each.prefix.size() || pointer[each.prefix.size()] == '/');
        if (matches && (best == nullptr || each.prefix.size() >= best->prefix.size())) best = &each;
    }
    if (best == nullptr) return {std::string(pointer), true};
    return {best->pointer + std::string(pointer.substr(best->prefix.size())), best->opaque};
}

}  // namespace pawl::flow
