#include "flow/semantic_version.hpp"

#include <charconv>
#include <tuple>

namespace pawl::flow {
namespace {

bool take_number(std::string_view& text, std::uint64_t& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || length == 0 || (length > 1 && text.front() == '0')) return false;
    text.remove_prefix(length);
    return true;
}

bool take(std::string_view& text, char ch) {
    if (text.empty() || text.front() != ch) return false;
    text.remove_prefix(1);
    return true;
}

/// Dot-separated identifiers of letters, digits and `-`.
bool are_identifiers(std::string_view text) {
    bool empty = true;
    for (const char ch : text) {
        if (ch == '.') {
            if (empty) return false;
            empty = true;
            continue;
        }
        const bool fine = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-';
        if (!fine) return false;
        empty = false;
    }
    return !empty;
}

}  // namespace

std::strong_ordering semantic_version::operator<=>(const semantic_version& other) const {
    if (const auto order = std::tie(major, minor, patch) <=> std::tie(other.major, other.minor, other.patch); order != 0) return order;
    if (prerelease.empty() != other.prerelease.empty()) return prerelease.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
    return prerelease <=> other.prerelease;
}

std::optional<semantic_version> parse_semantic_version(std::string_view text) {
    semantic_version v;
    if (!take_number(text, v.major) || !take(text, '.') || !take_number(text, v.minor) || !take(text, '.') || !take_number(text, v.patch))
        return std::nullopt;
    if (const auto plus = text.find('+'); plus != std::string_view::npos) {
        if (!are_identifiers(text.substr(plus + 1))) return std::nullopt;
        text = text.substr(0, plus);
    }
    if (text.empty()) return v;
    if (!take(text, '-') || !are_identifiers(text)) return std::nullopt;
    v.prerelease = text;
    return v;
}

std::string repaired_semantic_version(std::string_view text) {
    if (text.size() > 30) return {};
    if (take(text, 'v') && parse_semantic_version(text)) return std::string(text);
    for (const auto* rest : {".0", ".0.0"}) {
        if (const auto longer = std::string(text) + rest; parse_semantic_version(longer)) return longer;
    }
    return {};
}

bool satisfies(std::string_view version, std::string_view asked) {
    if (version == asked) return true;
    return parse_semantic_version(version) && version.size() > asked.size() && version.starts_with(asked) && version[asked.size()] == '.';
}

}  // namespace pawl::flow
