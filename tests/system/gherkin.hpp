// Reads feature files (Gherkin): features, backgrounds, scenarios, steps with doc strings and tables. As much as conformance kits use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pawl::system_tests {

struct gherkin_step {
    std::string keyword;  ///< "Given", "When", "Then", "And", "But", "*"
    std::string text;
    std::string document; ///< the doc string, without its indentation
    std::vector<std::vector<std::string>> table;
    int line = 0;
};

struct gherkin_scenario {
    std::string feature;
    std::string name;
    std::vector<gherkin_step> steps;  ///< those of the background first
};

/// Throws std::runtime_error with the line of what it does not understand.
std::vector<gherkin_scenario> read_gherkin(std::string_view text);

}  // namespace pawl::system_tests
