#include "tool/child.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pawl::tool {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

}  // namespace

child::child(net::io_context& io, settings s, handlers h)
    : settings_(std::move(s)),
      handlers_(std::move(h)),
      strand_(net::make_strand(io)),
      socket_(strand_),
      output_(strand_),
      exit_(strand_),
      frames_(settings_.max_body_bytes) {}

child::~child() {
    // Only a process that close() or watch_exit() did not see to its end: the io_context was destroyed first.
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void child::begin() {
    net::post(strand_, [self = shared_from_this()] { self->spawn(); });
}

bool child::open_channels(int& their_socket, int& their_output) {
    std::array<int, 2> pair{-1, -1}, pipe{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return false;
    socket_.assign(net::local::stream_protocol(), pair[0]);
    their_socket = process::lifted(pair[1]);
    if (their_socket < 0 || ::pipe2(pipe.data(), O_CLOEXEC) != 0) return false;
    output_.assign(pipe[0]);
    their_output = process::lifted(pipe[1]);
    return their_output >= 0;
}

void child::spawn() {
    {
        const std::lock_guard lock(guard_);
        if (closed_) return;
    }
    // Not under the lock: send() must not wait for a process to start.
    int their_socket = -1, their_output = -1, error = 0;
    pid_t pid = -1;
    if (!open_channels(their_socket, their_output)) {
        error = errno;
    } else {
        pid = process::spawn({settings_.program, settings_.arguments, process::kept_environment(), {}, {{their_output, 1}, {their_output, 2}, {their_socket, child_socket_fd}}});
        if (pid < 0) error = -pid;
    }
    if (their_socket >= 0) ::close(their_socket);
    if (their_output >= 0) ::close(their_output);
    const int watched = pid > 0 ? process::open_process(pid) : -1;
    if (pid > 0 && watched < 0) error = errno;
    if (watched >= 0) exit_.assign(watched);
    bool unwanted = false;
    {
        const std::lock_guard lock(guard_);
        unwanted = closed_ || error != 0;
        if (!unwanted) {
            pid_ = pid;
            open_ = true;
        }
    }
    if (unwanted && pid > 0) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    if (unwanted) return finish({std::string("could not be started: ") + std::strerror(error), 0, -1});
    read_frames();
    read_lines();
    watch_exit();
    flush();
}

child::sent child::send(std::string bytes) {
    const std::lock_guard lock(guard_);
    if (closed_ || finished_) return sent::gone;
    if (unsent_.size() + bytes.size() > settings_.max_unsent_bytes) return sent::full;
    std::size_t done = 0;
    if (open_ && unsent_.empty()) {
        // At once, on the caller's thread: one thread switch less for every call.
        const auto n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return sent::gone;
        if (n > 0) done = static_cast<std::size_t>(n);
    }
    if (done == bytes.size()) return sent::yes;
    unsent_.append(bytes, done);
    if (open_ && !flushing_) {
        flushing_ = true;
        net::post(strand_, [self = shared_from_this()] { self->arm_flush(); });
    }
    return sent::yes;
}

void child::arm_flush() {
    socket_.async_wait(net::local::stream_protocol::socket::wait_write, [self = shared_from_this()](error_code error) {
        if (!error) self->flush();
    });
}

void child::flush() {
    {
        const std::lock_guard lock(guard_);
        flushing_ = false;
        if (!open_ || unsent_.empty()) return;
        const auto n = ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) unsent_.erase(0, static_cast<std::size_t>(n));
        if (n < 0 && errno != EAGAIN && errno != EINTR) unsent_.clear();  // the process has gone: watch_exit() tells
        if (unsent_.empty()) return;
        flushing_ = true;
    }
    arm_flush();
}

void child::read_frames() {
    socket_.async_read_some(net::buffer(bytes_), [self = shared_from_this()](error_code error, std::size_t n) {
        // The socket closes when the process ends; a plugin that closes it itself is of no use any more.
        if (error || !self->take_frames({self->bytes_.data(), n})) return self->kill();
        self->read_frames();
    });
}

bool child::take_frames(std::string_view bytes) {
    frames_.feed(bytes);
    while (true) {
        auto next = frames_.next();
        if (!next) {
            if (handlers_.line) handlers_.line("The plugin's process broke the protocol: " + next.error().detail);
            return false;
        }
        if (!*next) return true;
        if (handlers_.frame) handlers_.frame(std::move(**next));
    }
}

void child::read_lines() {
    output_.async_read_some(net::buffer(output_bytes_), [self = shared_from_this()](error_code error, std::size_t n) {
        if (error) return;
        self->take_lines({self->output_bytes_.data(), n});
        self->read_lines();
    });
}

void child::take_lines(std::string_view bytes) {
    for (const char c : bytes) {
        if (c != '\n' && line_.size() < output_bytes_.size()) line_ += c;
        if (c == '\n' || line_.size() == output_bytes_.size()) {
            if (!line_.empty() && handlers_.line) handlers_.line(line_);
            line_.clear();
        }
    }
}

void child::watch_exit() {
    exit_.async_wait(net::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code error) {
        if (error) return;
        self->drain();
        child_end end{"ended", 0, -1};
        {
            const std::lock_guard lock(self->guard_);
            int status = 0;
            if (self->pid_ > 0 && ::waitpid(self->pid_, &status, 0) == self->pid_) end = process::describe_end(status);
            self->pid_ = -1;
        }
        self->finish(end);
    });
}

void child::drain() {
    // What the process said before it ended still counts: a completed call is completed.
    std::array<char, 65536> rest;
    for (ssize_t n; (n = ::recv(socket_.native_handle(), rest.data(), rest.size(), MSG_DONTWAIT)) > 0;) {
        if (!take_frames({rest.data(), static_cast<std::size_t>(n)})) break;
    }
    error_code ignored;
    output_.native_non_blocking(true, ignored);
    for (ssize_t n; (n = ::read(output_.native_handle(), rest.data(), rest.size())) > 0;) take_lines({rest.data(), static_cast<std::size_t>(n)});
    if (!line_.empty()) take_lines("\n");
}

void child::finish(const child_end& end) {
    handlers last;
    {
        const std::lock_guard lock(guard_);
        if (std::exchange(finished_, true)) return;
        open_ = false;
        unsent_.clear();
        last = std::move(handlers_);
        handlers_ = {};
        error_code ignored;
        socket_.close(ignored);
        output_.close(ignored);
        exit_.close(ignored);
    }
    if (last.ended) last.ended(end);
}

void child::kill() {
    const std::lock_guard lock(guard_);
    if (pid_ > 0) ::kill(pid_, SIGKILL);
}

void child::close(milliseconds grace) {
    pid_t pid = -1;
    {
        const std::lock_guard lock(guard_);
        closed_ = true;
        pid = pid_;
    }
    const int watched = pid > 0 ? process::open_process(pid) : -1;
    if (watched >= 0) {
        pollfd wait{watched, POLLIN, 0};
        if (::poll(&wait, 1, static_cast<int>(grace.count())) <= 0) kill();
        ::close(watched);
    }
    const std::lock_guard lock(guard_);
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

}  // namespace pawl::tool
