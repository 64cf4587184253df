#include "ai/reply.hpp"

namespace pawl::ai {
namespace {

const json::value* member(const json::value& value, std::string_view key) {
    const auto* object = value.if_object();
    return object == nullptr ? nullptr : object->if_contains(key);
}

std::string text_of(const json::value* value) { return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string(); }

problem unusable(std::string what) { return make_problem(problem_type::communication, std::move(what)); }

/// `arguments` is JSON text in OpenAI's form and a value in the older one.
json::value tool_arguments(const json::value* arguments) {
    if (arguments == nullptr) return json::object();
    if (!arguments->is_string()) return *arguments;
    auto parsed = parse_json(std::string_view(arguments->get_string()));
    return parsed.has_value() ? std::move(*parsed) : *arguments;
}

json::array read_tool_calls(const json::value* calls) {
    json::array out;
    if (calls == nullptr || !calls->is_array()) return out;
    for (const auto& call : calls->get_array()) {
        const auto* function = member(call, "function");
        const auto& named = function != nullptr ? *function : call;
        const auto name = text_of(member(named, "name"));
        if (name.empty()) continue;
        json::object one{{"name", name}, {"arguments", tool_arguments(member(named, "arguments"))}};
        if (const auto id = text_of(member(call, "id")); !id.empty()) one["id"] = id;
        out.push_back(std::move(one));
    }
    return out;
}

/// A message's content: a string, or a list of parts of which the text counts.
json::value read_content(const json::value* content) {
    if (content == nullptr) return nullptr;
    if (!content->is_array()) return *content;
    std::string text;
    for (const auto& part : content->get_array()) text += text_of(member(part, "text"));
    return json::value(text);
}

}  // namespace

json::object read_usage(const json::value& body) {
    json::object out;
    const auto* usage = member(body, "usage");
    if (usage == nullptr || !usage->is_object()) return out;
    const auto take = [&](std::string_view from, std::string_view to) {
        if (const auto* v = member(*usage, from); v != nullptr && v->is_number()) out[to] = *v;
    };
    take("prompt_tokens", "promptTokens");
    take("completion_tokens", "completionTokens");
    take("total_tokens", "totalTokens");
    if (const auto* details = member(*usage, "prompt_tokens_details")) {
        if (const auto* cached = member(*details, "cached_tokens"); cached != nullptr && cached->is_number()) out["cachedTokens"] = *cached;
    }
    return out;
}

result<model_reply> read_chat(const json::value& body) {
    model_reply out;
    out.usage = read_usage(body);
    if (const auto* choices = member(body, "choices"); choices != nullptr && choices->is_array()) {
        if (choices->get_array().empty()) return unusable("the reply has no choice in `choices`");
        const auto& first = choices->get_array().front();
        out.finish_reason = text_of(member(first, "finish_reason"));
        const auto* message = member(first, "message");
        if (message == nullptr) {
            // Completions of the older kind have the text beside the reason.
            const auto* text = member(first, "text");
            if (text == nullptr || !text->is_string()) return unusable("the reply's choice has no `message`");
            out.content = *text;
            return out;
        }
        out.content = read_content(member(*message, "content"));
        out.tool_calls = read_tool_calls(member(*message, "tool_calls"));
        if (out.content.is_null() && out.tool_calls.empty()) {
            if (const auto refusal = text_of(member(*message, "refusal")); !refusal.empty()) {
                out.content = json::value(refusal);
                out.finish_reason = "refusal";
            } else if (out.finish_reason.empty()) {
                return unusable("the reply's message has neither content nor tool calls");
            } else {
                out.content = "";  // a model that spent all its tokens on reasoning
            }
        }
        return out;
    }
    out.tool_calls = read_tool_calls(member(body, "tool_calls"));
    if (const auto* response = member(body, "response"); response != nullptr && !response->is_null()) {
        out.content = *response;
    } else if (out.tool_calls.empty()) {
        return unusable("the reply has neither `choices` nor `response`");
    }
    out.finish_reason = text_of(member(body, "finish_reason"));
    if (out.finish_reason.empty()) out.finish_reason = out.tool_calls.empty() ? "stop" : "tool_calls";
    return out;
}

result<model_reply> read_vectors(const json::value& body, std::size_t expected) {
    const auto* data = member(body, "data");
    if (data == nullptr || !data->is_array()) return unusable("the reply has no list of vectors in `data`");
    if (data->get_array().size() != expected) {
        return unusable("the reply has " + std::to_string(data->get_array().size()) + " vectors for " + std::to_string(expected) + " texts");
    }
    json::array vectors(expected);
    for (std::size_t i = 0; i < expected; ++i) {
        const auto& item = data->get_array()[i];
        const auto* vector = item.is_array() ? &item : member(item, "embedding");
        auto at = i;
        if (const auto* index = member(item, "index"); index != nullptr && index->is_int64()) at = static_cast<std::size_t>(index->get_int64());
        if (vector == nullptr || !vector->is_array() || vector->get_array().empty() || at >= expected || !vectors[at].is_null()) {
            return unusable("vector " + std::to_string(i + 1) + " of the reply is missing, empty or placed wrongly");
        }
        for (const auto& number : vector->get_array()) {
            if (!number.is_number()) return unusable("vector " + std::to_string(i + 1) + " of the reply holds something that is not a number");
        }
        vectors[at] = *vector;
    }
    model_reply out;
    out.content = std::move(vectors);
    out.usage = read_usage(body);
    return out;
}

}  // namespace pawl::ai
