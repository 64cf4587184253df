// The variables that one expression reads: whether they exist where it stands, and what is known of them before the run.
#pragma once

#include "flow/evaluable_code.hpp"
#include "flow/parts.hpp"

namespace pawl::flow {

/// One expression within a compiled value.
struct part_view {
    const expr::program& code;
    std::string pointer;     ///< in the definition
    std::size_t offset = 0;  ///< of its text
    bool opaque = false;
};

/// Reports what is wrong, and adds what is read to `into`.
void check_variables(compilation& c, const names_in_scope& scope, const part_view& part, evaluable::compiled& into);

}  // namespace pawl::flow
