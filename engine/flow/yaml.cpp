#include "flow/yaml.hpp"

#include "base/utf8.hpp"
#include "flow/yaml_builder.hpp"
#include "flow/yaml_scalar.hpp"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <sstream>

namespace pawl::flow {
namespace {

/// yaml-cpp replaces bad bytes silently and takes 0x04 for the end of the text, so both are refused before it sees them.
/// It also keeps 250 bytes for every bracket that it has not seen closed, before anybody can count the depth: runs of them are refused here.
void check_characters(std::string_view text, const yaml_builder& builder) {
    constexpr std::size_t most_brackets_in_a_row = 10'000;
    std::size_t line = 1, start = 0, brackets = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
            builder.refuse(line, i - start + 1, "control-character",
                           "the file holds a control character (code " + std::to_string(c) + ") here, which YAML does not allow",
                           "remove it, or write it as an escape such as \"\\x1b\" within double quotes");
        }
        const auto length = utf8_character_at(text, i).length;
        if (length == 0)
            builder.refuse(line, i - start + 1, "not-utf8", "the file is not UTF-8 text: the bytes here are not a character",
                           "save the file as UTF-8");
        if (c == '[' || c == '{') {
            if (++brackets > most_brackets_in_a_row)
                builder.refuse(line, i - start + 1, "too-deep", "more than " + std::to_string(most_brackets_in_a_row) + " lists or maps begin here, one in the other",
                               "flatten the structure; deep nesting is usually a slip in a bracket");
        } else if (c > ' ') {
            brackets = 0;
        }
        if (c == '\n') {
            ++line;
            start = i + 1;
        }
        i += length;
    }
}

/// What is easily saved in place of the workflow itself.
void refuse_other_files(std::string_view text, const yaml_builder& builder) {
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        builder.refuse(0, 0, "not-utf8", "the file is UTF-16 text, but a workflow is UTF-8", "save the file as UTF-8");
    if (text.find('\r') != std::string_view::npos && text.find('\n') == std::string_view::npos)
        builder.refuse(1, text.find('\r') + 1, "yaml-syntax", "the lines of the file end with a carriage return alone, so all of it is one line",
                       "save the file with the line ends of Unix or Windows");
    if (text.starts_with("```"))
        builder.refuse(1, 1, "yaml-syntax", "the file begins with the fence of a Markdown code block, which is no YAML", "remove the lines that begin with ```");
}

/// yaml-cpp's few words as a sentence for authors.
struct known_message {
    std::string_view start;
    std::string_view message;
    std::string_view hint;
};
constexpr known_message known_messages[] = {
    {"illegal map value", "a `:` stands here that does not follow a key of this map",
     "if the text before it holds a `: `, put quotes around the text; otherwise check the indentation"},
    {"end of map not found", "this line is indented so that it belongs neither to the map above it nor to the one around that",
     "indent it exactly like its neighbours, with spaces"},
    {"end of sequence not found", "this line breaks off the list above it",
     "start it with `- ` at the same indentation, or indent it below the item it belongs to"},
    {"end of map flow not found", "a `{` has no matching `}`",
     "close it, or quote the text: `{` at the start of a value opens a map (an expression starting with `{` needs quotes)"},
    {"end of sequence flow not found", "a `[` has no matching `]`", "close it, or quote the text: `[` at the start of a value opens a list"},
    {"illegal EOF in scalar", "a quoted text has no closing quote", "close the quote; a `'` within single quotes is written twice"},
    {"illegal document indicator in scalar", "a quoted text runs into the end of the document", "close the quote"},
    {"illegal flow end", "this closing bracket has no opening one", "remove it"},
    {"illegal block entry", "a list item (`- `) cannot start here", "put it on a line of its own, indented below its key"},
    {"illegal map key", "a key cannot start here", "put it on a line of its own"},
    {"unknown token", "a value cannot start with this character", "put quotes around the value"},
    {"the referenced anchor is not defined", "this alias (`*name`) names an anchor that does not exist above it",
     "if you meant text, put quotes around it; otherwise write `&name` at the value"},
    {"unknown escape character", "this escape sequence is not known in double quotes",
     "double the backslash (`\\\\`), or use single quotes, which take backslashes as they are"},
    {"invalid unicode", "this escape is not a Unicode character by itself",
     "write the character itself, or one \\U escape with eight digits instead of a surrogate pair"},
    {"illegal tab when looking for indentation", "a tab indents this line, but YAML indents with spaces only", "replace the tab by spaces"},
    {"unexpected character in block scalar", "after `|` or `>` only an indentation digit, `+` or `-` may follow on this line",
     "start the text on the next line"},
    {"cannot assign multiple", "a value has two anchors or two tags", "remove one of them"},
    {"alias not found after *", "`*` starts an alias in YAML, but no name follows it", "if you meant text, put quotes around it"},
    {"anchor not found after &", "`&` starts an anchor in YAML, but no name follows it", "if you meant text, put quotes around it"},
};

std::string_view line_text(std::string_view source, std::size_t number) {
    for (std::size_t line = 1;; ++line) {
        const auto end = source.find('\n');
        if (line == number) return source.substr(0, end);
        if (end == std::string_view::npos) return {};
        source.remove_prefix(end + 1);
    }
}

bool is_indented_by_tab(std::string_view line) {
    const auto text = line.find_first_not_of(" -");
    return text != std::string_view::npos && line[text] == '\t' && line.find_first_not_of(" \t") != std::string_view::npos;
}

/// `'it's'` and `"say "hello""`: the text ends at a quote that was meant to be part of it.
bool explain_quote(std::string_view message, std::string_view source, diagnostic& d) {
    if (!message.starts_with("end of map") && !message.starts_with("end of sequence")) return false;
    const auto line = line_text(source, d.mark.line);
    const auto last = line.substr(0, std::min(d.mark.column - 1, line.size())).find_last_not_of(' ');
    if (last == std::string_view::npos || (line[last] != '\'' && line[last] != '"')) return false;
    d.mark.column = last + 1;
    d.message = "the quoted text ends here, but the line goes on";
    d.hint = line[last] == '"' ? "write a `\"` within double quotes as `\\\"`, or put single quotes around the whole text"
                               : "write a `'` within single quotes twice (`''`), or put double quotes around the whole text";
    return true;
}

bool explain_bracket(std::string_view message, std::string_view source, diagnostic& d) {
    if (!message.starts_with("illegal flow end")) return false;
    const auto line = line_text(source, d.mark.line);
    const bool curly = d.mark.column <= line.size() && line[d.mark.column - 1] == '}';
    d.message = curly ? "this `}` closes a map, but no map is open here" : "this `]` closes a list, but no list is open here";
    d.hint = curly ? "close the `[` before it first, or remove it" : "close the `{` before it first, or remove it";
    return true;
}

diagnostic syntax_error(const YAML::ParserException& error, std::string_view source, std::string_view file) {
    diagnostic d;
    d.code = "yaml-syntax";
    d.file = std::string(file);
    d.mark = {static_cast<std::size_t>(error.mark.line < 0 ? 0 : error.mark.line) + 1,
              static_cast<std::size_t>(error.mark.column < 0 ? 0 : error.mark.column) + 1};
    if (const auto line = line_text(source, d.mark.line); is_indented_by_tab(line)) {
        d.code = "tab-indentation";
        d.mark.column = line.find('\t') + 1;
        d.message = "a tab indents this line, but YAML indents with spaces only";
        d.hint = "replace the tab by spaces";
        return d;
    }
    if (const auto line = line_text(source, d.mark.line).substr(0, d.mark.column);
        error.msg == "illegal map value" && line.find("${") != std::string_view::npos) {
        d.message = "the expression on this line holds `: `, which YAML takes for the end of a key";
        d.hint = "put quotes around the whole value: '${ ... }'";
        return d;
    }
    if (explain_quote(error.msg, source, d) || explain_bracket(error.msg, source, d)) return d;
    for (const auto& known : known_messages) {
        if (!std::string_view(error.msg).starts_with(known.start)) continue;
        d.message = known.message;
        d.hint = known.hint;
        return d;
    }
    d.message = "this is not well-formed YAML (" + error.msg + ")";
    d.hint = "check quotes, brackets and indentation on this line and the one before it";
    return d;
}

/// yaml-cpp ends a plain text within `{ }` and `[ ]` at a `?`, YAML 1.2 does not: `{ title: Really? }`. It never sees those question marks, but a
/// character that no file may hold; yaml_builder puts them back.
std::string with_hidden_question_marks(std::string_view text) {
    std::string out(text);
    for (const std::string_view escape : {"\\x01", "\\u0001", "\\U00000001"}) {
        if (text.find(escape) != std::string_view::npos) return out;  // an escape that yields that character: they could not be told apart
    }
    for (std::size_t i = 1; i < out.size(); ++i) {
        if (out[i] != '?') continue;
        const auto before = static_cast<unsigned char>(out[i - 1]);
        const bool word = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') || (before >= '0' && before <= '9') || before == '_' || before >= 0x80;
        if (word || before == '.' || before == ')' || before == '!' || before == '%' || before == '/' || before == '=' || before == yaml_builder::hidden_question_mark)
            out[i] = yaml_builder::hidden_question_mark;
    }
    return out;
}

std::string unescaped(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size()) {
            out += token[++i] == '1' ? '/' : '~';
        } else {
            out += token[i];
        }
    }
    return out;
}

/// How far a pointer leads into a document.
struct destination {
    const json::value* value;
    const yaml_place* place;  ///< of the value, or of the nearest enclosing known one
    bool exact = true;        ///< place belongs to value
    bool found = true;        ///< the whole pointer was followed
};

destination follow(const yaml_document& document, std::string_view pointer) {
    destination at{&document.value, &document.root};
    while (pointer.starts_with('/')) {
        const auto end = pointer.find('/', 1);
        const auto token = unescaped(pointer.substr(1, end == std::string_view::npos ? end : end - 1));
        pointer = end == std::string_view::npos ? std::string_view{} : pointer.substr(end);
        std::size_t index = 0;
        const json::value* next = nullptr;
        if (const auto* object = at.value->if_object()) {
            if (const auto* member = object->find(token); member != object->end()) {
                next = &member->value();
                index = static_cast<std::size_t>(member - object->begin());
            }
        } else if (const auto* array = at.value->if_array()) {
            const auto [last, error] = std::from_chars(token.data(), token.data() + token.size(), index);
            if (error == std::errc{} && last == token.data() + token.size() && index < array->size()) next = &(*array)[index];
        }
        if (next == nullptr) return {at.value, at.place, false, false};
        at.value = next;
        at.exact = at.exact && index < at.place->children.size();
        if (at.exact) at.place = &at.place->children[index];
    }
    return at;
}

}  // namespace

source_mark yaml_document::mark_of(std::string_view pointer, std::size_t offset) const {
    const auto at = follow(*this, pointer);
    const auto* text = at.exact ? at.value->if_string() : nullptr;
    if (text == nullptr) return at.place->value;
    const auto position = locate_in_scalar(source, at.place->offset, *text, offset);
    auto mark = at.place->value;
    for (auto i = at.place->offset; i < position; ++i) {
        if (source[i] == '\n') {
            ++mark.line;
            mark.column = 1;
        } else {
            ++mark.column;
        }
    }
    return mark;
}

std::string_view yaml_document::line(std::size_t number) const { return line_text(source, number); }

source_mark yaml_document::key_mark_of(std::string_view pointer) const { return follow(*this, pointer).place->key; }

const json::value* yaml_document::find(std::string_view pointer) const {
    const auto at = follow(*this, pointer);
    return at.found ? at.value : nullptr;
}

boost::system::result<yaml_document, diagnostic> read_yaml(std::string_view text, std::string_view file, const yaml_limits& limits) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    try {
        refuse_other_files(text, yaml_builder({}, file, limits));
        if (text.size() > limits.max_bytes) {
            yaml_builder({}, file, limits)
                .refuse(0, 0, "too-large",
                        "the file has " + std::to_string(text.size()) + " bytes, more than the limit of " + std::to_string(limits.max_bytes),
                        "keep bulk data in a file of its own and pass it as input");
        }
        yaml_document document;
        document.source = std::string(text);
        yaml_builder builder(document.source, file, limits);
        check_characters(document.source, builder);
        const auto hidden = with_hidden_question_marks(document.source);
        if (hidden != document.source) builder.restore_question_marks();
        std::istringstream stream(hidden);
        YAML::Parser parser(stream);
        if (!parser.HandleNextDocument(builder))
            builder.refuse(1, 1, "empty-file", "the file is empty", "a workflow starts with `document:` and `do:`");
        parser.HandleNextDocument(builder);  // refuses a second one
        builder.check_last_quote();
        document.value = std::move(builder.value());
        document.root = std::move(builder.place());
        return document;
    } catch (const yaml_refusal& refusal) {
        return refusal.what;
    } catch (const YAML::ParserException& error) {
        return syntax_error(error, text, file);
    }
}

}  // namespace pawl::flow

namespace pawl {

void throw_exception_from_error(const diagnostic& error, const boost::source_location&) { throw bad_result_access(render(error)); }

}  // namespace pawl
