#include "ai/structured.hpp"

#include <set>

namespace pawl::ai {
namespace {

constexpr std::size_t most_told = 10;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// What stands in a fence that is the whole text: ```json ... ```
std::string_view unfenced(std::string_view text) {
    constexpr std::string_view fence = "```";
    if (text.size() < 2 * fence.size() || !text.starts_with(fence) || !text.ends_with(fence)) return text;
    auto inner = text.substr(fence.size(), text.size() - 2 * fence.size());
    for (const std::string_view word : {"json", "JSON"}) {
        if (inner.starts_with(word)) {
            inner.remove_prefix(word.size());
            break;
        }
    }
    return trimmed(inner);
}

/// Every name that the schema itself speaks of: those may be told, names that the model made up may not.
void collect_names(const json::value& value, std::set<std::string, std::less<>>& out) {
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            out.emplace(key);
            collect_names(member, out);
        }
    } else if (const auto* list = value.if_array()) {
        for (const auto& each : *list) collect_names(each, out);
    }
}

std::string told_pointer(std::string_view pointer, const std::set<std::string, std::less<>>& names) {
    std::string out;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const auto end = std::min(pointer.find('/'), pointer.size());
        const auto token = pointer.substr(0, end);
        const bool number = !token.empty() && token.size() <= 9 && token.find_first_not_of("0123456789") == std::string_view::npos;
        out += '/';
        out += number || names.contains(token) ? std::string(token) : "*";
        pointer.remove_prefix(end);
    }
    return out;
}

/// Messages of these keywords name properties of the value; everything else a message tells stands in the schema.
std::string told_message(const schema::violation& v) {
    const auto keyword = std::string_view(v.schema).substr(v.schema.rfind('/') + 1);
    if (v.message.starts_with("has the unknown property") || keyword == "additionalProperties" || keyword == "unevaluatedProperties") {
        return "has a property that the schema does not know";
    }
    if (v.message.starts_with("has the property name")) return "has a property name that the schema does not allow";
    return v.message;
}

problem wrong_answer(std::string detail) { return make_problem(problem_type::validation, std::move(detail)); }

}  // namespace

result<json::value> read_json_answer(const json::value& content) {
    const auto* text = content.if_string();
    if (text == nullptr) {
        if (content.is_null()) return wrong_answer("The model's answer is empty where JSON was asked for.");
        return content;
    }
    const auto body = unfenced(trimmed(std::string_view(*text)));
    if (body.empty()) return wrong_answer("The model's answer is empty where JSON was asked for.");
    auto parsed = parse_json(body);
    if (parsed.has_value()) return std::move(*parsed);
    return wrong_answer("The model's answer is not JSON: the schema asks for one JSON value and nothing else (" + std::to_string(body.size()) + " bytes answered).");
}

result<json::value> check_answer(const schema::validator& validator, const json::value& schema, const model_reply& reply) {
    auto answer = read_json_answer(reply.content);
    if (answer.has_error()) {
        auto error = answer.error();
        if (reply.finish_reason == "length") error.detail += " It was cut off: raise `maxTokens`.";
        return error;
    }
    const auto violations = validator.validate(*answer);
    if (violations.empty()) return answer;
    std::set<std::string, std::less<>> names;
    collect_names(schema, names);
    std::string detail = "The model's answer does not follow its schema: ";
    json::array list;
    for (std::size_t i = 0; i < violations.size() && i < most_told; ++i) {
        const auto pointer = told_pointer(violations[i].instance, names);
        const auto message = told_message(violations[i]);
        if (i > 0) detail += "; ";
        detail += (pointer.empty() ? "it" : "`" + pointer + "`") + " " + message;
        list.push_back(json::object{{"instance", pointer}, {"message", message}});
    }
    auto out = wrong_answer(detail + ".");
    out.extra["violations"] = std::move(list);
    return out;
}

model_request repair_request(const model_request& request, const model_reply& reply, const problem& wrong) {
    auto out = request;
    const auto said = reply.content.is_string() ? std::string(reply.content.get_string()) : to_text(reply.content);
    out.messages.push_back(json::object{{"role", "assistant"}, {"content", said}});
    out.messages.push_back(json::object{{"role", "user"},
                                        {"content", wrong.detail + " Answer again with one JSON value that follows this JSON Schema, and nothing else:\n" + to_text(*request.schema)}});
    return out;
}

}  // namespace pawl::ai
