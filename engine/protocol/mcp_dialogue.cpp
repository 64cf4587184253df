#include "protocol/mcp_dialogue.hpp"

#include "protocol/http_text.hpp"

#include <algorithm>
#include <array>

namespace pawl::protocol {
namespace {

constexpr std::array<std::string_view, 4> known_versions{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
constexpr int initialize_id = 1, request_id = 2, method_not_found = -32601;

std::string message(std::string_view method, std::optional<int> id, json::object parameters) {
    json::object out{{"jsonrpc", "2.0"}};
    if (id) out["id"] = *id;
    out["method"] = method;
    if (!parameters.empty()) out["params"] = std::move(parameters);
    return to_text(out);
}

std::string reply_to(const json::object& request) {
    json::object out{{"jsonrpc", "2.0"}, {"id", request.at("id")}};
    if (text_at(request, "method") == "ping") {
        out["result"] = json::object();
    } else {
        out["error"] = {{"code", method_not_found}, {"message", "this client offers nothing to servers"}};
    }
    return to_text(out);
}

}  // namespace

mcp_dialogue::mcp_dialogue(const mcp_call& call)
    : method_(call.method),
      shown_(call.shown),
      client_name_(call.client_name),
      client_version_(call.client_version),
      parameters_(call.parameters),
      version_(call.protocol_version) {}

std::string mcp_dialogue::initialize() const {
    return message("initialize", initialize_id,
                   {{"protocolVersion", version_}, {"capabilities", json::object()}, {"clientInfo", {{"name", client_name_}, {"version", client_version_}}}});
}

std::string mcp_dialogue::initialized() const { return message("notifications/initialized", std::nullopt, {}); }

std::string mcp_dialogue::request() const { return message(method_, request_id, parameters_); }

mcp_dialogue::reaction mcp_dialogue::take(std::string_view text) {
    reaction out;
    const auto parsed = parse_json(text);
    if (parsed.has_error()) return out;
    if (const auto* one = parsed->if_object()) take(*one, out);
    if (const auto* batch = parsed->if_array()) {
        for (const auto& each : *batch) {
            if (each.is_object()) take(each.get_object(), out);
        }
    }
    return out;
}

void mcp_dialogue::take(const json::object& message, reaction& out) {
    const auto* id = message.if_contains("id");
    if (message.contains("method")) {
        if (id != nullptr) out.replies.push_back(reply_to(message));
        return;
    }
    if (id == nullptr || !id->is_int64()) return;
    if (id->get_int64() == initialize_id && !ready_) take_capabilities(message, out);
    if (id->get_int64() == request_id && ready_ && !out.outcome) take_answer(message, out);
}

void mcp_dialogue::take_capabilities(const json::object& message, reaction& out) {
    if (const auto* error = message.if_contains("error")) {
        out.outcome = refused("initialize", *error);
        return;
    }
    const auto* given = message.if_contains("result");
    const auto spoken = given != nullptr && given->is_object() ? text_at(given->get_object(), "protocolVersion") : std::string();
    if (spoken != version_ && std::find(known_versions.begin(), known_versions.end(), spoken) == known_versions.end()) {
        out.outcome = make_problem(problem_type::communication, "Pawl and " + shown_ + " have no version of MCP in common; pawl speaks 2024-11-05 to 2025-11-25.");
        return;
    }
    version_ = spoken;
    ready_ = true;
    out.became_ready = true;
}

void mcp_dialogue::take_answer(const json::object& message, reaction& out) const {
    if (const auto* error = message.if_contains("error")) {
        out.outcome = refused(method_, *error);
        return;
    }
    const auto* given = message.if_contains("result");
    if (given == nullptr || !given->is_object()) {
        out.outcome = make_problem(problem_type::communication, "The answer of " + shown_ + " to `" + method_ + "` has no result.");
        return;
    }
    if (const auto* failed = given->get_object().if_contains("isError"); failed != nullptr && failed->is_bool() && failed->get_bool()) {
        auto error = make_problem(problem_type::runtime, "The tool that " + shown_ + " was asked for has failed; `result` of this error holds what it says.");
        error.extra["result"] = *given;
        out.outcome = std::move(error);
        return;
    }
    out.outcome = result<json::value>(*given);
}

problem mcp_dialogue::refused(std::string_view method, const json::value& error) const {
    const auto* code = error.is_object() ? error.get_object().if_contains("code") : nullptr;
    const auto number = code != nullptr && code->is_int64() ? " with the error " + std::to_string(code->get_int64()) : std::string(" with an error");
    auto made = make_problem(problem_type::runtime, "To `" + std::string(method) + "`, " + shown_ + " answered" + number + "; `error` of this error holds what it says.");
    made.extra["error"] = error;
    return made;
}

std::vector<std::string> event_stream_data(std::string_view text) {
    std::vector<std::string> out;
    std::string data;
    bool any = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("data:")) {
            line.remove_prefix(5);
            if (line.starts_with(' ')) line.remove_prefix(1);
            if (std::exchange(any, true)) data += '\n';
            data += line;
        } else if (line.empty() && std::exchange(any, false)) {
            out.push_back(std::exchange(data, {}));
        }
    }
    if (any) out.push_back(std::move(data));
    return out;
}

}  // namespace pawl::protocol
