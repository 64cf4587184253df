#include "protocol/http_effect.hpp"

namespace pawl::protocol {

http_effect::http_effect(std::shared_ptr<authenticated_client> client) : calls_(std::move(client)) {}

std::vector<function_description> http_effect::functions() const {
    return {{"http", "1.0.0", "Sends an HTTP request.", effect_safety::idempotent, http_arguments_schema(), std::nullopt, "built-in"}};
}

void http_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) {
    auto call = read_http_call(*request);
    if (call.has_error()) return done({call.error(), {}, {}});
    calls_.run(*request, std::move(*call), std::move(done));
}

void http_effect::cancel(std::string_view key) { calls_.cancel(key); }

}  // namespace pawl::protocol
