#include "protocol/authenticated_client.hpp"

#include "base/digest.hpp"
#include "protocol/challenge.hpp"
#include "protocol/http_text.hpp"
#include "protocol/token_source.hpp"

#include <map>
#include <mutex>

namespace pawl::protocol {
namespace {

constexpr unsigned most_digest_answers = 2;

struct operation {
    std::uint64_t id = 0;
    net::http_request request;
    std::optional<authentication> policy;
    net::http_client::handler done;
    std::chrono::steady_clock::time_point ends;
    std::string authorization;  ///< the token that goes with the request
    unsigned answers = 0;       ///< to digest challenges, or tokens tried
};

}  // namespace

/// What is under way. Under the lock: the client pointer, and per operation the request that is on the wire now.
struct authenticated_client::impl : std::enable_shared_from_this<authenticated_client::impl> {
    impl(net::http_client& c, std::shared_ptr<const clock_source> clock)
        : client(&c), tokens([this](net::http_request request, net::http_client::handler done) { send_plain(std::move(request), std::move(done)); }, std::move(clock)) {}

    /// For the tokens' own requests: nobody cancels them, since others may wait for the same token.
    void send_plain(net::http_request request, net::http_client::handler done) {
        std::unique_lock hold(lock);
        if (client != nullptr) {
            // Kept alive until the answer is handled, since tokens lives here.
            client->send(std::move(request), [self = shared_from_this(), done = std::move(done)](result<net::http_response> response) { done(std::move(response)); });
            return;
        }
        hold.unlock();
        done(make_problem(problem_type::runtime, "The HTTP client was closed."));
    }

    void begin(const std::shared_ptr<operation>& op) {
        const auto& policy = op->policy;
        if (!policy || policy->scheme == authentication::kind::digest) return transmit(op);
        if (policy->scheme == authentication::kind::oauth2) return with_token(op);
        set_header(op->request.headers, "Authorization",
                   policy->scheme == authentication::kind::bearer ? "Bearer " + policy->token : "Basic " + to_base64(policy->username + ":" + policy->password));
        transmit(op);
    }

    void with_token(const std::shared_ptr<operation>& op) {
        tokens.get(op->policy->oauth, [self = shared_from_this(), op](result<std::string> token) {
            if (token.has_error()) return self->finish(op, token.error());
            op->authorization = *token;
            set_header(op->request.headers, "Authorization", *token);
            self->transmit(op);
        });
    }

    void transmit(const std::shared_ptr<operation>& op) {
        auto request = op->request;
        request.timeout = std::chrono::duration_cast<milliseconds>(op->ends - std::chrono::steady_clock::now());
        if (request.timeout <= milliseconds(0)) return finish(op, make_problem(problem_type::timeout, "No time was left after the credentials were got."));
        std::unique_lock hold(lock);
        const auto running = operations.find(op->id);
        if (client == nullptr || running == operations.end()) {
            hold.unlock();
            return finish(op, make_problem(problem_type::runtime, "The HTTP request was cancelled."));
        }
        running->second = client->send(std::move(request), [self = shared_from_this(), op](result<net::http_response> response) { self->answered(op, std::move(response)); });
    }

    void answered(const std::shared_ptr<operation>& op, result<net::http_response> response) {
        if (response.has_error() || response->status != 401 || !op->policy) return finish(op, std::move(response));
        if (op->policy->scheme == authentication::kind::oauth2 && op->answers++ == 0) {
            tokens.refused(op->policy->oauth, op->authorization);
            return with_token(op);
        }
        if (op->policy->scheme != authentication::kind::digest) return finish(op, std::move(response));
        const auto asked = digest_challenge(response->headers);
        const auto url = net::parse_url(op->request.url);
        if (!asked || url.has_error() || op->answers >= most_digest_answers) return finish(op, std::move(response));
        const auto stale = asked->params.find("stale");
        const bool again = stale != asked->params.end() && (stale->second == "true" || stale->second == "TRUE" || stale->second == "True");
        if (op->answers > 0 && !again) return finish(op, std::move(response));
        ++op->answers;
        set_header(op->request.headers, "Authorization", digest_answer(*asked, {op->policy->username, op->policy->password}, op->request, url->target, random_nonce()));
        transmit(op);
    }

    void finish(const std::shared_ptr<operation>& op, result<net::http_response> response) {
        {
            const std::lock_guard hold(lock);
            operations.erase(op->id);
        }
        if (auto done = std::exchange(op->done, nullptr)) done(std::move(response));
    }

    std::mutex lock;
    net::http_client* client;
    std::uint64_t last_id = 0;
    std::map<std::uint64_t, std::optional<net::http_client::request_id>> operations;
    token_source tokens;
};

authenticated_client::authenticated_client(net::http_client& client, std::shared_ptr<const clock_source> clock) : impl_(std::make_shared<impl>(client, std::move(clock))) {}

authenticated_client::~authenticated_client() {
    const std::lock_guard hold(impl_->lock);
    impl_->client = nullptr;
}

authenticated_client::request_id authenticated_client::send(net::http_request request, std::optional<authentication> policy, handler done) {
    auto op = std::make_shared<operation>();
    op->ends = std::chrono::steady_clock::now() + request.timeout;
    op->request = std::move(request);
    op->policy = std::move(policy);
    op->done = std::move(done);
    {
        const std::lock_guard hold(impl_->lock);
        op->id = ++impl_->last_id;
        impl_->operations[op->id] = std::nullopt;
    }
    impl_->begin(op);
    return op->id;
}

void authenticated_client::cancel(request_id id) {
    const std::lock_guard hold(impl_->lock);
    const auto found = impl_->operations.find(id);
    if (found == impl_->operations.end()) return;
    const auto on_the_wire = found->second;
    impl_->operations.erase(found);  // nothing more is sent for it, whatever it waits for
    if (on_the_wire && impl_->client != nullptr) impl_->client->cancel(*on_the_wire);
}

}  // namespace pawl::protocol
