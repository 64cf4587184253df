#include "protocol/mcp_effect.hpp"

#include <mutex>
#include <set>

namespace pawl::protocol {
namespace {

constexpr milliseconds usual_timeout{60'000};
constexpr milliseconds longest_timeout{3'600'000};

/// What is left for a call: to its deadline and its own timeout, within limits.
milliseconds time_of(const runtime::call_request& request, const mcp_call& call) {
    const auto left = request.time_left();
    auto time = call.timeout.value_or(left ? longest_timeout : usual_timeout);
    if (left) time = std::min(time, *left);
    return std::min(time, longest_timeout);
}

}  // namespace

struct mcp_effect::board {
    using conversation = std::shared_ptr<mcp_conversation>;
    std::mutex lock;
    std::map<std::string, conversation, std::less<>> by_key;  ///< waited for
    std::set<conversation> all;                               ///< something of it is there
    bool closed = false;

    void answered(const std::string& key, const mcp_conversation* which) {
        const std::lock_guard hold(lock);
        if (const auto found = by_key.find(key); found != by_key.end() && found->second.get() == which) by_key.erase(found);
    }
    void gone(const std::string& key, const mcp_conversation* which) {
        answered(key, which);
        const std::lock_guard hold(lock);
        std::erase_if(all, [&](const conversation& each) { return each.get() == which; });
    }
};

mcp_effect::mcp_effect(boost::asio::io_context& io, std::shared_ptr<authenticated_client> client, mcp_options options)
    : io_(io), client_(std::move(client)), options_(std::move(options)), board_(std::make_shared<board>()) {}

mcp_effect::~mcp_effect() {
    std::set<board::conversation> left;
    {
        const std::lock_guard hold(board_->lock);
        board_->closed = true;
        left = std::move(board_->all);
        board_->all.clear();
        board_->by_key.clear();
    }
    for (const auto& each : left) each->stop();
    for (const auto& each : left) each->close();
}

std::vector<function_description> mcp_effect::functions() const {
    return {{"mcp", "1.0.0", "Calls a method of an MCP server.", effect_safety::at_most_once, std::nullopt, std::nullopt, "built-in"}};
}

void mcp_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) {
    auto call = read_mcp_call(*request, options_.folder, options_.client_version);
    if (call.has_error()) return done({call.error(), {}, {}});
    const auto time = time_of(*request, *call);
    if (time <= milliseconds(0)) return done({make_problem(problem_type::timeout, "The call's deadline passed before " + call->shown + " could be asked."), {}, {}});
    const auto began = std::chrono::steady_clock::now();
    const auto self = std::make_shared<const mcp_conversation*>(nullptr);
    mcp_conversation::callbacks back;
    back.answered = [board = board_, key = request->key, self, began, done = std::move(done)](result<json::value> outcome) {
        board->answered(key, *self);
        runtime::call_outcome out{std::move(outcome), {}, {}};
        out.record["latencyMs"] = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count();
        done(std::move(out));
    };
    back.gone = [board = board_, key = request->key, self] { board->gone(key, *self); };
    const bool by_stdio = call->command.has_value();
    auto made = by_stdio ? converse_by_stdio(io_, std::move(*call), time, options_.limits, std::move(back))
                         : converse_by_http(client_, std::move(*call), time, options_.limits, std::move(back));
    *self = made.get();
    {
        const std::lock_guard hold(board_->lock);
        board_->all.insert(made);
        board_->by_key[request->key] = made;
    }
    made->begin();
}

void mcp_effect::cancel(std::string_view key) {
    board::conversation found;
    {
        const std::lock_guard hold(board_->lock);
        const auto at = board_->by_key.find(key);
        if (at == board_->by_key.end()) return;
        found = at->second;
        board_->by_key.erase(at);
    }
    found->stop();
}

}  // namespace pawl::protocol
