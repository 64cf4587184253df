#include "code_view.hpp"
#include "rules.hpp"

#include <algorithm>
#include <array>

namespace tidy {
namespace {

// Where coroutines are welcome: the network room and, when there are any, the edges of the program.
constexpr std::array<std::string_view, 2> coroutine_folders{"engine/net/", "tests/net/"};

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \n\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \n\r") - first + 1);
}

/// Whether what stands before `co_await` is nothing, or the declaration or name of one variable and `=`.
bool is_plain_left_side(std::string_view left) {
    left = trimmed(left);
    if (left.empty()) return true;
    if (left.back() != '=') return false;
    left = trimmed(left.substr(0, left.size() - 1));
    if (left.empty() || left.find_first_of("=!<>+-*/%|^(?") != std::string_view::npos) {
        // Templates in a declared type are fine: `std::vector<int> x`.
        const bool declares = !left.empty() && is_name_char(left.back()) && left.find_first_of("=!+-/%|^(?") == std::string_view::npos;
        return declares || left.find("->") != std::string_view::npos;
    }
    return true;
}

bool opens_lambda(std::string_view code, std::size_t bracket) {
    std::size_t i = bracket;
    while (i > 0 && (code[i - 1] == ' ' || code[i - 1] == '\n')) --i;
    if (i == 0) return true;
    const char before = code[i - 1];
    return !is_name_char(before) && before != ')' && before != ']';
}

std::string what_is_wrong(std::string_view code, std::size_t await) {
    const auto begin = code.find_last_of(";{}", await);
    const std::size_t start = begin == std::string_view::npos ? 0 : begin + 1;
    if (!is_plain_left_side(code.substr(start, await - start))) return "is inside an expression, a condition or a `co_return`";
    const auto stop = code.find(';', await);
    const auto statement = code.substr(await, stop == std::string_view::npos ? std::string_view::npos : stop - await);
    if (stop == std::string_view::npos) return "has no statement of its own";
    if (statement.find('[') != std::string_view::npos) {
        for (auto at = statement.find('['); at != std::string_view::npos; at = statement.find('[', at + 1)) {
            if (opens_lambda(code, await + at)) return "has a lambda literal in its statement";
        }
    }
    if (statement.find_first_of("{}") != std::string_view::npos) return "has a brace list in its statement";
    if (statement.find('?') != std::string_view::npos) return "has a `?:` in its statement";
    if (statement.find("&&") != std::string_view::npos || statement.find("||") != std::string_view::npos) return "has `&&` or `||` in its statement";
    if (find_word(statement, "co_await").size() > 1) return "shares its statement with another `co_await`";
    return {};
}

}  // namespace

complaints await_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (!is_code(path)) continue;
        const auto code = without_directives(without_comments(text));
        for (const auto at : find_word(code, "co_await")) {
            const auto wrong = what_is_wrong(code, at);
            if (!wrong.empty()) {
                out.push_back({path, line_at(code, at), "`co_await` " + wrong + ": g++ 12 miscompiles that; write `auto r = co_await f(std::move(x));`"});
            }
        }
    }
    return out;
}

complaints coroutine_place_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (!is_code(path)) continue;
        if (std::any_of(coroutine_folders.begin(), coroutine_folders.end(), [&, name = std::string_view(path)](auto folder) { return is_under(name, folder); })) continue;
        const auto code = without_directives(without_comments(text));
        for (const auto* word : {"co_await", "co_return", "co_yield"}) {
            for (const auto at : find_word(code, word)) out.push_back({path, line_at(code, at), "`" + std::string(word) + "`: coroutines live in engine/net only"});
        }
    }
    return out;
}

}  // namespace tidy
