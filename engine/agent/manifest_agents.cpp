// The `agents` section: state schemas, initial states and migrations are compiled here, so that `pawl check` finds what is wrong with them.
#include "agent/files.hpp"
#include "agent/manifest_sections.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

namespace pawl::agent {
namespace {

bool is_agent_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

std::optional<json::value> schema_from_file(manifest_reader& in, const std::string& path, const std::string& pointer) {
    const auto text = read_text_file(path);
    if (text.has_error()) {
        in.error(pointer, "unreadable-file", text.error().detail);
        return std::nullopt;
    }
    if (path.ends_with(".json")) {
        auto parsed = parse_json(*text);
        if (parsed.has_value()) return std::move(*parsed);
        in.error(pointer, "bad-schema", path + ": " + parsed.error().detail);
        return std::nullopt;
    }
    auto parsed = flow::read_yaml(*text, path);
    if (parsed.has_value()) return std::move(parsed->value);
    in.diagnostics.push_back(parsed.error());
    return std::nullopt;
}

void read_migrations(manifest_reader& in, const json::value& value, const std::string& pointer, agent_settings& out) {
    const auto* all = in.list(value, pointer, "`migrations`");
    if (all == nullptr) return;
    std::set<int> begun;
    for (std::size_t i = 0; i < all->size(); ++i) {
        const auto here = child(pointer, std::to_string(i));
        const auto* entry = in.object((*all)[i], here, "a migration", {"from", "to", "as"});
        if (entry == nullptr) continue;
        const auto from = in.version(*entry, here, "from", 0);
        const auto to = in.version(*entry, here, "to", from + 1);
        if (from == 0) in.error(here, "missing-key", "a migration needs `from`: the state version it begins with");
        if (to <= from || to > out.state_version) {
            in.error(here, "bad-migration", "a migration must lead from a lower to a higher version, at most `version` (" + std::to_string(out.state_version) + ")");
        }
        if (!begun.insert(from).second) in.error(here, "bad-migration", "two migrations begin with version " + std::to_string(from));
        const auto program_text = in.text(*entry, here, "as", true);
        if (program_text.empty()) continue;
        auto program = expr::program::compile(program_text);
        if (program.has_error()) {
            const auto& why = program.error();
            in.error(child(here, "as"), "bad-expression", why.message, why.hint, why.offset);
            continue;
        }
        out.migrations.push_back({from, to, std::move(*program)});
    }
    std::sort(out.migrations.begin(), out.migrations.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
}

void read_initial(manifest_reader& in, const json::object& state, const std::string& pointer, agent_settings& out) {
    if (const auto* initial = state.if_contains("initial")) out.initial = *initial;
    if (!out.state_validator) return;
    const auto violations = out.state_validator->validate(out.initial);
    if (violations.empty()) return;
    const auto given = state.contains("initial");
    const auto why = schema::to_problem(violations, given ? "the initial state" : "the initial state {}").detail;
    in.error(given ? child(pointer, "initial") : pointer, "bad-initial-state", why, given ? "" : "state it with `initial`");
}

void read_state(manifest_reader& in, const json::value& value, const std::string& pointer, agent_settings& out) {
    const auto* state = in.object(value, pointer, "`state`", {"schema", "file", "version", "initial", "migrations"});
    if (state == nullptr) return;
    out.state_version = in.version(*state, pointer, "version", 1);
    auto schema_pointer = child(pointer, "schema");
    schema::compile_options options;
    if (const auto* inline_schema = state->if_contains("schema")) {
        out.state_schema = *inline_schema;
        if (state->contains("file")) in.error_at_key(child(pointer, "file"), "two-schemas", "the state has both `schema` and `file`; keep one");
    } else if (state->contains("file")) {
        schema_pointer = child(pointer, "file");
        const auto path = in.path(*state, pointer, "file");
        if (!path.empty()) out.state_schema = schema_from_file(in, path, schema_pointer);
    }
    if (out.state_schema) {
        auto compiled = schema::validator::compile(*out.state_schema, options);
        if (compiled.has_error()) {
            in.error(schema_pointer, "bad-schema", compiled.error().detail);
        } else {
            out.state_validator = std::move(*compiled);
        }
    }
    if (const auto* migrations = state->if_contains("migrations")) read_migrations(in, *migrations, child(pointer, "migrations"), out);
    read_initial(in, *state, pointer, out);
}

}  // namespace

void read_agents(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* all = in.map(value, pointer, "`agents`");
    if (all == nullptr) return;
    for (const auto& [name, settings] : *all) {
        const auto here = child(pointer, name);
        if (!is_agent_name(name)) {
            in.error_at_key(here, "bad-name", "`" + std::string(name) + "` cannot name an agent", "use up to 64 letters, digits, dashes and underscores, a letter first");
        }
        const auto* entry = in.object(settings, here, "agent `" + std::string(name) + "`", {"key", "state", "on"});
        if (entry == nullptr) continue;
        agent_settings agent;
        agent.name = name;
        agent.key = in.text(*entry, here, "key");
        if (const auto* state = entry->if_contains("state")) read_state(in, *state, child(here, "state"), agent);
        if (const auto* on = entry->if_contains("on")) {
            const auto on_pointer = child(here, "on");
            if (const auto* flows = in.object(*on, on_pointer, "`on`", {"message"})) {
                const auto path = in.path(*flows, on_pointer, "message");
                std::error_code ec;
                if (!path.empty() && !std::filesystem::is_regular_file(path, ec)) {
                    in.error(child(on_pointer, "message"), "unreadable-file", "there is no flow " + path);
                }
                agent.on.emplace("message", path);
            }
        }
        out.agents.emplace(name, std::move(agent));
    }
}

}  // namespace pawl::agent
