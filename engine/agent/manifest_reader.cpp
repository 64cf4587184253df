#include "agent/manifest_reader.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace pawl::agent {
namespace {

std::string listed(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "`" : ", `") + word + "`";
    return out;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
    if (const auto near = closest(word, known)) return "did you mean `" + *near + "`?";
    return "known here: " + listed(known);
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

std::string with_article(std::string_view type) { return (type == "array" || type == "object" ? "an " : "a ") + std::string(type); }

}  // namespace

void manifest_reader::report(severity level, source_mark mark, std::string_view pointer, std::string code, std::string message, std::string hint) {
    diagnostics.push_back({level, std::move(code), options_.file, mark, 1, std::string(pointer), std::move(message), std::move(hint)});
}

void manifest_reader::error(std::string_view pointer, std::string code, std::string message, std::string hint, std::size_t offset) {
    report(severity::error, document_.mark_of(pointer, offset), pointer, std::move(code), std::move(message), std::move(hint));
}

void manifest_reader::error_at_key(std::string_view pointer, std::string code, std::string message, std::string hint) {
    report(severity::error, document_.key_mark_of(pointer), pointer, std::move(code), std::move(message), std::move(hint));
}

void manifest_reader::warning_at_key(std::string_view pointer, std::string code, std::string message, std::string hint) {
    report(severity::warning, document_.key_mark_of(pointer), pointer, std::move(code), std::move(message), std::move(hint));
}

const json::object* manifest_reader::map(const json::value& value, const std::string& pointer, std::string_view what) {
    if (const auto* found = value.if_object()) return found;
    error(pointer, "wrong-type", std::string(what) + " must be an object, but is " + with_article(type_name(value)));
    return nullptr;
}

const json::object* manifest_reader::object(const json::value& value, const std::string& pointer, std::string_view what,
                                            std::initializer_list<std::string_view> known) {
    const auto* found = map(value, pointer, what);
    if (found == nullptr) return nullptr;
    const std::vector<std::string> names(known.begin(), known.end());
    for (const auto& [key, member] : *found) {
        if (std::find(names.begin(), names.end(), std::string_view(key)) != names.end()) continue;
        error_at_key(child(pointer, key), "unknown-key", "unknown key `" + std::string(key) + "` in " + std::string(what), suggestion(key, names));
    }
    return found;
}

const json::array* manifest_reader::list(const json::value& value, const std::string& pointer, std::string_view what) {
    if (const auto* found = value.if_array()) return found;
    error(pointer, "wrong-type", std::string(what) + " must be a list, but is " + with_article(type_name(value)));
    return nullptr;
}

std::string manifest_reader::text(const json::object& of, const std::string& pointer, std::string_view key, bool required) {
    const auto* found = of.if_contains(key);
    if (found == nullptr) {
        if (required) error(pointer, "missing-key", "`" + std::string(key) + "` is missing");
        return {};
    }
    if (const auto* string = found->if_string(); string != nullptr && !string->empty()) return std::string(*string);
    error(child(pointer, key), "wrong-type",
          "`" + std::string(key) + "` must be a string that is not empty, but is " + (found->is_string() ? "empty" : with_article(type_name(*found))));
    return {};
}

std::string manifest_reader::expand(std::string value, std::string_view pointer) {
    std::string out;
    std::size_t from = 0;
    for (auto at = value.find("${"); at != std::string::npos; at = value.find("${", from)) {
        const auto end = value.find('}', at);
        const auto inside = end == std::string::npos ? std::string() : value.substr(at + 2, end - at - 2);
        const auto colon = inside.find(":-");
        const auto name = inside.substr(0, colon);
        if (!is_variable_name(name)) {
            error(pointer, "bad-variable", "`${` must be followed by the name of an environment variable and `}`", "write ${NAME}, or ${NAME:-value} with a fallback", at);
            return {};
        }
        auto known = options_.variable ? options_.variable(name) : std::nullopt;
        if (!known && colon != std::string::npos) known = inside.substr(colon + 2);
        if (!known) {
            error(pointer, "unset-variable", "the environment variable " + name + " is not set", "set it, or give a fallback: ${" + name + ":-value}", at);
            return {};
        }
        out += value.substr(from, at - from) + *known;
        from = end + 1;
    }
    return out + value.substr(from);
}

std::string manifest_reader::expanded(const json::object& of, const std::string& pointer, std::string_view key) {
    return expand(text(of, pointer, key), child(pointer, key));
}

std::string manifest_reader::absolute(std::string_view relative) const {
    return (std::filesystem::path(options_.folder) / std::filesystem::path(relative)).lexically_normal().string();
}

std::string manifest_reader::path(const json::object& of, const std::string& pointer, std::string_view key) {
    const auto written = expanded(of, pointer, key);
    return written.empty() ? written : absolute(written);
}

int manifest_reader::version(const json::object& of, const std::string& pointer, std::string_view key, int fallback) {
    const auto* found = of.if_contains(key);
    if (found == nullptr) return fallback;
    if (const auto* number = found->if_int64(); number != nullptr && *number >= 1 && *number <= 1'000'000) return static_cast<int>(*number);
    error(child(pointer, key), "wrong-type", "`" + std::string(key) + "` must be a whole number from 1 to 1000000");
    return fallback;
}

std::string manifest_reader::one_of(const json::object& of, const std::string& pointer, std::string_view key, std::initializer_list<std::string_view> words) {
    if (!of.contains(key)) return std::string(*words.begin());
    const auto written = text(of, pointer, key);
    const std::vector<std::string> known(words.begin(), words.end());
    if (written.empty() || std::find(known.begin(), known.end(), written) != known.end()) return written.empty() ? known.front() : written;
    error(child(pointer, key), "unknown-value", "`" + std::string(key) + "` must be one of " + listed(known) + ", but is `" + written + "`", suggestion(written, known));
    return known.front();
}

}  // namespace pawl::agent
