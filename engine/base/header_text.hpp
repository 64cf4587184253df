// What HTTP lets a header be (RFC 9110, 5.1 and 5.5). Pure; any thread.
#pragma once

#include <string_view>

namespace pawl {

/// A method or the name of a header.
bool is_token(std::string_view text);
/// No line breaks or other control characters: they would end the header.
bool is_header_value(std::string_view text);

}  // namespace pawl
