// C++ text made easy to search: comments and the contents of literals turned into blanks, every offset and line kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tidy {

/// Comments and the insides of string, raw string and character literals become spaces.
std::string without_comments(std::string_view text);

/// Preprocessor lines (and their continuations) become spaces as well.
std::string without_directives(std::string code);

/// A function body that the heuristic found: namespace-scope functions, member functions, test cases, namespace-scope lambdas.
struct function_span {
    std::size_t first_line = 0;
    std::size_t last_line = 0;
    std::string signature;
};

/// Matches braces in text that went through both functions above.
std::vector<function_span> functions_in(std::string_view code);

/// Offsets of `word` as a whole identifier.
std::vector<std::size_t> find_word(std::string_view code, std::string_view word);

bool is_name_char(char c) noexcept;

}  // namespace tidy
