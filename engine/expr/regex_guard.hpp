// Keeps a regular expression within Oniguruma's retry limit. Where a literal follows a loop, Oniguruma looks ahead instead of backtracking, and does not
// count that: `[a-z]+@` would take hours on a megabyte of letters. Two empty alternatives behind a loop keep it as it was written. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pawl::expr {

/// The same pattern (Perl syntax) with `(?:|)` behind every loop. `extended`: the flag x, where `#` begins a comment.
std::string guarded_pattern(std::string_view pattern, bool extended);

}  // namespace pawl::expr
