#include "flow/yaml_builder.hpp"

#include "base/utf8.hpp"
#include "flow/yaml_scalar.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

constexpr std::string_view standard_tags = "tag:yaml.org,2002:";

std::size_t one_based(int n) { return n < 0 ? 1 : static_cast<std::size_t>(n) + 1; }

/// As an author wrote it.
std::string short_tag(std::string_view tag) {
    if (tag.starts_with(standard_tags)) return "!!" + std::string(tag.substr(standard_tags.size()));
    return std::string(tag);
}

std::string excerpt(std::string_view text) {
    auto end = std::min<std::size_t>(text.size(), 40);
    while (end < text.size() && end > 0 && is_utf8_tail(text[end])) --end;
    return std::string(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

}  // namespace

yaml_builder::yaml_builder(std::string_view source, std::string_view file, const yaml_limits& limits)
    : source_(source), file_(file), limits_(limits) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\n') line_starts_.push_back(i + 1);
    }
}

void yaml_builder::refuse(std::size_t line, std::size_t column, std::string code, std::string message, std::string hint) const {
    diagnostic d;
    d.code = std::move(code);
    d.file = std::string(file_);
    d.mark = {line, column};
    d.message = std::move(message);
    d.hint = std::move(hint);
    throw yaml_refusal{std::move(d)};
}

yaml_place yaml_builder::place_at(const YAML::Mark& mark) const {
    yaml_place place;
    const auto line = std::min(one_based(mark.line), line_starts_.size());
    place.value = {line, one_based(mark.column)};
    place.offset = std::min(line_starts_[line - 1] + place.value.column - 1, source_.size());
    place.key = !stack_.empty() && stack_.back().has_key ? stack_.back().key_mark : place.value;
    return place;
}

void yaml_builder::OnDocumentStart(const YAML::Mark& mark) {
    if (!seen_document_) {
        seen_document_ = true;
        return;
    }
    refuse(one_based(mark.line), one_based(mark.column), "several-documents",
           "the text goes on after the end of the first document, but a file holds exactly one",
           "put the second document into a file of its own, or remove the `---` between them");
}

void yaml_builder::charge(const YAML::Mark& mark, const weight& size) {
    const auto line = one_based(mark.line), column = one_based(mark.column);
    spent_.nodes += size.nodes;
    spent_.bytes += size.bytes;
    if (spent_.nodes > limits_.max_nodes) {
        refuse(line, column, "too-many-values",
               "the file holds more than " + std::to_string(limits_.max_nodes) + " values once its aliases are expanded",
               "split it, or keep bulk data in a file of its own and pass it as input");
    }
    if (spent_.bytes > limits_.max_bytes) {
        refuse(line, column, "too-large",
               "the text of the file grows beyond " + std::to_string(limits_.max_bytes) + " bytes once its aliases are expanded",
               "use fewer aliases");
    }
    if (stack_.size() + size.height > limits_.max_depth) {
        refuse(line, column, "too-deep", "values are nested more than " + std::to_string(limits_.max_depth) + " levels deep here",
               "flatten the structure; deep nesting is usually a slip in a bracket or in the indentation");
    }
}

void yaml_builder::add(json::value value, yaml_place place, const weight& size, YAML::anchor_t anchor) {
    if (anchor != 0) {
        spent_.nodes += size.nodes;  // the copy is paid for like any other value
        spent_.bytes += size.bytes;
        anchors_[anchor] = {value, size, true};
    }
    if (stack_.empty()) {
        root_value_ = std::move(value);
        root_place_ = std::move(place);
        return;
    }
    auto& parent = stack_.back();
    parent.size.nodes += size.nodes;
    parent.size.bytes += size.bytes;
    parent.size.height = std::max(parent.size.height, size.height + 1);
    parent.place.children.push_back(std::move(place));
    if (parent.value.is_array()) {
        parent.value.get_array().push_back(std::move(value));
    } else {
        parent.value.get_object().emplace(parent.key, std::move(value));
        parent.has_key = false;
    }
}

void yaml_builder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (expects_key()) {
        refuse(one_based(mark.line), one_based(mark.column), "empty-key", "this key is empty (YAML null), but a key is a name",
               "write a name, or quote it");
    }
    charge(mark, {});
    auto place = place_at(mark);
    // An empty value has no characters: yaml-cpp gives the place of what follows.
    const bool written = place.offset < source_.size() && (source_[place.offset] == '~' || (source_[place.offset] | 0x20) == 'n');
    if (!written && !stack_.empty() && stack_.back().has_key) place.value = place.key;
    add(nullptr, std::move(place), {}, anchor);
}

void yaml_builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto line = one_based(mark.line), column = one_based(mark.column);
    if (expects_key()) refuse(line, column, "alias-as-key", "an alias stands where a key is expected", "write the key itself");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || !found->second.complete) {
        refuse(line, column, "cyclic-alias", "this alias stands within the value that it names, so the value would contain itself",
               "name a value that is complete before the alias");
    }
    charge(mark, found->second.size);
    add(found->second.value, place_at(mark), found->second.size, 0);
}

void yaml_builder::take_key(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    const auto line = one_based(mark.line), column = one_based(mark.column);
    auto& parent = stack_.back();
    if (text == "<<" && tag == "?") {
        refuse(line, column, "merge-key", "`<<` (merge keys) is YAML 1.1 and not part of the workflow language",
               "repeat the keys, or use `use.functions`, `use.retries`, `use.errors`, `use.timeouts` to share definitions");
    }
    for (const std::string_view blank : {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x8b", "\xef\xbb\xbf"}) {
        const auto at = tag == "?" ? text.find(blank) : std::string::npos;
        if (at == std::string::npos) continue;
        refuse(line, column + at, "bad-blank", "this key holds a character that looks like a space, or like nothing, but is neither (a no-break or zero-width space)",
               "replace it by a plain space, or remove it");
    }
    if (parent.value.get_object().contains(text)) {
        const auto* first = parent.value.get_object().find(text);
        const auto index = static_cast<std::size_t>(first - parent.value.get_object().begin());
        refuse(line, column, "duplicate-key",
               "the key `" + excerpt(text) + "` stands twice in the same map (first in line " +
                   std::to_string(parent.place.children[index].key.line) + "); only one of them could count",
               "remove or rename one of them");
    }
    parent.key = text;
    parent.key_mark = {line, column};
    parent.has_key = true;
}

void yaml_builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& read) {
    auto text = read;
    if (question_marks_hidden_) std::replace(text.begin(), text.end(), hidden_question_mark, '?');
    const weight size{1, text.size(), 0};
    charge(mark, size);
    last_scalar_ = mark;
    if (expects_key()) {
        if (anchor != 0) anchors_[anchor] = {json::value(text), size, true};
        take_key(mark, tag, text);
        return;
    }
    add(typed(mark, tag, text), place_at(mark), size, anchor);
}

void yaml_builder::check_last_quote() const {
    const auto place = place_at(last_scalar_);
    if (!is_unclosed_quote(source_, place.offset)) return;
    refuse(place.value.line, place.value.column, "yaml-syntax", "a quoted text that starts here has no closing quote",
           "close the quote; a `'` within single quotes is written twice");
}

json::value yaml_builder::typed(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
    if (tag == "!") return json::value(text);
    if (tag != "?" && !tag.empty()) return typed_by_tag(mark, tag, text);
    auto scalar = type_plain_scalar(text);
    if (!scalar.problem.empty()) {
        refuse(one_based(mark.line), one_based(mark.column), "bad-number", "`" + excerpt(text) + "` cannot be used: " + std::string(scalar.problem),
               "quote it to keep it as text");
    }
    return std::move(scalar.value);
}

json::value yaml_builder::typed_by_tag(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
    const auto line = one_based(mark.line), column = one_based(mark.column);
    const auto name = tag.starts_with(standard_tags) ? std::string_view(tag).substr(standard_tags.size()) : std::string_view{};
    if (name == "str") return json::value(text);
    auto scalar = type_plain_scalar(text);
    const auto& v = scalar.value;
    const bool fits = (name == "null" && v.is_null()) || (name == "bool" && v.is_bool()) || (name == "int" && (v.is_int64() || v.is_uint64())) ||
                      (name == "float" && v.is_number());
    if (fits && scalar.problem.empty()) return name == "float" ? json::value(v.to_number<double>()) : std::move(scalar.value);
    if (name == "null" || name == "bool" || name == "int" || name == "float") {
        refuse(line, column, "bad-tag", "`" + excerpt(text) + "` is not a value of the tag `" + short_tag(tag) + "`", "remove the tag");
    }
    refuse(line, column, "unknown-tag",
           "the tag `" + excerpt(short_tag(tag)) +
               "` is unknown; a workflow uses only the standard tags !!str, !!int, !!float, !!bool, !!null, !!seq and !!map",
           "remove the tag; the type follows from how the value is written");
}

void yaml_builder::start_container(const YAML::Mark& mark, std::string_view standard_tag, const std::string& tag, YAML::anchor_t anchor,
                                   json::value empty) {
    const auto line = one_based(mark.line), column = one_based(mark.column);
    if (expects_key()) {
        const auto at = place_at(mark).offset;
        const bool is_double = empty.is_object() && at > 0 && at < source_.size() && source_[at] == '{' && source_[at - 1] == '{';
        refuse(line, column, "non-scalar-key",
               std::string("a ") + (empty.is_array() ? "list" : "map") + " stands where a key is expected; keys are plain or quoted text",
               is_double ? "expressions are written '${ .name }', with quotes" : "if you meant text, quote it: braces and brackets start a map or a list in YAML");
    }
    if (!tag.empty() && tag != "?" && tag != "!" && !(tag.starts_with(standard_tags) && tag.substr(standard_tags.size()) == standard_tag)) {
        refuse(line, column, "unknown-tag", "the tag `" + excerpt(short_tag(tag)) + "` does not fit a " + (empty.is_array() ? "list" : "map"),
               "remove the tag");
    }
    charge(mark, {1, 0, 1});
    open_container opened;
    opened.value = std::move(empty);
    opened.place = place_at(mark);
    opened.anchor = anchor;
    if (anchor != 0) anchors_[anchor] = {};
    stack_.push_back(std::move(opened));
}

void yaml_builder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) {
    start_container(mark, "seq", tag, anchor, json::array());
}

void yaml_builder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) {
    start_container(mark, "map", tag, anchor, json::object());
}

void yaml_builder::end_container() {
    auto done = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(done.value), std::move(done.place), done.size, done.anchor);
}

}  // namespace pawl::flow
