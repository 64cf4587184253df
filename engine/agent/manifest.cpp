#include "agent/manifest.hpp"

#include "agent/manifest_reader.hpp"
#include "agent/manifest_sections.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <tuple>

namespace pawl::agent {
namespace {

bool is_environment_name(std::string_view name) {
    return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-'; });
}

/// A key of the chosen environment: where it stands, and what it holds.
struct found_key {
    const json::value* value = nullptr;
    std::string owner;  ///< pointer of the object that holds it
    std::string pointer;
};

class manifest_loader {
public:
    explicit manifest_loader(manifest_reader& reader) : reader_(reader) {}

    manifest load(const json::value& root) {
        manifest out = manifest_without_file(reader_.options().folder, reader_.options().environment);
        out.file = reader_.options().file;
        top_ = reader_.object(root, "", "the manifest", {"name", "version", "store", "agents", "tools", "models", "secrets", "events", "retention", "egress", "limits", "redact", "env"});
        if (top_ == nullptr) return out;
        choose_environment();
        if (const auto name = inherited("name"); name.value != nullptr) out.name = text_of(name, "name");
        if (const auto version = inherited("version"); version.value != nullptr) out.version = text_of(version, "version");
        if (const auto store = stated("store"); store.value != nullptr) read_store(reader_, *store.value, store.pointer, out);
        if (const auto agents = inherited("agents"); agents.value != nullptr) read_agents(reader_, *agents.value, agents.pointer, out);
        if (const auto tools = inherited("tools"); tools.value != nullptr) read_tools(reader_, *tools.value, tools.pointer, out);
        if (const auto redact = inherited("redact"); redact.value != nullptr) read_redact(reader_, *redact.value, redact.pointer, out);
        if (const auto models = stated("models"); models.value != nullptr) read_models(reader_, *models.value, models.pointer, out);
        if (const auto secrets = stated("secrets"); secrets.value != nullptr) read_secrets(reader_, *secrets.value, secrets.pointer, out);
        if (const auto events = stated("events"); events.value != nullptr) read_events(reader_, *events.value, events.pointer, out);
        if (const auto retention = stated("retention"); retention.value != nullptr) read_retention(reader_, *retention.value, retention.pointer, out);
        if (const auto egress = stated("egress"); egress.value != nullptr) read_egress(reader_, *egress.value, egress.pointer, out);
        if (const auto limits = stated("limits"); limits.value != nullptr) read_limits(reader_, *limits.value, limits.pointer, out);
        return out;
    }

private:
    void choose_environment() {
        const auto& wanted = reader_.options().environment;
        std::vector<std::string> names;
        if (const auto* all = top_->if_contains("env")) {
            if (const auto* named = reader_.map(*all, "/env", "`env`")) {
                for (const auto& [name, value] : *named) {
                    const auto pointer = child("/env", name);
                    const auto* keys = reader_.object(value, pointer, "environment `" + std::string(name) + "`",
                                                      {"name", "version", "store", "agents", "tools", "models", "secrets", "events", "retention", "egress", "limits", "redact"});
                    if (!is_environment_name(name) || name == default_environment) {
                        reader_.error_at_key(pointer, "bad-name", "`" + std::string(name) + "` cannot name an environment",
                                             "use up to 40 small letters, digits and dashes; `default` is the top level itself");
                    }
                    names.emplace_back(name);
                    if (name == wanted) environment_ = keys;
                }
            }
        }
        if (wanted == default_environment || environment_ != nullptr) return;
        if (std::find(names.begin(), names.end(), wanted) != names.end()) return;  // reported above
        std::string known = names.empty() ? "the manifest names no environments" : "known:";
        for (const auto& name : names) known += " " + name;
        reader_.error("", "unknown-environment", "there is no environment `" + wanted + "` in this manifest", known);
    }

    std::string environment_pointer() const { return child("/env", reader_.options().environment); }

    found_key inherited(std::string_view key) const {
        if (environment_ != nullptr) {
            if (const auto* value = environment_->if_contains(key)) return {value, environment_pointer(), child(environment_pointer(), key)};
        }
        return {top_->if_contains(key), "", child("", key)};
    }

    found_key stated(std::string_view key) {
        if (reader_.options().environment == default_environment) return {top_->if_contains(key), "", child("", key)};
        if (environment_ == nullptr) return {};
        const auto* value = environment_->if_contains(key);
        if (value == nullptr && top_->contains(key)) {
            reader_.warning_at_key(environment_pointer(), "not-inherited",
                                   "`" + std::string(key) + "` stands at the top level only; environment `" + reader_.options().environment + "` does not inherit it",
                                   "environments share nothing: state `" + std::string(key) + "` under `env." + reader_.options().environment + "` as well");
        }
        return {value, environment_pointer(), child(environment_pointer(), key)};
    }

    std::string text_of(const found_key& found, std::string_view key) {
        const auto* owner = found.owner.empty() ? top_ : environment_;
        return reader_.text(*owner, found.owner, key);
    }

    manifest_reader& reader_;
    const json::object* top_ = nullptr;
    const json::object* environment_ = nullptr;
};

}  // namespace

manifest_result read_manifest(std::string_view text, const manifest_options& options) {
    auto document = flow::read_yaml(text, options.file);
    if (document.has_error()) return {std::nullopt, {document.error()}};
    manifest_reader reader(*document, options);
    auto loaded = manifest_loader(reader).load(document->value);
    std::sort(reader.diagnostics.begin(), reader.diagnostics.end(),
              [](const diagnostic& a, const diagnostic& b) { return std::tie(a.mark.line, a.mark.column, a.message) < std::tie(b.mark.line, b.mark.column, b.message); });
    if (has_errors(reader.diagnostics)) return {std::nullopt, std::move(reader.diagnostics)};
    return {std::move(loaded), std::move(reader.diagnostics)};
}

manifest manifest_without_file(std::string folder, std::string environment) {
    manifest out;
    out.folder = std::move(folder);
    out.environment = std::move(environment);
    out.store_url = default_store_url(out.folder, out.environment);
    return out;
}

std::string default_store_url(std::string_view folder, std::string_view environment) {
    return "sqlite:" + (std::filesystem::path(folder) / ".pawl" / (std::string(environment) + ".sqlite")).lexically_normal().string();
}

bool holds_password(std::string_view url) {
    if (url.find("password=") != std::string_view::npos || url.find("password%3") != std::string_view::npos) return true;
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return false;
    const auto authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    const auto at = authority.rfind('@');
    return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

}  // namespace pawl::agent
