#include "process/piped_process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pawl::process {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

/// What a pipe can hold and more: an escaped process that writes for ever must not keep us.
constexpr int most_last_reads = 64;

void close_all(const std::array<int, 3>& fds) {
    for (const int fd : fds) {
        if (fd >= 0) ::close(fd);
    }
}

/// A pipe: what is read here, and the descriptor to write to it.
bool open_pipe(net::posix::stream_descriptor& from, int& to) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    from.assign(ends[0]);
    to = lifted(ends[1]);
    return to >= 0;
}

int spawn_with(const command& what, std::vector<spawn_request::descriptor> descriptors, bool new_session) {
    const auto program = find_program(what.program);
    if (!program) return -ENOENT;
    return process::spawn({*program, what.arguments, what.environment, what.directory, std::move(descriptors), new_session});
}

}  // namespace

piped_process::piped_process(net::io_context& io, command what, handlers h, std::size_t max_unsent_bytes)
    : what_(std::move(what)),
      max_unsent_bytes_(max_unsent_bytes),
      handlers_(std::move(h)),
      strand_(net::make_strand(io)),
      in_(strand_),
      out_(strand_),
      err_(strand_),
      exit_(strand_),
      grace_(strand_) {}

piped_process::~piped_process() {
    // Only a process that close() or watch_exit() did not see to its end: the io_context was destroyed first.
    if (pid_ > 0) {
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void piped_process::begin() {
    net::post(strand_, [self = shared_from_this()] { self->spawn(); });
}

bool piped_process::open_channels(std::array<int, 3>& theirs) {
    if (what_.input) {
        theirs[0] = file_of(*what_.input);
        if (theirs[0] < 0) return false;
    } else {
        // A socket and not a pipe: writing to one whose reader has gone is an error, not a signal.
        std::array<int, 2> pair{-1, -1};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return false;
        in_.assign(net::local::stream_protocol(), pair[0]);
        theirs[0] = lifted(pair[1]);
        if (theirs[0] < 0) return false;
    }
    return open_pipe(out_, theirs[1]) && open_pipe(err_, theirs[2]);
}

int piped_process::start(std::array<int, 3>& theirs) {
    if (!open_channels(theirs)) return -errno;
    return spawn_with(what_, {{theirs[0], 0}, {theirs[1], 1}, {theirs[2], 2}}, false);
}

void piped_process::spawn() {
    bool wanted = true;
    {
        const std::lock_guard lock(guard_);
        wanted = !closed_ && !stopped_;
    }
    if (!wanted) return finish({"was stopped before it began", 0, -1});
    // Not under the lock: stop() must not wait for a process to start.
    std::array<int, 3> theirs{-1, -1, -1};
    const pid_t pid = start(theirs);
    close_all(theirs);
    int error = pid < 0 ? -pid : 0;
    const int watched = pid > 0 ? open_process(pid) : -1;
    if (pid > 0 && watched < 0) error = errno;
    if (watched >= 0) exit_.assign(watched);
    bool unwanted = false;
    {
        const std::lock_guard lock(guard_);
        unwanted = closed_ || error != 0;
        if (!unwanted) pid_ = pid;
        // stop() came while it started: it is asked like any other, and the grace that stop() has posted comes after us.
        if (!unwanted && stopped_) ::kill(-pid, SIGTERM);
    }
    if (unwanted) {
        if (pid > 0) {
            ::kill(-pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
        return finish({std::string("could not be started: ") + (error != 0 ? std::strerror(error) : "the engine ends"), 0, -1});
    }
    read(out_, out_bytes_, &handlers::out);
    read(err_, err_bytes_, &handlers::err);
    watch_exit();
    flush();
}

void piped_process::read(descriptor& from, std::array<char, 16384>& into, std::function<void(std::string_view)> handlers::*to) {
    from.async_read_some(net::buffer(into), [self = shared_from_this(), &from, &into, to](error_code error, std::size_t n) {
        if (error) return;
        if (self->handlers_.*to) (self->handlers_.*to)({into.data(), n});
        self->read(from, into, to);
    });
}

bool piped_process::send(std::string bytes) {
    const std::lock_guard lock(guard_);
    if (closed_ || finished_ || unsent_.size() + bytes.size() > max_unsent_bytes_) return false;
    unsent_ += bytes;
    net::post(strand_, [self = shared_from_this()] { self->flush(); });
    return true;
}

void piped_process::end_input() {
    {
        const std::lock_guard lock(guard_);
        input_ends_ = true;
    }
    net::post(strand_, [self = shared_from_this()] { self->flush(); });
}

void piped_process::flush() {
    {
        const std::lock_guard lock(guard_);
        if (flushing_ || !in_.is_open()) return;
        error_code ignored;
        if (unsent_.empty() && input_ends_) in_.close(ignored);
        if (unsent_.empty()) return;
        sending_ = std::move(unsent_);
        unsent_.clear();
        flushing_ = true;
    }
    net::async_write(in_, net::buffer(sending_), [self = shared_from_this()](error_code error, std::size_t) {
        {
            const std::lock_guard lock(self->guard_);
            self->flushing_ = false;
        }
        if (!error) self->flush();  // else it does not read any more: watch_exit() tells when it has gone
    });
}

void piped_process::watch_exit() {
    exit_.async_wait(descriptor::wait_read, [self = shared_from_this()](error_code error) {
        if (error) return;
        ending end{"ended", 0, -1};
        // Before it is reaped: until then its number cannot be another group's.
        self->signal_group(SIGKILL);
        self->drain(self->out_, &handlers::out);
        self->drain(self->err_, &handlers::err);
        {
            const std::lock_guard lock(self->guard_);
            int status = 0;
            if (self->pid_ > 0 && ::waitpid(self->pid_, &status, 0) == self->pid_) end = describe_end(status);
            self->pid_ = -1;
        }
        self->finish(end);
    });
}

void piped_process::drain(descriptor& from, std::function<void(std::string_view)> handlers::*to) {
    std::array<char, 16384> rest;
    error_code ignored;
    from.native_non_blocking(true, ignored);
    for (int reads = 0; reads < most_last_reads; ++reads) {
        const auto n = ::read(from.native_handle(), rest.data(), rest.size());
        if (n <= 0) return;
        if (handlers_.*to) (handlers_.*to)({rest.data(), static_cast<std::size_t>(n)});
    }
}

void piped_process::finish(const ending& end) {
    handlers last;
    bool silent = false;
    {
        const std::lock_guard lock(guard_);
        if (std::exchange(finished_, true)) return;
        silent = closed_;
        unsent_.clear();
        last = std::move(handlers_);
        handlers_ = {};
    }
    grace_.cancel();
    error_code ignored;
    in_.close(ignored);
    out_.close(ignored);
    err_.close(ignored);
    exit_.close(ignored);
    if (last.ended && !silent) last.ended(end);
}

void piped_process::signal_group(int number) {
    const std::lock_guard lock(guard_);
    if (pid_ > 0) ::kill(-pid_, number);
}

void piped_process::stop(milliseconds grace) {
    {
        const std::lock_guard lock(guard_);
        if (std::exchange(stopped_, true)) return;
    }
    signal_group(SIGTERM);
    net::post(strand_, [self = shared_from_this(), grace] {
        {
            const std::lock_guard lock(self->guard_);
            if (self->finished_) return;
        }
        self->grace_.expires_after(grace);
        self->grace_.async_wait([self](error_code error) {
            if (!error) self->signal_group(SIGKILL);
        });
    });
}

void piped_process::close(milliseconds grace) {
    pid_t pid = -1;
    {
        const std::lock_guard lock(guard_);
        closed_ = true;
        pid = pid_;
        if (pid > 0) ::kill(-pid, SIGTERM);
    }
    const int watched = pid > 0 ? open_process(pid) : -1;
    if (watched >= 0) {
        pollfd wait{watched, POLLIN, 0};
        ::poll(&wait, 1, static_cast<int>(grace.count()));
        ::close(watched);
    }
    const std::lock_guard lock(guard_);
    if (pid_ > 0) {
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

void start_detached(net::io_context& io, command what, std::function<void(int)> started) {
    net::post(io, [&io, what = std::move(what), started = std::move(started)] {
        const int input = file_of(what.input.value_or(""));
        if (input < 0) return started(errno);
        const pid_t pid = spawn_with(what, {{input, 0}}, true);
        ::close(input);
        if (pid < 0) return started(-pid);
        const int watched = open_process(pid);
        if (watched >= 0) {
            auto exit = std::make_shared<net::posix::stream_descriptor>(io, watched);
            exit->async_wait(net::posix::stream_descriptor::wait_read, [exit, pid](error_code) { ::waitpid(pid, nullptr, WNOHANG); });
        }
        started(0);
    });
}

}  // namespace pawl::process
