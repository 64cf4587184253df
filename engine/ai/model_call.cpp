#include "ai/model_call.hpp"

#include "ai/http_failure.hpp"
#include "ai/structured.hpp"
#include "base/digest.hpp"

namespace pawl::ai {
namespace {

void add_usage(json::object& sum, const json::object& more) {
    for (const auto& [key, value] : more) {
        auto& into = sum[key];
        if (into.is_int64() && value.is_int64()) {
            into = into.get_int64() + value.get_int64();
        } else if (into.is_null()) {
            into = value;
        } else if (into.is_number() && value.is_number()) {
            into = into.to_number<double>() + value.to_number<double>();
        }
    }
}

std::optional<milliseconds> wanted_wait(const problem& error) {
    const auto* wait = error.extra.if_contains("retryAfterMs");
    return wait != nullptr && wait->is_int64() ? std::optional(milliseconds(wait->get_int64())) : std::nullopt;
}

}  // namespace

milliseconds retry_delay(const retry_options& options, std::string_view key, unsigned n) {
    const auto digest = sha256(std::string(key) + "/" + std::to_string(n));
    const double share = static_cast<double>(digest[0] * 256 + digest[1]) / 65536.0;
    const double step = static_cast<double>(options.first_delay.count()) * static_cast<double>(1u << std::min(n - 1, 16u));
    return std::min(options.longest_delay, milliseconds(static_cast<std::int64_t>(step * (0.5 + share))));
}

void model_call::start() {
    auto read = read_arguments(*call_);
    if (read.has_error()) return finish(read.error());
    arguments_ = std::move(*read);
    auto model = settings_->catalog.find(arguments_.model);
    if (model.has_error()) return finish(model.error());
    model_ = std::move(*model);
    arguments_.request.model = model_->model;
    if (arguments_.request.schema) {
        auto compiled = schema::validator::compile(*arguments_.request.schema);
        if (compiled.has_error()) {
            auto error = compiled.error();
            error.detail = "The `schema` of this ai.chat cannot be used: " + error.detail;
            return finish(std::move(error));
        }
        validator_ = std::move(*compiled);
    }
    send();
}

void model_call::send() {
    auto& request = arguments_.request;
    request.timeout = settings_->options.request_timeout;
    if (const auto left = call_->time_left()) {
        if (*left <= milliseconds(0)) return finish(make_problem(problem_type::timeout, "The call's deadline passed before the model could be asked."));
        request.timeout = std::min(request.timeout, *left);
    }
    ++tries_;
    const auto number = ++attempts_;
    auto cancel = model_->provider->start(request, [self = shared_from_this(), number](result<model_reply> reply) {
        if (!self->over_ && number == self->attempts_) self->on_reply(std::move(reply));
    });
    // An answer that came at once may have led to the next request already.
    if (number == attempts_ && !over_) cancel_ = std::move(cancel);
}

void model_call::on_reply(result<model_reply> reply) {
    cancel_ = nullptr;
    if (reply.has_error()) return on_failure(reply.error());
    add_usage(usage_, reply->usage);
    request_id_ = reply->request_id;
    gateway_log_id_ = reply->gateway_log_id;
    on_answer(std::move(*reply));
}

void model_call::on_failure(problem error) {
    if (const auto* id = error.extra.if_contains("requestId"); id != nullptr && id->is_string()) request_id_ = std::string(id->get_string());
    const auto wait = std::max(wanted_wait(error).value_or(milliseconds(0)), retry_delay(settings_->options.retry, call_->key, tries_));
    const auto left = call_->time_left();
    const bool too_long = wait > settings_->options.retry.longest_delay || (left && wait >= *left);
    if (!is_retryable(error) || tries_ > settings_->options.retry.retries || too_long) {
        if (attempts_ > 1) error.detail += " (" + std::to_string(attempts_) + " requests were sent.)";
        return finish(std::move(error));
    }
    timer_.expires_after(wait);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec && !self->over_) self->send();
    });
}

void model_call::on_answer(model_reply reply) {
    if (!validator_ || !reply.tool_calls.empty()) return finish(call_output(call_->function, arguments_.one_text, std::move(reply)));
    auto checked = check_answer(*validator_, *arguments_.request.schema, reply);
    if (checked.has_value()) return finish(std::move(*checked));
    if (repaired_) return finish(checked.error());
    repaired_ = true;
    tries_ = 0;
    arguments_.request = repair_request(arguments_.request, reply, checked.error());
    send();
}

json::value call_output(std::string_view function, bool one_text, model_reply reply) {
    if (function == "ai.run") return std::move(reply.content);
    if (function == "ai.embed") {
        if (!reply.content.is_array() || reply.content.get_array().empty() || !reply.content.get_array().front().is_array()) return json::object{{"vectors", json::array()}};
        const auto dimensions = reply.content.get_array().front().get_array().size();
        if (one_text) return json::object{{"vector", reply.content.get_array().front()}, {"dimensions", dimensions}};
        return json::object{{"vectors", std::move(reply.content)}, {"dimensions", dimensions}};
    }
    json::object out;
    if (reply.content.is_string()) {
        out["text"] = std::move(reply.content);
    } else {
        out["text"] = reply.content.is_null() ? std::string() : to_text(reply.content);
    }
    out["finishReason"] = reply.finish_reason;
    if (!reply.tool_calls.empty()) out["toolCalls"] = std::move(reply.tool_calls);
    return out;
}

json::object model_call::record_of(const result<json::value>& value) const {
    json::object out;
    if (model_) {
        out["provider"] = model_->provider->kind();
        out["model"] = model_->model;
    }
    if (!arguments_.prompt_version.empty()) out["promptVersion"] = arguments_.prompt_version;
    if (!request_id_.empty()) out["requestId"] = request_id_;
    if (!gateway_log_id_.empty()) out["gatewayLogId"] = gateway_log_id_;
    out["latencyMs"] = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_).count();
    if (!usage_.empty()) out["usage"] = usage_;
    out["attempts"] = attempts_;
    if (validator_) out["repaired"] = repaired_;
    out["outcome"] = value.has_value() ? std::string("ok") : std::string(type_name_of(value.error().type));
    return out;
}

void model_call::finish(result<json::value> value) {
    if (over_) return;
    over_ = true;
    timer_.cancel();
    cancel_ = nullptr;
    runtime::call_outcome outcome{std::move(value), {}, {}};
    outcome.record = record_of(outcome.value);
    if (model_) {
        outcome.agent_meta["lastModel"] = model_->model;
        if (!arguments_.prompt_version.empty()) outcome.agent_meta["promptVersion"] = arguments_.prompt_version;
    }
    const auto done = std::exchange(done_, nullptr);
    done(std::move(outcome));
}

void model_call::cancel() {
    const auto end = std::exchange(cancel_, nullptr);
    finish(make_problem(problem_type::runtime, "The model call was cancelled."));
    if (end) end();
}

void model_call::drop() {
    over_ = true;
    timer_.cancel();
    cancel_ = nullptr;
    done_ = nullptr;
}

}  // namespace pawl::ai
