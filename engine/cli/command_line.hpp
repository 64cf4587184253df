// The command line of `pawl`: commands, options, help. Main thread only.
#pragma once

namespace pawl::cli {

/// Parses and runs one command; returns the exit code (cli/exit_code.hpp).
int run_program(int argc, const char* const* argv);

}  // namespace pawl::cli
