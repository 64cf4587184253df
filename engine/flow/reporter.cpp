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

void reporter::add(severity level, std::string code, source_mark mark, std::size_t length, std::string pointer, std::string message,
                   std::string hint) {
    if (level == severity::error) ++errors_;
    if (!seen_.emplace(mark.line, mark.column, code + message).second) return;
    if (all_.size() >= most_diagnostics) {
        ++left_out_;
        return;
    }
    all_.push_back({level, std::move(code), file_, mark, length, std::move(pointer), std::move(message), std::move(hint)});
}

void reporter::graft(std::string prefix, std::shared_ptr<const yaml_document> document, std::string file, std::string used_at) {
    std::string inner;
    // Within another file already: the place that the author of the workflow wrote counts.
    if (const auto* outer = graft_of(used_at, inner)) used_at = outer->used_at;
    grafts_.emplace(std::move(prefix), grafted{std::move(document), std::move(file), std::move(used_at)});
}

const reporter::grafted* reporter::graft_of(const std::string& pointer, std::string& inner) const {
    if (grafts_.empty() || !pointer.starts_with("/use/functions/")) return nullptr;
    const auto end = std::min(pointer.find('/', 15), pointer.size());
    const auto found = grafts_.find(pointer.substr(0, end));
    if (found == grafts_.end()) return nullptr;
    inner = pointer.substr(end);
    return &found->second;
}

void reporter::add_at(severity level, std::string code, const std::string& pointer, bool at_key, std::size_t offset, std::size_t length, std::string message,
                      std::string hint) {
    std::string inner;
    const auto* other = graft_of(pointer, inner);
    if (other == nullptr) {
        const auto mark = at_key ? document_->key_mark_of(pointer) : document_->mark_of(pointer, offset);
        return add(level, std::move(code), mark, length, pointer, std::move(message), std::move(hint));
    }
    const auto mark = at_key ? other->document->key_mark_of(inner) : other->document->mark_of(inner, offset);
    const auto place = other->file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": ";
    add(level, std::move(code), document_->mark_of(other->used_at), 1, other->used_at, place + message, std::move(hint));
}

void reporter::key_error(std::string code, const node& where, std::string message, std::string hint) {
    add_at(severity::error, std::move(code), where.pointer, true, 0, std::max<std::size_t>(1, where.name().size()), std::move(message), std::move(hint));
}

void reporter::key_warning(std::string code, const node& where, std::string message, std::string hint) {
    add_at(severity::warning, std::move(code), where.pointer, true, 0, std::max<std::size_t>(1, where.name().size()), std::move(message), std::move(hint));
}

void reporter::error(std::string code, const node& where, std::string message, std::string hint) {
    add_at(severity::error, std::move(code), where.pointer, false, 0, where ? width_of(*where.value) : 1, std::move(message), std::move(hint));
}

void reporter::warning(std::string code, const node& where, std::string message, std::string hint) {
    add_at(severity::warning, std::move(code), where.pointer, false, 0, where ? width_of(*where.value) : 1, std::move(message), std::move(hint));
}

void reporter::at(severity level, std::string code, const std::string& pointer, std::size_t offset, std::size_t length, std::string message,
                  std::string hint) {
    add_at(level, std::move(code), pointer, false, offset, std::max<std::size_t>(1, length), std::move(message), std::move(hint));
}

std::string reporter::did_you_mean(std::string_view word, std::span<const std::string> candidates) const {
    if (all_.size() >= most_diagnostics) return {};
    const auto found = closest(word.substr(0, 100), candidates.first(std::min(candidates.size(), most_candidates)));
    return found ? "did you mean " + quoted(*found) + "?" : std::string{};
}

std::vector<diagnostic> reporter::take() {
    std::vector<std::tuple<std::size_t, std::size_t, std::size_t>> order;  // line, column, place in all_
    for (std::size_t i = 0; i < all_.size(); ++i) order.emplace_back(all_[i].mark.line, all_[i].mark.column, i);
    std::sort(order.begin(), order.end());
    std::vector<diagnostic> out;
    for (const auto& each : order) out.push_back(std::move(all_[std::get<2>(each)]));
    if (left_out_ > 0) {
        diagnostic note;
        note.level = severity::note;
        note.code = "more-problems";
        note.file = file_;
        note.message = std::to_string(left_out_) + " more problems are not shown";
        note.hint = "fix these first; many may have one cause";
        out.push_back(std::move(note));
    }
    return out;
}

}  // namespace pawl::flow
