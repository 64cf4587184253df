// What the checker and the loaders tell an author: a place in a file, a sentence, a hint.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

/// A place in a text file; line and column count from 1, columns in bytes. Line 0 means "no place known".
struct source_mark {
    std::size_t line = 0;
    std::size_t column = 0;
    bool operator==(const source_mark&) const = default;
};

enum class severity { error, warning, note };

struct diagnostic {
    severity level = severity::error;
    std::string code;     ///< stable, kebab-case: `unknown-key`
    std::string file;
    source_mark mark;
    std::size_t length = 1;  ///< bytes to underline
    std::string pointer;  ///< JSON Pointer into the document, may be empty
    std::string message;  ///< a sentence that says what is wrong and why
    std::string hint;     ///< what to do; may be empty
};

/// The column as an editor counts it, in characters; that of the mark when the text of the file is not known.
std::size_t shown_column(const source_mark& mark, std::string_view source);

/// "file:line:column: error: message" + source line with a caret + "hint: ..." (as far as known).
/// `source` is the text of the file, or empty. The column is counted in characters, a long line is cut around the place, and control characters
/// of the file are not shown.
std::string render(const diagnostic& d, std::string_view source = {});

bool has_errors(const std::vector<diagnostic>& all) noexcept;

}  // namespace pawl
