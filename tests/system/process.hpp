// Real `pawl` processes for the system tests: started with their own environment, watched through files, killed when the test is over.
#pragma once

#include "base/json.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::system_tests {

using variables = std::map<std::string, std::string>;

/// A folder that is gone after the test.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    const std::string& path() const noexcept { return path_; }
    std::string write(const std::string& name, std::string_view text) const;
    std::string read(const std::string& name) const;

private:
    std::string path_;
};

/// pawl.yaml of a project with the payments tool; its ledger is ./.pawl/ledger.jsonl.
std::string project_with_payments(const std::string& name);

/// How a process ended, and what it said.
struct ended {
    int code = -1;    ///< exit code; -1 when a signal ended it
    int signal = 0;
    std::string out;
    std::string err;
    /// The last line of `out` as JSON; fails the test when it is none.
    json::value document() const;
};
std::ostream& operator<<(std::ostream& to, const ended& e);

class process {
public:
    process(std::vector<std::string> arguments, const std::string& folder, const variables& environment, const std::string& input = {});
    ~process();  ///< SIGKILL when it still runs
    process(process&&) noexcept;
    process& operator=(process&&) noexcept;

    int id() const;
    void send(int signal);
    bool running();
    std::string out() const;
    std::string err() const;
    /// Fails the test after `limit`.
    ended wait(std::chrono::seconds limit = std::chrono::seconds(120));
    /// Resident memory in KiB; 0 when it is gone.
    long resident_kib() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// A project, its store and the environment that `pawl` sees there.
struct place {
    std::string folder;
    variables environment;

    process start(std::vector<std::string> arguments, const variables& more = {}, const std::string& input = {}) const;
    ended run(std::vector<std::string> arguments, const variables& more = {}, const std::string& input = {}) const;
};

/// Waits until `check` is true; false after `limit`. Any thread.
bool happens(const std::function<bool()>& check, std::chrono::seconds limit = std::chrono::seconds(60));
/// Waits until `check` is true; fails the test with `what` after `limit`.
void wait_for(const std::function<bool()>& check, const std::string& what, std::chrono::seconds limit = std::chrono::seconds(60));

/// "sqlite" and "postgresql".
std::vector<std::string> store_kinds();
/// A store of one's own: nothing for sqlite, where the project's own file is used; a new database for postgresql.
variables store_variables(const std::string& kind);

/// Copies examples/NAME into `to`.
void copy_example(const std::string& name, const temporary_folder& to);

std::string example_path(const std::string& relative);

}  // namespace pawl::system_tests
