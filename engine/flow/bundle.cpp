// The bundle: everything a definition needs to be built again, as canonical JSON, and its digest.
#include "base/digest.hpp"
#include "flow/functions.hpp"
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

constexpr std::int64_t bundle_format = 1;

problem broken(std::string_view why) {
    return make_problem(problem_type::configuration, "The stored workflow definition cannot be read: " + std::string(why) + ".");
}

std::optional<effect_safety> safety_from(std::string_view text) {
    for (const auto safety : {effect_safety::pure, effect_safety::idempotent, effect_safety::at_most_once, effect_safety::transactional}) {
        if (to_string(safety) == text) return safety;
    }
    return std::nullopt;
}

const json::value* member(const json::object& object, std::string_view key, json::kind kind) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->kind() == kind ? found : nullptr;
}

result<std::vector<function_description>> functions_from(const json::object& all) {
    std::vector<function_description> out;
    for (const auto& [key, value] : all) {
        const auto* facts = value.if_object();
        const auto* version = facts != nullptr ? member(*facts, "version", json::kind::string) : nullptr;
        const auto* safety = facts != nullptr ? member(*facts, "safety", json::kind::string) : nullptr;
        const auto known = safety != nullptr ? safety_from(safety->get_string()) : std::nullopt;
        if (version == nullptr || !known) return broken("the function " + quoted(key) + " has no version or safety");
        function_description function;
        function.name = parse_reference(key).name;
        function.version = std::string(version->get_string());
        function.safety = *known;
        out.push_back(std::move(function));
    }
    return out;
}

}  // namespace

void make_bundle(compilation& c) {
    json::object functions;
    for (const auto& [key, function] : c.pinned_functions) {
        functions[function.version.empty() ? function.name : key] = {{"version", function.version}, {"safety", to_string(function.safety)}};
    }
    json::object assets;
    for (const auto& [path, text] : c.out.assets) assets[path] = text;
    // The name of the file only: where it lies, and seen from where, is no part of the definition.
    json::object bundle{{"format", bundle_format},
                        {"file", c.out.file.substr(c.out.file.rfind('/') + 1)},
                        {"source", c.document->source},
                        {"assets", std::move(assets)},
                        {"functions", std::move(functions)}};
    if (!c.pinned_workflows.empty()) {
        json::object workflows;
        for (const auto& [name, pinned] : c.pinned_workflows) workflows[name] = {{"version", pinned.version}, {"digest", pinned.digest}};
        bundle["workflows"] = std::move(workflows);
    }
    c.out.bundle = to_canonical_text(bundle);
    c.out.digest = sha256_hex(c.out.bundle);
}

result<std::shared_ptr<const workflow>> compile_bundle(std::string_view bundle) {
    const auto parsed = parse_json(bundle);
    if (parsed.has_error()) return broken(parsed.error().detail);
    const auto* object = parsed->if_object();
    const auto* format = object != nullptr ? object->if_contains("format") : nullptr;
    if (format == nullptr || !format->is_int64()) return broken("it is not a bundle");
    if (format->get_int64() != bundle_format) return broken("its format is " + to_text(*format) + ", but this version of pawl reads format 1");
    const auto* file = member(*object, "file", json::kind::string);
    const auto* source = member(*object, "source", json::kind::string);
    const auto* assets = member(*object, "assets", json::kind::object);
    const auto* functions = member(*object, "functions", json::kind::object);
    if (file == nullptr || source == nullptr || assets == nullptr || functions == nullptr)
        return broken("`file`, `source`, `assets` or `functions` is missing");
    auto pinned = functions_from(functions->get_object());
    if (pinned.has_error()) return pinned.error();
    compile_options options;
    options.file = std::string(file->get_string());
    options.functions = std::move(*pinned);
    options.read_asset = [assets](std::string_view path) -> result<std::string> {
        const auto* text = assets->get_object().if_contains(path);
        if (text == nullptr || !text->is_string()) return broken("the file " + quoted(path) + " is not in it");
        return {boost::system::in_place_value, std::string_view(text->get_string())};
    };
    options.find_workflow = [workflows = member(*object, "workflows", json::kind::object)](std::string_view ns, std::string_view name, std::string_view version) {
        found_workflow found;
        const auto wanted = std::string(ns) + "/" + std::string(name) + (version.empty() ? "" : ":" + std::string(version));
        const auto* entry = workflows != nullptr ? workflows->get_object().if_contains(wanted) : nullptr;
        if (entry == nullptr || !entry->is_object()) return found;
        const auto* is_version = member(entry->get_object(), "version", json::kind::string);
        const auto* digest = member(entry->get_object(), "digest", json::kind::string);
        if (is_version != nullptr) found.version = is_version->get_string();
        if (digest != nullptr) found.digest = digest->get_string();
        return found;
    };
    auto compiled = compile_with(source->get_string(), options, true);
    if (compiled.compiled != nullptr) return compiled.compiled;
    return broken(compiled.diagnostics.empty() ? "it has errors" : render(compiled.diagnostics.front()));
}

}  // namespace pawl::flow
