// The source tree as text: what the tidy rules read. In tests of the rules themselves it is a few lines in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tidy {

/// Path from the root of the tree, with '/', to its text.
using source_tree = std::map<std::string, std::string>;

/// Every text file below `root`, without folders that start with a dot, build folders and node modules.
source_tree read_tree(const std::filesystem::path& root);

/// One broken rule at one place; `line` counts from 1, 0 when it is about the file as a whole.
struct complaint {
    std::string path;
    std::size_t line = 0;
    std::string message;
};

std::string to_text(const complaint& c);

std::size_t line_at(std::string_view text, std::size_t offset) noexcept;
bool is_under(std::string_view path, std::string_view folder) noexcept;
/// C and C++ sources: .cpp .hpp .h .c
bool is_code(std::string_view path) noexcept;
bool is_header(std::string_view path) noexcept;
/// "engine/net/x.cpp" is in room "net"; "" for a file outside the rooms.
std::string_view room_of(std::string_view path) noexcept;
/// Test data is not ours to style: cases, cassettes, fixtures.
bool is_test_data(std::string_view path) noexcept;

}  // namespace tidy
