#include "base/function.hpp"

namespace pawl {

std::string_view to_string(effect_safety safety) noexcept {
    switch (safety) {
        case effect_safety::pure: return "pure";
        case effect_safety::idempotent: return "idempotent";
        case effect_safety::transactional: return "transactional";
        case effect_safety::at_most_once: break;
    }
    return "at-most-once";
}

}  // namespace pawl
