// From a byte of a scalar's decoded text back to its byte in the file, for every scalar style.
#include "flow/yaml_scalar.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_break(char c) { return c == '\n' || c == '\r'; }

/// Length of an escape sequence in the source, and of what it stands for.
struct escape_size {
    std::size_t source;
    std::size_t text;
};

std::size_t utf8_size(std::string_view hex) {
    unsigned long code = 0;
    for (const char c : hex) code = code * 16 + static_cast<unsigned long>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

escape_size size_of_escape(std::string_view source, std::size_t at) {
    const char c = at + 1 < source.size() ? source[at + 1] : '\0';
    switch (c) {
        case 'x':
            return {4, utf8_size(source.substr(at + 2, 2))};
        case 'u':
            return {6, utf8_size(source.substr(at + 2, 4))};
        case 'U':
            return {10, utf8_size(source.substr(at + 2, 8))};
        case 'N':
        case '_':
            return {2, 2};
        case 'L':
        case 'P':
            return {2, 3};
        default:
            return {2, 1};
    }
}

/// A line break within a flow scalar, with the blanks around it: the end of the run and the number of breaks; 0 when there is none.
struct fold {
    std::size_t end;
    std::size_t breaks;
};

fold fold_at(std::string_view source, std::size_t at) {
    std::size_t breaks = 0;
    std::size_t end = at;
    while (end < source.size() && (is_blank(source[end]) || is_break(source[end]))) breaks += source[end++] == '\n' ? 1u : 0u;
    return {end, breaks};
}

std::size_t locate_in_flow_scalar(std::string_view source, std::size_t at, char quote, std::size_t offset) {
    const auto at_continuation = [&] { return quote == '"' && at + 1 < source.size() && source[at] == '\\' && is_break(source[at + 1]); };
    for (std::size_t produced = 0; at < source.size();) {
        if (at_continuation()) {
            at = fold_at(source, at + 1).end;
            continue;
        }
        if (produced >= offset) break;
        const char c = source[at];
        if (is_blank(c) || is_break(c)) {
            if (const auto run = fold_at(source, at); run.breaks > 0) {
                produced += std::max<std::size_t>(1, run.breaks - 1);
                at = run.end;
                continue;
            }
        } else if (quote == '\'' && c == '\'') {
            at += 2;
            ++produced;
            continue;
        } else if (quote == '"' && c == '\\') {
            const auto size = size_of_escape(source, at);
            at += size.source;
            produced += size.text;
            continue;
        }
        ++at;
        ++produced;
    }
    return std::min(at, source.size());
}

std::size_t next_line(std::string_view source, std::size_t at) {
    const auto end = source.find('\n', at);
    return end == std::string_view::npos ? source.size() : end + 1;
}

std::size_t spaces_at(std::string_view text, std::size_t at) {
    std::size_t n = 0;
    while (at + n < text.size() && text[at + n] == ' ') ++n;
    return n;
}

/// The block's indentation: what its first line with content has more than the decoded text has.
std::size_t block_indentation(std::string_view source, std::size_t first_line, std::string_view text) {
    auto at = first_line;
    while (at < source.size()) {
        const auto spaces = spaces_at(source, at);
        if (at + spaces < source.size() && !is_break(source[at + spaces])) {
            const auto content = text.find_first_not_of('\n');
            const auto kept = content == std::string_view::npos ? 0 : spaces_at(text, content);
            return spaces - std::min(spaces, kept);
        }
        at = next_line(source, at);
    }
    return 0;
}

std::size_t skip_indentation(std::string_view source, std::size_t at, std::size_t indentation) {
    return at + std::min(spaces_at(source, at), indentation);
}

std::size_t locate_in_block_scalar(std::string_view source, std::size_t indicator, std::string_view text, std::size_t offset) {
    const bool folded = source[indicator] == '>';
    auto at = next_line(source, indicator);
    const auto indentation = block_indentation(source, at, text);
    at = skip_indentation(source, at, indentation);
    for (std::size_t produced = 0; produced < offset && at < source.size();) {
        if (source[at] == '\r') {
            ++at;
        } else if (source[at] != '\n') {
            ++at;
            ++produced;
        } else if (!folded) {
            at = skip_indentation(source, at + 1, indentation);
            ++produced;
        } else {
            while (at < source.size() && is_break(source[at])) at = skip_indentation(source, at + 1, indentation);
            if (produced < text.size() && text[produced] == ' ') {
                ++produced;
            } else {
                while (produced < text.size() && text[produced] == '\n') ++produced;
            }
        }
    }
    return std::min(at, source.size());
}

}  // namespace

std::size_t skip_properties(std::string_view source, std::size_t at) {
    while (at < source.size()) {
        const char c = source[at];
        if (is_blank(c) || is_break(c)) {
            ++at;
        } else if (c == '#') {
            at = next_line(source, at);
        } else if (c == '&' || c == '!') {
            while (at < source.size() && !is_blank(source[at]) && !is_break(source[at])) ++at;
        } else {
            return at;
        }
    }
    return source.size();
}

std::size_t locate_in_scalar(std::string_view source, std::size_t start, std::string_view text, std::size_t offset) {
    const auto at = skip_properties(source, start);
    if (at >= source.size()) return source.size();
    offset = std::min(offset, text.size());
    switch (source[at]) {
        case '|':
        case '>':
            return locate_in_block_scalar(source, at, text, offset);
        case '\'':
        case '"':
            return locate_in_flow_scalar(source, at + 1, source[at], offset);
        default:
            return locate_in_flow_scalar(source, at, '\0', offset);
    }
}

bool is_unclosed_quote(std::string_view source, std::size_t start) {
    auto at = skip_properties(source, start);
    if (at >= source.size() || (source[at] != '\'' && source[at] != '"')) return false;
    const char quote = source[at++];
    for (; at < source.size(); ++at) {
        if (quote == '"' && source[at] == '\\') {
            ++at;
        } else if (source[at] == quote) {
            if (quote == '"' || at + 1 >= source.size() || source[at + 1] != '\'') return false;
            ++at;
        }
    }
    return true;
}

}  // namespace pawl::flow
