// Reading text files with a limit and an error that says which file and why.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>

namespace pawl::agent {

/// Blocks on the disk: never on a core or network thread. Error: `configuration` problem.
result<std::string> read_text_file(const std::string& path, std::size_t max_bytes = 10 * 1024 * 1024);

}  // namespace pawl::agent
