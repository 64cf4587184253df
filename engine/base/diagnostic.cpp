#include "base/diagnostic.hpp"

#include "base/utf8.hpp"
#include "base/visible.hpp"

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

/// The character at `at`; a byte that belongs to none is one by itself.
utf8_character shown_character(std::string_view text, std::size_t at) noexcept {
    const auto found = utf8_character_at(text, at);
    return found.length > 0 ? found : utf8_character{0xfffd, 1};
}

struct range {
    std::uint32_t first, last;
};
constexpr range without_width[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
constexpr range of_two_columns[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
                                    {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1faff}, {0x20000, 0x3fffd}};

/// How many columns of a terminal the character takes.
std::size_t width_of(std::uint32_t point) noexcept {
    const auto within = [&](const range& each) { return point >= each.first && point <= each.last; };
    if (std::any_of(std::begin(without_width), std::end(without_width), within)) return 0;
    return std::any_of(std::begin(of_two_columns), std::end(of_two_columns), within) ? 2 : 1;
}

/// The part of the line around the mark that is shown; `start` and `end` are bytes.
struct excerpt {
    std::size_t start = 0, end = 0;
};

excerpt excerpt_of(std::string_view line, std::size_t at) {
    constexpr std::size_t most_tails = 3;  // of one character: more are no characters, and are not waited out
    excerpt out{0, line.size()};
    if (line.size() <= widest_excerpt) return out;
    out.start = at > before_the_mark ? at - before_the_mark : 0;
    for (std::size_t i = 0; i < most_tails && out.start > 0 && is_utf8_tail(line[out.start]); ++i) --out.start;
    out.end = std::min(line.size(), out.start + widest_excerpt);
    for (std::size_t i = 0; i < most_tails && out.end < line.size() && is_utf8_tail(line[out.end]); ++i) ++out.end;
    return out;
}

/// The line's characters, one for one, and blanks as wide as those before the mark with a caret under it. What a terminal would obey does not reach it: a checked file may come from anywhere.
std::string excerpt_with_caret(std::string_view line, const diagnostic& d) {
    const auto at = d.mark.column - 1;
    const auto shown = excerpt_of(line, at);
    const auto end_of_mark = std::min(shown.end, at + std::max<std::size_t>(1, d.length));
    const auto number = std::to_string(d.mark.line);
    std::string text = shown.start > 0 ? "..." : "";
    std::string below(text.size(), ' ');
    std::size_t width = 0;
    for (auto i = shown.start; i < shown.end;) {
        const auto c = shown_character(line, i);
        const auto bytes = line.substr(i, c.length);
        const auto harmless = c.code == 0xfffd ? "\xef\xbf\xbd" : c.code == '\t' ? "\t" : visible_line(bytes);
        const bool obeyed = harmless != bytes && c.code != 0xfffd;
        text += obeyed ? "?" : harmless;
        if (i < at) below += c.code == '\t' ? "\t" : std::string(width_of(obeyed ? '?' : c.code), ' ');
        if (i >= at && i < end_of_mark) width += width_of(obeyed ? '?' : c.code);
        i += c.length;
    }
    return "\n  " + number + " | " + text + (shown.end < line.size() ? "..." : "") + "\n  " + std::string(number.size(), ' ') + " | " + below + "^" +
           std::string(width > 1 ? width - 1 : 0, '~');
}

}  // namespace

std::size_t shown_column(const source_mark& mark, std::string_view source) {
    if (mark.line == 0 || mark.column == 0) return mark.column;
    const auto line = line_of(source, mark.line);
    const auto bytes = std::min(mark.column - 1, line.size());
    const auto tails = static_cast<std::size_t>(std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(bytes), is_utf8_tail));
    return mark.column - tails;
}

std::string render(const diagnostic& d, std::string_view source) {
    std::string out = d.file.empty() ? "<input>" : d.file;
    if (d.mark.line > 0) out += ":" + std::to_string(d.mark.line) + ":" + std::to_string(shown_column(d.mark, source));
    out += d.level == severity::error ? ": error: " : d.level == severity::warning ? ": warning: " : ": note: ";
    out += visible(d.message);
    const auto line = d.mark.line > 0 ? line_of(source, d.mark.line) : std::string_view{};
    if (!line.empty() && d.mark.column >= 1 && d.mark.column <= line.size() + 1) out += excerpt_with_caret(line, d);
    if (!d.hint.empty()) out += "\n  hint: " + visible(d.hint);
    return out;
}

bool has_errors(const std::vector<diagnostic>& all) noexcept {
    return std::any_of(all.begin(), all.end(), [](const diagnostic& d) { return d.level == severity::error; });
}

}  // namespace pawl
