#include "protocol/mcp_call.hpp"

#include "flow/workflow.hpp"
#include "protocol/http_call.hpp"
#include "protocol/http_text.hpp"

#include <algorithm>

namespace pawl::protocol {
namespace {

problem invalid(std::string detail) { return make_problem(problem_type::validation, std::move(detail)); }

bool has_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

result<void> read_stdio(const json::value& stdio, const runtime::call_request& request, const std::string& folder, mcp_call& out) {
    if (!stdio.is_object()) return invalid("`transport.stdio` of this MCP call must be a map.");
    const auto& with = stdio.get_object();
    process::command made;
    made.program = text_at(with, "command");
    made.directory = folder;
    if (made.program.empty() || has_zero(made.program)) return invalid("`command` of this MCP call must name a program.");
    out.shown = "the MCP server `" + made.program.substr(made.program.rfind('/') + 1).substr(0, 80) + "`";
    const auto program = process::find_program(made.program);
    if (!program) {
        return make_problem(problem_type::configuration, "There is no program for " + out.shown + ": it is neither on the PATH of pawl nor a file that can be run; install it.");
    }
    made.program = *program;
    if (const auto* arguments = with.if_contains("arguments"); arguments != nullptr && !arguments->is_null()) {
        if (!arguments->is_array()) return invalid("`arguments` of this MCP call must be a list.");
        for (const auto& each : arguments->get_array()) made.arguments.push_back(plain(each));
    }
    if (std::any_of(made.arguments.begin(), made.arguments.end(), [](const auto& each) { return has_zero(each); })) return invalid("An argument of this MCP call holds a zero byte.");
    made.environment = process::kept_environment();
    made.environment.push_back("PAWL_RUN=" + request.run);
    made.environment.push_back("PAWL_IDEMPOTENCY_KEY=" + request.key);
    if (const auto* environment = with.if_contains("environment"); environment != nullptr && !environment->is_null()) {
        if (!environment->is_object()) return invalid("`environment` of this MCP call must be a map of names to values.");
        for (const auto& [name, value] : environment->get_object()) {
            const auto text = plain(value);
            if (name.empty() || name.find('=') != std::string::npos || has_zero(name) || has_zero(text)) return invalid("`environment` of this MCP call has a name or value that no variable can have.");
            const auto start = std::string(name) + "=";
            std::erase_if(made.environment, [&](const std::string& each) { return each.starts_with(start); });
            made.environment.push_back(start + text);
        }
    }
    out.command = std::move(made);
    return {};
}

result<void> read_http(const json::value& http, mcp_call& out) {
    if (!http.is_object()) return invalid("`transport.http` of this MCP call must be a map.");
    const auto& with = http.get_object();
    const auto* endpoint = with.if_contains("endpoint");
    if (endpoint == nullptr) return invalid("`transport.http` of this MCP call needs `endpoint`.");
    out.url = endpoint->is_object() ? text_at(endpoint->get_object(), "uri") : plain(*endpoint);
    const auto url = net::parse_url(out.url);
    if (url.has_error()) return url.error();
    out.shown = "the MCP server " + showable(*url);
    if (const auto* policy = endpoint->is_object() ? endpoint->get_object().if_contains("authentication") : nullptr) {
        auto read = read_authentication(*policy);
        if (read.has_error()) return read.error();
        out.policy = std::move(*read);
    }
    const auto* headers = with.if_contains("headers");
    if (headers == nullptr || headers->is_null()) return {};
    if (!headers->is_object()) return invalid("`headers` of this MCP call must be a map of names to values.");
    for (const auto& [name, value] : headers->get_object()) {
        const auto text = plain(value);
        if (!is_token(name) || !is_header_value(text)) return invalid("A header of this MCP call has a name or value that HTTP does not allow.");
        out.headers.push_back({std::string(name), text});
    }
    return {};
}

result<void> read_request(const json::object& with, mcp_call& out) {
    out.method = text_at(with, "method");
    if (out.method.empty()) return invalid("`method` of this MCP call is missing.");
    if (auto version = text_at(with, "protocolVersion"); !version.empty()) out.protocol_version = std::move(version);
    if (const auto* parameters = with.if_contains("parameters"); parameters != nullptr && !parameters->is_null()) {
        if (!parameters->is_object()) return invalid("`parameters` of this MCP call must be a map.");
        out.parameters = parameters->get_object();
    }
    if (const auto* timeout = with.if_contains("timeout"); timeout != nullptr && !timeout->is_null()) {
        const auto length = flow::duration_from(*timeout);
        if (length.has_error()) return length.error();
        if (*length <= milliseconds(0)) return invalid("`timeout` of this MCP call must be longer than nothing.");
        out.timeout = *length;
    }
    if (const auto* client = with.if_contains("client"); client != nullptr && client->is_object()) {
        if (auto name = text_at(client->get_object(), "name"); !name.empty()) out.client_name = std::move(name);
        if (auto version = text_at(client->get_object(), "version"); !version.empty()) out.client_version = std::move(version);
    }
    return {};
}

}  // namespace

result<mcp_call> read_mcp_call(const runtime::call_request& request, const std::string& folder, const std::string& version) {
    mcp_call out;
    out.client_version = version;
    if (!request.arguments.is_object()) return invalid("The arguments of an MCP call must be a map.");
    const auto& with = request.arguments.get_object();
    if (auto fine = read_request(with, out); fine.has_error()) return fine.error();
    const auto* transport = with.if_contains("transport");
    if (transport == nullptr || !transport->is_object()) return invalid("`transport` of this MCP call is missing.");
    const auto* stdio = transport->get_object().if_contains("stdio");
    const auto* http = transport->get_object().if_contains("http");
    if ((stdio == nullptr) == (http == nullptr)) return invalid("`transport` of this MCP call needs either `http` or `stdio`.");
    auto fine = stdio != nullptr ? read_stdio(*stdio, request, folder, out) : read_http(*http, out);
    if (fine.has_error()) return fine.error();
    return out;
}

}  // namespace pawl::protocol
