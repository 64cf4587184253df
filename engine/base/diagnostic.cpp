#include "base/diagnostic.hpp"

#include <algorithm>

namespace pawl {
namespace {

std::string_view line_of(std::string_view source, std::size_t number) {
    for (std::size_t line = 1; !source.empty(); ++line) {
        const auto end = source.find('\n');
        if (line == number) return source.substr(0, end);
        if (end == std::string_view::npos) break;
        source.remove_prefix(end + 1);
    }
    return {};
}

constexpr std::size_t widest_line_shown = 160;

}  // namespace

std::string render(const diagnostic& d, std::string_view source) {
    std::string out = d.file.empty() ? "<input>" : d.file;
    if (d.mark.line > 0) out += ":" + std::to_string(d.mark.line) + ":" + std::to_string(d.mark.column);
    out += d.level == severity::error ? ": error: " : d.level == severity::warning ? ": warning: " : ": note: ";
    out += d.message;
    const auto line = d.mark.line > 0 ? line_of(source, d.mark.line) : std::string_view{};
    if (!line.empty() && d.mark.column >= 1 && d.mark.column <= line.size() + 1 && line.size() <= widest_line_shown) {
        const auto number = std::to_string(d.mark.line);
        out += "\n  " + number + " | " + std::string(line) + "\n  " + std::string(number.size(), ' ') + " | ";
        for (std::size_t i = 0; i + 1 < d.mark.column; ++i) out += line[i] == '\t' ? '\t' : ' ';
        const auto room = line.size() + 1 - d.mark.column;
        const auto tail = std::min(d.length, room);
        out += "^" + std::string(tail > 1 ? tail - 1 : 0, '~');
    }
    if (!d.hint.empty()) out += "\n  hint: " + d.hint;
    return out;
}

bool has_errors(const std::vector<diagnostic>& all) noexcept {
    return std::any_of(all.begin(), all.end(), [](const diagnostic& d) { return d.level == severity::error; });
}

}  // namespace pawl
