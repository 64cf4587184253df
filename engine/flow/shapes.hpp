// What is known of values before the run: from expressions that construct them, from documents, and from declared schemas. For the checks only; pure.
#pragma once

#include "expr/shape.hpp"
#include "flow/parts.hpp"

namespace pawl::flow {

/// Of larger values, and of more of them at once, nothing is known: what is checked must not take long.
inline constexpr std::size_t most_shapes = 1000;

expr::shape shape_of(const evaluable& value);
/// Of what a JSON Schema describes, as far as plain `properties` tell; unknown when there is more to it.
expr::shape shape_of_schema(const json::value& schema, std::size_t depth = 32);
/// The document of a `schema: { document }`; null when there is none.
const json::value* schema_document(const node& schema);

/// An object with these members and no others, but for those that it has from the variable `own`.
bool is_known(const expr::shape& each, std::string_view own);

/// A path that some value of `candidates` may have: the depth at which none of them has it, or nothing when it may be there. `known` then gets
/// the names that could stand there.
std::optional<std::size_t> missing_at(std::vector<const expr::shape*> candidates, std::span<const std::string> path, std::vector<std::string>& known);

}  // namespace pawl::flow
