// A program with pipes: started, fed, listened to, and seen to its end, with everything it started in turn.
//
// It runs in a process group of its own. When it ends, whatever is left of the group is killed: nothing of a command outlives it, unless it made itself a session.
// begin(), send(), stop() from any thread; handlers run on the io_context, one after the other; close() blocks.
#pragma once

#include "base/clock.hpp"
#include "process/spawn.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <functional>
#include <memory>
#include <mutex>

namespace pawl::process {

struct command {
    std::string program;  ///< a path, or a name that find_program() knows
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  ///< "NAME=value", all of it
    std::string directory;                 ///< empty: the engine's
    /// All that it will read; without it, stdin is a socket that send() writes to.
    std::optional<std::string> input;
};

class piped_process : public std::enable_shared_from_this<piped_process> {
public:
    struct handlers {
        std::function<void(std::string_view)> out, err;  ///< as the bytes come
        /// Once, the last one. `exit_code` and `signal` are those of nobody when it could not be started: `words` says why.
        std::function<void(const ending&)> ended;
    };

    piped_process(boost::asio::io_context& io, command what, handlers h, std::size_t max_unsent_bytes = 0);
    piped_process(const piped_process&) = delete;
    piped_process& operator=(const piped_process&) = delete;
    ~piped_process();

    void begin();
    /// False when it has ended, or does not read and too much is unsent.
    bool send(std::string bytes);
    /// Its stdin ends when all that was sent before is written.
    void end_input();
    /// SIGTERM for the group; SIGKILL when `grace` is over. What has not begun never will.
    void stop(milliseconds grace);
    /// Waits until it has gone, and kills the group when `grace` is over. Needs no running io_context. `ended` is not called any more; bytes
    /// that were read already may still come.
    void close(milliseconds grace);

private:
    using strand = boost::asio::strand<boost::asio::io_context::executor_type>;
    using descriptor = boost::asio::posix::stream_descriptor;

    void spawn();
    int start(std::array<int, 3>& theirs);
    bool open_channels(std::array<int, 3>& theirs);
    void read(descriptor& from, std::array<char, 16384>& into, std::function<void(std::string_view)> handlers::*to);
    void drain(descriptor& from, std::function<void(std::string_view)> handlers::*to);
    void flush();
    void watch_exit();
    void finish(const ending& end);
    void signal_group(int number);

    const command what_;
    const std::size_t max_unsent_bytes_;
    handlers handlers_;
    strand strand_;
    boost::asio::local::stream_protocol::socket in_;
    descriptor out_, err_, exit_;
    boost::asio::steady_timer grace_;
    std::array<char, 16384> out_bytes_{}, err_bytes_{};
    std::string sending_;

    std::mutex guard_;  ///< of what follows
    std::string unsent_;
    bool flushing_ = false;
    bool input_ends_ = false;
    bool closed_ = false;    ///< by close(): nobody listens any more
    bool stopped_ = false;
    bool finished_ = false;
    pid_t pid_ = -1;         ///< -1: none, or reaped
};

/// Starts a program that goes on by itself, in a session of its own and with its output going nowhere: it outlives the engine. `started` is called on the
/// io_context, with 0 or an errno.
void start_detached(boost::asio::io_context& io, command what, std::function<void(int error)> started);

}  // namespace pawl::process
