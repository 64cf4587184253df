#include "expr/parser.hpp"
#include "expr/unicode.hpp"

namespace pawl::expr {
namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The four hexadecimal digits at `at`, or -1.
int hex_unit(std::string_view text, std::size_t at) noexcept {
    if (at + 4 > text.size()) return -1;
    int unit = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        const int digit = hex_digit(text[i]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

}  // namespace

bool parser::unicode_escape(std::string& out) {
    // The lexer stands behind `\u`.
    const auto text = lexer_.text();
    auto at = lexer_.position();
    const int first = hex_unit(text, at);
    if (first < 0) return false;
    at += 4;
    auto code = static_cast<std::uint32_t>(first);
    if (first >= 0xd800 && first < 0xdc00) {
        const int second = at + 1 < text.size() && text[at] == '\\' && text[at + 1] == 'u' ? hex_unit(text, at + 2) : -1;
        if (second >= 0xdc00 && second < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(second) - 0xdc00);
            at += 6;
        } else {
            code = 0xfffd;
        }
    } else if (first >= 0xdc00 && first < 0xe000) {
        code = 0xfffd;
    }
    append_utf8(out, code);
    lexer_.seek(at);
    return true;
}

bool parser::string_escape(std::string& out) {
    // The lexer stands behind the backslash.
    const auto text = lexer_.text();
    const auto at = lexer_.position();
    if (at >= text.size()) return false;
    lexer_.seek(at + 1);
    switch (text[at]) {
        case '"': out.push_back('"'); return true;
        case '\\': out.push_back('\\'); return true;
        case '/': out.push_back('/'); return true;
        case 'b': out.push_back('\b'); return true;
        case 'f': out.push_back('\f'); return true;
        case 'n': out.push_back('\n'); return true;
        case 'r': out.push_back('\r'); return true;
        case 't': out.push_back('\t'); return true;
        case 'u': return unicode_escape(out);
        default: return false;
    }
}

const node* parser::string(text_format format, bool formatted) {
    // token_ is the opening quote; the lexer stands behind it.
    const auto offset = token_.offset;
    const auto text = lexer_.text();
    std::vector<const node*> parts;
    std::string plain;
    const auto flush = [&] {
        if (!plain.empty()) {
            auto& n = make(op::constant);
            n.constant = value::borrow(code_.constants.emplace_back(std::string_view(plain)));
            n.literal = true;
            parts.push_back(&n);
        }
        plain.clear();
    };
    for (;;) {
        if (failed_) return identity();
        const auto at = lexer_.position();
        if (at >= text.size()) {
            fail(offset, 1, "the string is not closed", "add `\"` at its end");
            return identity();
        }
        lexer_.seek(at + 1);
        const char c = text[at];
        if (c == '"') break;
        if (c != '\\') {
            plain.push_back(c);
        } else if (at + 1 < text.size() && text[at + 1] == '(') {
            lexer_.seek(at + 2);
            flush();
            advance();
            parts.push_back(query(false));
            if (!token_.is(")")) unexpected("`)` after the interpolated expression");
        } else if (!string_escape(plain)) {
            fail(at, 2, "invalid escape in a string", "known escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX and \\(expression)");
        }
    }
    const bool plain_only = parts.empty();
    if (plain_only) {
        parts.push_back(constant(json::value(std::string_view(plain))));
    } else {
        flush();
    }
    token_ = {token_kind::quote, {}, offset, lexer_.position() - offset};
    advance();
    if (plain_only) {
        auto& n = start(op::constant, offset);
        n.constant = parts[0]->constant;
        return finish(n);
    }
    auto& n = start(op::text, offset);
    n.format = format;
    n.optional = formatted;
    n.list = std::move(parts);
    return finish(n);
}

}  // namespace pawl::expr
