// The tokens of a jq program. Strings are not tokens: the parser reads them piece by piece, because they nest expressions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::expr {

enum class token_kind : std::uint8_t {
    end, bad, identifier, field, variable, format, number, quote, punctuation
};

struct token {
    token_kind what = token_kind::end;
    std::string_view text;  ///< as written; a field without its dot, a variable without its dollar
    std::size_t offset = 0;
    std::size_t length = 0;

    bool is(std::string_view punctuation_or_word) const noexcept {
        return (what == token_kind::punctuation || what == token_kind::identifier) && text == punctuation_or_word;
    }
};

class lexer {
public:
    explicit lexer(std::string_view text) noexcept : text_(text) {}

    /// Reads the token at the current place and moves behind it.
    token next() noexcept;
    std::size_t position() const noexcept { return at_; }
    void seek(std::size_t position) noexcept { at_ = position; }
    std::string_view text() const noexcept { return text_; }

private:
    void skip_blanks() noexcept;
    std::size_t word_end(std::size_t from) const noexcept;
    token make(token_kind what, std::size_t start, std::size_t skip) noexcept;
    token number() noexcept;

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Words that cannot name a function.
bool is_keyword(std::string_view word) noexcept;

}  // namespace pawl::expr
