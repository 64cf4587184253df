// The error a tool throws: becomes the Problem Details of its step, for `catch` and `retry` in the flow.
#pragma once

#include <boost/json.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pawl::sdk {

namespace json = boost::json;

/// The standard error types of the workflow language.
enum class failure_type { configuration, validation, expression, authentication, authorization, timeout, communication, runtime };

constexpr std::string_view to_string(failure_type type) noexcept {
    switch (type) {
        case failure_type::configuration: return "configuration";
        case failure_type::validation: return "validation";
        case failure_type::expression: return "expression";
        case failure_type::authentication: return "authentication";
        case failure_type::authorization: return "authorization";
        case failure_type::timeout: return "timeout";
        case failure_type::communication: return "communication";
        case failure_type::runtime: break;
    }
    return "runtime";
}

/// Throw one from a handler: `throw failure(failure_type::communication, "The bank does not answer.").status(503).with("retryable", true);`
/// `detail` is a sentence for people: what, where, why, what to do. Never put a secret in it.
class failure : public std::runtime_error {
public:
    failure(failure_type type, const std::string& detail) : std::runtime_error(detail) { problem_["type"] = to_string(type); }

    failure&& status(int code) && {
        problem_["status"] = code;
        return std::move(*this);
    }
    failure&& title(std::string_view text) && {
        problem_["title"] = text;
        return std::move(*this);
    }
    /// A further member of the problem, for conditions in the flow.
    failure&& with(std::string_view name, json::value value) && {
        problem_[name] = std::move(value);
        return std::move(*this);
    }

    json::object problem() const {
        auto all = problem_;
        all["detail"] = what();
        return all;
    }

private:
    json::object problem_;
};

/// What call_context::throw_if_cancelled() throws.
class cancelled : public failure {
public:
    cancelled() : failure(failure_type::timeout, "The tool stopped because nobody waits for this call any more.") {}
};

}  // namespace pawl::sdk
