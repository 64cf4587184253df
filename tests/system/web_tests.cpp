// What `pawl` says over HTTP, with servers in this process: OAuth 2 and OpenAPI through the egress map, functions of a catalog, event sinks.
#include "net/http_server.hpp"
#include "system/process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <mutex>
#include <set>
#include <thread>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

/// Servers on a thread of their own; what they were asked is kept.
class web {
public:
    using handler = std::function<net::server_reply(const net::server_request&)>;

    ~web() {
        servers_.clear();
        work_.reset();
        context_.stop();
        thread_.join();
    }
    /// The origin of a new server; on a given port it must be free.
    std::string serve(handler answer, std::uint16_t port = 0) {
        net::http_server_options options;
        options.port = port;
        auto made = net::http_server::listen(context_, options, [this, answer = std::move(answer)](const net::server_request& request, const net::http_server::responder& respond) {
            {
                const std::lock_guard hold(lock_);
                seen_.push_back(request);
            }
            respond(answer(request));
        });
        BOOST_REQUIRE_MESSAGE(made.has_value(), made.error().detail);
        servers_.push_back(std::move(*made));
        return "http://127.0.0.1:" + std::to_string(servers_.back()->port());
    }
    std::vector<net::server_request> seen() {
        const std::lock_guard hold(lock_);
        return seen_;
    }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{boost::asio::make_work_guard(context_)};
    std::mutex lock_;
    std::vector<net::server_request> seen_;
    std::vector<std::unique_ptr<net::http_server>> servers_;
    std::thread thread_{[this] { context_.run(); }};
};

/// A port that nobody listens on and nobody else gets; a server may still take it.
class reserved_port {
public:
    reserved_port() {
        holder_.open(boost::asio::ip::tcp::v4());
        holder_.set_option(boost::asio::socket_base::reuse_address(true));
        holder_.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
    }
    std::uint16_t number() const { return holder_.local_endpoint().port(); }

private:
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor holder_{context_};
};

std::string header(const net::server_request& request, std::string_view name) {
    const auto* found = net::find_header(request.headers, name);
    return found == nullptr ? std::string() : *found;
}

constexpr std::string_view calling_flow = R"yaml(document: { dsl: '1.0.3', namespace: test, name: calling, version: '1.0.0' }
use:
  secrets: [ CLIENT ]
  authentications:
    shop: { oauth2: { authority: 'https://login.example.com/realm', grant: client_credentials, client: { id: pawl, secret: '${ $secrets.CLIENT }' }, scopes: [ pets ] } }
do:
  - find:
      call: openapi
      with: { document: { endpoint: 'https://pets.example.com/v2/api.json' }, operationId: findPets, parameters: { status: sold }, authentication: { use: shop } }
  - order:
      call: http
      with: { method: post, endpoint: { uri: 'https://pets.example.com/v2/orders', authentication: { use: shop } }, body: '${ .[0] }' }
  - greet: { call: 'https://flows.example.com/functions/greet.yaml', with: { who: '${ .for }' } }
)yaml";

constexpr std::string_view api = R"({"swagger":"2.0","host":"pets.example.com","schemes":["https"],"basePath":"/v2","paths":{"/pets":{"get":{"operationId":"findPets",
"parameters":[{"name":"status","in":"query","type":"string","required":true}]}}}})";

net::server_reply json_reply(std::string body, int status = 200) { return {status, {{"Content-Type", "application/json"}}, std::move(body), {}}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(web_processes)

BOOST_AUTO_TEST_CASE(a_run_calls_through_the_egress_map_with_one_token_and_leaves_no_secret_behind) {
    web servers;
    const auto all = servers.serve([](const net::server_request& request) -> net::server_reply {
        if (request.target == "/realm/oauth2/token") return json_reply(R"({"access_token":"tok-4711-en","token_type":"Bearer","expires_in":600})");
        if (request.target == "/v2/api.json") return json_reply(std::string(api));
        if (request.target == "/functions/greet.yaml") return {200, {}, "set: { greeting: '${ \"hello \\(.who)\" }' }\n", {}};
        if (header(request, "Authorization") != "Bearer tok-4711-en") return json_reply("{}", 401);
        return request.target == "/v2/pets?status=sold" ? json_reply(R"([{"for":"Rex"}])") : json_reply(request.body);
    });
    const temporary_folder folder;
    folder.write("pawl.yaml", "name: shop\nversion: 1.0.0\nsecrets: [CLIENT]\negress:\n  https://login.example.com: " + all + "\n  https://pets.example.com: " + all +
                                  "\n  https://flows.example.com: " + all + "\n");
    folder.write("flow.yaml", calling_flow);
    const place at{folder.path(), {{"CLIENT", "client-secret-0815"}}};
    const auto end = at.run({"run", "flow.yaml", "--json"}, {{"PAWL_LOG", "debug"}});
    BOOST_TEST_REQUIRE(end.code == 0, end);
    BOOST_TEST(to_text(end.document().as_object().at("output")) == R"({"greeting":"hello Rex"})");
    std::multiset<std::string> asked;
    for (const auto& each : servers.seen()) asked.insert(each.target);
    BOOST_TEST(asked.count("/realm/oauth2/token") == 1u);
    BOOST_TEST(asked.count("/v2/orders") == 1u);
    for (const std::string hidden : {"client-secret-0815", "tok-4711-en"}) {
        BOOST_TEST(end.out.find(hidden) == std::string::npos);
        BOOST_TEST(end.err.find(hidden) == std::string::npos);
        for (const auto* file : {".pawl/default.sqlite", ".pawl/default.sqlite-wal"}) BOOST_TEST(folder.read(file).find(hidden) == std::string::npos, file);
    }
}

BOOST_AUTO_TEST_CASE(a_function_that_cannot_be_fetched_is_one_clear_error) {
    const temporary_folder folder;
    folder.write("pawl.yaml", "name: shop\nversion: 1.0.0\negress: { 'https://flows.example.com': 'http://127.0.0.1:1' }\n");
    folder.write("flow.yaml", "document: { dsl: '1.0.3', namespace: test, name: far, version: '1.0.0' }\ndo:\n  - greet: { call: 'https://flows.example.com/greet.yaml' }\n");
    const auto end = place{folder.path(), {}}.run({"check", "flow.yaml"});
    BOOST_TEST(end.code == 1, end);
    BOOST_TEST(end.err.find("flow.yaml:3:21: error: the function `https://flows.example.com/greet.yaml` cannot be read: No connection (flows.example.com:443, sent to 127.0.0.1:1 by the egress map)") !=
                   std::string::npos,
               end);
}

BOOST_AUTO_TEST_CASE(an_http_sink_gets_every_event_at_least_once_though_it_was_down) {
    for (const auto& store : store_kinds()) {
        web servers;
        const reserved_port reserved;  // down: the port is known, nobody listens
        const auto port = reserved.number();
        const temporary_folder folder;
        // An agent's runs share its shard, so the second process drives the outbox that the first one left.
        folder.write("pawl.yaml", "name: teller\nversion: 1.0.0\nagents: { till: { key: its number } }\nevents: { sinks: [ { url: 'http://127.0.0.1:" + std::to_string(port) + "/events' } ] }\n");
        folder.write("flow.yaml", R"yaml(document: { dsl: '1.0.3', namespace: test, name: teller, version: '1.0.0' }
do:
  - first: { emit: { event: { with: { type: com.example.first, data: { n: 1 } } } } }
  - pause: { wait: { milliseconds: 1 } }
  - second: { emit: { event: { with: { type: com.example.second, data: { n: 2 } } } } }
)yaml");
        const place at{folder.path(), store_variables(store)};
        const auto down = at.run({"run", "flow.yaml", "--agent", "till/1", "--json"});
        BOOST_TEST_REQUIRE(down.code == 0, down);  // a sink that is down fails no run
        BOOST_TEST(down.err.find("events-not-delivered") != std::string::npos, down);
        servers.serve([](const net::server_request&) { return json_reply("", 202); }, port);
        const auto up = at.run({"run", "flow.yaml", "--agent", "till/1", "--json"});
        BOOST_TEST_REQUIRE(up.code == 0, up);
        std::map<std::string, std::set<std::string>> ids;
        for (const auto& each : servers.seen()) {
            BOOST_TEST(each.method == "POST");
            BOOST_TEST(each.target == "/events");
            BOOST_TEST(header(each, "Content-Type") == "application/cloudevents+json; charset=utf-8");
            const auto event = parse_json(each.body).value().as_object();
            BOOST_TEST(event.at("specversion").as_string() == "1.0");
            ids[std::string(event.at("type").as_string())].emplace(event.at("id").as_string());
        }
        for (const auto* type : {"com.example.first", "com.example.second"}) BOOST_TEST(ids[type].size() == 2u, type << " of both runs");
    }
}

BOOST_AUTO_TEST_SUITE_END()
