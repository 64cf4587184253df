#include "base/header_text.hpp"

#include <algorithm>

namespace pawl {

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char ch) {
        return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || marks.find(ch) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char ch) { return static_cast<unsigned char>(ch) >= 0x20 ? ch != 0x7f : ch == '\t'; });
}

}  // namespace pawl
