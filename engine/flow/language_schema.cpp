#include "flow/language_schema.hpp"

#include "flow/functions.hpp"
#include "flow/task_kinds.hpp"

#include <map>

namespace pawl::flow {
namespace {

json::object reference(std::string_view name) { return {{"$ref", "#/definitions/" + std::string(name)}}; }

json::array names_of(std::span<const std::string_view> names) {
    json::array out;
    for (const auto name : names) {
        if (!name.empty()) out.emplace_back(name);
    }
    return out;
}

/// The arguments of a function are written with expressions: where the tool wants a number, `${ .amount }` is as good.
json::value with_expressions(const json::value& schema, bool itself) {
    const auto* object = schema.if_object();
    if (object == nullptr) return schema;
    json::object out;
    for (const auto& [key, value] : *object) {
        const bool of_members = key == "properties" || key == "patternProperties";
        const bool of_parts = key == "$defs" || key == "definitions" || key == "dependentSchemas";
        if ((of_members || of_parts) && value.is_object()) {
            json::object members;
            for (const auto& [name, member] : value.get_object()) members[name] = with_expressions(member, of_members);
            out[key] = std::move(members);
        } else if (key == "items" || key == "additionalProperties" || key == "prefixItems" || key == "contains") {
            out[key] = with_expressions(value, true);
        } else if ((key == "allOf" || key == "anyOf" || key == "oneOf") && value.is_array()) {
            json::array parts;
            for (const auto& part : value.get_array()) parts.push_back(with_expressions(part, false));
            out[key] = std::move(parts);
        } else {
            out[key] = value;
        }
    }
    if (!itself) return out;
    json::object either{{"anyOf", json::array{std::move(out), json::object{{"type", "string"}, {"pattern", "\\$\\{"}}}}};
    for (const auto* key : {"description", "default"}) {  // where editors look for them
        if (const auto* note = object->if_contains(key)) either[key] = *note;
    }
    return either;
}

bool needs_arguments(const json::value& schema) {
    const auto* object = schema.if_object();
    const auto* required = object != nullptr ? object->if_contains("required") : nullptr;
    return required != nullptr && required->is_array() && !required->get_array().empty();
}

std::string escaped(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == '.' || c == '+' || c == '*' || c == '?' || c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' || c == '|' || c == '^' || c == '$' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

/// `if` the call names this function, `then` its arguments are these.
json::object arguments_of(const function_description& function) {
    json::object then;
    json::object with;
    if (function.input_schema) {
        auto arguments = with_expressions(*function.input_schema, false);
        if (arguments.is_object()) {
            arguments.get_object()["$id"] = "urn:pawl:function:" + function.name + ":" + function.version;  // its `$ref`s mean itself
            arguments.get_object().erase("$schema");
            arguments.get_object()["title"] = "arguments of " + function.name;  // what editors show in place of the id
        }
        then["properties"] = json::object{{"with", std::move(arguments)}};
        if (needs_arguments(*function.input_schema)) then["required"] = json::array{"with"};
    }
    const auto pattern = "^" + escaped(function.name) + "(:[^@]*)?(@default)?$";
    return {{"if", json::object{{"required", json::array{"call"}}, {"properties", json::object{{"call", json::object{{"type", "string"}, {"pattern", pattern}}}}}}},
            {"then", std::move(then)}};
}

json::object call_names(const std::map<std::string, const function_description*>& functions) {
    json::array choices;
    const auto add = [&](std::string_view name, std::string_view summary) {
        json::object choice{{"const", name}};
        if (!summary.empty()) choice["description"] = summary;
        choices.push_back(std::move(choice));
    };
    if (!functions.contains("http")) add("http", "An HTTP request.");
    for (const auto* protocol : {"openapi", "mcp", "grpc", "asyncapi", "a2a"}) {
        if (!functions.contains(protocol)) add(protocol, "");
    }
    for (const auto& [name, function] : functions) add(name, function->summary);
    choices.push_back(json::object{{"type", "string"}, {"minLength", 1}, {"description", "A function of `use.functions`, or `name:version@catalog`."}});
    return {{"anyOf", std::move(choices)}};
}

json::object kind_rule(const task_kind& kind) {
    std::vector<std::string_view> keys(common_task_keys.begin(), common_task_keys.end());
    keys.push_back(kind.key);
    keys.insert(keys.end(), kind.companions.begin(), kind.companions.end());
    json::object condition{{"required", json::array{kind.key}}};
    // A `for` has a `do` of its own.
    if (kind.key == "do") condition["not"] = json::object{{"required", json::array{"for"}}};
    json::object then{{"propertyNames", json::object{{"enum", names_of(keys)}}}};
    if (kind.key == "for") then["required"] = json::array{"do"};
    if (kind.key == "try") then["required"] = json::array{"catch"};
    return {{"if", std::move(condition)}, {"then", std::move(then)}};
}

json::object task_schema(const std::map<std::string, const function_description*>& functions) {
    json::object properties;
    json::array kinds, rules;
    for (const auto key : common_task_keys) properties[key] = reference(key);
    for (const auto& kind : task_kinds) {
        properties[kind.key] = json::object{{"allOf", json::array{reference(kind.key)}}, {"description", kind.meaning}};
        for (const auto companion : kind.companions) {
            if (!companion.empty() && !properties.contains(companion)) properties[companion] = reference(companion);
        }
        kinds.push_back(json::object{{"required", json::array{kind.key}}});
        rules.push_back(kind_rule(kind));
    }
    properties["call"] = call_names(functions);
    // Protocols are written otherwise than their effects get them: authentication by name, URI templates.
    for (const std::string_view protocol : {"http", "openapi", "mcp"}) {
        rules.push_back(json::object{{"if", json::object{{"required", json::array{"call"}}, {"properties", json::object{{"call", json::object{{"const", protocol}}}}}}},
                                     {"then", json::object{{"required", json::array{"with"}}, {"properties", json::object{{"with", reference(std::string(protocol) + "Arguments")}}}}}});
    }
    for (const auto& [name, function] : functions) {
        if (name != "http" && name != "openapi" && name != "mcp") rules.push_back(arguments_of(*function));
    }
    return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}, {"anyOf", std::move(kinds)}, {"allOf", std::move(rules)}};
}

json::object extension_schema() {
    return {{"type", "object"},
            {"required", json::array{"extend"}},
            {"additionalProperties", false},
            {"properties", json::object{{"extend", json::object{{"enum", names_of(extendable_kinds)}}}, {"when", reference("condition")}, {"before", reference("tasks")}, {"after", reference("tasks")}}}};
}

}  // namespace

json::value language_schema(std::span<const function_description> functions) {
    std::map<std::string, const function_description*> newest;
    for (const auto& each : functions) newest[each.name] = find_function(functions, {each.name, {}, {}});
    auto definitions = parse_json(language_schema_definitions).value().get_object();
    definitions["task"] = task_schema(newest);
    definitions["extension"] = extension_schema();
    json::object properties{{"do", json::object{{"allOf", json::array{reference("tasks")}}, {"description", "The tasks to perform, one after the other."}}}};
    for (const auto* key : {"document", "input", "use", "timeout", "output", "schedule", "evaluate"}) properties[key] = reference(key);
    return json::object{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"title", "Pawl workflow"},
                        {"description", "A workflow of the Open Workflow Specification DSL 1.0.x as Pawl accepts it. `pawl check` knows more."},
                        {"type", "object"},
                        {"required", json::array{"document", "do"}},
                        {"additionalProperties", false},
                        {"properties", std::move(properties)},
                        {"definitions", std::move(definitions)}};
}

}  // namespace pawl::flow
