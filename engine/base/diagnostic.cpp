#include "base/diagnostic.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace pawl {
namespace {

std::string_view line_of(std::string_view source, std::size_t number) {
    for (std::size_t line = 1; !source.empty(); ++line) {
        const auto end = source.find('\n');
        if (line == number) {
            const auto text = source.substr(0, end);
            return text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
        }
        if (end == std::string_view::npos) break;
        source.remove_prefix(end + 1);
    }
    return {};
}

constexpr std::size_t widest_excerpt = 160;
constexpr std::size_t before_the_mark = 60;

bool is_tail(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

/// Behind the character that starts at `at`.
std::size_t next_character(std::string_view text, std::size_t at) noexcept {
    do ++at;
    while (at < text.size() && is_tail(text[at]));
    return at;
}

std::uint32_t code_point(std::string_view character) noexcept {
    const auto first = static_cast<unsigned char>(character[0]);
    std::uint32_t out = character.size() == 1 ? first : first & (0xffu >> (character.size() + 1));
    for (const char c : character.substr(1)) out = (out << 6) | (static_cast<unsigned char>(c) & 0x3fu);
    return out;
}

struct range {
    std::uint32_t first, last;
};
constexpr range without_width[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
constexpr range of_two_columns[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
                                    {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1faff}, {0x20000, 0x3fffd}};

/// How many columns of a terminal the character takes.
std::size_t width_of(std::string_view character) noexcept {
    const auto point = code_point(character);
    const auto within = [&](const range& each) { return point >= each.first && point <= each.last; };
    if (std::any_of(std::begin(without_width), std::end(without_width), within)) return 0;
    return std::any_of(std::begin(of_two_columns), std::end(of_two_columns), within) ? 2 : 1;
}

/// Characters that a terminal obeys do not reach it: a checked file may come from anywhere.
std::string harmless(std::string_view text, char instead) {
    std::string out(text);
    for (auto& c : out) {
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7f) c = instead;
    }
    return out;
}

/// The part of the line around the mark that is shown; `start` and `end` are bytes.
struct excerpt {
    std::size_t start = 0, end = 0;
};

excerpt excerpt_of(std::string_view line, std::size_t at) {
    excerpt out{0, line.size()};
    if (line.size() <= widest_excerpt) return out;
    out.start = at > before_the_mark ? at - before_the_mark : 0;
    while (out.start > 0 && is_tail(line[out.start])) --out.start;
    out.end = std::min(line.size(), out.start + widest_excerpt);
    while (out.end < line.size() && is_tail(line[out.end])) ++out.end;
    return out;
}

std::string excerpt_with_caret(std::string_view line, const diagnostic& d) {
    const auto at = d.mark.column - 1;
    const auto shown = excerpt_of(line, at);
    const auto number = std::to_string(d.mark.line);
    const std::string_view cut_off = shown.start > 0 ? "..." : "";
    std::string out = "\n  " + number + " | " + std::string(cut_off) + harmless(line.substr(shown.start, shown.end - shown.start), '?') + (shown.end < line.size() ? "..." : "");
    out += "\n  " + std::string(number.size(), ' ') + " | " + std::string(cut_off.size(), ' ');
    for (auto i = shown.start; i < at; i = next_character(line, i)) out += line[i] == '\t' ? "\t" : std::string(width_of(line.substr(i, next_character(line, i) - i)), ' ');
    std::size_t width = 0;
    const auto end = std::min(shown.end, at + std::max<std::size_t>(1, d.length));
    for (auto i = at; i < end; i = next_character(line, i)) width += width_of(line.substr(i, next_character(line, i) - i));
    return out + "^" + std::string(width > 1 ? width - 1 : 0, '~');
}

}  // namespace

std::size_t shown_column(const source_mark& mark, std::string_view source) {
    if (mark.line == 0 || mark.column == 0) return mark.column;
    const auto line = line_of(source, mark.line);
    const auto bytes = std::min(mark.column - 1, line.size());
    const auto tails = static_cast<std::size_t>(std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(bytes), is_tail));
    return mark.column - tails;
}

std::string render(const diagnostic& d, std::string_view source) {
    std::string out = d.file.empty() ? "<input>" : d.file;
    if (d.mark.line > 0) out += ":" + std::to_string(d.mark.line) + ":" + std::to_string(shown_column(d.mark, source));
    out += d.level == severity::error ? ": error: " : d.level == severity::warning ? ": warning: " : ": note: ";
    out += harmless(d.message, '?');
    const auto line = d.mark.line > 0 ? line_of(source, d.mark.line) : std::string_view{};
    if (!line.empty() && d.mark.column >= 1 && d.mark.column <= line.size() + 1) out += excerpt_with_caret(line, d);
    if (!d.hint.empty()) out += "\n  hint: " + harmless(d.hint, '?');
    return out;
}

bool has_errors(const std::vector<diagnostic>& all) noexcept {
    return std::any_of(all.begin(), all.end(), [](const diagnostic& d) { return d.level == severity::error; });
}

}  // namespace pawl
