#include "protocol/http_effect.hpp"

#include "protocol/http_call.hpp"

#include <mutex>

namespace pawl::protocol {
namespace {

constexpr milliseconds usual_timeout{60'000};
constexpr milliseconds longest_timeout{600'000};

}  // namespace

struct http_effect::calls {
    std::mutex lock;
    struct running_call {
        net::http_client::request_id id;
        std::shared_ptr<http_call> call;  ///< tells an attempt from the one before with the same key
    };
    std::map<std::string, running_call, std::less<>> running;
    bool closed = false;
};

http_effect::http_effect(net::http_client& client, std::shared_ptr<const clock_source> clock)
    : client_(client), clock_(std::move(clock)), calls_(std::make_shared<calls>()) {}

http_effect::~http_effect() {
    const std::lock_guard guard(calls_->lock);
    calls_->closed = true;
    for (const auto& [key, each] : calls_->running) client_.cancel(each.id);
}

std::vector<function_description> http_effect::functions() const {
    return {{"http", "1.0.0", "Sends an HTTP request.", effect_safety::idempotent, http_arguments_schema(), std::nullopt, "built-in"}};
}

void http_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) {
    auto read = read_http_call(*request);
    if (read.has_error()) return done({read.error(), {}, {}});
    auto call = std::make_shared<http_call>(std::move(*read));
    call->request.timeout = usual_timeout;
    if (request->deadline) {
        call->request.timeout = std::min(longest_timeout, *request->deadline - clock_->now());
        if (call->request.timeout <= milliseconds(0)) {
            return done({make_problem(problem_type::timeout, "The call's deadline passed before " + call->shown + " could be sent."), {}, {}});
        }
    }
    const auto began = std::chrono::steady_clock::now();
    // Held until the id is noted: the answer may come on the network thread before send() returns.
    const std::lock_guard guard(calls_->lock);
    auto to_send = std::move(call->request);
    call->request = {};
    call->request.method = to_send.method;
    const auto id = client_.send(std::move(to_send), [calls = calls_, call, key = request->key, began, done = std::move(done)](result<net::http_response> response) {
        {
            const std::lock_guard inner(calls->lock);
            if (calls->closed) return;
            if (const auto found = calls->running.find(key); found != calls->running.end() && found->second.call == call) calls->running.erase(found);
        }
        runtime::call_outcome out{json::value(), {}, {}};
        out.record["latencyMs"] = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count();
        if (response.has_value()) {
            out.record["status"] = response->status;
            out.value = read_http_response(*call, *response);
        } else {
            auto error = response.error();
            error.detail = call->shown + ": " + error.detail;
            out.value = std::move(error);
        }
        done(std::move(out));
    });
    calls_->running[request->key] = {id, call};
}

void http_effect::cancel(std::string_view key) {
    const std::lock_guard guard(calls_->lock);
    if (const auto found = calls_->running.find(key); found != calls_->running.end()) client_.cancel(found->second.id);
}

}  // namespace pawl::protocol
