// The small texts of HTTP: percent-encoding, forms, headers; tokens and header values as base has them. Pure; any thread.
#pragma once

#include "base/header_text.hpp"
#include "base/json.hpp"
#include "net/http.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::protocol {

/// RFC 3986: all but the unreserved characters are encoded.
std::string percent_encoded(std::string_view text);
/// A string as it is, anything else as JSON.
std::string plain(const json::value& value);
/// The string member, or an empty text.
std::string text_at(const json::object& object, std::string_view key);

void set_default(std::vector<net::http_header>& headers, std::string name, std::string value);
/// In place of all headers of that name.
void set_header(std::vector<net::http_header>& headers, std::string name, std::string value);
/// application/x-www-form-urlencoded
std::string form_text(const std::vector<std::pair<std::string, std::string>>& fields);
/// The same of an object's members: a list is a field for each of its values, null is none.
std::string form_text(const json::object& members);

}  // namespace pawl::protocol
