// The files of `pawl new`. In paths and texts @NAME@ stands for the name, and @IDENTIFIER@ for the same as C++ has it.
#pragma once

#include <span>
#include <string_view>

namespace pawl::cli {

struct starter_file {
    std::string_view path;
    std::string_view text;
};

/// A plugin with one typed tool, a flow that calls it, and a case that tests both.
std::span<const starter_file> plugin_starter();
/// A project with one flow and a case that tests it.
std::span<const starter_file> project_starter();

}  // namespace pawl::cli
