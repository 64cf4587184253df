// UTF-8 (RFC 3629), one character at a time. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pawl {

/// A byte that continues a character.
constexpr bool is_utf8_tail(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

struct utf8_character {
    std::uint32_t code = 0;
    std::size_t length = 0;  ///< in bytes; 0: what is there is not UTF-8
};

/// The character that starts at `at`, which lies within the text. Overlong forms, surrogates and what lies beyond U+10FFFF are not UTF-8.
constexpr utf8_character utf8_character_at(std::string_view text, std::size_t at) noexcept {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || length > text.size() - at) return {};
    std::uint32_t code = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_utf8_tail(text[at + i])) return {};
        code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
    return {code, length};
}

}  // namespace pawl
