#include "base/visible.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace pawl {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

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
        const auto c = utf8_character_at(text, at);
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
