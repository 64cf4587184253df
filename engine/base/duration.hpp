// Durations as people write them on command lines and in manifests. Any thread.
#pragma once

#include "base/clock.hpp"

namespace pawl {

/// A whole number with a unit (90s, 15m, 2h, 30d, 4w; ms too) or ISO 8601; at most 100 years. Error: what is expected.
result<milliseconds> parse_duration(std::string_view text);

}  // namespace pawl
