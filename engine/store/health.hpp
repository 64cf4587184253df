// What `pawl doctor` finds. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::store {

enum class health { good, note, warning, error };

struct health_finding {
    std::string check;      ///< "orphan-blobs"
    health state = health::good;
    std::int64_t count = 0; ///< of what is wrong
    std::string what;       ///< a sentence
    std::string hint;       ///< what to do; empty when nothing
    bool repairable = false;
    bool repaired = false;
};

}  // namespace pawl::store
