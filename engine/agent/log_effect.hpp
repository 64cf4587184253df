// `log`: a line of the author's own in the operator's log: message, level and fields that the author names, with run and task.
// Core thread only, like every effect.
#pragma once

#include "runtime/effect.hpp"

namespace pawl::agent {

class log_effect final : public runtime::effect {
public:
    /// Any thread; must not block.
    using sink = std::function<void(std::string_view level, std::string_view message, json::object fields)>;
    explicit log_effect(sink into) : into_(std::move(into)) {}

    std::vector<function_description> functions() const override;
    /// Arguments: `message`, `level` (debug, info, warning, error), `fields`. Output: null. A crash between the line and the commit repeats the line.
    std::optional<runtime::call_outcome> stage(const runtime::call_request& request, runtime::staging& staged) override;
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view) override {}

private:
    sink into_;
};

}  // namespace pawl::agent
