#include "base/visible.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pawl {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// The character at `at` and its length in bytes; length 0 when it is not valid UTF-8.
struct character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

character character_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(at);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || at + length > text.size()) return {};
    std::uint32_t code = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0u) != 0x80u) return {};
        code = (code << 6) | (byte(at + i) & 0x3fu);
    }
    static constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
    return {code, length};
}

bool acts(std::uint32_t code) {
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
    // Marks, embeddings, overrides and isolates of direction, and the separators that some terminals take for a new line.
    return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void append_escape(std::string& out, std::uint32_t code) {
    static constexpr char hex[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += hex[(code >> shift) & 15u];
}

std::string shown(std::string_view text, bool one_line) {
    // Nearly all text is plain and goes through as it is.
    const auto plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f; };
    if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t at = 0; at < text.size();) {
        const auto c = character_at(text, at);
        if (c.length == 0) {
            out += replacement;
            ++at;
            continue;
        }
        const bool layout = c.code == '\n' || c.code == '\t';
        const bool end_of_line = c.code == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
        if (acts(c.code) && (one_line || !layout)) {
            if (one_line || !end_of_line) append_escape(out, c.code);
        } else {
            out += text.substr(at, c.length);
        }
        at += c.length;
    }
    return out;
}

}  // namespace

std::string visible(std::string_view text) { return shown(text, false); }
std::string visible_line(std::string_view text) { return shown(text, true); }

}  // namespace pawl
