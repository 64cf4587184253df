// Where a plugin's code runs: in this process or in one of its own, behind one interface.
// All functions from any thread; none blocks but the destructor, which cancels what is live, waits a little, and ends every call.
#pragma once

#include "tool/call.hpp"
#include "tool/manifest.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace pawl::tool {

struct host_options {
    std::string host_program;                ///< isolated: the path of pawl-tool-host
    std::size_t max_in_flight = 64;          ///< calls that the plugin has at the same time
    std::size_t max_waiting = 10'000;        ///< calls that wait for one of those places; more are refused
    std::size_t max_value_bytes = 16u << 20; ///< of an input, and of an output
    std::size_t max_log_bytes = 64 * 1024;   ///< of a plugin's log, stdout and stderr per second; the rest is counted and dropped
    milliseconds cancel_grace{10'000};       ///< isolated: a cancelled call that still runs then costs its process
    milliseconds stop_grace{2'000};          ///< for live calls, when the host ends
};

class tool_host {
public:
    tool_host() = default;
    tool_host(const tool_host&) = delete;
    tool_host& operator=(const tool_host&) = delete;
    virtual ~tool_host() = default;

    /// `id` comes from next_call_id(). The sink's `done` may be called before this returns.
    virtual void start(call_id id, tool_call call, call_sink sink) = 0;
    /// Nobody waits for the call any more. Its `done` is still called, with whatever comes of it.
    virtual void cancel(call_id id) = 0;
    virtual std::string_view kind() const noexcept = 0;  ///< "isolated" or "in-process"
};

/// Loads the library into this process and starts it. A crash of the plugin is a crash of the engine; a call that never returns keeps its thread.
/// One at a time for the same library. Error: `configuration` problem.
result<std::unique_ptr<tool_host>> make_in_process_host(const plugin_file& plugin, const json::object& config, const host_options& options, log_sink log);

/// Runs the plugin in a child process, started with the first call and again with the next call after it ended. `io` carries its traffic: it must run, on threads
/// that live as long as the host (the child dies with the thread that started it, PR_SET_PDEATHSIG), and outlive it.
/// Error: `configuration` problem when the host program is missing.
result<std::unique_ptr<tool_host>> make_isolated_host(boost::asio::io_context& io, const plugin_file& plugin, const json::object& config, const host_options& options,
                                                      log_sink log);

}  // namespace pawl::tool
