#include "protocol/http_call.hpp"

#include "base/digest.hpp"
#include "protocol/http_text.hpp"
#include "schema/validator.hpp"

#include <algorithm>
#include <array>

namespace pawl::protocol {
namespace {

problem invalid(std::string detail) { return make_problem(problem_type::validation, std::move(detail)); }

/// In small letters, without its parameters.
std::string media_type(const std::string& content_type) {
    auto name = content_type.substr(0, content_type.find(';'));
    while (!name.empty() && name.back() == ' ') name.pop_back();
    std::transform(name.begin(), name.end(), name.begin(), [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch - 'A' + 'a') : ch; });
    return name;
}

bool is_json_type(const std::string* type) {
    if (type == nullptr) return false;
    const auto name = media_type(*type);
    return name == "application/json" || name == "text/json" || name.ends_with("+json");
}

bool is_text(std::string_view bytes) {
    // boost::json checks UTF-8 where it parses; a body with control characters is no text for people.
    for (const char ch : bytes) {
        if (static_cast<unsigned char>(ch) < 0x20 && ch != '\n' && ch != '\r' && ch != '\t') return false;
    }
    std::string literal;
    append_string(literal, bytes);
    const auto back = parse_json(literal);
    return back.has_value() && std::string_view(back->get_string()) == bytes;
}

result<json::value> content_of(const http_call& call, const net::http_response& response) {
    if (call.output == "raw") return json::value(to_base64(response.body));
    if (response.body.empty()) return json::value(nullptr);
    const auto* encoding = net::find_header(response.headers, "content-encoding");
    if (encoding != nullptr && !encoding->empty() && media_type(*encoding) != "identity") {
        const auto shown = is_token(*encoding) && encoding->size() <= 20 ? "`" + *encoding + "`" : std::string("a way of its own");
        auto error = make_problem(problem_type::communication, call.shown + " answered with a body that is compressed (" + shown +
                                                                   "), which it was not asked for; `output: raw` hands it over as it is.");
        error.status = 502;
        return error;
    }
    if (is_json_type(net::find_header(response.headers, "content-type"))) {
        constexpr std::string_view mark = "\xef\xbb\xbf";  // readers may ignore it (RFC 8259, 8.1)
        auto parsed =
            parse_json(response.body.starts_with(mark) ? std::string_view(response.body).substr(mark.size()) : std::string_view(response.body));
        if (parsed.has_value()) return parsed;
        auto error = make_problem(problem_type::communication, call.shown + " answered with a body that is declared as JSON but is not: " + parsed.error().detail);
        error.status = 502;
        return error;
    }
    return is_text(response.body) ? json::value(response.body) : json::value(to_base64(response.body));
}

}  // namespace

void add_query(std::string& url, const json::object& query) {
    std::string fragmentless = url.substr(0, url.find('#'));
    const auto add = [&](std::string_view name, const json::value& value) {
        if (value.is_null()) return;
        const auto question = fragmentless.find('?');
        if (question == std::string::npos) {
            fragmentless += '?';
        } else if (question + 1 != fragmentless.size()) {
            fragmentless += '&';
        }
        fragmentless += percent_encoded(name) + "=" + percent_encoded(plain(value));
    };
    for (const auto& [name, value] : query) {
        if (const auto* list = value.if_array()) {
            for (const auto& each : *list) add(name, each);
        } else {
            add(name, value);
        }
    }
    url = std::move(fragmentless);
}

std::string showable(const net::url_parts& url) {
    const bool usual = url.port == (url.tls ? "443" : "80");
    const bool numeric6 = url.host.find(':') != std::string::npos && !url.host.starts_with('[');
    return (url.tls ? "https://" : "http://") + (numeric6 ? "[" + url.host + "]" : url.host) + (usual ? "" : ":" + url.port) + url.target.substr(0, url.target.find('?'));
}

/// What the author declares decides: an object sent as a form is written as one.
bool is_form(const std::vector<net::http_header>& headers) {
    const auto* type = net::find_header(headers, "content-type");
    return type != nullptr && media_type(*type) == "application/x-www-form-urlencoded";
}

void add_usual_headers(net::http_request& request, const std::string& key) {
    set_default(request.headers, "Accept", "application/json, */*;q=0.5");
    if (request.method != "GET" && request.method != "HEAD") set_default(request.headers, "Idempotency-Key", key);
}

json::value http_arguments_schema() {
    const json::value text{{"type", "string"}};
    const auto object = [](json::object properties, json::array required) {
        return json::object{{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
    };
    const json::value endpoint = object({{"uri", text}, {"authentication", authentication_schema()}}, {"uri"});
    return object({{"method", text},
                   {"endpoint", {{"anyOf", json::array{text, endpoint}}}},
                   {"headers", {{"type", "object"}}},
                   {"query", {{"type", "object"}}},
                   {"body", true},
                   {"output", {{"enum", json::array{"content", "raw", "response"}}}},
                   {"redirect", {{"type", "boolean"}}}},
                  {"method", "endpoint"});
}

result<http_call> read_http_call(const runtime::call_request& call) {
    static const auto validator = schema::validator::compile(http_arguments_schema()).value();
    if (const auto wrong = validator.validate(call.arguments); !wrong.empty()) return schema::to_problem(wrong, "the arguments of this HTTP call");
    const auto& with = call.arguments.get_object();
    http_call out;
    auto& request = out.request;
    request.method = text_at(with, "method");
    std::transform(request.method.begin(), request.method.end(), request.method.begin(), [](char ch) { return ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 'a' + 'A') : ch; });
    if (!is_token(request.method)) return invalid("`method` of this HTTP call is not a method, such as get or post.");
    const auto& endpoint = with.at("endpoint");
    request.url = endpoint.is_string() ? std::string(endpoint.get_string()) : text_at(endpoint.get_object(), "uri");
    if (const auto* query = with.if_contains("query")) add_query(request.url, query->get_object());
    const auto url = net::parse_url(request.url);
    if (url.has_error()) return make_problem(problem_type::configuration, "The endpoint of this HTTP call cannot be used: it must be an absolute http or https URL without blanks.");
    out.uri = showable(*url);
    out.shown = request.method + " " + out.uri;
    if (const auto* headers = with.if_contains("headers")) {
        for (const auto& [name, value] : headers->get_object()) {
            if (value.is_null()) continue;
            const auto text = plain(value);
            if (!is_token(name) || !is_header_value(text)) return invalid("The header `" + std::string(name).substr(0, 60) + "` of this HTTP call has a name or value that HTTP does not allow.");
            request.headers.push_back({std::string(name), text});
        }
    }
    if (const auto* body = with.if_contains("body"); body != nullptr && !body->is_null()) {
        request.body = body->is_object() && is_form(request.headers) ? form_text(body->get_object()) : plain(*body);
        set_default(request.headers, "Content-Type", body->is_string() ? "text/plain; charset=utf-8" : "application/json");
    }
    add_usual_headers(request, call.key);
    if (endpoint.is_object() && endpoint.get_object().contains("authentication")) {
        auto policy = read_authentication(endpoint.get_object().at("authentication"));
        if (policy.has_error()) return policy.error();
        out.policy = std::move(*policy);
    }
    if (const auto output = text_at(with, "output"); !output.empty()) out.output = output;
    if (const auto* redirect = with.if_contains("redirect")) out.redirect = redirect->get_bool();
    return out;
}

json::object showable_headers(const std::vector<net::http_header>& headers) {
    constexpr std::array<std::string_view, 6> harmless{"accept", "accept-encoding", "accept-language", "content-type", "idempotency-key", "user-agent"};
    json::object shown;
    for (const auto& header : headers) {
        const bool known = std::any_of(harmless.begin(), harmless.end(), [&](std::string_view name) { return net::find_header({header}, name) != nullptr; });
        shown[header.name] = known ? header.value : std::string("***");
    }
    return shown;
}

result<json::value> read_http_response(const http_call& call, const net::http_response& response) {
    if (response.status < 200 || response.status > (call.redirect ? 399 : 299)) {
        auto error = make_problem(problem_type::communication, call.shown + " answered " + std::to_string(response.status) + ".");
        error.status = response.status;
        if (const auto* after = net::find_header(response.headers, "retry-after"); after != nullptr && after->size() <= 40) error.extra["retryAfter"] = *after;
        return error;
    }
    auto content = content_of(call, response);
    if (content.has_error() || call.output != "response") return content;
    json::object headers;
    for (const auto& [name, value] : response.headers) {
        auto& into = headers[name];
        into = into.is_null() ? json::value(value) : json::value(std::string(into.get_string()) + ", " + value);
    }
    const json::object request{{"method", call.request.method}, {"uri", call.uri}, {"headers", call.sent_headers}};
    return json::object{{"request", request}, {"statusCode", response.status}, {"headers", std::move(headers)}, {"content", std::move(*content)}};
}

}  // namespace pawl::protocol
