#include "ai/workers_ai.hpp"

#include "ai/http_failure.hpp"
#include "ai/reply.hpp"

namespace pawl::ai {
namespace {

constexpr std::string_view who = "Workers AI";

/// Percent-encodes what may not stand in a path; slashes too when `whole`.
std::string in_path(std::string_view text, bool whole) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char ch : text) {
        const auto byte = static_cast<unsigned char>(ch);
        const bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || std::string_view("-._~@:").find(ch) != std::string_view::npos;
        if (plain || (ch == '/' && !whole)) {
            out += ch;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

class workers_ai final : public provider {
public:
    workers_ai(std::string prefix, std::string token, bool encode, std::shared_ptr<http_channel> channel)
        : prefix_(std::move(prefix)), token_(std::move(token)), encode_(encode), channel_(std::move(channel)) {}

    std::string_view kind() const noexcept override { return "workers-ai"; }

    canceller start(const model_request& request, reply_handler done) override {
        http_channel::call call;
        call.who = who;
        call.url = prefix_ + in_path(request.model, encode_);
        call.token = token_;
        call.body = body_of(request);
        call.timeout = request.timeout;
        const auto function = request.function;
        const auto texts = request.input.is_array() ? request.input.get_array().size() : 0;
        return channel_->post(std::move(call), [function, texts, done = std::move(done)](result<http_channel::answer> answer) {
            if (answer.has_error()) return done(answer.error());
            done(read(function, texts, *answer));
        });
    }

private:
    static json::value body_of(const model_request& request) {
        if (request.function == "ai.run") return request.input;
        json::object body = request.settings;
        if (request.function == "ai.embed") {
            body["text"] = request.input;
            return body;
        }
        body["messages"] = all_messages(request);
        // Native JSON mode wants the bare schema, not OpenAI's {name, schema}.
        if (request.schema) body["response_format"] = json::object{{"type", "json_schema"}, {"json_schema", *request.schema}};
        return body;
    }

    static result<model_reply> read(std::string_view function, std::size_t texts, http_channel::answer& answer) {
        const auto* object = answer.body.if_object();
        const auto* inner = object == nullptr ? nullptr : object->if_contains("result");
        // A gateway may answer without the envelope.
        const auto& body = inner != nullptr && object->contains("success") ? *inner : answer.body;
        result<model_reply> out = model_reply{};
        if (function == "ai.run") {
            out->content = body;
            out->usage = read_usage(body);
        } else {
            out = function == "ai.embed" ? read_vectors(body, texts) : read_chat(body);
        }
        if (out.has_error()) {
            auto error = model_problem(problem_type::communication, std::string(who) + " sent a reply that cannot be used: " + out.error().detail + ".", true);
            error.status = 502;
            return error;
        }
        out->request_id = std::move(answer.request_id);
        out->gateway_log_id = std::move(answer.gateway_log_id);
        return out;
    }

    std::string prefix_, token_;
    bool encode_;
    std::shared_ptr<http_channel> channel_;
};

}  // namespace

result<std::shared_ptr<provider>> make_workers_ai(const model_options& options, std::shared_ptr<http_channel> channel) {
    const auto wrong = [](std::string what) { return make_problem(problem_type::configuration, "Workers AI: " + std::move(what)); };
    if (options.account.empty()) return wrong("the model needs `account`, the Cloudflare account's id.");
    if (options.token.empty() && options.base_url.empty()) return wrong("the model needs `token`, the name of the secret with the API token.");
    std::string base = options.base_url;
    if (base.empty()) base = options.gateway.empty() ? "https://api.cloudflare.com" : "https://gateway.ai.cloudflare.com";
    while (base.ends_with('/')) base.pop_back();
    const auto account = in_path(options.account, true);
    const auto prefix = options.gateway.empty() ? base + "/client/v4/accounts/" + account + "/ai/run/"
                                                : base + "/v1/" + account + "/" + in_path(options.gateway, true) + "/workers-ai/";
    if (const auto url = net::parse_url(prefix + "x"); url.has_error()) return wrong(url.error().detail);
    return std::make_shared<workers_ai>(prefix, options.token, options.encode_model_path, std::move(channel));
}

}  // namespace pawl::ai
