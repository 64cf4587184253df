#include "ai/openai.hpp"

#include "ai/http_failure.hpp"
#include "ai/reply.hpp"

namespace pawl::ai {
namespace {

constexpr std::string_view who = "The model server";

class openai final : public provider {
public:
    openai(std::string base, std::string token, std::shared_ptr<http_channel> channel) : base_(std::move(base)), token_(std::move(token)), channel_(std::move(channel)) {}

    std::string_view kind() const noexcept override { return "openai"; }

    canceller start(const model_request& request, reply_handler done) override {
        if (request.function == "ai.run") {
            done(model_problem(problem_type::configuration, "ai.run needs a model of Workers AI; an OpenAI-compatible server offers ai.chat and ai.embed.", false));
            return {};
        }
        const bool embeds = request.function == "ai.embed";
        http_channel::call call;
        call.who = who;
        call.url = base_ + (embeds ? "/embeddings" : "/chat/completions");
        call.token = token_;
        call.timeout = request.timeout;
        json::object body = request.settings;
        body["model"] = request.model;
        if (embeds) {
            body["input"] = request.input;
        } else {
            body["messages"] = all_messages(request);
            if (request.schema) {
                body["response_format"] = json::object{{"type", "json_schema"}, {"json_schema", {{"name", "answer"}, {"schema", *request.schema}}}};
            }
        }
        call.body = std::move(body);
        const auto texts = embeds && request.input.is_array() ? request.input.get_array().size() : 0;
        return channel_->post(std::move(call), [embeds, texts, done = std::move(done)](result<http_channel::answer> answer) {
            if (answer.has_error()) return done(answer.error());
            auto out = embeds ? read_vectors(answer->body, texts) : read_chat(answer->body);
            if (out.has_error()) {
                auto error = model_problem(problem_type::communication, std::string(who) + " sent a reply that cannot be used: " + out.error().detail + ".", true);
                error.status = 502;
                return done(std::move(error));
            }
            out->request_id = answer->request_id;
            if (const auto* id = answer->body.get_object().if_contains("id"); out->request_id.empty() && id != nullptr && id->is_string() && id->get_string().size() <= 200) {
                out->request_id = std::string(id->get_string());
            }
            out->gateway_log_id = answer->gateway_log_id;
            done(std::move(out));
        });
    }

private:
    std::string base_, token_;
    std::shared_ptr<http_channel> channel_;
};

}  // namespace

result<std::shared_ptr<provider>> make_openai(const model_options& options, std::shared_ptr<http_channel> channel) {
    auto base = options.base_url.empty() ? std::string("https://api.openai.com/v1") : options.base_url;
    while (base.ends_with('/')) base.pop_back();
    if (const auto url = net::parse_url(base); url.has_error()) return make_problem(problem_type::configuration, "openai: " + url.error().detail);
    return std::make_shared<openai>(std::move(base), options.token, std::move(channel));
}

}  // namespace pawl::ai
