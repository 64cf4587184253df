// Two JSON values side by side: how alike they are, and where they differ. For messages about recordings. Pure, bounded; any thread.
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pawl {

struct json_change {
    std::string pointer;   ///< JSON Pointer; empty: the whole value
    std::string before;    ///< JSON text, shortened to the part that differs; "nothing" where there is no such member
    std::string after;
};

/// The first `most` places that differ, in the order of `before`, then what only `after` has.
std::vector<json_change> json_changes(const json::value& before, const json::value& after, std::size_t most = 12);

/// From 0 (nothing in common) to 1000 (equal): the share of members and texts that are the same.
std::size_t json_likeness(const json::value& a, const json::value& b);

}  // namespace pawl
