#include "system/ctk_servers.hpp"

#include "base/digest.hpp"
#include "base/json.hpp"

namespace pawl::system_tests {
namespace {

net::server_reply json_reply(int status, const json::value& body) { return {status, {{"Content-Type", "application/json"}}, to_text(body), {}}; }

json::object pet(int id) { return {{"id", id}, {"name", "doggie"}, {"status", "available"}, {"photoUrls", json::array{}}}; }

json::value parameter(std::string_view name, std::string_view in, json::object more) {
    json::object out{{"name", name}, {"in", in}, {"required", true}};
    for (auto& [key, value] : more) out[key] = std::move(value);
    return out;
}

/// A description of the two operations that the kit calls, in the form of Swagger 2.0.
json::value description() {
    const json::value responses = json::object{{"200", json::object{{"description", "successful operation"}}}};
    const json::object by_status{{"operationId", "findPetsByStatus"},
                                 {"produces", json::array{"application/json"}},
                                 {"parameters", json::array{parameter("status", "query", {{"type", "array"}, {"items", json::object{{"type", "string"}}}, {"collectionFormat", "multi"}})}},
                                 {"responses", responses}};
    const json::object by_id{{"operationId", "getPetById"},
                             {"produces", json::array{"application/json"}},
                             {"parameters", json::array{parameter("petId", "path", {{"type", "integer"}, {"format", "int64"}})}},
                             {"responses", responses}};
    return json::object{{"swagger", "2.0"},
                        {"info", json::object{{"title", "Petstore"}, {"version", "1.0.0"}}},
                        {"host", "petstore.swagger.io"},
                        {"basePath", "/v2"},
                        {"schemes", json::array{"https"}},
                        {"paths", json::object{{"/pet/findByStatus", json::object{{"get", by_status}}}, {"/pet/{petId}", json::object{{"get", by_id}}}}}};
}

net::server_reply answer_as_petstore(const net::server_request& request) {
    if (request.target == "/v2/swagger.json") return json_reply(200, description());
    if (request.target == "/v2/pet/findByStatus?status=available") return json_reply(200, json::array{pet(1), pet(2)});
    if (request.target == "/v2/pet/1") return json_reply(200, pet(1));
    if (request.target == "/v2/pet/2") return json_reply(200, pet(2));
    return json_reply(404, json::object{{"code", 404}, {"message", "Not found"}});
}

/// GET /basic-auth/USER/PASSWORD: whether the request carries just these credentials.
net::server_reply answer_as_httpbin(const net::server_request& request) {
    constexpr std::string_view path = "/basic-auth/";
    const auto slash = request.target.rfind('/');
    if (!request.target.starts_with(path) || slash < path.size()) return json_reply(404, json::object());
    const auto user = request.target.substr(path.size(), slash - path.size()), password = request.target.substr(slash + 1);
    const auto* given = net::find_header(request.headers, "authorization");
    if (given == nullptr || *given != "Basic " + to_base64(user + ":" + password)) return {401, {{"WWW-Authenticate", "Basic realm=\"Fake Realm\""}}, "", {}};
    return json_reply(200, json::object{{"authenticated", true}, {"user", user}});
}

std::unique_ptr<net::http_server> listen(boost::asio::io_context& context, net::server_reply (*answer)(const net::server_request&)) {
    return net::http_server::listen(context, {}, [answer](const net::server_request& request, const net::http_server::responder& respond) { respond(answer(request)); }).value();
}

}  // namespace

ctk_servers::ctk_servers()
    : work_(boost::asio::make_work_guard(context_)),
      petstore_(listen(context_, answer_as_petstore)),
      httpbin_(listen(context_, answer_as_httpbin)),
      thread_([this] { context_.run(); }) {}

ctk_servers::~ctk_servers() {
    petstore_->stop();
    httpbin_->stop();
    work_.reset();
    context_.stop();
    thread_.join();
}

std::string ctk_servers::manifest() const {
    const auto here = [](const net::http_server& server) { return "http://127.0.0.1:" + std::to_string(server.port()); };
    return "name: ctk\n"
           "egress:\n"
           "  https://petstore.swagger.io: " + here(*petstore_) + "\n"
           "  https://httpbin.org: " + here(*httpbin_) + "\n"
           "events: { sinks: [ { file: .pawl/lifecycle.jsonl, events: [lifecycle] } ] }\n";
}

}  // namespace pawl::system_tests
