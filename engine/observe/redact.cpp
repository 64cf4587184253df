#include "observe/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace pawl::observe {
namespace {

constexpr std::array<std::string_view, 10> secret_words{"authorization", "password", "passwd", "secret",     "token",
                                                        "apikey",        "cookie",   "credential", "privatekey", "accesskey"};
// Counts and names, not secrets, though they contain one of the words.
constexpr std::array<std::string_view, 6> harmless_names{"tokens", "maxtokens", "prompttokens", "completiontokens", "totaltokens", "cachedtokens"};

}  // namespace

bool is_secret_name(std::string_view name) {
    std::string plain;
    for (const char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    if (std::find(harmless_names.begin(), harmless_names.end(), plain) != harmless_names.end()) return false;
    return std::any_of(secret_words.begin(), secret_words.end(), [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

void redact_members(json::value& value) {
    if (auto* object = value.if_object()) {
        for (auto& [name, member] : *object) {
            if (is_secret_name(name)) {
                member = redacted_text;
            } else {
                redact_members(member);
            }
        }
    } else if (auto* array = value.if_array()) {
        for (auto& item : *array) redact_members(item);
    }
}

void secret_values::add(std::string value) {
    if (value.size() < 4) return;
    // Within JSON text a value with quotes, backslashes or control characters stands as an escaped one.
    if (auto escaped = to_text(json::value(value)); escaped.size() != value.size() + 2) insert(escaped.substr(1, escaped.size() - 2));
    insert(std::move(value));
}

void secret_values::insert(std::string value) {
    const std::lock_guard hold(lock_);
    const auto place = std::find_if(values_.begin(), values_.end(), [&](const std::string& v) { return v.size() <= value.size(); });
    if (place != values_.end() && *place == value) return;
    values_.insert(place, std::move(value));
}

std::string secret_values::redact(std::string_view text) const {
    std::string out(text);
    const std::lock_guard hold(lock_);
    for (const auto& secret : values_) {
        for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + redacted_text.size())) {
            out.replace(at, secret.size(), redacted_text);
        }
    }
    return out;
}

}  // namespace pawl::observe
