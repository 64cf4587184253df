#include "expr/regex_guard.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

class guard {
public:
    guard(std::string_view in, bool extended) : in_(in), extended_(extended) {}

    std::string write() {
        while (at_ < in_.size()) {
            const char c = in_[at_];
            if (c == '\\') {
                escape();
            } else if (c == '[') {
                character_class();
            } else if (in_.substr(at_).starts_with("(?#")) {
                copy_to(after(')'));
            } else if (c == '(' && at_ + 1 < in_.size() && in_[at_ + 1] == '?') {
                copy_to(at_ + 2);  // this `?` repeats nothing
            } else if (c == '#' && extended_) {
                copy_to(after('\n'));
            } else if (const auto length = quantifier(at_); length > 0) {
                loop(length);
            } else {
                copy_to(at_ + 1);
            }
        }
        return std::move(out_);
    }

private:
    std::size_t after(char end) const { return std::min(in_.find(end, at_), in_.size() - 1) + 1; }

    void copy_to(std::size_t end) {
        end = std::min(end, in_.size());
        out_ += in_.substr(at_, end - at_);
        at_ = end;
    }

    /// `\d`, `\Q...\E`, and those with braces or angles behind them: `\x{41}`, `\p{L}`, `\k<name>`.
    void escape() {
        const char what = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
        if (what == 'Q') {
            const auto end = in_.find("\\E", at_);
            return copy_to(end == std::string_view::npos ? in_.size() : end + 2);
        }
        copy_to(at_ + 2);
        if (at_ < in_.size() && in_[at_] == '{' && std::string_view("xopPkgN").find(what) != std::string_view::npos) copy_to(after('}'));
        if (at_ < in_.size() && in_[at_] == '<' && (what == 'k' || what == 'g')) copy_to(after('>'));
    }

    void character_class() {
        std::size_t depth = 0, i = at_;
        for (; i < in_.size(); ++i) {
            if (in_[i] == '\\') {
                ++i;
            } else if (in_[i] == '[') {
                ++depth;
                if (i + 1 < in_.size() && in_[i + 1] == '^') ++i;
                if (i + 1 < in_.size() && in_[i + 1] == ']') ++i;  // first in its class, it stands for itself
            } else if (in_[i] == ']' && --depth == 0) {
                break;
            }
        }
        copy_to(i + 1);
    }

    /// The length of the quantifier at `i`, without `?` and `+` behind it; 0 when there is none.
    std::size_t quantifier(std::size_t i) const {
        if (i >= in_.size()) return 0;
        if (in_[i] == '*' || in_[i] == '+' || in_[i] == '?') return 1;
        if (in_[i] != '{') return 0;
        auto end = i + 1;
        while (end < in_.size() && (is_digit(in_[end]) || in_[end] == ',')) ++end;
        return end > i + 1 && end < in_.size() && in_[end] == '}' ? end + 1 - i : 0;
    }

    void loop(std::size_t length) {
        const auto text = in_.substr(at_, length);
        const bool varies = text == "*" || text == "+" || text.find(',') != std::string_view::npos;
        copy_to(at_ + length);
        if (at_ < in_.size() && (in_[at_] == '?' || in_[at_] == '+')) copy_to(at_ + 1);
        if (varies && quantifier(at_) == 0) out_ += "(?:|)";
    }

    std::string_view in_;
    bool extended_;
    std::string out_;
    std::size_t at_ = 0;
};

}  // namespace

std::string guarded_pattern(std::string_view pattern, bool extended) { return guard(pattern, extended).write(); }

}  // namespace pawl::expr
