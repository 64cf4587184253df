#include "source_tree.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace tidy {

source_tree read_tree(const std::filesystem::path& root) {
    namespace fs = std::filesystem;
    source_tree out;
    for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
        const auto name = at->path().filename().string();
        if (at->is_directory()) {
            if (name.starts_with('.') || name == "node_modules" || name == "build") at.disable_recursion_pending();
            continue;
        }
        if (!at->is_regular_file() || at->file_size() > 4 * 1024 * 1024) continue;
        std::ifstream in(at->path(), std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(in), {}};
        if (text.find('\0') != std::string::npos) continue;
        out.emplace(fs::relative(at->path(), root).generic_string(), std::move(text));
    }
    return out;
}

std::string to_text(const complaint& c) { return c.path + ":" + (c.line ? std::to_string(c.line) + ":" : std::string()) + " " + c.message; }

std::size_t line_at(std::string_view text, std::size_t offset) noexcept {
    return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size())), '\n'));
}

bool is_under(std::string_view path, std::string_view folder) noexcept { return path.starts_with(folder); }

bool is_header(std::string_view path) noexcept { return path.ends_with(".hpp") || path.ends_with(".h"); }

bool is_code(std::string_view path) noexcept { return path.ends_with(".cpp") || path.ends_with(".c") || is_header(path); }

std::string_view room_of(std::string_view path) noexcept {
    constexpr std::string_view engine = "engine/";
    if (!path.starts_with(engine)) return {};
    path.remove_prefix(engine.size());
    const auto slash = path.find('/');
    const auto room = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    return room == "cmake" ? std::string_view() : room;
}

bool is_test_data(std::string_view path) noexcept {
    for (const std::string_view folder : {"tests/cases/", "/cassettes/", "/fixtures/", "/data/"}) {
        if (path.find(folder) != std::string_view::npos) return true;
    }
    return false;
}

}  // namespace tidy
