#include "cli/test_watch.hpp"

#include <csignal>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_folders = 5'000;
constexpr int rest_milliseconds = 100;  ///< editors write a file in several steps
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE;

sigset_t end_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

bool is_passed_by(std::string_view name) { return name.empty() || name.starts_with('.') || name.ends_with('~') || name.ends_with(".new"); }

}  // namespace

void block_end_signals() {
    const auto set = end_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

file_watch::file_watch(file_watch&& other) noexcept
    : notify_(std::exchange(other.notify_, -1)), signals_(std::exchange(other.signals_, -1)), folders_(std::move(other.folders_)) {}

file_watch::~file_watch() {
    if (notify_ >= 0) close(notify_);
    if (signals_ >= 0) close(signals_);
}

bool file_watch::add(const std::string& folder) {
    const auto id = inotify_add_watch(notify_, folder.c_str(), events | IN_ONLYDIR);
    if (id < 0) return errno == ENOENT || errno == ENOTDIR;  // gone again
    folders_[id] = folder;
    std::error_code ec;
    for (auto at = fs::directory_iterator(folder, ec); !ec && at != fs::directory_iterator(); at.increment(ec)) {
        if (folders_.size() >= most_folders) return false;
        if (at->is_directory(ec) && !at->is_symlink(ec) && !is_passed_by(at->path().filename().string()) && !add(at->path().string())) return false;
    }
    return true;
}

result<file_watch> file_watch::on(const std::vector<std::string>& folders) {
    file_watch out;
    const auto set = end_signals();
    out.notify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    out.signals_ = signalfd(-1, &set, SFD_CLOEXEC);
    const bool opened = out.notify_ >= 0 && out.signals_ >= 0;
    for (const auto& each : folders) {
        if (!opened || !out.add(each)) {
            return make_problem(problem_type::configuration, "the folders below " + each + " cannot be watched: there are more than " + std::to_string(most_folders) +
                                                                 " of them, or the system gives no more watches (fs.inotify.max_user_watches); name the folder of the cases");
        }
    }
    return out;
}

void file_watch::read(std::set<std::string>& changed) {
    alignas(inotify_event) char buffer[16 * 1024];
    for (;;) {
        const auto got = ::read(notify_, buffer, sizeof buffer);
        if (got <= 0) return;
        for (ssize_t at = 0; at < got;) {
            inotify_event event;
            std::memcpy(&event, buffer + at, sizeof event);
            const std::string name(event.len > 0 ? buffer + at + sizeof event : "");
            at += static_cast<ssize_t>(sizeof event + event.len);
            const auto folder = folders_.find(event.wd);
            if (folder == folders_.end() || is_passed_by(name)) continue;
            const auto path = folder->second + "/" + name;
            if ((event.mask & IN_ISDIR) != 0) {
                if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) (void)add(path);
            } else if ((event.mask & IN_CREATE) == 0) {  // what is created is also written
                changed.insert(path);
            }
        }
    }
}

std::optional<std::set<std::string>> file_watch::wait() {
    std::set<std::string> changed;
    for (;;) {
        pollfd both[] = {{notify_, POLLIN, 0}, {signals_, POLLIN, 0}};
        const auto ready = poll(both, 2, changed.empty() ? -1 : rest_milliseconds);
        if (ready < 0 && errno != EINTR) return std::nullopt;
        if (ready == 0) return changed;
        if ((both[1].revents & POLLIN) != 0) return std::nullopt;
        if ((both[0].revents & POLLIN) != 0) read(changed);
    }
}

}  // namespace pawl::cli
