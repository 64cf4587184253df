// Starts a program for child.hpp, and tells how it ended.
#pragma once

#include "tool/child.hpp"

namespace pawl::tool {

/// `socket` becomes descriptor 3, `output` descriptors 1 and 2; own process group, default signals, environment cut to what programs need to run
/// (PATH, HOME, LANG, LC_*, TZ, TMPDIR, LD_LIBRARY_PATH, sanitizer options): the engine's may hold secrets.
/// Returns the process id, or minus an errno.
pid_t spawn_program(const std::string& program, const std::vector<std::string>& arguments, int socket, int output);

/// From what waitpid() says.
child_end describe_end(int status);

/// A descriptor that becomes readable when the process ends; -1 with errno set when the kernel has none (Linux before 5.3).
int open_process(pid_t pid);

}  // namespace pawl::tool
