#include "ai/difference.hpp"

#include "base/json_difference.hpp"

#include <algorithm>

namespace pawl::ai {
namespace {

const json::value& at(const json::value& value, std::string_view key) {
    static const json::value nothing;
    const auto* object = value.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains(key);
    return found == nullptr ? nothing : *found;
}

const json::value& at(const json::object& object, std::string_view key) {
    static const json::value nothing;
    const auto* found = object.if_contains(key);
    return found == nullptr ? nothing : *found;
}

std::string text_of(const json::value& value) { return value.is_string() ? std::string(value.get_string()) : value.is_null() ? std::string() : to_canonical_text(value); }

std::size_t common_prefix(std::string_view a, std::string_view b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin()).first - a.begin());
}

std::string quoted(const json::value& name) { return "`" + text_of(name).substr(0, 100) + "`"; }

std::string where_texts_differ(std::string_view asked, std::string_view recorded) {
    const auto same = common_prefix(asked, recorded);
    const auto line = 1 + std::count(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(same), '\n');
    return "differs from byte " + std::to_string(same + 1) + " on (line " + std::to_string(line) + "; " + std::to_string(asked.size()) + " bytes asked, " +
           std::to_string(recorded.size()) + " recorded)";
}

/// The first places, as JSON Pointers: these are names of the author, not content.
std::string places(const json::value& asked, const json::value& recorded) {
    constexpr std::size_t told = 3;
    std::string out;
    for (const auto& each : json_changes(recorded, asked, told)) {
        if (!each.pointer.empty()) out += (out.empty() ? " at " : ", ") + each.pointer.substr(0, 100);
    }
    return out;
}

std::string messages_difference(const json::value& asked, const json::value& recorded) {
    if (!asked.is_array() || !recorded.is_array()) return asked == recorded ? "" : "one of them has no messages";
    const auto& a = asked.get_array();
    const auto& b = recorded.get_array();
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (a[i] == b[i]) continue;
        const auto name = "message " + std::to_string(i + 1) + " (" + text_of(at(a[i], "role")).substr(0, 20) + ") ";
        if (at(a[i], "role") != at(b[i], "role")) return name + "has another role in the recording";
        return name + where_texts_differ(text_of(at(a[i], "content")), text_of(at(b[i], "content")));
    }
    if (a.size() == b.size()) return "";
    return std::to_string(a.size()) + " messages were asked, the recording has " + std::to_string(b.size());
}

}  // namespace

std::size_t likeness(const json::object& asked, const json::object& recorded) {
    if (at(asked, "function") != at(recorded, "function")) return 0;
    std::size_t out = 1;
    for (const auto* key : {"model", "system", "schema", "input"}) out += at(asked, key) == at(recorded, key) ? 100 : 0;
    if (at(asked, "messages") == at(recorded, "messages")) return out + 400;
    const auto a = text_of(at(asked, "messages")), b = text_of(at(recorded, "messages"));
    return out + 300 * common_prefix(a, b) / std::max<std::size_t>(1, std::max(a.size(), b.size()));
}

std::string difference(const json::object& asked, const json::object& recorded) {
    std::string out;
    const auto say = [&](const std::string& what) {
        if (!what.empty()) out += (out.empty() ? "" : "; ") + what;
    };
    for (const auto* key : {"function", "model"}) {
        if (at(asked, key) != at(recorded, key)) say("its " + std::string(key) + " is " + quoted(at(recorded, key)) + ", asked for was " + quoted(at(asked, key)));
    }
    const auto &system = at(asked, "system"), &old_system = at(recorded, "system");
    if (system != old_system) {
        say(system.is_null() ? "it has a system text, the request has none" : old_system.is_null() ? "it has no system text, the request has one"
                                                                                               : "the system text " + where_texts_differ(text_of(system), text_of(old_system)));
    }
    say(messages_difference(at(asked, "messages"), at(recorded, "messages")));
    if (at(asked, "schema") != at(recorded, "schema")) say("the schema of the answer is another one" + places(at(asked, "schema"), at(recorded, "schema")));
    if (at(asked, "input") != at(recorded, "input")) say("the input differs" + places(at(asked, "input"), at(recorded, "input")));
    return out.empty() ? "nothing that a recording compares" : out;
}

}  // namespace pawl::ai
