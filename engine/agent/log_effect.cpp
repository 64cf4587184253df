#include "agent/log_effect.hpp"

#include <algorithm>
#include <array>

namespace pawl::agent {
namespace {

constexpr std::array<std::string_view, 4> levels{"debug", "info", "warning", "error"};
constexpr std::size_t max_message_bytes = 8'000;

json::value input_schema() {
    return json::object{{"type", "object"},
                        {"properties", {{"message", {{"type", "string"}}}, {"level", {{"enum", {"debug", "info", "warning", "error"}}}}, {"fields", {{"type", "object"}}}}},
                        {"required", {"message"}},
                        {"additionalProperties", false}};
}

}  // namespace

std::vector<function_description> log_effect::functions() const {
    return {{"log", "1.0.0", "Writes a line to the operator's log.", effect_safety::transactional, input_schema(), std::nullopt, "built-in"}};
}

std::optional<runtime::call_outcome> log_effect::stage(const runtime::call_request& request, runtime::staging&) {
    const auto bad = [](std::string detail) { return runtime::call_outcome{make_problem(problem_type::validation, std::move(detail)), {}, {}}; };
    const auto* arguments = request.arguments.if_object();
    if (arguments == nullptr) return bad("log takes an object with `message`, and optionally `level` and `fields`.");
    const auto* message = arguments->if_contains("message");
    const auto* level = arguments->if_contains("level");
    const auto* fields = arguments->if_contains("fields");
    if (message == nullptr || !message->is_string()) return bad("log needs a `message`, a string.");
    const std::string_view named = level == nullptr ? "info" : level->is_string() ? std::string_view(level->get_string()) : std::string_view();
    if (std::find(levels.begin(), levels.end(), named) == levels.end()) return bad("`level` of log must be debug, info, warning or error.");
    if (fields != nullptr && !fields->is_object()) return bad("`fields` of log must be an object.");
    json::object line{{"run", request.run}, {"task", request.task}};
    if (!request.agent.empty()) line["agent"] = request.agent + "/" + request.agent_key;
    if (fields != nullptr) line["fields"] = *fields;
    into_(named, std::string_view(message->get_string()).substr(0, max_message_bytes), std::move(line));
    return runtime::call_outcome{json::value(nullptr), {}, {}};
}

void log_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) {
    runtime::staging nothing;
    done(*stage(*request, nothing));
}

}  // namespace pawl::agent
