// The simulated effects (see simulated_functions() in world.hpp).
#pragma once

#include "runtime/effect.hpp"

#include <memory>

namespace pawl::sim {

class world;

std::shared_ptr<const runtime::effect_registry> simulated_effects(world& w);

}  // namespace pawl::sim
