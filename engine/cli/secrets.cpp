#include "cli/secrets.hpp"

#include "agent/files.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

namespace pawl::cli {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_name(std::string_view text) {
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

}  // namespace

result<std::map<std::string, std::string, std::less<>>> parse_secrets_file(std::string_view text, const std::string& file) {
    std::map<std::string, std::string, std::less<>> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        auto line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#') continue;
        if (line.starts_with("export ")) line = trimmed(line.substr(7));
        const auto equals = line.find('=');
        const auto name = trimmed(line.substr(0, equals));
        if (equals == std::string_view::npos || !is_name(name)) {
            // The line itself may hold a secret, so it is not shown.
            return make_problem(problem_type::configuration, file + ":" + std::to_string(number) + ": expected NAME=value");
        }
        auto value = trimmed(line.substr(equals + 1));
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) value = value.substr(1, value.size() - 2);
        out.insert_or_assign(std::string(name), std::string(value));
    }
    return out;
}

result<secret_source> secret_source::load(const agent::manifest& manifest) {
    secret_source out;
    out.names_ = manifest.secrets;
    const auto folder = std::filesystem::path(manifest.folder) / ".pawl";
    const auto file = folder / (manifest.environment == agent::default_environment ? "secrets.env" : "secrets." + manifest.environment + ".env");
    std::error_code ec;
    if (!std::filesystem::exists(file, ec)) return out;
    const auto text = agent::read_text_file(file.string(), 1024 * 1024);
    if (text.has_error()) return text.error();
    auto parsed = parse_secrets_file(*text, file.string());
    if (parsed.has_error()) return parsed.error();
    out.file_ = std::move(*parsed);
    return out;
}

std::optional<std::string> secret_source::any(std::string_view name) const {
    if (const auto* value = std::getenv(std::string(name).c_str()); value != nullptr && *value != '\0') return value;
    const auto at = file_.find(name);
    return at == file_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::string> secret_source::declared(std::string_view name) const {
    return std::find(names_.begin(), names_.end(), name) == names_.end() ? std::nullopt : any(name);
}

std::vector<std::string> secret_source::values() const {
    std::vector<std::string> out;
    for (const auto& name : names_) {
        if (auto value = any(name)) out.push_back(std::move(*value));
    }
    for (const auto& [name, value] : file_) out.push_back(value);
    return out;
}

}  // namespace pawl::cli
