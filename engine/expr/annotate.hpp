// What the compiler learns about nodes once all are built.
#pragma once

#include "expr/code.hpp"

namespace pawl::expr {

/// Fills single, at_most_one, structural and height of every node. Returns the first node that is nested too high, or null.
const node* annotate(program::compiled& code);

/// Replaces what depends on neither input nor variables by its value; what fails stays as it is.
void fold(program::compiled& code);

/// The facts for the checker.
analysis analyse(const program::compiled& code);

}  // namespace pawl::expr
