#include "ai/ai_effect.hpp"

#include "ai/model_call.hpp"

#include <boost/asio/post.hpp>

namespace pawl::ai {
namespace {

/// What calls share. Only the network thread touches `running`.
struct shared_state {
    shared_state(std::shared_ptr<const call_settings> s, std::shared_ptr<http_channel> c, boost::asio::io_context& io)
        : settings(std::move(s)), channel(std::move(c)), context(io) {}

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done) {
        if (closed) return;
        const auto key = request->key;
        cancel(key);  // an earlier attempt with the same key that nobody waits for
        auto call = std::make_shared<model_call>(context, settings, std::move(request), std::move(done));
        running[key] = call;
        call->start();
        sweep(key, call);
    }

    void cancel(const std::string& key) {
        const auto found = running.find(key);
        if (found == running.end()) return;
        const auto call = found->second.lock();
        running.erase(found);
        if (call) call->cancel();
    }

    void close() {
        closed = true;
        for (const auto& [key, weak] : running) {
            if (const auto call = weak.lock()) call->drop();
        }
        running.clear();
    }

    void sweep(const std::string& key, const std::shared_ptr<model_call>& call) {
        if (call->over()) running.erase(key);
        if (++starts % 256 == 0) std::erase_if(running, [](const auto& each) { return each.second.expired(); });
    }

    const std::shared_ptr<const call_settings> settings;
    const std::shared_ptr<http_channel> channel;
    boost::asio::io_context& context;
    std::map<std::string, std::weak_ptr<model_call>, std::less<>> running;  ///< a call is kept alive by its request or its timer
    std::size_t starts = 0;
    bool closed = false;
};

class ai_effect final : public runtime::effect {
public:
    explicit ai_effect(std::shared_ptr<shared_state> state) : state_(std::move(state)) {}
    ~ai_effect() override {
        state_->channel->close();
        boost::asio::post(state_->context, [state = state_] { state->close(); });
    }

    std::vector<function_description> functions() const override { return described_functions(); }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        boost::asio::post(state_->context, [state = state_, request = std::move(request), done = std::move(done)]() mutable {
            state->start(std::move(request), std::move(done));
        });
    }

    void cancel(std::string_view key) override {
        boost::asio::post(state_->context, [state = state_, key = std::string(key)] { state->cancel(key); });
    }

private:
    std::shared_ptr<shared_state> state_;
};

}  // namespace

result<std::shared_ptr<runtime::effect>> make_ai_effect(ai_options options, boost::asio::io_context& context, net::http_client& client) {
    auto channel = std::make_shared<http_channel>(client, options.secrets, options.clock);
    auto catalog = model_catalog::make(options, channel);
    if (catalog.has_error()) return catalog.error();
    auto settings = std::make_shared<const call_settings>(call_settings{std::move(options), std::move(*catalog)});
    return std::make_shared<ai_effect>(std::make_shared<shared_state>(std::move(settings), std::move(channel), context));
}

}  // namespace pawl::ai
