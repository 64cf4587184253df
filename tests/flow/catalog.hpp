// A small catalog of functions and files for the tests of this room.
#pragma once

#include "flow/compile.hpp"

#include <string>
#include <string_view>

namespace pawl::flow_tests {

flow::compile_options options_for(std::string file = "flow.yaml");

/// Compiles with that catalog; `text` without `document:` gets a first line with one.
flow::compile_result compile_text(std::string_view text);
/// The same, and fails the test when there are errors.
std::shared_ptr<const flow::workflow> compiled(std::string_view text);

std::string with_document(std::string_view text);
/// The task called `name`; fails the test when there is none.
const flow::task& task_named(const flow::workflow& w, std::string_view name);
/// Where the conformance files are; empty when they are not on this machine.
std::string conformance_folder();
std::string read_file(const std::string& path);

}  // namespace pawl::flow_tests
