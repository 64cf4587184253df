#include "tool/spawn.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace pawl::tool {
namespace {

constexpr std::array<std::string_view, 11> kept_variables{"PATH=",         "HOME=",          "LANG=",         "TZ=",           "TMPDIR=",      "LD_LIBRARY_PATH=",
                                                          "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=", "LC_"};

std::vector<char*> kept_environment() {
    std::vector<char*> kept;
    for (auto each = environ; each != nullptr && *each != nullptr; ++each) {
        const std::string_view text(*each);
        if (std::any_of(kept_variables.begin(), kept_variables.end(), [&](auto name) { return text.starts_with(name); })) kept.push_back(*each);
    }
    kept.push_back(nullptr);
    return kept;
}

class spawn_plan {
public:
    spawn_plan() {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
    }
    spawn_plan(const spawn_plan&) = delete;
    spawn_plan& operator=(const spawn_plan&) = delete;
    ~spawn_plan() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }

    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
};

}  // namespace

pid_t spawn_program(const std::string& program, const std::vector<std::string>& arguments, int socket, int output) {
    spawn_plan plan;
    posix_spawn_file_actions_addopen(&plan.files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&plan.files, output, 1);
    posix_spawn_file_actions_adddup2(&plan.files, output, 2);
    posix_spawn_file_actions_adddup2(&plan.files, socket, child_socket_fd);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&plan.attributes, &none);
    posix_spawnattr_setsigdefault(&plan.attributes, &all);
    posix_spawnattr_setpgroup(&plan.attributes, 0);  // Ctrl-C at the terminal is for the engine: it ends its children in order
    posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

    auto words = arguments;
    auto name = program;
    std::vector<char*> argv{name.data()};
    for (auto& each : words) argv.push_back(each.data());
    argv.push_back(nullptr);
    auto environment = kept_environment();
    pid_t pid = -1;
    const int error = posix_spawn(&pid, program.c_str(), &plan.files, &plan.attributes, argv.data(), environment.data());
    return error == 0 ? pid : -error;
}

child_end describe_end(int status) {
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        const auto* name = sigabbrev_np(number);
        return {"was ended by signal " + std::to_string(number) + (name != nullptr ? " (SIG" + std::string(name) + ")" : ""), number, -1};
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return {"exited with code " + std::to_string(code), 0, code};
}

int open_process(pid_t pid) {
    const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    return fd;  // the kernel makes it O_CLOEXEC
}

}  // namespace pawl::tool
