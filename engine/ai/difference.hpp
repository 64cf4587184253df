// How two recorded requests differ, in words that quote no content. Pure; any thread.
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <string>

namespace pawl::ai {

/// Larger is closer; 0 when nothing but the shape is shared.
std::size_t likeness(const json::object& asked, const json::object& recorded);

/// "its model is `a`, asked for was `b`; message 2 (user) differs from character 57 on (line 3)"
std::string difference(const json::object& asked, const json::object& recorded);

}  // namespace pawl::ai
