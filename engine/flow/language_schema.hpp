// A JSON Schema of the language as Pawl accepts it, with the arguments of the functions at hand: what `pawl schema` prints for editors.
// Keywords that draft-07 and 2020-12 share, so that yaml-language-server understands it. Weaker than the checker: it knows forms, not names. Any thread.
#pragma once

#include "base/function.hpp"
#include "base/json.hpp"

#include <span>

namespace pawl::flow {

json::value language_schema(std::span<const function_description> functions);

/// The fixed parts, as JSON text: { "name": schema }.
extern const std::string_view language_schema_definitions;

}  // namespace pawl::flow
