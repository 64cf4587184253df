// Calls under way as HTTP exchanges, by idempotency key: what the effects of this room share.
// run() and cancel() on the core thread, completions on the network thread. Calls under way when it goes are dropped without an outcome.
#pragma once

#include "protocol/authenticated_client.hpp"
#include "protocol/http_call.hpp"
#include "runtime/effect.hpp"

namespace pawl::protocol {

class http_calls {
public:
    explicit http_calls(std::shared_ptr<authenticated_client> client);
    ~http_calls();
    http_calls(const http_calls&) = delete;
    http_calls& operator=(const http_calls&) = delete;

    /// How long `request` may still take: to its deadline, within limits. Error: `timeout` problem when nothing is left.
    result<milliseconds> time_left(const runtime::call_request& request, std::string_view shown) const;

    /// Sends, and makes an outcome of the answer.
    void run(const runtime::call_request& request, http_call call, runtime::completion done);
    /// Sends something that comes first (a document); `done` is not called when the call is cancelled or this object is gone.
    void fetch(const runtime::call_request& request, net::http_request what, std::optional<authentication> policy, net::http_client::handler done);
    void cancel(std::string_view key);

private:
    struct board;
    std::shared_ptr<authenticated_client> client_;
    std::shared_ptr<board> board_;
};

}  // namespace pawl::protocol
