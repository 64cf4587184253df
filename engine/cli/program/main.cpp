// The `pawl` program: reads the command line, does one command, returns its exit code.
#include "cli/command_line.hpp"

#include <csignal>

int main(int argc, char** argv) {
    // A reader that goes away (`pawl runs | head`) is no reason to die in the middle of a checkpoint.
    std::signal(SIGPIPE, SIG_IGN);
    return pawl::cli::run_program(argc, argv);
}
