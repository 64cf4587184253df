// JSON text to values, as `fromjson` takes it: also nan and infinity, with jq's error texts. No recursion: depth is data here.
#include "expr/machine.hpp"
#include "expr/unicode.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace pawl::expr {

bool read_number(std::string_view text, value& out);

namespace {

constexpr bool blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
constexpr bool ends_literal(char c) noexcept { return blank(c) || c == ',' || c == ':' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"'; }

class reader {
public:
    reader(machine& m, std::string_view text) noexcept : m_(m), text_(text) {}

    value read() {
        value result;
        while (!failed_) {
            skip();
            if (!open_.empty() && closes()) continue;
            if (done_) break;
            item();
        }
        if (failed_) return value::invalid();
        if (at_ < text_.size()) return complain("Unexpected extra JSON values");
        return std::move(last_);
    }

private:
    struct container {
        value made;
        value key;
        bool any = false;
    };

    void skip() {
        while (at_ < text_.size() && blank(text_[at_])) ++at_;
    }

    value complain(std::string message) {
        failed_ = true;
        std::string_view shown = text_;
        if (shown.size() > 200) shown = shown.substr(0, 200);
        return m_.fail(message + " (while parsing '" + std::string(shown) + "')");
    }

    std::string place() const {
        const auto before = text_.substr(0, at_);
        std::size_t line = 1, column = 0;
        for (const char c : before) {
            ++column;
            if (c == '\n') {
                ++line;
                column = 0;
            }
        }
        return " at line " + std::to_string(line) + ", column " + std::to_string(column);
    }

    /// Handles what may stand between items of the innermost container; false when an item must follow.
    bool closes() {
        auto& top = open_.back();
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        if (c == (top.made.is_array() ? ']' : '}')) {
            ++at_;
            value made = std::move(top.made);
            open_.pop_back();
            finished(std::move(made));
            return true;
        }
        if (!top.any) return false;
        if (c != ',') {
            complain(at_ < text_.size() ? "Expected separator between values" + place() : "Unfinished JSON term at EOF" + place());
            return true;
        }
        ++at_;
        skip();
        if (at_ < text_.size() && (text_[at_] == ']' || text_[at_] == '}')) {
            complain("Expected another value after `,`" + place());
            return true;
        }
        return false;
    }

    void finished(value v) {
        if (open_.empty()) {
            last_ = std::move(v);
            done_ = true;
            skip();
            return;
        }
        auto& top = open_.back();
        top.any = true;
        if (top.made.is_array()) {
            auto& array = top.made.edit_array(m_.funds());
            array.list.push_back(std::move(v));
            array.account_items();
        } else {
            top.made.edit_object(m_.funds()).set(std::move(top.key), std::move(v));
        }
        if (m_.exhausted()) failed_ = true;
    }

    void item() {
        if (!open_.empty() && open_.back().made.is_object() && !key()) return;
        if (at_ >= text_.size()) {
            complain(open_.empty() ? "Expected JSON value" : "Unfinished JSON term at EOF" + place());
            return;
        }
        m_.funds().charge(1);
        const char c = text_[at_];
        if (c == '[' || c == '{') {
            if (open_.size() >= max_value_depth) {
                complain("Exceeds depth limit for parsing" + place());
                return;
            }
            ++at_;
            open_.push_back({c == '[' ? value::array(m_.funds()) : value::object(m_.funds()), value()});
            return;
        }
        value v;
        if (c == '"' ? string(v) : literal(v)) finished(std::move(v));
    }

    bool key() {
        skip();
        if (at_ >= text_.size()) {
            complain("Unfinished JSON term at EOF" + place());
            return false;
        }
        value name;
        if (text_[at_] != '"') {
            value ignored;
            if (literal(ignored)) complain("Object keys must be strings" + place());
            return false;
        }
        if (!string(name)) return false;
        skip();
        if (at_ >= text_.size() || text_[at_] != ':') {
            complain("Objects must consist of key:value pairs" + place());
            return false;
        }
        ++at_;
        skip();
        open_.back().key = std::move(name);
        return true;
    }

    bool literal(value& out) {
        const auto start = at_;
        while (at_ < text_.size() && !ends_literal(text_[at_])) ++at_;
        const auto word = text_.substr(start, at_ - start);
        if (word == "null") return true;
        if (word == "true" || word == "false") {
            out = value::boolean(word == "true");
            return true;
        }
        if (word == "nan" || word == "NaN" || word == "-NaN" || word == "-nan") {
            out = value::real(std::numeric_limits<double>::quiet_NaN());
            return true;
        }
        if (word == "Infinity" || word == "-Infinity" || word == "infinity" || word == "-infinity") {
            out = value::real(word[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
            return true;
        }
        if (read_number(word, out)) return true;
        const bool end = at_ >= text_.size();
        if (!end) ++at_;
        const std::string what = !word.empty() && word[0] == '\'' ? "Invalid string literal; expected \", but got '" : "Invalid numeric literal";
        complain(what + (end ? " at EOF" : "") + place());
        return false;
    }

    bool string(value& out) {
        std::string text;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] != '\\') {
                text.push_back(text_[at_]);
            } else if (!escape(text)) {
                complain("Invalid escape" + place());
                return false;
            }
        }
        if (at_ >= text_.size()) {
            complain("Unfinished string at EOF" + place());
            return false;
        }
        ++at_;
        out = value::string(m_.funds(), valid_utf8(text));
        return true;
    }

    int unit(std::size_t at) const {
        int result = 0;
        const auto end = text_.data() + std::min(at + 4, text_.size());
        const auto read = std::from_chars(text_.data() + std::min(at, text_.size()), end, result, 16);
        return read.ec == std::errc() && read.ptr == text_.data() + at + 4 ? result : -1;
    }

    /// at_ stands on the backslash; ends on the last character of the escape.
    bool escape(std::string& text) {
        if (++at_ >= text_.size()) return false;
        static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        if (const auto plain = letters.find(text_[at_]); plain != std::string_view::npos) {
            text.push_back(meanings[plain]);
            return true;
        }
        if (text_[at_] != 'u') return false;
        const int first = unit(at_ + 1);
        if (first < 0) return false;
        at_ += 4;
        auto code = static_cast<std::uint32_t>(first);
        if (first >= 0xd800 && first < 0xdc00 && at_ + 2 < text_.size() && text_[at_ + 1] == '\\' && text_[at_ + 2] == 'u') {
            const int second = unit(at_ + 3);
            if (second >= 0xdc00 && second < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(second) - 0xdc00);
                at_ += 6;
            }
        }
        expr::append_utf8(text, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
        return true;
    }

    machine& m_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<container> open_;
    value last_;
    bool done_ = false;
    bool failed_ = false;
};

}  // namespace

/// A number as jq's `tonumber` takes it: no blanks, a sign, digits with a dot before, between or behind.
bool read_number(std::string_view text, value& out) {
    const std::string_view original = text;
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    const auto digits = text.substr(!text.empty() && text[0] == '-' ? 1 : 0);
    if (digits.empty() || !((digits[0] >= '0' && digits[0] <= '9') || (digits[0] == '.' && digits.size() > 1 && digits[1] >= '0' && digits[1] <= '9'))) return false;
    std::int64_t whole = 0;
    if (const auto r = std::from_chars(text.data(), text.data() + text.size(), whole); r.ec == std::errc() && r.ptr == text.data() + text.size()) {
        out = whole == 0 && text[0] == '-' ? value::real(-0.0) : value::integer(whole);
        return true;
    }
    std::uint64_t large = 0;
    if (const auto r = std::from_chars(text.data(), text.data() + text.size(), large); r.ec == std::errc() && r.ptr == text.data() + text.size()) {
        out = value::unsigned_integer(large);
        return true;
    }
    double d = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), d);
    if (r.ptr != text.data() + text.size()) return false;
    if (r.ec == std::errc::result_out_of_range) d = std::strtod(std::string(original).c_str(), nullptr);
    if (std::isinf(d)) d = std::copysign(std::numeric_limits<double>::max(), d);
    out = value::real(d);
    return true;
}

value parse_text(machine& m, std::string_view text) {
    m.funds().charge(text.size() / 32);
    return reader(m, text).read();
}

}  // namespace pawl::expr
