#include "code_view.hpp"

#include <algorithm>
#include <cctype>

namespace tidy {
namespace {

class blanker {
public:
    explicit blanker(std::string_view in) : in_(in), out_(in) {}

    std::string run() {
        while (at_ < in_.size()) step();
        return std::move(out_);
    }

private:
    void step() {
        const auto rest = in_.substr(at_);
        if (rest.starts_with("//")) return blank(at_, line_end());
        if (rest.starts_with("/*")) return blank(at_, after("*/"));
        const char c = rest[0];
        if (c == '"') return in_raw_string() ? raw_string() : literal('"');
        if (c == '\'' && !is_digit_separator()) return literal('\'');
        ++at_;
    }

    std::size_t line_end() const {
        const auto end = in_.find('\n', at_);
        return end == std::string_view::npos ? in_.size() : end;
    }

    std::size_t after(std::string_view mark) const {
        const auto found = in_.find(mark, at_ + 2);
        return found == std::string_view::npos ? in_.size() : found + mark.size();
    }

    void blank(std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            if (out_[i] != '\n') out_[i] = ' ';
        }
        at_ = to;
    }

    bool in_raw_string() const { return at_ > 0 && in_[at_ - 1] == 'R' && (at_ < 2 || !is_name_char(in_[at_ - 2]) || in_[at_ - 2] == 'u' || in_[at_ - 2] == '8'); }

    void raw_string() {
        const auto open = in_.find('(', at_);
        if (open == std::string_view::npos) return blank(at_ + 1, in_.size());
        const std::string close = ")" + std::string(in_.substr(at_ + 1, open - at_ - 1)) + "\"";
        const auto end = in_.find(close, open);
        if (end == std::string_view::npos) return blank(at_ + 1, in_.size());
        blank(at_ + 1, end + close.size() - 1);
        ++at_;
    }

    void literal(char quote) {
        std::size_t i = at_ + 1;
        while (i < in_.size() && in_[i] != quote && in_[i] != '\n') i += in_[i] == '\\' ? 2 : 1;
        blank(at_ + 1, std::min(i, in_.size()));
        if (at_ < in_.size() && in_[at_] == quote) ++at_;
    }

    bool is_digit_separator() const {
        std::size_t i = at_;
        while (i > 0 && (is_name_char(in_[i - 1]) || in_[i - 1] == '\'')) --i;
        return i < at_ && std::isdigit(static_cast<unsigned char>(in_[i]));
    }

    std::string_view in_;
    std::string out_;
    std::size_t at_ = 0;
};

}  // namespace

bool is_name_char(char c) noexcept { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string without_comments(std::string_view text) { return blanker(text).run(); }

std::string without_directives(std::string code) {
    bool line_start = true, blanking = false;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (c == '\n') {
            const bool continues = blanking && i > 0 && code[i - 1] == '\\';
            if (continues) code[i - 1] = ' ';
            blanking = continues;
            line_start = true;
            continue;
        }
        if (line_start && c == '#') blanking = true;
        if (c != ' ') line_start = false;
        if (blanking && !(c == '\\' && i + 1 < code.size() && code[i + 1] == '\n')) code[i] = ' ';
    }
    return code;
}

std::vector<std::size_t> find_word(std::string_view code, std::string_view word) {
    std::vector<std::size_t> out;
    for (auto at = code.find(word); at != std::string_view::npos; at = code.find(word, at + 1)) {
        const bool starts = at == 0 || !is_name_char(code[at - 1]);
        const bool ends = at + word.size() >= code.size() || !is_name_char(code[at + word.size()]);
        if (starts && ends) out.push_back(at);
    }
    return out;
}

}  // namespace tidy
