// MCP over the standard streams of a child process: one message a line.
#include "protocol/mcp_conversation.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <mutex>

namespace pawl::protocol {
namespace {

namespace asio = boost::asio;

constexpr std::size_t shown_stderr = 2'000;

class stdio_conversation final : public mcp_conversation, public std::enable_shared_from_this<stdio_conversation> {
public:
    stdio_conversation(asio::io_context& io, mcp_call call, milliseconds time, const mcp_limits& limits, callbacks back)
        : io_(io), timer_(io), call_(std::move(call)), time_(time), limits_(limits), back_(std::move(back)), dialogue_(call_) {}

    void begin() override {
        process::piped_process::handlers handlers;
        handlers.out = [self = shared_from_this()](std::string_view bytes) { self->take(bytes); };
        handlers.err = [self = shared_from_this()](std::string_view bytes) { self->remember(bytes); };
        handlers.ended = [self = shared_from_this()](const process::ending& end) { self->ended(end); };
        server_ = std::make_shared<process::piped_process>(io_, std::move(*call_.command), std::move(handlers), 2 * limits_.max_message_bytes);
        server_->begin();
        say(dialogue_.initialize());
        asio::post(io_, [self = shared_from_this()] { self->await_answer(); });
    }

    void stop() override {
        {
            const std::lock_guard lock(guard_);
            back_.answered = nullptr;
        }
        server_->stop(limits_.grace);
    }

    void close() override {
        {
            const std::lock_guard lock(guard_);
            back_ = {};
        }
        server_->close(limits_.grace);
    }

private:
    void await_answer() {
        timer_.expires_after(time_);
        timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (error || self->answered_) return;
            self->answer(make_problem(problem_type::timeout, "No answer of " + self->call_.shown + " to `" + self->call_.method + "` within " +
                                                                 std::to_string(self->time_.count()) + " ms."));
            self->server_->stop(self->limits_.grace);
        });
    }

    void say(const std::string& text) {
        if (text.size() <= limits_.max_message_bytes && server_->send(text + "\n")) return;
        answer(make_problem(problem_type::validation, "The request for " + call_.shown + " has more than " + std::to_string(limits_.max_message_bytes) + " bytes."));
        server_->stop(limits_.grace);
    }

    void take(std::string_view bytes) {
        while (!bytes.empty() && !answered_) {
            const auto end = bytes.find('\n');
            line_ += bytes.substr(0, end);
            if (line_.size() > limits_.max_message_bytes) {
                answer(make_problem(problem_type::communication, "A message of " + call_.shown + " has more than " + std::to_string(limits_.max_message_bytes) + " bytes."));
                return server_->stop(limits_.grace);
            }
            if (end == std::string_view::npos) return;
            bytes.remove_prefix(end + 1);
            react(dialogue_.take(std::exchange(line_, {})));
        }
    }

    void react(mcp_dialogue::reaction to) {
        for (const auto& each : to.replies) say(each);
        if (to.became_ready) {
            say(dialogue_.initialized());
            say(dialogue_.request());
        }
        if (!to.outcome || answered_) return;
        answer(std::move(*to.outcome));
        // A server ends when its stdin does; one that does not is told.
        server_->end_input();
        timer_.expires_after(limits_.grace);
        timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error) self->server_->stop(self->limits_.grace);
        });
    }

    void remember(std::string_view bytes) {
        last_words_ += bytes;
        if (last_words_.size() > shown_stderr) last_words_.erase(0, last_words_.size() - shown_stderr);
    }

    void ended(const process::ending& end) {
        timer_.cancel();
        if (!answered_) {
            auto error = make_problem(problem_type::communication, "The process of " + call_.shown + " " + end.words + " before it answered.");
            if (end.exit_code >= 0) error.extra["exitCode"] = end.exit_code;
            if (!last_words_.empty()) {
                std::string text;
                append_string(text, last_words_);  // invalid UTF-8 becomes U+FFFD
                if (auto clean = parse_json(text); clean.has_value()) error.extra["stderr"] = std::move(*clean);
            }
            answer(std::move(error));
        }
        callbacks last;
        {
            const std::lock_guard lock(guard_);
            last = std::move(back_);
            back_ = {};
        }
        if (last.gone) last.gone();
    }

    void answer(result<json::value> outcome) {
        if (std::exchange(answered_, true)) return;
        std::function<void(result<json::value>)> told;
        {
            const std::lock_guard lock(guard_);
            told = std::exchange(back_.answered, nullptr);
        }
        if (told) told(std::move(outcome));
    }

    asio::io_context& io_;
    asio::steady_timer timer_;
    mcp_call call_;
    const milliseconds time_;
    const mcp_limits limits_;
    std::mutex guard_;  ///< of back_
    callbacks back_;
    mcp_dialogue dialogue_;
    std::shared_ptr<process::piped_process> server_;
    std::string line_, last_words_;
    bool answered_ = false;
};

}  // namespace

std::shared_ptr<mcp_conversation> converse_by_stdio(asio::io_context& io, mcp_call call, milliseconds time, const mcp_limits& limits, mcp_conversation::callbacks back) {
    return std::make_shared<stdio_conversation>(io, std::move(call), time, limits, std::move(back));
}

}  // namespace pawl::protocol
