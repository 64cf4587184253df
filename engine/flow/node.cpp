#include "flow/node.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace pawl::flow {

std::string_view node::text() const noexcept { return is_string() ? std::string_view(value->get_string()) : std::string_view{}; }

std::string node::name() const {
    const auto slash = pointer.rfind('/');
    std::string out;
    const auto token = slash == std::string::npos ? std::string_view(pointer) : std::string_view(pointer).substr(slash + 1);
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size()) {
            out += token[++i] == '1' ? '/' : '~';
        } else {
            out += token[i];
        }
    }
    return out;
}

node node::at(std::string_view key) const {
    const auto* object = value != nullptr ? value->if_object() : nullptr;
    return {object != nullptr ? object->if_contains(key) : nullptr, pointer + "/" + pointer_token(key)};
}

node node::at(std::size_t index) const {
    const auto* array = value != nullptr ? value->if_array() : nullptr;
    return {array != nullptr && index < array->size() ? &(*array)[index] : nullptr, pointer + "/" + std::to_string(index)};
}

std::string_view describe(const json::value& value) noexcept {
    switch (value.kind()) {
        case json::kind::null:
            return "empty";
        case json::kind::bool_:
            return "true or false";
        case json::kind::string:
            return "text";
        case json::kind::array:
            return "a list";
        case json::kind::object:
            return "a map";
        default:
            return "a number";
    }
}

std::string quoted(std::string_view name) {
    constexpr std::size_t longest = 60;
    std::string out = "`";
    auto end = std::min(name.size(), longest);
    while (end < name.size() && end > 0 && is_utf8_tail(name[end])) --end;
    out += name.substr(0, end);
    if (end < name.size()) out += "...";
    for (auto& c : out) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    return out + "`";
}

}  // namespace pawl::flow
