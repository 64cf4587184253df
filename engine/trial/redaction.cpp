#include "trial/redaction.hpp"

#include "base/digest.hpp"
#include "expr/program.hpp"

#include <algorithm>
#include <array>

namespace pawl::trial {
namespace {

constexpr std::string_view token_begin = "[redacted";
constexpr std::size_t shortest_within = 4;  ///< shorter values are replaced only where they stand alone
constexpr std::size_t most_values = 100'000;

const std::vector<std::string> pattern_name{"pattern"};

std::string token_of(const std::string& text) { return std::string(token_begin) + "-" + sha256_hex("pawl redaction\n" + text).substr(0, 8) + "]"; }

std::int64_t number_of(const std::string& text) { return static_cast<std::int64_t>(std::stoul(sha256_hex("pawl redaction\n" + text).substr(0, 7), nullptr, 16)) + 100'000'000; }

/// Of its type, so that what reads it still can: a text, a number; within a member with a secret name everything.
void hide_secret_members(json::value& value, bool is_secret = false) {
    if (auto* list = value.if_array()) {
        for (auto& each : *list) hide_secret_members(each, is_secret);
    } else if (auto* object = value.if_object()) {
        for (auto& [name, member] : *object) hide_secret_members(member, is_secret || observe::is_secret_name(name));
    } else if (is_secret && value.is_string()) {
        value = observe::redacted_text;
    } else if (is_secret && value.is_number()) {
        value = 0;
    }
}

}  // namespace

redaction::redaction(agent::redact_settings rules, std::vector<std::string> secrets) : rules_(std::move(rules)) {
    for (auto& each : secrets) secrets_.add(std::move(each));
}

std::size_t redaction::count() const {
    const std::lock_guard hold(lock_);
    return texts_.size() + numbers_.size();
}

bool redaction::is_replaced(const json::value& scalar) const {
    if (const auto* text = scalar.if_string()) return std::string_view(*text).find(token_begin) != std::string_view::npos;
    const std::lock_guard hold(lock_);
    return scalar.is_int64() && std::any_of(numbers_.begin(), numbers_.end(), [&](const auto& known) { return known.second == scalar.get_int64(); });
}

json::value redaction::apply(json::value value) {
    const std::lock_guard hold(lock_);
    hide_secret_members(value);
    learn(value);
    replace(value);
    return value;
}

void redaction::learn(const json::value& value) {
    if (!rules_.names.empty()) learn_members(value, false);
    for (const auto& pointer : rules_.pointers) learn_at(value, pointer);
    if (!rules_.patterns.empty()) learn_patterns(value);
}

void redaction::learn_members(const json::value& value, bool named) {
    if (const auto* list = value.if_array()) {
        for (const auto& each : *list) learn_members(each, named);
    } else if (const auto* object = value.if_object()) {
        for (const auto& [name, member] : *object) {
            learn_members(member, named || std::find(rules_.names.begin(), rules_.names.end(), std::string_view(name)) != rules_.names.end());
        }
    } else if (named) {
        add(value);
    }
}

/// `*` in a pointer stands for every member or item.
void redaction::learn_at(const json::value& value, std::string_view pointer) {
    if (pointer.empty()) return learn_members(value, true);
    pointer.remove_prefix(1);
    const auto end = pointer.find('/');
    const auto token = pointer.substr(0, end);
    const auto rest = end == std::string_view::npos ? std::string_view() : pointer.substr(end);
    if (const auto* list = value.if_array()) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (token == "*" || token == std::to_string(i)) learn_at((*list)[i], rest);
        }
    } else if (const auto* object = value.if_object()) {
        for (const auto& [name, member] : *object) {
            if (token == "*" || token == pointer_token(name)) learn_at(member, rest);
        }
    }
}

void redaction::learn_patterns(const json::value& value) {
    static const auto code = expr::program::compile("[.. | strings | match($pattern; \"g\").string]", pattern_name);
    for (const auto& pattern : rules_.patterns) {
        const json::value wanted(pattern);
        const std::array<const json::value*, 1> with{&wanted};
        const auto found = code->evaluate_one(value, with);
        if (found.has_error()) continue;
        for (const auto& each : found->get_array()) add(each);
    }
}

void redaction::add(const json::value& scalar) {
    if (texts_.size() + numbers_.size() >= most_values) return;
    if (const auto* text = scalar.if_string()) {
        if (!text->empty() && std::string_view(*text).find(token_begin) == std::string_view::npos) texts_.emplace(*text, token_of(std::string(*text)));
    } else if (scalar.is_number()) {
        const auto number = to_canonical_text(scalar);
        // What this made is left as it is: redacting twice changes nothing.
        const auto made = std::any_of(numbers_.begin(), numbers_.end(), [&](const auto& known) { return std::to_string(known.second) == number; });
        if (!made) numbers_.emplace(number, number_of(number));
    }
}

void redaction::replace(json::value& value) const {
    if (auto* list = value.if_array()) {
        for (auto& each : *list) replace(each);
    } else if (auto* object = value.if_object()) {
        for (auto& member : *object) replace(member.value());
    } else if (value.is_number() && !numbers_.empty()) {
        if (const auto known = numbers_.find(to_canonical_text(value)); known != numbers_.end()) value = known->second;
    } else if (auto* text = value.if_string()) {
        auto out = secrets_.redact(*text);
        if (const auto whole = texts_.find(out); whole != texts_.end()) {
            *text = whole->second;
            return;
        }
        for (const auto& [known, token] : texts_) {
            if (known.size() < shortest_within) continue;
            for (auto at = out.find(known); at != std::string::npos; at = out.find(known, at + token.size())) out.replace(at, known.size(), token);
        }
        *text = out;
    }
}

}  // namespace pawl::trial
