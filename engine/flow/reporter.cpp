#include "flow/reporter.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

constexpr std::size_t most_candidates = 1000;

/// How much of a value to underline: the text of a scalar, one character of anything else.
std::size_t width_of(const json::value& value) {
    if (const auto* text = value.if_string()) return std::max<std::size_t>(1, std::min(text->size(), text->find('\n')));
    if (value.is_object() || value.is_array()) return 1;
    return to_text(value).size();
}

}  // namespace

void reporter::add(severity level, std::string code, source_mark mark, std::size_t length, std::string pointer, std::string message, std::string hint) {
    if (level == severity::error) ++errors_;
    if (!seen_.emplace(mark.line, mark.column, code + message).second) return;
    if (all_.size() >= most_diagnostics) {
        ++left_out_;
        return;
    }
    all_.push_back({level, std::move(code), file_, mark, length, std::move(pointer), std::move(message), std::move(hint)});
}

void reporter::key_error(std::string code, const node& where, std::string message, std::string hint) {
    add(severity::error, std::move(code), document_->key_mark_of(where.pointer), std::max<std::size_t>(1, where.name().size()), where.pointer, std::move(message), std::move(hint));
}

void reporter::key_warning(std::string code, const node& where, std::string message, std::string hint) {
    add(severity::warning, std::move(code), document_->key_mark_of(where.pointer), std::max<std::size_t>(1, where.name().size()), where.pointer, std::move(message), std::move(hint));
}

void reporter::error(std::string code, const node& where, std::string message, std::string hint) {
    add(severity::error, std::move(code), document_->mark_of(where.pointer), where ? width_of(*where.value) : 1, where.pointer, std::move(message), std::move(hint));
}

void reporter::warning(std::string code, const node& where, std::string message, std::string hint) {
    add(severity::warning, std::move(code), document_->mark_of(where.pointer), where ? width_of(*where.value) : 1, where.pointer, std::move(message), std::move(hint));
}

void reporter::at(severity level, std::string code, const std::string& pointer, std::size_t offset, std::size_t length, std::string message, std::string hint) {
    add(level, std::move(code), document_->mark_of(pointer, offset), std::max<std::size_t>(1, length), pointer, std::move(message), std::move(hint));
}

std::string reporter::did_you_mean(std::string_view word, std::span<const std::string> candidates) const {
    if (all_.size() >= most_diagnostics) return {};
    const auto found = closest(word.substr(0, 100), candidates.first(std::min(candidates.size(), most_candidates)));
    return found ? "did you mean " + quoted(*found) + "?" : std::string{};
}

std::vector<diagnostic> reporter::take() {
    std::stable_sort(all_.begin(), all_.end(), [](const diagnostic& a, const diagnostic& b) {
        return std::pair(a.mark.line, a.mark.column) < std::pair(b.mark.line, b.mark.column);
    });
    if (left_out_ > 0) {
        diagnostic note;
        note.level = severity::note;
        note.code = "more-problems";
        note.file = file_;
        note.message = std::to_string(left_out_) + " more problems are not shown";
        note.hint = "fix these first; many may have one cause";
        all_.push_back(std::move(note));
    }
    return std::move(all_);
}

}  // namespace pawl::flow
