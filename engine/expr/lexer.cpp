#include "expr/lexer.hpp"

#include <algorithm>
#include <array>

namespace pawl::expr {
namespace {

bool is_word_start(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_word(char c) noexcept { return is_word_start(c) || is_digit(c); }

constexpr std::array<std::string_view, 18> keywords = {"as",     "def",     "if",   "then", "elif",  "else",  "end",   "reduce",  "foreach",
                                                       "try",    "catch",   "label", "and", "or",    "import", "include", "module", "__loc__"};
constexpr std::array<std::string_view, 16> operators = {"//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..", "::", "<", ">"};

}  // namespace

bool is_keyword(std::string_view word) noexcept { return std::find(keywords.begin(), keywords.end(), word) != keywords.end(); }

void lexer::skip_blanks() noexcept {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            ++at_;
        } else if (c == '#') {
            // A comment ends with its line, unless an odd number of backslashes stands before the line break.
            std::size_t slashes = 0;
            for (; at_ < text_.size(); ++at_) {
                const char in = text_[at_];
                if (in == '\n' && slashes % 2 == 0) break;
                if (in == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') continue;
                slashes = in == '\\' ? slashes + 1 : 0;
            }
        } else {
            return;
        }
    }
}

std::size_t lexer::word_end(std::size_t from) const noexcept {
    while (from < text_.size() && is_word(text_[from])) ++from;
    return from;
}

token lexer::make(token_kind what, std::size_t start, std::size_t skip) noexcept {
    return {what, text_.substr(start + skip, at_ - start - skip), start, at_ - start};
}

token lexer::number() noexcept {
    const auto start = at_;
    const auto digits = [&] {
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') {
        ++at_;
        digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
        auto exponent = at_ + 1;
        if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
        if (exponent < text_.size() && is_digit(text_[exponent])) {
            at_ = exponent;
            digits();
        }
    }
    return make(token_kind::number, start, 0);
}

token lexer::next() noexcept {
    skip_blanks();
    const auto start = at_;
    if (at_ >= text_.size()) return {token_kind::end, {}, text_.size(), 0};
    const char c = text_[at_];
    const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '"') {
        ++at_;
        return make(token_kind::quote, start, 0);
    }
    if (is_digit(c) || (c == '.' && is_digit(after))) return number();
    if (is_word_start(c)) {
        at_ = word_end(at_);
        // Names of modules stay one word, so that the parser can say that there are no modules.
        while (at_ + 2 < text_.size() && text_[at_] == ':' && text_[at_ + 1] == ':' && is_word_start(text_[at_ + 2])) at_ = word_end(at_ + 2);
        return make(token_kind::identifier, start, 0);
    }
    if ((c == '.' || c == '$' || c == '@') && is_word_start(after)) {
        at_ = word_end(at_ + 1);
        if (c == '$') {
            while (at_ + 2 < text_.size() && text_[at_] == ':' && text_[at_ + 1] == ':' && is_word_start(text_[at_ + 2])) at_ = word_end(at_ + 2);
        }
        return make(c == '.' ? token_kind::field : c == '$' ? token_kind::variable : token_kind::format, start, 1);
    }
    for (const auto symbol : operators) {
        if (text_.substr(at_, symbol.size()) == symbol) {
            at_ += symbol.size();
            return make(token_kind::punctuation, start, 0);
        }
    }
    ++at_;
    const bool known = std::string_view(".[]{}()|,:;=+-*/%?$").find(c) != std::string_view::npos;
    return make(known ? token_kind::punctuation : token_kind::bad, start, 0);
}

}  // namespace pawl::expr
