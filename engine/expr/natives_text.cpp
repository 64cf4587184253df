// Builtins on strings.
#include "expr/builtins.hpp"
#include "expr/machine.hpp"
#include "expr/unicode.hpp"

#include <cmath>

namespace pawl::expr {

/// Code point offsets of every occurrence, overlapping ones too.
value find_text(machine& m, std::string_view text, std::string_view wanted) {
    std::vector<value> found;
    m.funds().charge(text.size() / 16);
    std::size_t counted = 0, points = 0;
    for (auto at = wanted.empty() ? std::string_view::npos : text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) {
        points += code_points(text.substr(counted, at - counted));
        counted = at;
        found.push_back(value::integer(static_cast<std::int64_t>(points)));
    }
    return m.array(std::move(found));
}

value split_text(machine& m, std::string_view text, std::string_view separator) {
    std::vector<value> parts;
    m.funds().charge(text.size() / 16);
    if (separator.empty()) {
        for (std::size_t at = 0; at < text.size();) {
            const auto start = at++;
            while (at < text.size() && is_utf8_tail(text[at])) ++at;
            parts.push_back(value::string(m.funds(), std::string(text.substr(start, at - start))));
        }
        return m.array(std::move(parts));
    }
    if (text.empty()) return m.array({});
    std::size_t start = 0;
    for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator, start)) {
        parts.push_back(value::string(m.funds(), std::string(text.substr(start, at - start))));
        start = at + separator.size();
    }
    parts.push_back(value::string(m.funds(), std::string(text.substr(start))));
    return m.array(std::move(parts));
}

namespace {

value utf8bytelength(machine& m, value in, value*) {
    if (!in.is_string()) return m.fail(described(in) + " only strings have UTF-8 byte length");
    return value::integer(static_cast<std::int64_t>(in.text().size()));
}

value split(machine& m, value in, value* a) {
    if (!in.is_string() || !a[0].is_string()) return m.fail("split input and separator must be strings");
    return split_text(m, in.text(), a[0].text());
}

value startswith(machine& m, value in, value* a) {
    if (!in.is_string() || !a[0].is_string()) return m.fail("startswith() requires string inputs");
    return value::boolean(in.text().starts_with(a[0].text()));
}

value endswith(machine& m, value in, value* a) {
    if (!in.is_string() || !a[0].is_string()) return m.fail("endswith() requires string inputs");
    return value::boolean(in.text().ends_with(a[0].text()));
}

value ltrimstr(machine& m, value in, value* a) {
    const value starts = startswith(m, in, a);
    if (!starts.ok()) return starts;
    return starts.truthy() ? m.text(std::string(in.text().substr(a[0].text().size()))) : in;
}

value rtrimstr(machine& m, value in, value* a) {
    const value ends = endswith(m, in, a);
    if (!ends.ok()) return ends;
    return ends.truthy() ? m.text(std::string(in.text().substr(0, in.text().size() - a[0].text().size()))) : in;
}

value trimstr(machine& m, value in, value* a) {
    const value left = ltrimstr(m, in, a);
    return left.ok() ? rtrimstr(m, left, a) : left;
}

bool is_space(std::uint32_t c) noexcept {
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

value trimmed(machine& m, const value& in, bool left, bool right) {
    if (!in.is_string()) return m.fail("trim input must be a string");
    auto text = in.text();
    m.funds().charge(text.size() / 64);
    while (left && !text.empty()) {
        std::size_t at = 0;
        if (!is_space(next_code_point(text, at))) break;
        text.remove_prefix(at);
    }
    while (right && !text.empty()) {
        auto start = text.size() - 1;
        while (start > 0 && is_utf8_tail(text[start])) --start;
        auto at = start;
        if (!is_space(next_code_point(text, at))) break;
        text = text.substr(0, start);
    }
    return text.size() == in.text().size() ? in : m.text(std::string(text));
}

value trim(machine& m, value in, value*) { return trimmed(m, in, true, true); }
value ltrim(machine& m, value in, value*) { return trimmed(m, in, true, false); }
value rtrim(machine& m, value in, value*) { return trimmed(m, in, false, true); }

value explode(machine& m, value in, value*) {
    if (!in.is_string()) return m.fail(described(in) + " cannot be exploded, as it is not a string");
    std::vector<value> points;
    const auto text = in.text();
    for (std::size_t at = 0; at < text.size();) points.push_back(value::integer(next_code_point(text, at)));
    m.funds().charge(text.size() / 16);
    return m.array(std::move(points));
}

value implode(machine& m, value in, value*) {
    if (!in.is_array()) return m.fail("implode input must be an array");
    std::string out;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const value point = in.item(i);
        if (!point.is_number() || std::isnan(point.number())) return m.fail(described(point) + " can't be imploded, unicode codepoint needs to be numeric");
        const double d = std::trunc(point.number());
        const bool valid = d >= 0 && d <= 0x10ffff && !(d >= 0xd800 && d < 0xe000);
        append_utf8(out, valid ? static_cast<std::uint32_t>(d) : 0xfffd);
    }
    m.funds().charge(in.size() / 16);
    return m.text(std::move(out));
}

value ascii_case(machine& m, const value& in, char from, int shift, std::string_view name) {
    if (!in.is_string()) return m.fail(std::string(name) + " input must be a string");
    std::string out(in.text());
    for (char& c : out) {
        if (c >= from && c < from + 26) c = static_cast<char>(c + shift);
    }
    m.funds().charge(out.size() / 64);
    return m.text(std::move(out));
}

value ascii_downcase(machine& m, value in, value*) { return ascii_case(m, in, 'A', 32, "ascii_downcase"); }
value ascii_upcase(machine& m, value in, value*) { return ascii_case(m, in, 'a', -32, "ascii_upcase"); }

constexpr native_entry table[] = {{"utf8bytelength", 0, utf8bytelength},
                                  {"split", 1, split},
                                  {"startswith", 1, startswith},
                                  {"endswith", 1, endswith},
                                  {"ltrimstr", 1, ltrimstr},
                                  {"rtrimstr", 1, rtrimstr},
                                  {"trimstr", 1, trimstr},
                                  {"trim", 0, trim},
                                  {"ltrim", 0, ltrim},
                                  {"rtrim", 0, rtrim},
                                  {"explode", 0, explode},
                                  {"implode", 0, implode},
                                  {"ascii_downcase", 0, ascii_downcase},
                                  {"ascii_upcase", 0, ascii_upcase}};

}  // namespace

std::span<const native_entry> text_natives() noexcept { return table; }

}  // namespace pawl::expr
