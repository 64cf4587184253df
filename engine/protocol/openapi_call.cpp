#include "protocol/openapi_call.hpp"

#include "base/digest.hpp"
#include "flow/yaml.hpp"
#include "protocol/http_text.hpp"
#include "schema/validator.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>

namespace pawl::protocol {
namespace {

using flow::openapi_parameter;

/// How the parts of a value stand together in one style.
struct style_form {
    std::string prefix, separator, assign;
    bool named = false;  ///< each part begins with the name: `form` and `matrix`
};

style_form form_of(const openapi_parameter& p) {
    if (p.style == "label") return {".", p.explode ? "." : ",", "=", false};
    if (p.style == "matrix") return {";", p.explode ? ";" : ",", "=", true};
    if (p.style == "form" || p.style == "deepObject") return {"", p.explode ? "&" : ",", "=", true};
    if (p.style == "spaceDelimited") return {"", p.explode ? "&" : "%20", "=", true};
    if (p.style == "pipeDelimited") return {"", p.explode ? "&" : "%7C", "=", true};
    if (p.style == "tabDelimited") return {"", p.explode ? "&" : "%09", "=", true};
    return {"", ",", "=", false};
}

/// A parameter's value as it stands in path, query, header or cookie; `encode` protects one text.
template <class Encode>
std::string styled(const openapi_parameter& p, const json::value& value, Encode encode) {
    const auto form = form_of(p);
    const auto name = encode(p.name);
    if (p.as_json) return (form.named ? name + "=" : "") + encode(to_text(value));
    std::vector<std::string> parts;
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (member.is_null()) continue;
            if (p.style == "deepObject") {
                parts.push_back(name + "%5B" + encode(std::string(key)) + "%5D=" + encode(plain(member)));
            } else if (p.explode) {
                parts.push_back(encode(std::string(key)) + form.assign + encode(plain(member)));
            } else {
                parts.push_back(encode(std::string(key)));
                parts.push_back(encode(plain(member)));
            }
        }
    } else if (const auto* list = value.if_array()) {
        for (const auto& item : *list) parts.push_back((p.explode && form.named ? name + "=" : "") + encode(plain(item)));
    } else {
        return form.prefix + (form.named ? name + "=" : "") + encode(plain(value));
    }
    std::string out = form.prefix;
    if (form.named && !p.explode && p.style != "deepObject") out += name + "=";
    const auto separator = p.style == "deepObject" ? std::string("&") : form.separator;
    for (std::size_t i = 0; i < parts.size(); ++i) out += (i > 0 ? separator : "") + parts[i];
    return out;
}

/// RFC 3986 section 2.2: with `allowReserved` these stay.
std::string encoded_but_reserved(const std::string& text) {
    std::string out;
    for (const char ch : text) out += std::string_view(":/?#[]@!$&'()*+,;=").find(ch) != std::string_view::npos ? std::string(1, ch) : percent_encoded(std::string_view(&ch, 1));
    return out;
}

problem no_server(const std::string& why) {
    return make_problem(problem_type::configuration, "The OpenAPI document does not say where its operations are called: " + why);
}

result<std::string> server_url(const std::string& server, const std::string& document_url) {
    if (server.starts_with("https://") || server.starts_with("http://")) return {boost::system::in_place_value, server};
    if (document_url.empty()) {
        return no_server("its server is relative, and a file of the project has no address. Write an absolute URL in `servers` (OpenAPI 3), or `host` and `schemes` (Swagger 2).");
    }
    const auto from = boost::urls::parse_uri(document_url);
    const auto to = boost::urls::parse_uri_reference(server);
    boost::urls::url out;
    if (!from || !to || !boost::urls::resolve(*from, *to, out)) return no_server("its server is not a URL.");
    return {boost::system::in_place_value, std::string_view(out.buffer().data(), out.buffer().size())};
}

/// What is left when the parameters of path, query, header and cookie are taken: the members of the body.
json::object rest_of(const flow::openapi_operation& operation, const json::object& parameters) {
    json::object out;
    for (const auto& [name, value] : parameters) {
        const auto is_it = [&](const openapi_parameter& p) { return std::string_view(p.name) == std::string_view(name); };
        if (std::none_of(operation.parameters.begin(), operation.parameters.end(), is_it)) out[name] = value;
    }
    return out;
}

void add_body(const flow::openapi_operation& operation, const json::object& parameters, net::http_request& request) {
    if (!operation.body) return;
    const auto& body = *operation.body;
    const auto* whole = body.name.empty() ? nullptr : parameters.if_contains(body.name);
    json::value value = whole != nullptr ? *whole : json::value(rest_of(operation, parameters));
    if (whole == nullptr && value.get_object().empty() && !body.required) return;
    if (body.form && value.is_object()) {
        request.body = form_text(value.get_object());
    } else {
        const bool json = body.media_type.find("json") != std::string::npos;
        request.body = json ? to_text(value) : plain(value);
    }
    set_default(request.headers, "Content-Type", body.media_type);
}

result<void> add_parameters(const flow::openapi_operation& operation, const json::object& parameters, std::string& path, std::string& query, net::http_request& request) {
    std::string cookies;
    for (const auto& each : operation.parameters) {
        const auto* value = parameters.if_contains(each.name);
        if (value == nullptr || value->is_null()) continue;
        const auto encode = [&](const std::string& text) { return each.reserved ? encoded_but_reserved(text) : percent_encoded(text); };
        switch (each.in) {
            case openapi_parameter::place::path: {
                const auto slot = "{" + each.name + "}";
                const auto text = styled(each, *value, encode);
                for (auto at = path.find(slot); at != std::string::npos; at = path.find(slot, at + text.size())) path.replace(at, slot.size(), text);
                break;
            }
            case openapi_parameter::place::query:
                query += (query.empty() ? "" : "&") + styled(each, *value, encode);
                break;
            case openapi_parameter::place::header: {
                const auto text = styled(each, *value, [](const std::string& t) { return t; });
                if (!is_token(each.name) || !is_header_value(text)) {
                    return make_problem(problem_type::validation, "The parameter `" + each.name.substr(0, 60) + "` of `" + operation.id + "` cannot be a header: HTTP does not allow its name or value.");
                }
                set_header(request.headers, each.name, text);
                break;
            }
            case openapi_parameter::place::cookie:
                cookies += (cookies.empty() ? "" : "; ") + styled(each, *value, encode);
                break;
        }
    }
    if (!cookies.empty()) set_header(request.headers, "Cookie", cookies);
    if (path.find('{') != std::string::npos) return make_problem(problem_type::validation, "The path of `" + operation.id + "` has a part that no parameter fills.");
    return {};
}

}  // namespace

json::value openapi_arguments_schema() {
    const json::value text{{"type", "string"}};
    const auto object = [](json::object properties, json::array required) {
        return json::object{{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
    };
    const json::value endpoint = object({{"uri", text}, {"authentication", authentication_schema()}}, {"uri"});
    return object({{"document", object({{"name", text}, {"endpoint", {{"anyOf", json::array{text, endpoint}}}}}, {"endpoint"})},
                   {"operationId", text},
                   {"parameters", {{"type", json::array{"object", "null"}}}},
                   {"authentication", authentication_schema()},
                   {"output", {{"enum", json::array{"content", "raw", "response"}}}},
                   {"redirect", {{"type", "boolean"}}}},
                  {"document", "operationId"});
}

result<openapi_arguments> read_openapi_arguments(const runtime::call_request& call) {
    static const auto validator = schema::validator::compile(openapi_arguments_schema()).value();
    if (const auto wrong = validator.validate(call.arguments); !wrong.empty()) return schema::to_problem(wrong, "the arguments of this OpenAPI call");
    const auto& with = call.arguments.get_object();
    openapi_arguments out;
    const auto& endpoint = with.at("document").get_object().at("endpoint");
    out.document = endpoint.is_string() ? std::string(endpoint.get_string()) : text_at(endpoint.get_object(), "uri");
    out.document_key = out.document;
    if (endpoint.is_object() && endpoint.get_object().contains("authentication")) {
        const auto& given = endpoint.get_object().at("authentication");
        auto policy = read_authentication(given);
        if (policy.has_error()) return policy.error();
        out.document_policy = std::move(*policy);
        out.document_key += " " + sha256_hex(to_text(given));
    }
    if (const auto* given = with.if_contains("authentication")) {
        auto policy = read_authentication(*given);
        if (policy.has_error()) return policy.error();
        out.policy = std::move(*policy);
    }
    out.operation = text_at(with, "operationId");
    if (const auto* parameters = with.if_contains("parameters"); parameters != nullptr && parameters->is_object()) out.parameters = parameters->get_object();
    if (const auto output = text_at(with, "output"); !output.empty()) out.output = output;
    if (const auto* redirect = with.if_contains("redirect")) out.redirect = redirect->get_bool();
    return out;
}

result<json::value> read_openapi_document(std::string_view text, const std::string& shown) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && text[first] == '{') {
        if (auto parsed = parse_json(text); parsed.has_value()) return parsed;
    }
    auto read = flow::read_yaml(text, shown);
    if (read.has_error()) return make_problem(problem_type::configuration, "The OpenAPI document " + shown + " is neither JSON nor YAML: " + render(read.error()));
    return std::move(read->value);
}

result<http_call> make_openapi_call(const flow::openapi_operation& operation, const openapi_arguments& with, const std::string& document_url, const std::string& key) {
    const auto mistakes = flow::check_openapi_parameters(operation, with.parameters, [](const json::value&) { return true; });
    if (!mistakes.empty()) {
        auto message = mistakes.front().message + (mistakes.front().hint.empty() ? "." : "; " + mistakes.front().hint + ".");
        return make_problem(problem_type::validation, std::move(message));
    }
    auto server = server_url(operation.server, document_url);
    if (server.has_error()) return server.error();
    while (server->ends_with('/')) server->pop_back();
    http_call out;
    out.request.method = operation.method;
    auto path = operation.path;
    std::string query;
    if (auto put = add_parameters(operation, with.parameters, path, query, out.request); put.has_error()) return put.error();
    out.request.url = *server + (path.starts_with('/') ? "" : "/") + path + (query.empty() ? "" : "?" + query);
    const auto url = net::parse_url(out.request.url);
    if (url.has_error()) return no_server("its server and the path of `" + operation.id + "` make no http or https URL.");
    out.uri = showable(*url);
    out.shown = operation.method + " " + out.uri + " (`" + operation.id + "`)";
    add_body(operation, with.parameters, out.request);
    add_usual_headers(out.request, key);
    out.output = with.output;
    out.redirect = with.redirect;
    out.policy = with.policy;
    return out;
}

}  // namespace pawl::protocol
