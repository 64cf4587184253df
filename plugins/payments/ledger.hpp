// An append-only file of JSON lines, one per idempotency key: a payment provider in one file.
// Safe between threads and processes (flock), and after a process was killed at any point: a line counts once it is whole, and half a line is taken away.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payments {

class ledger {
public:
    /// Opens or creates the file and its folder, and locks it until the object ends. Throws pawl::sdk::failure.
    explicit ledger(const std::string& path);
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;
    ~ledger();

    /// The line of a key, without its end.
    std::optional<std::string> find(std::string_view key) const;
    /// Appends a line (JSON with a member `key`) and returns when it is on the disk.
    void append(const std::string& line);

private:
    const std::string path_;
    int file_ = -1;
    std::string text_;  ///< the whole lines of the file
};

}  // namespace payments
