// `call: openapi`: an operation of an OpenAPI document as one HTTP exchange. Documents of the project come with the definition; one at a URL is loaded when a call needs it
// and kept for a while. Errors and promises are those of `call: http`. start() and cancel() on the core thread; completions on the network thread.
#pragma once

#include "protocol/http_calls.hpp"

namespace pawl::protocol {

class openapi_effect final : public runtime::effect {
public:
    explicit openapi_effect(std::shared_ptr<authenticated_client> client, std::shared_ptr<const clock_source> clock = std::make_shared<system_clock_source>());

    std::vector<function_description> functions() const override;
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view key) override;

private:
    struct shelf;
    std::shared_ptr<const clock_source> clock_;
    std::shared_ptr<http_calls> calls_;
    std::shared_ptr<shelf> shelf_;
};

}  // namespace pawl::protocol
