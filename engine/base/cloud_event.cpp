#include "base/cloud_event.hpp"

#include <algorithm>
#include <array>

namespace pawl {
namespace {

constexpr std::array<std::string_view, 8> texts{"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"};

problem no_event(std::string why) { return make_problem(problem_type::validation, "This is no CloudEvent: " + std::move(why)); }

std::string in_quotes(std::string_view text) { return "`" + std::string(text) + "`"; }

bool is_attribute_name(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'); });
}

std::optional<problem> check_attribute(std::string_view name, const json::value& value) {
    if (name == "data" || name == "data_base64") return std::nullopt;
    if (!is_attribute_name(name)) {
        return no_event("the attribute " + in_quotes(name.substr(0, 60)) + " has a name that is not allowed: names are lower-case letters and digits; "
                                                                             "what belongs to your application goes into `data`.");
    }
    if (std::find(texts.begin(), texts.end(), name) != texts.end()) {
        const auto* text = value.if_string();
        if (text == nullptr || text->empty()) return no_event(in_quotes(name) + " must be a text that is not empty, but is " + std::string(type_name(value)) + ".");
        if (text->size() > longest_event_name && (name == "id" || name == "source" || name == "type"))
            return no_event(in_quotes(name) + " is " + std::to_string(text->size()) + " bytes long; at most " + std::to_string(longest_event_name) + " are allowed.");
    } else if (value.is_object() || value.is_array()) {
        return no_event("the attribute " + in_quotes(name.substr(0, 60)) + " must be a text, number or boolean; structured values go into `data`.");
    }
    return std::nullopt;
}

}  // namespace

result<json::value> complete_cloud_event(json::value event, const event_defaults& defaults) {
    if (!event.is_object()) return no_event("it must be a JSON object with at least `type`, but is " + std::string(type_name(event)) + ".");
    auto& attributes = event.get_object();
    for (const auto& [name, value] : attributes) {
        if (auto wrong = check_attribute(name, value)) return std::move(*wrong);
    }
    if (!attributes.contains("type")) return no_event("`type` is missing: it says what happened, such as com.example.order.placed.v1.");
    if (const auto* version = attributes.if_contains("specversion"); version != nullptr && version->get_string() != "1.0")
        return no_event("`specversion` is " + in_quotes(version->get_string()) + ", but only 1.0 is known.");
    if (attributes.contains("data") && attributes.contains("data_base64")) return no_event("it has both `data` and `data_base64`.");
    const auto fill = [&](std::string_view name, std::string_view value) {
        if (!attributes.contains(name)) attributes[name] = value;
    };
    fill("specversion", "1.0");
    fill("id", defaults.id);
    fill("source", defaults.source);
    fill("time", to_rfc3339(defaults.time));
    if (attributes.contains("data")) fill("datacontenttype", "application/json");
    return event;
}

std::string event_attribute_text(const json::value& event, std::string_view name) {
    const auto* attributes = event.if_object();
    const auto* value = attributes != nullptr ? attributes->if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace pawl
