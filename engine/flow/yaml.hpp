// YAML 1.2 (core schema) as JSON, with the place of every value: our own tree over yaml-cpp's events.
// Duplicate keys, merge keys, alias bombs, cyclic aliases, unknown tags, over-deep nesting, several documents, keys that are not
// scalars, numbers JSON cannot hold, control characters and bytes that are not UTF-8 are errors with a place.
// Plain keys are taken as the text they are written as (`404: x` is the key "404").
// Pure; any thread. Time and memory are linear in the text, whatever it holds.
#pragma once

#include "base/diagnostic.hpp"
#include "base/json.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::flow {

struct yaml_limits {
    std::size_t max_bytes = 10 * 1024 * 1024;  ///< of the file, and of all text after aliases are expanded
    std::size_t max_depth = 200;
    std::size_t max_nodes = 500'000;  ///< after aliases are expanded
};

/// Where a value stands: a tree of the same shape as the value.
struct yaml_place {
    source_mark key;                   ///< of its key; of the value itself for list items and the root
    source_mark value;                 ///< of the first character of the value, anchors and tags included
    std::size_t offset = 0;            ///< of that character in the source
    std::vector<yaml_place> children;  ///< in the order of the object's keys or the array's items; empty for what an alias brought in
};

struct yaml_document {
    json::value value;
    yaml_place root;
    std::string source;  ///< the text, without a byte order mark

    /// The place of byte `offset` of the string at JSON Pointer `pointer`: exact for plain, quoted and block scalars.
    /// The nearest enclosing known place when there is no such value, or an alias brought it in.
    source_mark mark_of(std::string_view pointer, std::size_t offset = 0) const;
    /// The text of a line of the source.
    std::string_view line(std::size_t number) const;
    source_mark key_mark_of(std::string_view pointer) const;
    /// The value at `pointer`; null pointer when there is none.
    const json::value* find(std::string_view pointer) const;
};

/// Error: one diagnostic.
boost::system::result<yaml_document, diagnostic> read_yaml(std::string_view text, std::string_view file, const yaml_limits& limits = {});

}  // namespace pawl::flow

namespace pawl {

/// Thrown by `.value()` on a refused document, that is, by a caller that did not look.
[[noreturn]] void throw_exception_from_error(const diagnostic& error, const boost::source_location&);

}  // namespace pawl
