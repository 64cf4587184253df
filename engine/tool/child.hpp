// One life of a plugin's process: started, spoken to in frames, watched until it ended. It knows processes and bytes, not calls.
// send(), kill() from any thread; handlers run on the io_context, one after the other; close() blocks.
// File descriptors are O_CLOEXEC; the child gets four: /dev/null, a pipe for what it writes to stdout and stderr, the socket as 3, and no environment but a short list.
#pragma once

#include "base/clock.hpp"
#include "process/spawn.hpp"
#include "tool/frame.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <sys/types.h>
#include <vector>

namespace pawl::tool {

inline constexpr int child_socket_fd = 3;

using child_end = process::ending;

class child : public std::enable_shared_from_this<child> {
public:
    struct handlers {
        std::function<void(frame)> frame;
        std::function<void(std::string_view line)> line;  ///< of its stdout or stderr
        std::function<void(const child_end&)> ended;      ///< once, the last one
    };
    struct settings {
        std::string program;
        std::vector<std::string> arguments;
        std::size_t max_body_bytes = 0;
        std::size_t max_unsent_bytes = 0;
    };

    child(boost::asio::io_context& io, settings s, handlers h);
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child();

    /// Starts the process from a thread of the io_context; what send() takes before is sent then.
    void begin();
    enum class sent {
        yes,   ///< or it will be
        full,  ///< the child does not read and too much is unsent
        gone   ///< it has ended, and has seen nothing of `bytes`
    };
    sent send(std::string bytes);
    void kill();
    /// Waits until the process has gone, and kills it when `grace` is over. Needs no running io_context. The handlers are not called any more.
    void close(milliseconds grace);

private:
    using strand = boost::asio::strand<boost::asio::io_context::executor_type>;

    void spawn();
    bool open_channels(int& their_socket, int& their_output);
    void read_frames();
    void read_lines();
    void take_lines(std::string_view bytes);
    bool take_frames(std::string_view bytes);
    void flush();
    void arm_flush();
    void watch_exit();
    void drain();
    void finish(const child_end& end);

    const settings settings_;
    handlers handlers_;
    strand strand_;
    boost::asio::local::stream_protocol::socket socket_;
    boost::asio::posix::stream_descriptor output_;
    boost::asio::posix::stream_descriptor exit_;
    frame_reader frames_;
    std::array<char, 65536> bytes_{};
    std::array<char, 4096> output_bytes_{};
    std::string line_;

    std::mutex guard_;  ///< of what follows
    std::string unsent_;
    bool open_ = false;      ///< the socket may be written to
    bool flushing_ = false;
    bool closed_ = false;    ///< by close(): nobody listens any more
    bool finished_ = false;
    pid_t pid_ = -1;         ///< -1: none, or reaped
};

}  // namespace pawl::tool
