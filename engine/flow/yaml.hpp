// YAML 1.2 (core schema) as JSON, with the place of every value: our own tree over yaml-cpp's events.
// Duplicate keys, alias bombs, cyclic aliases, over-deep nesting, several documents, tabs as indentation, non-string keys are errors with a place.
// Pure; any thread.
#pragma once

#include "base/diagnostic.hpp"
#include "base/json.hpp"

#include <map>
#include <string>
#include <string_view>

namespace pawl::flow {

struct yaml_limits {
    std::size_t max_bytes = 10 * 1024 * 1024;
    std::size_t max_depth = 200;
    std::size_t max_nodes = 500'000;  ///< after aliases are expanded
};

/// Where a value stands and how its text maps back to the file.
struct yaml_place {
    source_mark key;    ///< of its key (or of the item, in a list)
    source_mark value;  ///< of the first character of its value's text (after a quote or block indicator)
    bool plain = false;      ///< plain one-line scalar: offset n of the text is column value.column + n
    std::vector<source_mark> line_starts;  ///< for block scalars: where each line of the text starts in the file
};

struct yaml_document {
    json::value value;
    std::map<std::string, yaml_place, std::less<>> places;  ///< by JSON Pointer; "" is the root

    /// The place of byte `offset` of the string at `pointer`; the nearest enclosing known place otherwise.
    source_mark mark_of(std::string_view pointer, std::size_t offset = 0) const;
    source_mark key_mark_of(std::string_view pointer) const;
};

/// Error: one diagnostic.
boost::system::result<yaml_document, diagnostic> read_yaml(std::string_view text, std::string_view file, const yaml_limits& limits = {});

}  // namespace pawl::flow
