// A network thread, a server whose answers the test scripts, and the ai effect in front of it.
#pragma once

#include "ai/ai_effect.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

namespace pawl::ai_tests {

inline const std::string secret_token = "tok-5ecret-93af";

inline net::server_reply json_reply(int status, const json::value& body, std::vector<net::http_header> headers = {}) {
    headers.push_back({"Content-Type", "application/json"});
    return {status, std::move(headers), to_text(body), ""};
}

/// A reply in Cloudflare's envelope.
inline net::server_reply enveloped(const json::value& result) {
    return json_reply(200, json::object{{"result", result}, {"success", true}, {"errors", json::array()}, {"messages", json::array()}}, {{"cf-ai-req-id", "req-1"}, {"cf-aig-log-id", "log-1"}});
}

inline net::server_reply refused(int status, int code, const std::string& message, std::vector<net::http_header> headers = {}) {
    return json_reply(status, json::object{{"result", nullptr}, {"success", false}, {"errors", json::array{json::object{{"code", code}, {"message", message}}}}, {"messages", json::array()}}, std::move(headers));
}

/// An answer of an OpenAI-compatible server.
inline json::value completion(const std::string& text) {
    return json::object{{"id", "chatcmpl-1"},
                        {"choices", json::array{json::object{{"index", 0}, {"message", {{"role", "assistant"}, {"content", text}}}, {"finish_reason", "stop"}}}},
                        {"usage", {{"prompt_tokens", 10}, {"completion_tokens", 2}, {"total_tokens", 12}}}};
}

class lab {
public:
    lab() = default;
    ~lab() {
        effect.reset();
        client.reset();
        if (server) server->stop();
        guard.reset();
        thread.join();
    }

    /// Answers in order; the last one repeats.
    void serve(std::vector<net::server_reply> answers) {
        auto script = std::make_shared<std::vector<net::server_reply>>(std::move(answers));
        serve([script, next = std::size_t{0}](const net::server_request&, net::http_server::responder respond) mutable {
            respond((*script)[std::min(next++, script->size() - 1)]);
        });
    }
    void serve(std::function<void(const net::server_request&, net::http_server::responder)> handler) {
        auto made = net::http_server::listen(context, {}, [this, handler = std::move(handler)](net::server_request request, net::http_server::responder respond) mutable {
            {
                const std::lock_guard hold(lock);
                requests.push_back(request);
            }
            handler(request, std::move(respond));
        });
        BOOST_REQUIRE(made.has_value());
        server = std::move(*made);
    }

    std::string base() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

    void offer(ai::model_options model) {
        ai::ai_options options;
        options.models["desk"] = std::move(model);
        options.default_model = "desk";
        offer(std::move(options));
    }
    void offer(ai::ai_options options) {
        options.secrets = [](std::string_view name) { return name == "TOKEN" ? std::optional(secret_token) : std::nullopt; };
        options.retry.first_delay = milliseconds(1);
        auto made = ai::make_ai_effect(std::move(options), context, *client);
        BOOST_REQUIRE_MESSAGE(made.has_value(), (made.has_error() ? made.error().detail : std::string()));
        effect = std::move(*made);
    }
    void offer_workers_ai() { offer({"workers-ai", "@cf/test/small", base(), "acc", "", "TOKEN", "", "", false}); }
    void offer_openai() { offer({"openai", "small", base() + "/v1", "", "", "TOKEN", "", "", false}); }

    static runtime::call_request request(json::value arguments, std::string function = "ai.chat") {
        runtime::call_request out;
        out.run = "run";
        out.key = "key";
        out.function = std::move(function);
        out.arguments = std::move(arguments);
        out.task = "classify";
        out.assets = std::make_shared<runtime::assets>();
        return out;
    }

    std::future<runtime::call_outcome> begin(runtime::call_request request) {
        auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
        auto future = promise->get_future();
        effect->start(std::make_shared<const runtime::call_request>(std::move(request)), [promise](runtime::call_outcome o) { promise->set_value(std::move(o)); }, {});
        return future;
    }
    runtime::call_outcome ask(runtime::call_request request) {
        auto out = begin(std::move(request)).get();
        if (out.value.has_error()) {
            const auto told = to_text(json::value(to_json(out.value.error()))) + to_text(out.record);
            BOOST_TEST(told.find(secret_token) == std::string::npos, told);
        }
        return out;
    }
    runtime::call_outcome ask(json::value arguments, std::string function = "ai.chat") { return ask(request(std::move(arguments), std::move(function))); }

    std::size_t asked() {
        const std::lock_guard hold(lock);
        return requests.size();
    }
    json::value body(std::size_t i) {
        const std::lock_guard hold(lock);
        return parse_json(requests.at(i).body).value();
    }

    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard = boost::asio::make_work_guard(context);
    std::unique_ptr<net::http_client> client = std::make_unique<net::http_client>(context, net::http_client_options{});
    std::mutex lock;
    std::vector<net::server_request> requests;
    std::thread thread{[this] { context.run(); }};
    std::unique_ptr<net::http_server> server;
    std::shared_ptr<runtime::effect> effect;
};

/// The last segment of an outcome's error type, or "ok".
inline std::string kind(const runtime::call_outcome& outcome) { return outcome.value.has_value() ? "ok" : std::string(type_name_of(outcome.value.error().type)); }
inline std::string detail(const runtime::call_outcome& outcome) { return outcome.value.has_value() ? "" : outcome.value.error().detail; }

/// A file that goes with the test.
class scratch_file {
public:
    explicit scratch_file(const std::string& text = "") : path_((std::filesystem::temp_directory_path() / ("pawl-ai-" + new_uuid7() + ".jsonl")).string()) { std::ofstream(path_) << text; }
    ~scratch_file() {
        std::error_code ec;
        std::filesystem::remove(path_, ec);
    }
    const std::string& path() const { return path_; }
    std::string text() const {
        std::ifstream in(path_);
        return {std::istreambuf_iterator<char>(in), {}};
    }

private:
    std::string path_;
};

}  // namespace pawl::ai_tests
