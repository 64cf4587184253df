// Text from outside (a tool's words, a model's answer, an event's type) on its way to a terminal or into a log: what would move the cursor, colour,
// rename the window, reorder the line or start another one is shown instead of done. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pawl {

/// Control characters (C0 but line feed and tab, DEL, C1) and those that change the direction of writing become \uXXXX, so that JSON text stays the same JSON; invalid UTF-8
/// becomes U+FFFD; a carriage return before a line feed goes.
std::string visible(std::string_view text);

/// The same for what must stay within a line: line feeds and tabs too.
std::string visible_line(std::string_view text);

}  // namespace pawl
