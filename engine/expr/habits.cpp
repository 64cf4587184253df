#include "expr/habits.hpp"

#include "base/utf8.hpp"
#include "expr/builtins.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

bool is_word(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_other_letter(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }

std::size_t characters_end(std::string_view text, std::size_t at) noexcept {
    do ++at;
    while (at < text.size() && is_utf8_tail(text[at]));
    return at;
}

/// The last character before `offset` that is no blank; 0 at the start.
char before(std::string_view text, std::size_t offset) noexcept {
    while (offset > 0 && is_blank(text[offset - 1])) --offset;
    return offset > 0 ? text[offset - 1] : '\0';
}

constexpr std::pair<std::string_view, std::string_view> invisible[] = {{"\xc2\xa0", "a no-break space"},
                                                                       {"\xe2\x80\xaf", "a no-break space"},
                                                                       {"\xe2\x80\x8b", "a zero-width space"},
                                                                       {"\xef\xbb\xbf", "a byte order mark"}};
constexpr std::string_view curly_quotes[] = {"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xc2\xab", "\xc2\xbb", "\xe2\x80\x98", "\xe2\x80\x99"};

std::string_view name_of_invisible(std::string_view character) noexcept {
    for (const auto& [bytes, name] : invisible) {
        if (bytes == character) return name;
    }
    return {};
}

/// `.naïve`: jq's names are of plain letters.
std::string other_letter_hint(std::string_view program, std::size_t offset) {
    const auto character = program.substr(offset, characters_end(program, offset) - offset);
    if (std::find(std::begin(curly_quotes), std::end(curly_quotes), character) != std::end(curly_quotes))
        return "strings are written with straight double quotes: `\"`";
    if (!name_of_invisible(character).empty()) return "replace it by a plain space";
    auto start = offset, end = offset;
    while (start > 0 && (is_word(program[start - 1]) || is_other_letter(program[start - 1]))) --start;
    while (end < program.size() && (is_word(program[end]) || is_other_letter(program[end]))) ++end;
    if (start == 0 || program[start - 1] != '.') return "text needs double quotes";
    return "a name with other letters than a to z needs quotes: `.\"" + std::string(program.substr(start, end - start)) + "\"`";
}

constexpr std::string_view choice_hint = "there is no `? :`; write `if ... then ... else ... end`";

std::string_view punctuation_hint(std::string_view program, std::size_t offset, std::string_view token) noexcept {
    const char last = before(program, offset);
    const char next = offset + 1 < program.size() ? program[offset + 1] : '\0';
    const bool joined = offset > 0 && program[offset - 1] == last;
    if (token == "$" && (next == '.' || next == '['))
        return "this is JSONPath: the input is `.` here (`.items[0]`, `.items[].price`), and `$` only begins the name of a variable";
    if (token == "$" && next == '{') return "an expression cannot hold a second one: write what is in it without `${ }`";
    if (token == "*" && last == '[') return "every item is `[]`: `.items[]`";
    if (token == "|" && last == '|' && joined) return "write `or`";
    if ((token == "=" || token == "==") && joined && (last == '=' || last == '!')) return "write `==` or `!=`";
    if (token == ">" && last == '<' && joined) return "write `!=`";
    if (token == "?" && last == '?' && joined) return "write `//`: `.name // \"none\"`";
    if (token == "(" && joined && is_word(last))
        return "there are no methods: a function follows a `|` and gets what stands before it, `.name | ascii_upcase`";
    if (token == ":" && program.substr(0, offset).find('?') != std::string_view::npos) return choice_hint;
    return {};
}

std::string word_hint(std::string_view program, std::size_t offset, std::string_view word) {
    if (word == "AND" || word == "OR" || word == "NOT") return word == "AND" ? "write `and`" : word == "OR" ? "write `or`" : "write `not`";
    if (word == "is") return "write `==`";
    if (word == "in") return "write `IN(\"a\", \"b\")` after a `|`: `.status | IN(\"open\", \"new\")`";
    const auto known = std::any_of(builtin_names().begin(), builtin_names().end(), [&](const auto& each) {
        const std::string_view name(each);
        return name.substr(0, name.find('/')) == word;
    });
    if (known && before(program, offset) != '\0') return "a function follows a `|`: `... | " + std::string(word) + "`";
    return {};
}

}  // namespace

std::string habit_hint(std::string_view program, std::size_t offset, std::size_t length) {
    if (offset >= program.size()) {
        const bool else_if = program.find("else if") != std::string_view::npos;
        return else_if ? "every `if` ends with an `end` of its own; `elif` needs none" : std::string{};
    }
    const auto token = program.substr(offset, std::max<std::size_t>(1, length));
    if (is_other_letter(token[0])) return other_letter_hint(program, offset);
    if (token == "'") return "strings are written with double quotes";
    if (token == "`") return "strings are written with double quotes, and values within them so: `\"Hello \\(.name)\"`";
    if (token == "&") return "write `and`";
    if (token == "!") return "write `not` after a pipe: `. | not`";
    if (before(program, offset) == '?' && program.find(':', offset) != std::string_view::npos) return std::string(choice_hint);
    if (auto hint = punctuation_hint(program, offset, token); !hint.empty()) return std::string(hint);
    return is_word(token[0]) ? word_hint(program, offset, token) : std::string{};
}

std::string_view foreign_function_hint(std::string_view name) noexcept {
    static constexpr std::pair<std::string_view, std::string_view> meanings[] = {
        {"len", "write `length` after a `|`: `.items | length`"},
        {"size", "write `length` after a `|`: `.items | length`"},
        {"count", "write `length` after a `|`: `.items | length`"},
        {"str", "write `tostring` after a `|`: `.id | tostring`"},
        {"string", "write `tostring` after a `|`: `.id | tostring`"},
        {"String", "write `tostring` after a `|`: `.id | tostring`"},
        {"int", "write `tonumber` after a `|`: `.amount | tonumber`"},
        {"number", "write `tonumber` after a `|`: `.amount | tonumber`"},
        {"Number", "write `tonumber` after a `|`: `.amount | tonumber`"},
        {"parseInt", "write `tonumber` after a `|`: `.amount | tonumber`"},
        {"parseFloat", "write `tonumber` after a `|`: `.amount | tonumber`"},
        {"upper", "write `ascii_upcase`"},
        {"uppercase", "write `ascii_upcase`"},
        {"upcase", "write `ascii_upcase`"},
        {"toUpperCase", "write `ascii_upcase`"},
        {"lower", "write `ascii_downcase`"},
        {"lowercase", "write `ascii_downcase`"},
        {"downcase", "write `ascii_downcase`"},
        {"toLowerCase", "write `ascii_downcase`"},
        {"sum", "write `add`: `.items | map(.price) | add`"},
        {"concat", "write `+`, or `add` for a list"},
        {"filter", "write `map(select(...))`: `.items | map(select(.price > 5))`"},
        {"includes", "write `contains(...)`, or `IN(...)` for one of several"},
        {"replace", "write `gsub(\"old\"; \"new\")`"},
        {"substring", "write a slice: `.name[0:5]`"},
        {"substr", "write a slice: `.name[0:5]`"},
        {"slice", "write a slice: `.items[0:5]`"},
        {"push", "write `+`: `.items + [5]`"},
        {"append", "write `+`: `.items + [5]`"},
        {"coalesce", "write `//`: `.name // \"none\"`"},
        {"json", "write `fromjson`"},
        {"parseJson", "write `fromjson`"},
        {"toJson", "write `tojson`"},
        {"stringify", "write `tojson`"},
        {"None", "write `null`"},
        {"nil", "write `null`"},
        {"undefined", "write `null`"},
        {"NULL", "write `null`"},
        {"True", "write `true`"},
        {"False", "write `false`"},
    };
    const auto* found = std::find_if(std::begin(meanings), std::end(meanings), [&](const auto& each) { return each.first == name; });
    return found == std::end(meanings) ? std::string_view{} : found->second;
}

std::string hyphen_hint(std::string_view program, std::size_t offset) {
    const auto part = [](char c) { return is_word(c) || c == '-'; };
    if (offset < 2 || program[offset - 1] != '-' || !is_word(program[offset - 2])) return {};
    auto start = offset, end = offset;
    while (start > 0 && part(program[start - 1])) --start;
    while (end < program.size() && part(program[end])) ++end;
    if (start == 0 || program[start - 1] != '.') return {};
    return "a name with `-` needs quotes: `.\"" + std::string(program.substr(start, end - start)) + "\"`";
}

std::string character_shown(std::string_view program, std::size_t offset) {
    const auto character = program.substr(offset, characters_end(program, offset) - offset);
    if (const auto name = name_of_invisible(character); !name.empty()) return std::string(name);
    if (static_cast<unsigned char>(character[0]) < ' ' || character[0] == 0x7f) return "a control character";
    return "the character `" + std::string(character) + "`";
}

}  // namespace pawl::expr
