// Waits for files to change: `pawl test --watch`. Linux inotify, the whole tree below some folders, with a short rest so that one save is one change.
// One thread. SIGINT and SIGTERM end the wait; block_end_signals() must come before any other thread is started.
#pragma once

#include "base/result.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pawl::cli {

void block_end_signals();

class file_watch {
public:
    /// Error: the system gives no more watches.
    static result<file_watch> on(const std::vector<std::string>& folders);
    file_watch(file_watch&& other) noexcept;
    file_watch& operator=(file_watch&&) = delete;
    ~file_watch();

    /// Absolute paths of the files that changed; nothing when a signal ends the wait.
    std::optional<std::set<std::string>> wait();

private:
    file_watch() = default;
    bool add(const std::string& folder);
    void read(std::set<std::string>& changed);

    int notify_ = -1, signals_ = -1;
    std::map<int, std::string> folders_;
};

}  // namespace pawl::cli
