// MCP over streamable HTTP: a POST for each message; answers as JSON or as an event stream; one session for the call.
#include "protocol/http_text.hpp"
#include "protocol/mcp_conversation.hpp"

#include <mutex>
#include <utility>

namespace pawl::protocol {
namespace {

constexpr milliseconds time_for_goodbye{5'000};
constexpr std::size_t longest_session_id = 1'000;

class http_conversation final : public mcp_conversation, public std::enable_shared_from_this<http_conversation> {
public:
    http_conversation(std::shared_ptr<authenticated_client> client, mcp_call call, milliseconds time, const mcp_limits& limits, callbacks back)
        : client_(std::move(client)),
          call_(std::move(call)),
          until_(std::chrono::steady_clock::now() + time),
          limits_(limits),
          back_(std::move(back)),
          dialogue_(call_) {}

    void begin() override {
        post(dialogue_.initialize(), [self = shared_from_this()](const net::http_response& response) {
            auto outcome = self->take(response);
            if (outcome) return self->answer(std::move(*outcome));
            if (!self->dialogue_.ready()) return self->answer(self->broken("did not answer `initialize`"));
            if (const auto* session = net::find_header(response.headers, "mcp-session-id"); session != nullptr && session->size() <= longest_session_id && is_header_value(*session))
                self->session_ = *session;
            self->post(self->dialogue_.initialized(), [self](const net::http_response&) { self->ask(); });
        });
    }

    void stop() override {
        std::uint64_t under_way = 0;
        {
            const std::lock_guard lock(guard_);
            back_.answered = nullptr;
            stopped_ = true;
            under_way = request_;
        }
        if (under_way != 0) client_->cancel(under_way);
    }

    void close() override {
        {
            const std::lock_guard lock(guard_);
            back_ = {};
        }
        stop();
    }

private:
    void ask() {
        post(dialogue_.request(), [self = shared_from_this()](const net::http_response& response) {
            auto outcome = self->take(response);
            self->answer(outcome ? std::move(*outcome) : result<json::value>(self->broken("ended its answer without a result")));
        });
    }

    net::http_request request_of(std::string method, milliseconds timeout) const {
        net::http_request out;
        out.method = std::move(method);
        out.url = call_.url;
        out.headers = call_.headers;
        set_header(out.headers, "Accept", "application/json, text/event-stream");
        if (!session_.empty()) set_header(out.headers, "Mcp-Session-Id", session_);
        if (dialogue_.ready()) set_header(out.headers, "MCP-Protocol-Version", dialogue_.version());
        out.timeout = timeout;
        out.max_response_bytes = limits_.max_message_bytes;
        return out;
    }

    void post(std::string message, std::function<void(const net::http_response&)> next) {
        const auto left = std::chrono::duration_cast<milliseconds>(until_ - std::chrono::steady_clock::now());
        if (message.size() > limits_.max_message_bytes) {
            return answer(make_problem(problem_type::validation, "The request for " + call_.shown + " has more than " + std::to_string(limits_.max_message_bytes) + " bytes."));
        }
        if (left <= milliseconds(0)) return answer(make_problem(problem_type::timeout, "No answer of " + call_.shown + " to `" + call_.method + "` in time."));
        auto request = request_of("POST", left);
        set_header(request.headers, "Content-Type", "application/json");
        request.body = std::move(message);
        bool wanted = true;
        {
            const std::lock_guard lock(guard_);
            wanted = !stopped_;
        }
        if (!wanted) return answer(broken("was not asked: nobody waits"));
        const auto id = client_->send(std::move(request), call_.policy, [self = shared_from_this(), next = std::move(next)](result<net::http_response> response) {
            self->arrived(std::move(response), next);
        });
        const std::lock_guard lock(guard_);
        request_ = id;
    }

    void arrived(result<net::http_response> response, const std::function<void(const net::http_response&)>& next) {
        if (response.has_error()) {
            auto error = response.error();
            error.detail = "MCP: " + call_.shown + ": " + error.detail;
            return answer(std::move(error));
        }
        if (response->status >= 200 && response->status < 300) return next(*response);
        // What the server has to say of a request may come with a status of HTTP that says so too (transports, "Sending messages to the server").
        if (response->status != 401 && response->status != 403) {
            if (auto outcome = take(*response); outcome && outcome->has_error()) return answer(std::move(*outcome));
        }
        auto error = make_problem(problem_type::communication, "MCP: " + call_.shown + " answered " + std::to_string(response->status) + "." +
                                                                   (dialogue_.ready() ? "" : " Is it the address of a streamable HTTP endpoint?"));
        error.status = response->status;
        answer(std::move(error));
    }

    /// The outcome, when the messages hold one. What the server asks us within an answer it no longer waits for: the stream has ended.
    std::optional<result<json::value>> take(const net::http_response& response) {
        const auto* type = net::find_header(response.headers, "content-type");
        const bool events = type != nullptr && type->find("text/event-stream") != std::string::npos;
        const auto messages = events ? event_stream_data(response.body) : std::vector<std::string>{response.body};
        for (const auto& each : messages) {
            auto reaction = dialogue_.take(each);
            if (reaction.outcome) return std::move(*reaction.outcome);
        }
        return std::nullopt;
    }

    problem broken(const std::string& how) const { return make_problem(problem_type::communication, "MCP: " + call_.shown + " " + how + "."); }

    void say_goodbye() {
        // Best effort: servers may refuse it, and forget sessions by themselves.
        if (!session_.empty() && !std::exchange(said_goodbye_, true))
            client_->send(request_of("DELETE", time_for_goodbye), call_.policy, [](const result<net::http_response>&) {});
    }

    void answer(result<json::value> outcome) {
        callbacks last;
        {
            const std::lock_guard lock(guard_);
            last = std::move(back_);
            back_ = {};
        }
        say_goodbye();
        if (last.answered) last.answered(std::move(outcome));
        if (last.gone) last.gone();
    }

    const std::shared_ptr<authenticated_client> client_;
    const mcp_call call_;
    const std::chrono::steady_clock::time_point until_;
    const mcp_limits limits_;
    std::mutex guard_;  ///< of the following
    callbacks back_;
    std::uint64_t request_ = 0;
    bool stopped_ = false;
    // Only within the handlers, which follow each other:
    mcp_dialogue dialogue_;
    std::string session_;
    bool said_goodbye_ = false;
};

}  // namespace

std::shared_ptr<mcp_conversation> converse_by_http(std::shared_ptr<authenticated_client> client, mcp_call call, milliseconds time, const mcp_limits& limits,
                                                   mcp_conversation::callbacks back) {
    return std::make_shared<http_conversation>(std::move(client), std::move(call), time, limits, std::move(back));
}

}  // namespace pawl::protocol
