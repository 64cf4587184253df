#include "code_view.hpp"
#include "rules.hpp"

#include <algorithm>

namespace tidy {
namespace {

constexpr std::size_t max_file_lines = 600;
constexpr std::size_t max_function_lines = 70;

}  // namespace

complaints file_size_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (!is_code(path) || is_test_data(path)) continue;
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        if (lines > max_file_lines) out.push_back({path, max_file_lines + 1, "has " + std::to_string(lines) + " lines; the limit is " + std::to_string(max_file_lines)});
    }
    return out;
}

complaints function_size_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (!is_code(path) || is_test_data(path)) continue;
        for (const auto& f : functions_in(without_directives(without_comments(text)))) {
            const auto lines = f.last_line - f.first_line + 1;
            if (lines > max_function_lines) {
                out.push_back({path, f.first_line, "`" + f.signature + "` has " + std::to_string(lines) + " lines; the limit is " + std::to_string(max_function_lines)});
            }
        }
    }
    return out;
}

}  // namespace tidy
