// `call: http` (DSL reference, "HTTP Call"): one HTTP exchange as an effect. Bodies that are JSON are values; everything else is text, or base64 for `output: raw`.
//
// A call that may change something carries an `Idempotency-Key`, the same on every repetition. start() and cancel() on the core thread; completions come on the
// network thread. Arguments may hold secrets when they arrive here: neither outputs nor messages repeat the values of an author's headers, queries or user information of a URL.
// Calls under way when the effect goes are dropped without an outcome.
#pragma once

#include "protocol/http_calls.hpp"

namespace pawl::protocol {

class http_effect final : public runtime::effect {
public:
    explicit http_effect(std::shared_ptr<authenticated_client> client);

    std::vector<function_description> functions() const override;
    /// Output by `output`: `content` (default), `response` ({request: {method, uri, headers}, statusCode, headers, content}) or `raw`. Errors: `communication` with the HTTP status for answers outside 200-299
    /// (200-399 with `redirect`), `communication` or `timeout` without an answer, `validation` and `configuration` for arguments that cannot be sent.
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view key) override;

private:
    http_calls calls_;
};

}  // namespace pawl::protocol
