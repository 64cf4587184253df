// What an evaluable holds. Made by expressions.cpp only.
#pragma once

#include "flow/evaluable.hpp"
#include "flow/origin.hpp"
#include "flow/yaml.hpp"

#include <optional>
#include <variant>

namespace pawl::flow {

struct evaluable::compiled {
    std::variant<expr::program, expr::value_template> code;
    std::shared_ptr<const yaml_document> document;  ///< to tell lines and columns of runtime errors
    std::string file;
    std::vector<origin> origins;
    std::size_t offset = 0;  ///< of a bare expression's text within its string
    source_mark mark;
    variable_set uses;
    std::vector<std::string> steps;
    std::optional<json::value> constant;
};

}  // namespace pawl::flow
