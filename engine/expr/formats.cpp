// The `@` formats.
#include "expr/machine.hpp"
#include "expr/unicode.hpp"

#include "base/digest.hpp"

namespace pawl::expr {
namespace {

value csv_row(machine& m, const value& row, bool tabs) {
    const std::string name = tabs ? "tsv" : "csv";
    if (!row.is_array()) return m.fail(described(row) + " cannot be " + name + "-formatted, only array");
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out.push_back(tabs ? '\t' : ',');
        const value cell = row.item(i);
        if (cell.is_array() || cell.is_object()) return m.fail(described(cell) + " is not valid in a " + name + " row");
        if (cell.is_null()) continue;
        if (!cell.is_string()) {
            append_text(out, cell, m.enough_text());
            continue;
        }
        if (!tabs) out.push_back('"');
        for (const char c : cell.text()) {
            if (!tabs) {
                out.append(c == '"' ? 2 : 1, c);
                continue;
            }
            switch (c) {
                case '\t': out += "\\t"; break;
                case '\n': out += "\\n"; break;
                case '\r': out += "\\r"; break;
                case '\\': out += "\\\\"; break;
                default: out.push_back(c);
            }
        }
        if (!tabs) out.push_back('"');
    }
    return m.text(std::move(out));
}

std::string html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '\'': out += "&apos;"; break;
            case '"': out += "&quot;"; break;
            default: out.push_back(c);
        }
    }
    return out;
}

std::string uri(std::string_view text) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(hex[byte >> 4]);
            out.push_back(hex[byte & 15]);
        }
    }
    return out;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

value uri_decoded(machine& m, const value& v, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return m.fail(described(v) + " is not a valid uri encoding");
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return m.text(valid_utf8(out));
}

value shell(machine& m, const value& v) {
    std::string out;
    const auto count = v.is_array() ? v.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) out.push_back(' ');
        const value word = v.is_array() ? v.item(i) : v;
        if (word.is_array() || word.is_object()) return m.fail(described(word) + " can not be escaped for shell");
        if (!word.is_string()) {
            append_text(out, word, m.enough_text());
            continue;
        }
        out.push_back('\'');
        for (const char c : word.text()) {
            if (c == '\'') {
                out += "'\\''";
            } else {
                out.push_back(c);
            }
        }
        out.push_back('\'');
    }
    return m.text(std::move(out));
}

constexpr std::string_view base32_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base32(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        for (count += 8; count >= 5; count -= 5) out.push_back(base32_alphabet[(bits >> (count - 5)) & 31]);
    }
    if (count > 0) out.push_back(base32_alphabet[(bits << (5 - count)) & 31]);
    while (out.size() % 8 != 0) out.push_back('=');
    return out;
}

/// Base 64 or 32. A letter too few at the end is dropped bits; none at all from some letters is an error.
value decoded(machine& m, const value& v, std::string_view text, std::string_view alphabet, unsigned width, std::string_view name) {
    auto end = text.size();
    while (end > 0 && text[end - 1] == '=') --end;
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (std::size_t i = 0; i < end; ++i) {
        const auto digit = alphabet.find(text[i]);
        if (digit == std::string_view::npos) return m.fail(described(v) + " is not valid " + std::string(name) + " data");
        bits = (bits << width) | static_cast<std::uint32_t>(digit);
        count += width;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>((bits >> count) & 0xff));
        }
    }
    if (end > 0 && out.empty()) return m.fail(described(v) + " trailing " + std::string(name) + " byte found");
    return m.text(valid_utf8(out));
}

}  // namespace

value format_value(machine& m, text_format format, const value& v) {
    if (format == text_format::text && v.is_string()) return v;
    const auto written = [&]() -> std::string {
        switch (format) {
            case text_format::csv:
            case text_format::tsv:
            case text_format::sh: return {};
            case text_format::json: return to_text(v, m.enough_text());
            default: return to_plain(v, m.enough_text());
        }
    };
    auto text = written();
    if (text.size() > m.bounds().string_bytes) return m.limit(too_long_text(m.bounds()));
    value result;
    switch (format) {
        case text_format::text:
        case text_format::json: result = m.text(std::move(text)); break;
        case text_format::csv: result = csv_row(m, v, false); break;
        case text_format::tsv: result = csv_row(m, v, true); break;
        case text_format::html: result = m.text(html(text)); break;
        case text_format::uri: result = m.text(uri(text)); break;
        case text_format::urid: result = uri_decoded(m, v, text); break;
        case text_format::sh: result = shell(m, v); break;
        case text_format::base64: result = m.text(to_base64(text)); break;
        case text_format::base64d: result = decoded(m, v, text, base64_alphabet, 6, "base64"); break;
        case text_format::base32: result = m.text(base32(text)); break;
        case text_format::base32d: result = decoded(m, v, text, base32_alphabet, 5, "base32"); break;
    }
    if (result.ok()) m.funds().charge(result.text().size() / 32);
    return result;
}

}  // namespace pawl::expr
