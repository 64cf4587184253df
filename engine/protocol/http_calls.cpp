#include "protocol/http_calls.hpp"

#include <mutex>

namespace pawl::protocol {
namespace {

constexpr milliseconds usual_timeout{60'000};
constexpr milliseconds longest_timeout{600'000};

}  // namespace

struct http_calls::board {
    struct running_call {
        authenticated_client::request_id id = 0;
        const void* attempt = nullptr;  ///< tells an attempt from the one before with the same key
    };
    std::recursive_mutex lock;  ///< a request that cannot be sent is answered within send()
    std::map<std::string, running_call, std::less<>> running;
    bool closed = false;

    /// False when nobody waits any more.
    bool ended(const std::string& key, const void* attempt) {
        const std::lock_guard hold(lock);
        const auto found = running.find(key);
        if (found != running.end() && found->second.attempt == attempt) running.erase(found);
        return !closed;
    }
};

http_calls::http_calls(std::shared_ptr<authenticated_client> client) : client_(std::move(client)), board_(std::make_shared<board>()) {}

http_calls::~http_calls() {
    const std::lock_guard guard(board_->lock);
    board_->closed = true;
    for (const auto& [key, each] : board_->running) client_->cancel(each.id);
}

result<milliseconds> http_calls::time_left(const runtime::call_request& request, std::string_view shown) const {
    const auto left = request.time_left();
    if (!left) return usual_timeout;
    if (*left > milliseconds(0)) return std::min(longest_timeout, *left);
    return make_problem(problem_type::timeout, "The call's deadline passed before " + std::string(shown) + " could be sent.");
}

void http_calls::fetch(const runtime::call_request& request, net::http_request what, std::optional<authentication> policy, net::http_client::handler done) {
    const auto key = request.key;
    const auto attempt = std::make_shared<char>();
    // Held until the id is noted: the answer may come on the network thread before send() returns.
    const std::lock_guard guard(board_->lock);
    if (board_->closed) return;
    board_->running[key] = {0, attempt.get()};
    const auto id = client_->send(std::move(what), std::move(policy), [board = board_, key, attempt, done = std::move(done)](result<net::http_response> response) {
        if (board->ended(key, attempt.get())) done(std::move(response));
    });
    if (const auto found = board_->running.find(key); found != board_->running.end() && found->second.attempt == attempt.get()) found->second.id = id;
}

void http_calls::run(const runtime::call_request& request, http_call call, runtime::completion done) {
    const auto left = time_left(request, call.shown);
    if (left.has_error()) return done({left.error(), {}, {}});
    call.sent_headers = showable_headers(call.request.headers);
    auto to_send = std::move(call.request);
    to_send.timeout = *left;
    call.request = {};
    call.request.method = to_send.method;
    const auto began = std::chrono::steady_clock::now();
    auto policy = std::move(call.policy);
    call.policy.reset();
    fetch(request, std::move(to_send), std::move(policy), [call = std::move(call), began, done = std::move(done)](result<net::http_response> response) {
        runtime::call_outcome out{json::value(), {}, {}};
        out.record["latencyMs"] = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count();
        if (response.has_value()) {
            out.record["status"] = response->status;
            out.value = read_http_response(call, *response);
        } else {
            auto error = response.error();
            error.detail = call.shown + ": " + error.detail;
            out.value = std::move(error);
        }
        done(std::move(out));
    });
}

void http_calls::cancel(std::string_view key) {
    const std::lock_guard guard(board_->lock);
    if (const auto found = board_->running.find(key); found != board_->running.end()) client_->cancel(found->second.id);
}

}  // namespace pawl::protocol
