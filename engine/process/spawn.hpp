// Starts programs, the one place that does: chosen descriptors and no others, a process group or session of their own, default signals, an environment cut
// to what programs need. Any thread; spawn() blocks until the kernel has replaced the process image (about a millisecond).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace pawl::process {

/// How a process ended: "was ended by signal 11 (SIGSEGV)", "exited with code 3".
struct ending {
    std::string words;
    int signal = 0;
    int exit_code = -1;
};

struct spawn_request {
    std::string program;  ///< a path
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  ///< "NAME=value", all of it
    std::string directory;                 ///< empty: the engine's
    struct descriptor {
        int ours = -1;  ///< 10 or higher, so that none overwrites another: see lifted()
        int theirs = -1;
    };
    std::vector<descriptor> descriptors;  ///< 0, 1 and 2 are /dev/null when they are not among them; every other one is closed
    bool new_session = false;             ///< instead of a new process group: it has nothing to do with our terminal any more
};

/// The process id, or minus an errno.
pid_t spawn(const spawn_request& request);

/// What children get of the engine's environment (it may hold secrets): PATH, HOME, LANG, LC_*, TZ, TMPDIR, LD_LIBRARY_PATH, sanitizer options.
std::vector<std::string> kept_environment();

/// The path of a program: as it is when it holds a slash, else looked up on PATH.
std::optional<std::string> find_program(std::string_view name);

/// From what waitpid() says.
ending describe_end(int status);

/// A descriptor that becomes readable when the process ends; -1 with errno set when the kernel has none (Linux before 5.3).
int open_process(pid_t pid);

/// A copy of `fd` that is 10 or higher and closed by exec; closes `fd`. -1 with errno set.
int lifted(int fd);

/// A file in memory that holds `text`, at its start; -1 with errno set.
int file_of(std::string_view text);

}  // namespace pawl::process
