#include "ai/arguments.hpp"

#include "schema/validator.hpp"

namespace pawl::ai {
namespace {

constexpr std::size_t most_messages = 2'000;
constexpr std::size_t most_texts = 100;  // of Workers AI, and a sane number anywhere
constexpr std::size_t largest_request = 8 * 1024 * 1024;

json::value prompt_schema() {
    return json::object{{"anyOf", json::array{json::object{{"type", "string"}},
                                              json::object{{"type", "object"},
                                                           {"properties", {{"file", {{"type", "string"}}}, {"values", json::object()}}},
                                                           {"required", json::array{"file"}},
                                                           {"additionalProperties", false}}}}};
}

json::value object_schema(json::object properties, json::array required) {
    return json::object{{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
}

json::value chat_schema() {
    const json::value text{{"type", "string"}};
    const json::value message{{"type", "object"}, {"properties", {{"role", {{"enum", json::array{"system", "user", "assistant", "tool"}}}}}}, {"required", json::array{"role"}}};
    const json::value messages{{"type", "array"}, {"items", message}, {"minItems", 1}, {"maxItems", most_messages}};
    const json::value schema{{"type", json::array{"object", "boolean"}}};
    auto out = object_schema({{"model", text},
                              {"system", prompt_schema()},
                              {"prompt", prompt_schema()},
                              {"messages", messages},
                              {"schema", schema},
                              {"temperature", {{"type", "number"}, {"minimum", 0}, {"maximum", 5}}},
                              {"maxTokens", {{"type", "integer"}, {"minimum", 1}}},
                              {"options", {{"type", "object"}}}},
                             {});
    out.get_object()["anyOf"] = json::array{json::object{{"required", json::array{"prompt"}}}, json::object{{"required", json::array{"messages"}}}};
    return out;
}

json::value embed_schema() {
    const json::value one{{"type", "string"}, {"minLength", 1}};
    const json::value many{{"type", "array"}, {"items", one}, {"minItems", 1}, {"maxItems", most_texts}};
    return object_schema({{"model", {{"type", "string"}}}, {"text", {{"anyOf", json::array{one, many}}}}, {"options", {{"type", "object"}}}}, {"text"});
}

json::value run_schema() { return object_schema({{"model", {{"type", "string"}}}, {"input", {{"type", "object"}}}}, {"input"}); }

const schema::validator& validator_of(std::string_view function) {
    static const auto make = [](const json::value& s) { return schema::validator::compile(s).value(); };
    static const auto chat = make(chat_schema()), embed = make(embed_schema()), run = make(run_schema());
    return function == "ai.chat" ? chat : function == "ai.embed" ? embed : run;
}

const json::value* at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found == nullptr || found->is_null() ? nullptr : found;
}

result<void> read_chat_arguments(const json::object& with, const runtime::assets& assets, call_arguments& out) {
    std::optional<prompt_text> system, prompt;
    const auto resolve = [&](std::string_view key, std::optional<prompt_text>& into) -> result<void> {
        const auto* source = at(with, key);
        if (source == nullptr) return {};
        auto text = resolve_prompt(*source, assets, key);
        if (text.has_error()) return text.error();
        into = std::move(*text);
        return {};
    };
    if (auto fine = resolve("system", system); fine.has_error()) return fine;
    if (auto fine = resolve("prompt", prompt); fine.has_error()) return fine;
    auto& request = out.request;
    if (system) request.system = system->text;
    if (const auto* messages = at(with, "messages")) request.messages = messages->get_array();
    if (prompt) request.messages.push_back(json::object{{"role", "user"}, {"content", prompt->text}});
    if (const auto* options = at(with, "options")) request.settings = options->get_object();
    if (const auto* temperature = at(with, "temperature")) request.settings["temperature"] = *temperature;
    if (const auto* most = at(with, "maxTokens")) request.settings["max_tokens"] = *most;
    for (const auto* taken : {"messages", "stream"}) {
        if (request.settings.contains(taken)) return make_problem(problem_type::validation, "`options` of ai.chat may not hold `" + std::string(taken) + "`.");
    }
    if (const auto* wanted = at(with, "schema")) request.schema = *wanted;
    out.prompt_version = prompt_version(system, prompt);
    return {};
}

/// Bytes of all strings, roughly: enough to refuse what no model takes.
std::size_t weight(const json::value& value) {
    std::size_t out = 8;
    if (const auto* text = value.if_string()) return out + text->size();
    if (const auto* list = value.if_array()) {
        for (const auto& v : *list) out += weight(v);
    } else if (const auto* object = value.if_object()) {
        for (const auto& m : *object) out += m.key().size() + weight(m.value());
    }
    return out;
}

/// A member that is null says nothing: an expression found no value for it.
json::value without_nulls(const json::value& arguments) {
    if (!arguments.is_object()) return arguments;
    json::object out;
    for (const auto& [key, value] : arguments.get_object()) {
        if (!value.is_null()) out[key] = value;
    }
    return out;
}

}  // namespace

std::vector<function_description> described_functions() {
    const auto describe = [](const char* name, const char* summary, json::value input) {
        return function_description{name, "1.0.0", summary, effect_safety::idempotent, std::move(input), std::nullopt, "built-in"};
    };
    return {describe("ai.chat", "Asks a model; with a schema its answer is checked JSON.", chat_schema()),
            describe("ai.embed", "Turns texts into vectors.", embed_schema()),
            describe("ai.run", "Runs a model of Workers AI with its own input.", run_schema())};
}

result<call_arguments> read_arguments(const runtime::call_request& call) {
    const auto with = without_nulls(call.arguments);
    if (const auto wrong = validator_of(call.function).validate(with); !wrong.empty()) return schema::to_problem(wrong, "the arguments of " + call.function);
    const auto& arguments = with.get_object();
    call_arguments out;
    out.request.function = call.function;
    out.request.task = call.task;
    if (const auto* model = at(arguments, "model")) out.model = std::string(model->get_string());
    if (call.function == "ai.chat") {
        if (auto fine = read_chat_arguments(arguments, *call.assets, out); fine.has_error()) return fine.error();
    } else if (call.function == "ai.embed") {
        const auto& text = arguments.at("text");
        out.one_text = text.is_string();
        out.request.input = out.one_text ? json::value(json::array{text}) : text;
        if (const auto* options = at(arguments, "options")) out.request.settings = options->get_object();
    } else {
        out.request.input = arguments.at("input");
    }
    const auto bytes = out.request.system.size() + weight(out.request.messages) + weight(out.request.input) + weight(out.request.settings);
    if (bytes > largest_request) {
        return make_problem(problem_type::validation, "This " + call.function + " would send " + std::to_string(bytes) + " bytes; the limit is " + std::to_string(largest_request) + ".");
    }
    return out;
}

}  // namespace pawl::ai
