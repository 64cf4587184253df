#include "ai/http_channel.hpp"

#include "ai/http_failure.hpp"
#include "base/digest.hpp"

namespace pawl::ai {
namespace {

std::string header(const net::http_response& response, std::string_view name) {
    const auto* value = net::find_header(response.headers, name);
    // Ids go into records and logs: short and printable.
    if (value == nullptr || value->size() > 200) return {};
    for (const char ch : *value) {
        if (ch < 0x21 || ch > 0x7e) return {};
    }
    return *value;
}

std::string first_header(const net::http_response& response, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (auto value = header(response, name); !value.empty()) return value;
    }
    return {};
}

bool is_header_safe(std::string_view token) {
    for (const char ch : token) {
        if (ch < 0x21 || ch > 0x7e) return false;
    }
    return !token.empty();
}

}  // namespace

void http_channel::close() {
    const std::lock_guard guard(lock_);
    client_ = nullptr;
}

canceller http_channel::post(call what, std::function<void(result<answer>)> done) {
    std::string token;
    if (!what.token.empty()) {
        const auto secret = secrets_ ? secrets_(what.token) : std::nullopt;
        if (!secret || !is_header_safe(*secret)) {
            done(model_problem(problem_type::authentication,
                               what.who + " needs the secret `" + what.token + "`, which " +
                                   (secret ? "holds characters that a token cannot have." : "has no value in this environment; set it where the project's secrets are kept."),
                               false));
            return {};
        }
        token = *secret;
    }
    net::http_request request;
    request.method = "POST";
    request.url = what.url;
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
    request.body = to_text(what.body);
    request.timeout = what.timeout;
    what.body = nullptr;
    const std::lock_guard guard(lock_);
    if (client_ == nullptr) return {};  // shutting down: nobody waits
    const auto id = client_->send(std::move(request), [self = shared_from_this(), what = std::move(what), token = std::move(token),
                                                       done = std::move(done)](result<net::http_response> response) {
        if (response.has_value()) return done(self->read(what, token, *response));
        auto error = response.error();
        error.detail = what.who + ": " + error.detail;
        const auto kind = type_name_of(error.type);
        error.extra["retryable"] = kind == "communication" || kind == "timeout";
        done(std::move(error));
    });
    return [weak = weak_from_this(), id] {
        const auto self = weak.lock();
        if (!self) return;
        const std::lock_guard again(self->lock_);
        if (self->client_ != nullptr) self->client_->cancel(id);
    };
}

result<http_channel::answer> http_channel::read(const call& what, std::string_view token, const net::http_response& response) const {
    const bool fine = response.status >= 200 && response.status < 300;
    const auto request_id = first_header(response, {"cf-ai-req-id", "x-request-id", "cf-ray"});
    const auto* type = net::find_header(response.headers, "content-type");
    const auto attach = [&](problem error) {
        if (!request_id.empty()) error.extra["requestId"] = request_id;
        if (const auto wait = retry_after(response, clock_->now())) error.extra["retryAfterMs"] = wait->count();
        return error;
    };
    const auto parsed = parse_json(response.body);
    if (parsed.has_error()) {
        if (!fine) return attach(failure_of(what.who, response.status, api_error{}, token));
        if (type != nullptr && !response.body.empty() && type->find("json") == std::string::npos && type->find("text/") == std::string::npos) {
            return answer{json::object{{"contentType", *type}, {"base64", to_base64(response.body)}}, request_id, header(response, "cf-aig-log-id")};
        }
        auto error = model_problem(problem_type::communication,
                                   what.who + " sent a reply that is not JSON (" + std::to_string(response.body.size()) + " bytes): " + parsed.error().detail, true);
        error.status = 502;
        return attach(std::move(error));
    }
    const auto reported = read_api_error(*parsed);
    if (!fine || reported) return attach(failure_of(what.who, response.status, reported.value_or(api_error{}), token));
    return answer{std::move(*parsed), request_id, header(response, "cf-aig-log-id")};
}

}  // namespace pawl::ai
