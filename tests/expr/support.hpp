// Helpers of the expression tests: run a program on JSON texts, get outputs as JSON texts.
#pragma once

#include "expr/program.hpp"

#include <map>
#include <string>
#include <vector>

namespace pawl::expr::tests {

struct run_result {
    std::vector<json::value> outputs;
    std::string error;       ///< empty: ended well
    std::string hint;        ///< of a compile error
    bool compiled = true;
    bool limited = false;
    json::value payload;
    std::size_t offset = 0;
};

/// Everything the program yields, by pulling; stops after `most` outputs.
run_result run(const std::string& text, const json::value& input, const std::map<std::string, json::value>& variables = {}, const limits& bounds = {},
               std::size_t most = 100'000);

/// The outputs as one line each of compact JSON; an error as a last line "error: ...".
std::string lines(const std::string& text, const std::string& input = "null", const std::map<std::string, json::value>& variables = {});

/// A JSON text, with the extras that fromjson takes (nan, Infinity).
json::value parsed(const std::string& text);

/// As jq's ==, but NaN equals NaN.
bool same(const json::value& a, const json::value& b);

}  // namespace pawl::expr::tests
