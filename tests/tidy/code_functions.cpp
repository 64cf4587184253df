// Finds function bodies by matching braces. A heuristic, but one that says what it measures: see sample_tests.cpp.
#include "code_view.hpp"
#include "source_tree.hpp"

#include <algorithm>
#include <array>

namespace tidy {
namespace {

constexpr std::string_view blanks = " \t\n\r";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view first_word(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size() && is_name_char(text[i])) ++i;
    return text.substr(0, i);
}

std::string_view last_word(std::string_view text) {
    std::size_t i = text.size();
    while (i > 0 && is_name_char(text[i - 1])) --i;
    return text.substr(i);
}

/// Drops `template <...>`.
std::string_view without_template(std::string_view header) {
    header = trimmed(header);
    constexpr std::string_view word = "template";
    if (first_word(header) != word) return header;
    std::size_t i = word.size(), depth = 0;
    for (; i < header.size(); ++i) {
        if (header[i] == '<') ++depth;
        if (header[i] == '>' && header[i - 1] != '-' && --depth == 0) break;
    }
    return trimmed(header.substr(std::min(i + 1, header.size())));
}

/// Drops what may stand before the word that decides.
std::string_view without_prefix(std::string_view header) {
    for (;;) {
        header = without_template(header);
        const auto word = first_word(header);
        if (word != "inline" && word != "export" && word != "static" && word != "constexpr" && word != "typedef") return header;
        header.remove_prefix(word.size());
    }
}

/// Offset of the first character that `wanted` accepts outside parentheses, or npos.
template <class Wanted>
std::size_t find_outside_parentheses(std::string_view text, Wanted wanted) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        else if (text[i] == ')') --depth;
        else if (depth == 0 && wanted(i)) return i;
    }
    return std::string_view::npos;
}

enum class block { scope, function, data };

bool in_member_initializers(std::string_view header) {
    const auto close = header.find(')');
    if (close == std::string_view::npos) return false;
    const auto colon = find_outside_parentheses(header, [&](std::size_t i) {
        return i > close && header[i] == ':' && header[i - 1] != ':' && (i + 1 == header.size() || header[i + 1] != ':');
    });
    if (colon == std::string_view::npos) return false;
    return is_name_char(header.back()) || header.back() == '>';
}

/// What a '{' opens after `header`, at namespace or class scope.
block classify(std::string_view header) {
    header = without_prefix(header);
    if (header.empty()) return block::data;
    constexpr std::array<std::string_view, 5> containers{"namespace", "class", "struct", "union", "enum"};
    const auto word = first_word(header);
    if (std::find(containers.begin(), containers.end(), word) != containers.end()) return block::scope;
    if (word == "extern" && header.find('(') == std::string_view::npos) return block::scope;
    const auto assign = find_outside_parentheses(header, [&](std::size_t i) { return header[i] == '='; });
    const bool is_operator = header.find("operator") != std::string_view::npos;
    if (assign != std::string_view::npos && !is_operator) {
        // A lambda is a function; any other initializer is data.
        const auto value = trimmed(header.substr(assign + 1));
        return value.starts_with('[') ? block::function : block::data;
    }
    if (header.find('(') == std::string_view::npos) return block::data;
    return in_member_initializers(header) ? block::data : block::function;
}

class scanner {
public:
    explicit scanner(std::string_view code) : code_(code) {}

    std::vector<function_span> run() {
        for (at_ = 0; at_ < code_.size(); ++at_) step(code_[at_]);
        return std::move(found_);
    }

private:
    void step(char c) {
        if (inside_ > 0) {
            if (c == '{') ++inside_;
            if (c == '}' && --inside_ == 0) leave();
            return;
        }
        switch (c) {
            case '(': ++parentheses_; break;
            case ')': parentheses_ = std::max(0, parentheses_ - 1); break;
            case ';':
                if (parentheses_ == 0) restart();
                break;
            case '}': restart(); break;
            case ':': access_label(); break;
            case '{': open(); break;
            default: break;
        }
    }

    std::string_view header() const { return trimmed(code_.substr(header_, at_ - header_)); }

    void open() {
        kind_ = parentheses_ > 0 ? block::data : classify(header());
        if (kind_ == block::scope) return restart();
        inside_ = 1;
        body_ = at_;
    }

    void leave() {
        if (kind_ == block::data) return;
        // A macro line without a semicolon may stand before it: the signature is what follows the last empty line.
        std::size_t from = header_;
        for (auto gap = code_.find('\n', from); gap != std::string_view::npos && gap < body_; gap = code_.find('\n', gap + 1)) {
            const auto next = code_.find('\n', gap + 1);
            if (next != std::string_view::npos && next < body_ && trimmed(code_.substr(gap, next - gap)).empty()) from = next;
        }
        const auto text = without_template(trimmed(code_.substr(from, body_ - from)));
        const auto first = static_cast<std::size_t>(text.data() - code_.data());
        found_.push_back({line_at(code_, first), line_at(code_, at_), std::string(trimmed(text.substr(0, text.find('\n'))))});
        restart();
    }

    void access_label() {
        const auto label = last_word(header());
        if (label == header() && (label == "public" || label == "private" || label == "protected")) restart();
    }

    void restart() {
        header_ = at_ + 1;
        parentheses_ = 0;
    }

    std::string_view code_;
    std::size_t at_ = 0, header_ = 0, body_ = 0;
    int parentheses_ = 0, inside_ = 0;
    block kind_ = block::scope;
    std::vector<function_span> found_;
};

}  // namespace

std::vector<function_span> functions_in(std::string_view code) { return scanner(code).run(); }

}  // namespace tidy
