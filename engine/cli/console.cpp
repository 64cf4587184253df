#include "cli/console.hpp"

#include "base/visible.hpp"
#include "cli/exit_code.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace pawl::cli {
namespace {

void write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

void print_out(std::string_view text) { write_all(STDOUT_FILENO, visible(text)); }
void print_err(std::string_view text) { write_all(STDERR_FILENO, visible(text)); }

int fail(std::string_view message) {
    print_err("pawl: " + std::string(message) + (message.ends_with('\n') ? "" : "\n"));
    return exit_wrong;
}

int fail(const problem& error) {
    const auto code = fail(error.detail.empty() ? error.title : error.detail);
    return error.title == newer_store ? exit_superseded : code;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string table(std::vector<std::vector<std::string>> rows) {
    std::vector<std::size_t> widths;
    for (auto& row : rows) {
        for (auto& cell : row) cell = visible_line(cell);
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i]));
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line += std::string(widths[i] - characters(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string shortened(std::string_view text, std::size_t width) {
    std::string out;
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0u) != 0x80u && ++count > width) {
            while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0u) == 0x80u) out.pop_back();
            if (!out.empty()) out.pop_back();
            return out + "…";
        }
        out += byte < 0x20 ? ' ' : text[i];
    }
    return out;
}

std::string indented_lines(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == '\n') out += "    ";
    }
    return out;
}

std::string render_all(const std::vector<diagnostic>& all, std::string_view source) {
    std::string out;
    for (const auto& d : all) out += (out.empty() ? "" : "\n") + render(d, source);
    return out;
}

}  // namespace pawl::cli
