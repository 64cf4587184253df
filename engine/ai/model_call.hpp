// One call of ai.*: from arguments to outcome, with its retries and its one repair. Lives and dies on the network thread.
#pragma once

#include "ai/arguments.hpp"
#include "ai/catalog.hpp"
#include "schema/validator.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace pawl::ai {

/// What all calls of one effect share.
struct call_settings {
    ai_options options;
    model_catalog catalog;
};

class model_call : public std::enable_shared_from_this<model_call> {
public:
    model_call(boost::asio::io_context& context, std::shared_ptr<const call_settings> settings, std::shared_ptr<const runtime::call_request> call, runtime::completion done)
        : timer_(context), settings_(std::move(settings)), call_(std::move(call)), done_(std::move(done)) {}

    void start();
    /// Ends the request under way; the outcome is a `runtime` problem.
    void cancel();
    /// As cancel(), but nobody is told.
    void drop();
    bool over() const noexcept { return over_; }

private:
    void send();
    void on_reply(result<model_reply> reply);
    void on_failure(problem error);
    void on_answer(model_reply reply);
    void finish(result<json::value> value);
    json::object record_of(const result<json::value>& value) const;

    boost::asio::steady_timer timer_;
    std::shared_ptr<const call_settings> settings_;
    std::shared_ptr<const runtime::call_request> call_;
    runtime::completion done_;
    call_arguments arguments_;
    std::optional<model_catalog::entry> model_;
    std::optional<schema::validator> validator_;
    canceller cancel_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    unsigned attempts_ = 0;         ///< requests sent
    unsigned tries_ = 0;            ///< of the present question
    bool repaired_ = false;
    bool over_ = false;
    json::object usage_;
    std::string request_id_, gateway_log_id_;
};

/// What a flow sees of an answer that needs no check.
json::value call_output(std::string_view function, bool one_text, model_reply reply);

/// The pause before retry `n` (from 1) of the call with this key: exponential, between half and one and a half of its step; the same every time.
milliseconds retry_delay(const retry_options& options, std::string_view key, unsigned n);

}  // namespace pawl::ai
