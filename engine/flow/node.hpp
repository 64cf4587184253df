// A value of the definition together with its JSON Pointer: what the compiler walks with. Cheap to copy; lives as long as the document.
#pragma once

#include "base/json.hpp"

#include <string>
#include <string_view>

namespace pawl::flow {

struct node {
    const json::value* value = nullptr;  ///< null pointer: absent
    std::string pointer;

    explicit operator bool() const noexcept { return value != nullptr; }
    bool is_object() const noexcept { return value != nullptr && value->is_object(); }
    bool is_array() const noexcept { return value != nullptr && value->is_array(); }
    bool is_string() const noexcept { return value != nullptr && value->is_string(); }
    /// The text of a string; empty otherwise.
    std::string_view text() const noexcept;
    /// The last token of the pointer, as the author wrote it: the key.
    std::string name() const;

    /// A member of an object or an item of an array; absent when there is none.
    node at(std::string_view key) const;
    node at(std::size_t index) const;
};

/// "a string", "a list", "empty": for sentences.
std::string_view describe(const json::value& value) noexcept;
/// `name`
std::string quoted(std::string_view name);

}  // namespace pawl::flow
