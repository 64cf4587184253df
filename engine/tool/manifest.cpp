#include "tool/manifest.hpp"

#include <algorithm>
#include <set>

namespace pawl::tool {
namespace {

constexpr std::size_t max_tools = 1000;
constexpr std::size_t max_secrets = 100;

problem bad(std::string detail) { return make_problem(problem_type::configuration, "its manifest is wrong: " + std::move(detail)); }

bool is_name(std::string_view text) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
    return !text.empty() && text.size() <= 63 && text[0] >= 'a' && text[0] <= 'z' && std::all_of(text.begin(), text.end(), allowed);
}

/// MAJOR.MINOR.PATCH of semantic versioning, with whatever follows '-' or '+'.
bool is_version(std::string_view text) {
    const auto core = text.substr(0, text.find_first_of("-+"));
    unsigned dots = 0;
    bool digit_before = false;
    for (const char c : core) {
        if (c == '.' && digit_before) {
            ++dots;
            digit_before = false;
        } else if (c >= '0' && c <= '9') {
            digit_before = true;
        } else {
            return false;
        }
    }
    return dots == 2 && digit_before && text.size() <= 100;
}

result<std::string> string_member(const json::object& from, std::string_view name, std::string_view where, bool needed) {
    const auto* found = from.if_contains(name);
    if (found == nullptr && !needed) return result<std::string>(boost::system::in_place_value);
    if (found == nullptr || !found->is_string()) return bad(std::string(where) + " needs a string `" + std::string(name) + "`.");
    return result<std::string>(boost::system::in_place_value, found->get_string());
}

result<void> take_name_and_version(const json::object& from, std::string_view where, std::string& name, std::string& version, std::string& summary) {
    for (auto [key, into, needed] : {std::tuple{"name", &name, true}, std::tuple{"version", &version, true}, std::tuple{"summary", &summary, false}}) {
        auto text = string_member(from, key, where, needed);
        if (!text) return text.error();
        *into = std::move(*text);
    }
    if (!is_name(name)) {
        return bad(std::string(where) + " is called `" + name + "`; a name has lower case letters, digits, '-' and '_', starts with a letter and has at most 63 characters.");
    }
    if (!is_version(version)) return bad("the version `" + version + "` of `" + name + "` is not a semantic version such as 1.0.0.");
    return {};
}

result<schema::validator> compile(const json::object& from, std::string_view key, const std::string& tool) {
    const auto* found = from.if_contains(key);
    if (found == nullptr) return bad("the tool `" + tool + "` needs `" + std::string(key) + "`, a JSON Schema.");
    auto made = schema::validator::compile(*found);
    if (!made) return bad("the " + std::string(key) + " schema of `" + tool + "`: " + made.error().detail);
    return made;
}

result<effect_safety> safety_from(const json::object& from, const std::string& tool) {
    auto text = string_member(from, "safety", "the tool `" + tool + "`", true);
    if (!text) return text.error();
    if (*text == "pure") return effect_safety::pure;
    if (*text == "idempotent") return effect_safety::idempotent;
    if (*text == "at-most-once") return effect_safety::at_most_once;
    return bad("the tool `" + tool + "` has the safety `" + *text + "`; it must be pure, idempotent or at-most-once.");
}

result<std::optional<milliseconds>> heartbeat_timeout_from(const json::object& from, const std::string& tool) {
    if (!from.contains("heartbeatTimeout")) return std::optional<milliseconds>();
    auto text = string_member(from, "heartbeatTimeout", "the tool `" + tool + "`", true);
    if (!text) return text.error();
    const auto length = parse_iso8601_duration(*text);
    if (!length || length->count() <= 0) return bad("the `heartbeatTimeout` of `" + tool + "` is `" + *text + "`; it must be an ISO 8601 duration such as PT30S.");
    return std::optional(*length);
}

result<tool_manifest> parse_tool(const json::value& from) {
    const auto* object = from.if_object();
    if (object == nullptr) return bad("an item of `tools` is not an object.");
    std::string name, version, summary;
    if (auto taken = take_name_and_version(*object, "a tool", name, version, summary); !taken) return taken.error();
    auto safety = safety_from(*object, name);
    if (!safety) return safety.error();
    auto input = compile(*object, "input", name);
    if (!input) return input.error();
    auto output = compile(*object, "output", name);
    if (!output) return output.error();
    auto silence = heartbeat_timeout_from(*object, name);
    if (!silence) return silence.error();
    return tool_manifest{std::move(name),     std::move(version),   std::move(summary), *safety, object->at("input"),
                         object->at("output"), std::move(*input), std::move(*output), *silence};
}

result<void> take_secrets(const json::object& from, plugin_manifest& into) {
    const auto* found = from.if_contains("secrets");
    if (found == nullptr) return {};
    const auto* names = found->if_array();
    if (names == nullptr || names->size() > max_secrets) return bad("`secrets` must be an array of at most 100 names.");
    for (const auto& each : *names) {
        if (!each.is_string() || each.get_string().empty()) return bad("`secrets` must hold names of secrets.");
        into.secrets.emplace_back(each.get_string());
    }
    return {};
}

}  // namespace

const tool_manifest* plugin_manifest::find(std::string_view tool) const {
    const auto at = std::find_if(tools.begin(), tools.end(), [&](const auto& each) { return each.name == tool; });
    return at == tools.end() ? nullptr : &*at;
}

result<plugin_manifest> parse_manifest(std::string_view text) {
    auto parsed = parse_json(text, {max_manifest_bytes, 64});
    if (!parsed) return bad("it is not JSON: " + parsed.error().detail);
    const auto* object = parsed->if_object();
    if (object == nullptr) return bad("it is not a JSON object.");
    plugin_manifest made;
    if (auto taken = take_name_and_version(*object, "the plugin", made.name, made.version, made.summary); !taken) return taken.error();
    const auto* tools = object->if_contains("tools");
    if (tools == nullptr || !tools->is_array() || tools->get_array().empty() || tools->get_array().size() > max_tools) {
        return bad("`tools` must be an array of 1 to 1000 tools.");
    }
    std::set<std::string, std::less<>> names;
    for (const auto& each : tools->get_array()) {
        auto tool = parse_tool(each);
        if (!tool) return tool.error();
        if (!names.insert(tool->name).second) return bad("the tool `" + tool->name + "` is listed twice.");
        made.tools.push_back(std::move(*tool));
    }
    if (auto taken = take_secrets(*object, made); !taken) return taken.error();
    if (const auto* config = object->if_contains("config")) {
        auto compiled = schema::validator::compile(*config);
        if (!compiled) return bad("the schema `config`: " + compiled.error().detail);
        made.config = std::move(*compiled);
    }
    return made;
}

}  // namespace pawl::tool
