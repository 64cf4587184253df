// The rules that nobody should have to remember (DESIGN.md sections 3 and 12). Each returns every place where the tree breaks it.
#pragma once

#include "source_tree.hpp"

#include <string>
#include <vector>

namespace tidy {

using complaints = std::vector<complaint>;

/// Includes only point to what the room's NEEDS names; sdk to nobody, plugins to sdk; Beast, SOCI and yaml-cpp each in one room.
complaints include_rule(const source_tree& tree);
/// NEEDS itself stays within DESIGN.md section 3.
complaints needs_rule(const source_tree& tree);
/// Files have at most 600 lines.
complaints file_size_rule(const source_tree& tree);
/// Functions have at most 70 lines.
complaints function_size_rule(const source_tree& tree);
/// `co_await` stands alone in its statement: g++ 12 miscompiles most other shapes.
complaints await_rule(const source_tree& tree);
/// Coroutines live in net and at the listed edges.
complaints coroutine_place_rule(const source_tree& tree);
/// Every room has a README.
complaints readme_rule(const source_tree& tree);
/// Nothing is left for later.
complaints leftover_rule(const source_tree& tree);
/// Tests wait for conditions, not for time.
complaints sleep_rule(const source_tree& tree);
/// The top level is fixed.
complaints top_level_rule(const source_tree& tree);
/// Spaces only.
complaints tab_rule(const source_tree& tree);
/// Headers open with what they are, and say `#pragma once`.
complaints header_rule(const source_tree& tree);

}  // namespace tidy
