#include "cli/remote_files.hpp"

#include <future>

namespace pawl::cli {
namespace {

constexpr milliseconds longest_wait{30'000};
constexpr std::size_t largest_file = 4 * 1024 * 1024;

/// Before a run there is nothing that an expression could read but secrets: `${ $secrets.name }` as a whole text, and `use: name` of a scheme.
result<void> put_secrets(json::value& value, const secret_source& secrets) {
    constexpr std::string_view opening = "$secrets.";
    if (auto* object = value.if_object()) {
        for (auto& member : *object) {
            if (auto put = put_secrets(member.value(), secrets); put.has_error()) return put;
        }
        return {};
    }
    if (auto* list = value.if_array()) {
        for (auto& item : *list) {
            if (auto put = put_secrets(item, secrets); put.has_error()) return put;
        }
        return {};
    }
    if (!value.is_string()) return {};
    std::string_view text = value.get_string();
    if (text.find("${") == std::string_view::npos) return {};
    const auto refused = [](const std::string& why) { return make_problem(problem_type::authorization, why); };
    const auto begin = text.find_first_not_of(" ", 2), end = text.find_last_not_of(" }");
    const auto inside = text.starts_with("${") && text.ends_with('}') && begin < end ? text.substr(begin, end - begin + 1) : std::string_view{};
    if (!inside.starts_with(opening)) return refused("its authentication may only hold texts and ${ $secrets.name }, because it is read before anything runs.");
    const std::string name(inside.substr(opening.size()));
    const auto secret = secrets.declared(name);
    if (!secret) return refused("the secret `" + name + "` of its authentication has no value in this environment; list it under `secrets` and set it.");
    value = *secret;
    return {};
}

result<std::optional<protocol::authentication>> policy_of(json::value policy, const secret_source& secrets) {
    if (!policy.is_object()) return std::optional<protocol::authentication>();
    auto& settings = policy.get_object().begin()->value();
    if (auto* scheme = settings.if_object(); scheme != nullptr && scheme->contains("use")) {
        settings = "${ $secrets." + std::string(scheme->at("use").as_string()) + " }";
    }
    if (auto put = put_secrets(policy, secrets); put.has_error()) return put.error();
    auto read = protocol::read_authentication(policy);
    if (read.has_error()) return read.error();
    return std::optional(std::move(*read));
}

}  // namespace

read_url read_from_network(const toolbox& tools) {
    return [net = tools.network, web = tools.web, secrets = tools.secrets](const std::string& url, const json::value& authentication) -> result<std::string> {
        auto policy = policy_of(authentication, *secrets);
        if (policy.has_error()) return policy.error();
        net::http_request request;
        request.url = url;
        request.headers = {{"Accept", "application/yaml, application/json, text/plain;q=0.9, */*;q=0.5"}};
        request.max_redirects = 5;
        request.max_response_bytes = largest_file;
        request.timeout = longest_wait;
        auto answered = std::make_shared<std::promise<result<net::http_response>>>();
        auto answer = answered->get_future();
        web->send(std::move(request), std::move(*policy), [answered](result<net::http_response> response) { answered->set_value(std::move(response)); });
        auto response = answer.get();
        if (response.has_error()) return response.error();
        if (response->status == 200) return {boost::system::in_place_value, std::move(response->body)};
        return make_problem(problem_type::communication, "the server answered " + std::to_string(response->status) + ".");
    };
}

}  // namespace pawl::cli
