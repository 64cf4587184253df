// What a `call` names in the default catalog: `orders.lookup`, `orders.lookup:1`, `orders.lookup:1.2.0@default`. Pure.
#pragma once

#include "base/function.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::flow {

struct function_reference {
    std::string name;
    std::string version;  ///< "1", "1.2", "1.2.3"; empty: the newest
    std::string catalog;  ///< empty: default
};
function_reference parse_reference(std::string_view text);

/// The newest function that fits; null when there is none.
const function_description* find_function(std::span<const function_description> all, const function_reference& asked);
/// The versions of `name`, newest first.
std::vector<std::string> versions_of(std::span<const function_description> all, std::string_view name);

}  // namespace pawl::flow
