// What the tool tests share: an io_context on a thread, a log that remembers, hosts of the test plugins, and calls that wait for their outcome.
#pragma once

#include "tool/host.hpp"
#include "tool/plugin_registry.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace pawl::tool_tests {

using namespace std::chrono_literals;

std::string test_plugin(const std::string& name);      ///< path in tests/tool/plugins
std::string standard_plugin(const std::string& name);  ///< path in plugins/
std::string host_program();

/// A folder of its own, gone at the end.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();
    std::string path(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

void write_file(const std::string& path, std::string_view text);
std::string read_file(const std::string& path);

/// Lines from any thread, and waiting for one.
class lines {
public:
    void add(std::string line);
    /// True when a line that contains `part` is there, or comes within 20 seconds.
    bool wait_for(std::string_view part);
    std::vector<std::string> all();
    bool any_contains(std::string_view part);

private:
    std::mutex guard_;
    std::condition_variable changed_;
    std::vector<std::string> all_;
};

/// A call on its way.
struct pending {
    tool::call_id id = 0;
    std::future<result<std::string>> outcome;
    std::shared_ptr<lines> news = std::make_shared<lines>();  ///< "progress: ..." and "heartbeat: ..."

    /// Fails the test when nothing comes within 20 seconds.
    result<std::string> get();
};

enum class kind { isolated, in_process };
std::ostream& operator<<(std::ostream& to, kind k);
inline constexpr std::array<kind, 2> both{kind::isolated, kind::in_process};

/// The engine's side: an io_context on a thread, and a log.
class world {
public:
    world();
    ~world();
    boost::asio::io_context io;
    lines log;
    tool::log_sink sink();

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

tool::host_options quick_options();

/// Error: why the host cannot be made.
result<std::unique_ptr<tool::tool_host>> make_host(world& in, kind k, const std::string& path, const json::object& config = {},
                                                   const tool::host_options& options = quick_options());
/// The same for a host that can be made.
std::unique_ptr<tool::tool_host> host_of(world& in, kind k, const std::string& path, const json::object& config = {}, const tool::host_options& options = quick_options());

tool::tool_call call_of(std::string tool, std::string input = "{}");
pending start(tool::tool_host& on, tool::tool_call call);

}  // namespace pawl::tool_tests
