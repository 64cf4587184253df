#include "schema/pattern.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace pawl::schema {
namespace {

constexpr std::size_t max_groups_deep = 100;
// ECMA-262 WhiteSpace and LineTerminator, as members of a character class.
constexpr std::string_view space_members = "\\t\\n\\x0B\\f\\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";
constexpr std::string_view word_members = "A-Za-z0-9_";
constexpr std::string_view any_but_line_end = "[^\\n\\r\u2028\u2029]";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

class translator {
public:
    explicit translator(std::string_view in) : in_(in) {}

    translated_pattern run() {
        while (error_.empty() && at_ < in_.size()) step();
        if (error_.empty() && groups_ != 0) fail("a group is not closed");
        return {std::move(out_), std::move(error_)};
    }

private:
    void step() {
        const char c = in_[at_];
        switch (c) {
            case '\\': return escape(false);
            case '[': return character_class();
            case '(': return open_group();
            case ')': return close_group();
            case '*':
            case '+':
            case '?': return quantifier(1);
            case '{': return brace();
            case '^': return assertion("\\A");
            case '$': return assertion("\\z");
            case '|':
                repeatable_ = false;
                out_ += c;
                ++at_;
                return;
            case '.': return atom(any_but_line_end, 1);
            case '}':
            case ']': return literal(static_cast<unsigned char>(c), 1);
            default: return atom(in_.substr(at_, 1), 1);
        }
    }

    void atom(std::string_view text, std::size_t consumed) {
        out_ += text;
        at_ += consumed;
        repeatable_ = true;
    }

    void assertion(std::string_view text) {
        out_ += text;
        ++at_;
        repeatable_ = false;
    }

    void open_group() {
        if (++groups_ > max_groups_deep) return fail("groups are nested more than 100 deep");
        const auto rest = in_.substr(at_);
        std::size_t length = 1;
        if (rest.starts_with("(?")) {
            length = group_prefix(rest);
            if (length == 0) return fail("ECMA-262 has no group that opens like this");
        }
        out_ += rest.substr(0, length);
        at_ += length;
        repeatable_ = false;
    }

    /// Length of "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<name>" or "(?i:"; 0 for anything else.
    static std::size_t group_prefix(std::string_view rest) noexcept {
        for (const std::string_view known : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?i:"}) {
            if (rest.starts_with(known)) return known.size();
        }
        if (!rest.starts_with("(?<")) return 0;
        std::size_t i = 3;
        while (i < rest.size() && (is_letter(rest[i]) || rest[i] == '_' || (i > 3 && is_digit(rest[i])))) ++i;
        return i > 3 && i < rest.size() && rest[i] == '>' ? i + 1 : 0;
    }

    void close_group() {
        if (groups_ == 0) return fail("there is a `)` without its `(`");
        --groups_;
        out_ += ')';
        ++at_;
        repeatable_ = true;
    }

    void quantifier(std::size_t length) {
        if (!repeatable_) return fail("a quantifier has nothing to repeat");
        const auto quantified = in_.substr(at_, length);
        out_ += quantified;
        at_ += length;
        if (at_ < in_.size() && in_[at_] == '?') {
            out_ += '?';
            ++at_;
        }
        // Oniguruma looks ahead instead of backtracking where a literal follows the loop. The retry limit does not count that, and
        // `[a-z]+@` would take hours on a megabyte of letters. Two empty alternatives behind the loop keep it as it was written.
        const bool may_vary = quantified != "?" && (quantified[0] != '{' || quantified.find(',') != std::string_view::npos);
        if (may_vary) out_ += "(?:|)";
        repeatable_ = false;
    }

    /// `{` opens a quantifier only as {n}, {n,} or {n,m}; elsewhere it is itself.
    void brace() {
        std::size_t i = at_ + 1;
        const std::size_t digits = i;
        while (i < in_.size() && is_digit(in_[i])) ++i;
        if (i > digits) {
            if (i < in_.size() && in_[i] == ',') {
                ++i;
                while (i < in_.size() && is_digit(in_[i])) ++i;
            }
            if (i < in_.size() && in_[i] == '}') return quantifier(i + 1 - at_);
        }
        literal('{', 1);
    }

    void literal(std::uint32_t code_point, std::size_t consumed) {
        append(code_point);
        at_ += consumed;
        repeatable_ = true;
    }

    /// Appends one character so that it stands for itself, in a class or outside.
    void append(std::uint32_t cp) {
        if (cp < 0x80) {
            const char c = static_cast<char>(cp);
            if (cp > 0x20 && cp != 0x7f && !is_digit(c) && !is_letter(c)) out_ += '\\';
            out_ += c;
        } else if (cp < 0x800) {
            out_ += static_cast<char>(0xc0 | (cp >> 6));
            out_ += static_cast<char>(0x80 | (cp & 0x3f));
        } else if (cp < 0x10000) {
            out_ += static_cast<char>(0xe0 | (cp >> 12));
            out_ += static_cast<char>(0x80 | ((cp >> 6) & 0x3f));
            out_ += static_cast<char>(0x80 | (cp & 0x3f));
        } else {
            out_ += static_cast<char>(0xf0 | (cp >> 18));
            out_ += static_cast<char>(0x80 | ((cp >> 12) & 0x3f));
            out_ += static_cast<char>(0x80 | ((cp >> 6) & 0x3f));
            out_ += static_cast<char>(0x80 | (cp & 0x3f));
        }
    }

    void character_class() {
        const auto rest = in_.substr(at_);
        if (rest.starts_with("[]")) return atom("(?!)", 2);
        if (rest.starts_with("[^]")) return atom("(?:[\\x00-\\x7F]|[^\\x00-\\x7F])", 3);
        out_ += '[';
        ++at_;
        if (in_.substr(at_).starts_with("^")) {
            out_ += '^';
            ++at_;
        }
        for (bool first = true; error_.empty(); first = false) {
            if (at_ >= in_.size()) return fail("a `[` is not closed");
            const char c = in_[at_];
            if (c == ']') break;
            if (c == '\\') {
                escape(true);
                continue;
            }
            ++at_;
            if (c == '-' && (first || (at_ < in_.size() && in_[at_] == ']'))) out_ += "\\-";
            // Oniguruma nests classes and intersects with &&; ECMA-262 does neither.
            else if (c == '[' || c == '&' || c == '^') (out_ += '\\') += c;
            else out_ += c;
        }
        if (!error_.empty()) return;
        out_ += ']';
        ++at_;
        repeatable_ = true;
    }

    void escape(bool in_class) {
        if (at_ + 1 >= in_.size()) return fail("it ends in a single backslash");
        const char c = in_[at_ + 1];
        if (shorthand(c, in_class)) return;
        if (!in_class && (c == 'b' || c == 'B')) {
            (out_ += '\\') += c;
            at_ += 2;
            repeatable_ = false;
            return;
        }
        if (c == 'p' || c == 'P') return property();
        if (!in_class && (c == 'k' || (c >= '1' && c <= '9'))) return back_reference(c);
        std::size_t length = 2;
        if (const auto cp = escaped_character(c, in_class, length)) return literal(*cp, length);
        if (error_.empty()) fail(std::string("ECMA-262 does not know the escape `\\") + c + "`");
    }

    /// \d \w \s and their complements: ASCII digits and letters, ECMA-262 white space.
    bool shorthand(char c, bool in_class) {
        std::string_view members;
        switch (c) {
            case 'd':
            case 'D': members = "0-9"; break;
            case 'w':
            case 'W': members = word_members; break;
            case 's':
            case 'S': members = space_members; break;
            default: return false;
        }
        const bool complement = c < 'a';
        if (in_class && !complement) {
            out_ += members;
        } else {
            out_ += complement ? "[^" : "[";
            out_ += members;
            out_ += ']';
        }
        at_ += 2;
        repeatable_ = true;
        return true;
    }

    /// \p{L}, \p{Letter}, \p{Script=Greek}, \p{gc=Lu}: Oniguruma takes the bare value.
    void property() {
        const auto end = in_.find('}', at_);
        if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string_view::npos) return fail("`\\p` needs a property: `\\p{Letter}`");
        auto name = in_.substr(at_ + 3, end - at_ - 3);
        if (const auto sign = name.find('='); sign != std::string_view::npos) name = name.substr(sign + 1);
        for (const char c : name) {
            if (!is_letter(c) && !is_digit(c) && c != '_') return fail("`\\p{...}` holds a name of letters, digits and `_`");
        }
        out_ += in_.substr(at_, 3);
        out_ += name;
        out_ += '}';
        at_ = end + 1;
        repeatable_ = true;
    }

    void back_reference(char c) {
        std::size_t end = at_ + 2;
        if (c == 'k') {
            end = in_.find('>', at_);
            if (end == std::string_view::npos || in_[at_ + 2] != '<') return fail("`\\k` needs a group name: `\\k<name>`");
            out_ += in_.substr(at_, end + 1 - at_);
            at_ = end + 1;
        } else {
            while (end < in_.size() && is_digit(in_[end])) ++end;
            if (end - at_ > 4) return fail("a back reference has more than three digits");
            // \k<n> cannot run into digits that follow.
            ((out_ += "\\k<") += in_.substr(at_ + 1, end - at_ - 1)) += '>';
            at_ = end;
        }
        repeatable_ = true;
    }

    std::optional<std::uint32_t> escaped_character(char c, bool in_class, std::size_t& length) {
        switch (c) {
            case 't': return '\t';
            case 'n': return '\n';
            case 'v': return '\v';
            case 'f': return '\f';
            case 'r': return '\r';
            case 'b': return in_class ? std::optional<std::uint32_t>('\b') : std::nullopt;
            case '0': return 0;
            case 'c': return control(length);
            case 'x': return hex(at_ + 2, 2, length);
            case 'u': return unicode(length);
            default: break;
        }
        if (is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
        return static_cast<unsigned char>(c);
    }

    std::optional<std::uint32_t> control(std::size_t& length) {
        if (at_ + 2 >= in_.size() || !is_letter(in_[at_ + 2])) return std::nullopt;
        length = 3;
        return static_cast<std::uint32_t>(in_[at_ + 2]) % 32;
    }

    std::optional<std::uint32_t> hex(std::size_t from, std::size_t digits, std::size_t& length) const {
        if (from + digits > in_.size()) return std::nullopt;
        std::uint32_t out = 0;
        for (std::size_t i = from; i < from + digits; ++i) {
            const int digit = hex_digit(in_[i]);
            if (digit < 0) return std::nullopt;
            out = out * 16 + static_cast<std::uint32_t>(digit);
        }
        length = from + digits - at_;
        return out;
    }

    /// \uXXXX, a surrogate pair of them, or \u{X...}.
    std::optional<std::uint32_t> unicode(std::size_t& length) {
        std::optional<std::uint32_t> cp;
        if (at_ + 2 < in_.size() && in_[at_ + 2] == '{') {
            const auto end = in_.find('}', at_);
            if (end == std::string_view::npos || end - at_ < 4 || end - at_ > 9) return std::nullopt;
            cp = hex(at_ + 3, end - at_ - 3, length);
            length = end + 1 - at_;
        } else {
            cp = hex(at_ + 2, 4, length);
            if (cp && *cp >= 0xd800 && *cp < 0xdc00 && in_.substr(at_ + 6).starts_with("\\u")) {
                const auto low = hex(at_ + 8, 4, length);
                if (low && *low >= 0xdc00 && *low < 0xe000) return 0x10000 + ((*cp - 0xd800) << 10) + (*low - 0xdc00);
            }
        }
        if (cp && ((*cp >= 0xd800 && *cp < 0xe000) || *cp > 0x10ffff)) {
            fail("`\\u` names half of a surrogate pair, or no character at all");
            return std::nullopt;
        }
        return cp;
    }

    void fail(std::string why) {
        if (error_.empty()) error_ = std::move(why) + " (at offset " + std::to_string(at_) + ")";
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
    std::string error_;
    std::size_t groups_ = 0;
    bool repeatable_ = false;
};

}  // namespace

translated_pattern translate_ecma(std::string_view ecma) { return translator(ecma).run(); }

}  // namespace pawl::schema
