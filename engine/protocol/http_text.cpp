#include "protocol/http_text.hpp"

#include <algorithm>

namespace pawl::protocol {

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char ch : text) {
        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || std::string_view("-._~").find(ch) != std::string_view::npos) {
            out += ch;
        } else {
            const auto byte = static_cast<unsigned char>(ch);
            out += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    return out;
}

std::string plain(const json::value& value) { return value.is_string() ? std::string(value.get_string()) : to_text(value); }

void set_default(std::vector<net::http_header>& headers, std::string name, std::string value) {
    if (net::find_header(headers, name) == nullptr) headers.push_back({std::move(name), std::move(value)});
}

std::string text_at(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

void set_header(std::vector<net::http_header>& headers, std::string name, std::string value) {
    std::erase_if(headers, [&](const net::http_header& h) { return net::find_header({h}, name) != nullptr; });
    headers.push_back({std::move(name), std::move(value)});
}

std::string form_text(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string out;
    for (const auto& [name, value] : fields) out += (out.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
    return out;
}

std::string form_text(const json::object& members) {
    std::vector<std::pair<std::string, std::string>> fields;
    const auto add = [&](std::string_view name, const json::value& value) {
        if (!value.is_null()) fields.emplace_back(name, plain(value));
    };
    for (const auto& [name, value] : members) {
        if (const auto* list = value.if_array()) {
            for (const auto& each : *list) add(name, each);
        } else {
            add(name, value);
        }
    }
    return form_text(fields);
}

}  // namespace pawl::protocol
