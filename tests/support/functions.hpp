// Functions as a host describes them, with nothing but what a test chooses.
#pragma once

#include "base/function.hpp"

#include <string>
#include <utility>

namespace pawl::test_support {

inline function_description function(std::string name, effect_safety safety, std::string origin = {}) {
    function_description d;
    d.name = std::move(name);
    d.version = "1.0.0";
    d.safety = safety;
    d.origin = std::move(origin);
    return d;
}

}  // namespace pawl::test_support
