// What a plain YAML scalar is in the 1.2 core schema, and how a scalar's text maps back to its source. Pure; any thread.
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace pawl::flow {

struct typed_scalar {
    json::value value;
    std::string_view problem;  ///< why JSON cannot hold it; empty when it can
};

/// null, boolean, integer (64 bits exact; larger ones as double), float or string.
typed_scalar type_plain_scalar(std::string_view text);

/// Of a scalar whose properties or content start at `start`: where byte `offset` of its decoded `text` stands in `source`.
std::size_t locate_in_scalar(std::string_view source, std::size_t start, std::string_view text, std::size_t offset);

/// The first byte of the value at `start`, behind anchors, tags and blanks.
std::size_t skip_properties(std::string_view source, std::size_t start);

/// True when the value at `start` opens a quote that nothing closes.
bool is_unclosed_quote(std::string_view source, std::size_t start);

}  // namespace pawl::flow
