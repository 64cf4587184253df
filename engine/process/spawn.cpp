#include "process/spawn.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace pawl::process {
namespace {

constexpr int lowest_own_fd = 10;

constexpr std::array<std::string_view, 11> kept_variables{"PATH=",         "HOME=",          "LANG=",         "TZ=",           "TMPDIR=",      "LD_LIBRARY_PATH=",
                                                          "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=", "LC_"};

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

    void take_descriptors(const std::vector<spawn_request::descriptor>& all) {
        int beyond = 3;
        for (int standard = 0; standard < 3; ++standard) {
            const bool given = std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.theirs == standard; });
            if (!given) posix_spawn_file_actions_addopen(&files, standard, "/dev/null", standard == 0 ? O_RDONLY : O_WRONLY, 0);
        }
        for (const auto& each : all) {
            posix_spawn_file_actions_adddup2(&files, each.ours, each.theirs);
            beyond = std::max(beyond, each.theirs + 1);
        }
        // Ours are closed by exec already; what a library opened without that flag is none of the child's business either.
        posix_spawn_file_actions_addclosefrom_np(&files, beyond);
    }

    void take_signals(bool new_session) {
        sigset_t none, every;
        sigemptyset(&none);
        sigfillset(&every);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &every);
        posix_spawnattr_setpgroup(&attributes, 0);  // Ctrl-C at the terminal is for the engine: it ends its children in order
        const int own = new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
        posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | own));
    }

    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& each : texts) out.push_back(each.data());
    out.push_back(nullptr);
    return out;
}

}  // namespace

pid_t spawn(const spawn_request& request) {
    spawn_plan plan;
    if (!request.directory.empty()) posix_spawn_file_actions_addchdir_np(&plan.files, request.directory.c_str());
    plan.take_descriptors(request.descriptors);
    plan.take_signals(request.new_session);
    std::vector<std::string> words{request.program};
    words.insert(words.end(), request.arguments.begin(), request.arguments.end());
    auto variables = request.environment;
    const auto argv = pointers(words);
    const auto environment = pointers(variables);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, request.program.c_str(), &plan.files, &plan.attributes, argv.data(), environment.data());
    return error == 0 ? pid : -error;
}

std::vector<std::string> kept_environment() {
    std::vector<std::string> kept;
    for (auto each = environ; each != nullptr && *each != nullptr; ++each) {
        const std::string_view text(*each);
        if (std::any_of(kept_variables.begin(), kept_variables.end(), [&](auto name) { return text.starts_with(name); })) kept.emplace_back(text);
    }
    return kept;
}

std::optional<std::string> find_program(std::string_view name) {
    const auto is_program = [](const std::string& path) {
        struct stat about {};
        return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) && ::access(path.c_str(), X_OK) == 0;
    };
    if (name.empty()) return std::nullopt;
    if (name.find('/') != std::string_view::npos) return is_program(std::string(name)) ? std::optional(std::string(name)) : std::nullopt;
    const auto* given = std::getenv("PATH");
    const std::string_view path = given != nullptr ? given : "/usr/local/bin:/usr/bin:/bin";
    for (std::size_t from = 0; from <= path.size();) {
        const auto end = std::min(path.find(':', from), path.size());
        auto candidate = std::string(path.substr(from, end - from)) + "/" + std::string(name);
        if (end > from && is_program(candidate)) return candidate;
        from = end + 1;
    }
    return std::nullopt;
}

ending describe_end(int status) {
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

int lifted(int fd) {
    const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest_own_fd);
    const int error = errno;
    ::close(fd);
    errno = error;
    return moved;
}

int file_of(std::string_view text) {
    int fd = ::memfd_create("pawl-input", MFD_CLOEXEC);
    if (fd < 0 || (fd = lifted(fd)) < 0) return -1;
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            const int error = errno;
            ::close(fd);
            errno = error;
            return -1;
        }
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    ::lseek(fd, 0, SEEK_SET);
    return fd;
}

}  // namespace pawl::process
