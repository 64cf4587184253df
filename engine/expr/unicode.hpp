// UTF-8, by code points. Texts come from JSON and are valid; what is not counts byte by byte.
#pragma once

#include "base/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::expr {

inline std::size_t code_points(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char c : text) count += is_utf8_tail(c) ? 0 : 1;
    return count;
}

/// The byte where the n-th code point starts, or the end.
inline std::size_t byte_offset(std::string_view text, std::size_t n) noexcept {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (is_utf8_tail(text[at])) continue;
        if (n-- == 0) return at;
    }
    return at;
}

void append_utf8(std::string& out, std::uint32_t code_point);
/// The code point at `at`, which moves behind it. U+FFFD for what is not UTF-8.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) noexcept;
/// With every invalid sequence replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace pawl::expr
