// `call: mcp` with a server process and with a server on loopback.
#include "cli/network.hpp"
#include "net/http_server.hpp"
#include "protocol/mcp_effect.hpp"
#include "support/eventually.hpp"
#include "support/started_call.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <unistd.h>

using namespace pawl;
using namespace std::chrono_literals;
using started = test_support::started_call;
using test_support::eventually;

namespace {

class desk {
public:
    desk() {
        static std::atomic<int> number{0};
        log_ = (std::filesystem::temp_directory_path() / ("pawl-mcp-" + std::to_string(::getpid()) + "-" + std::to_string(++number))).string();
        protocol::mcp_options options{PAWL_SOURCE_DIR "/tests/protocol", "1.2.3", {}};
        options.limits.max_message_bytes = 100'000;
        options.limits.grace = 5s;
        effect.emplace(network.context(), std::make_shared<protocol::authenticated_client>(network.client()), options);
    }
    ~desk() {
        effect.reset();
        std::filesystem::remove(log_);
    }

    started ask(json::object with, const std::string& key = "key-1", std::optional<milliseconds> left = {}) {
        auto call = std::make_shared<runtime::call_request>();
        call->run = "run-1";
        call->key = key;
        call->function = "mcp";
        call->arguments = std::move(with);
        if (left) call->until = std::chrono::steady_clock::now() + *left;
        call->assets = std::make_shared<runtime::assets>();
        auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
        started out{promise->get_future()};
        effect->start(call, [promise](runtime::call_outcome o) { promise->set_value(std::move(o)); }, {});
        return out;
    }
    json::object stdio(const std::string& mode = "good") const {
        return {{"stdio", {{"command", "python3"}, {"arguments", {"servers/mcp_server.py", mode}}, {"environment", {{"MCP_LOG", log_}, {"TOKEN", "hunter2"}}}}}};
    }
    /// A tool of the server process.
    started tool(const std::string& name, json::object arguments = {}, const std::string& mode = "good") {
        return ask({{"method", "tools/call"}, {"parameters", {{"name", name}, {"arguments", arguments}}}, {"transport", stdio(mode)}});
    }
    std::string log() const {
        std::ifstream in(log_);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    bool logs(const std::string& part) const {
        return eventually([&] { return log().find(part) != std::string::npos; });
    }
    pid_t server() const {
        BOOST_TEST_REQUIRE(logs("started "));
        return static_cast<pid_t>(std::stol(log().substr(8)));
    }

    cli::network network{net::http_client_options{}};
    std::optional<protocol::mcp_effect> effect;

private:
    std::string log_;
};

std::string text_of(const json::value& result) { return std::string(result.at("content").at(0).at("text").get_string()); }
bool ends(pid_t pid) {
    return eventually([&] { return ::kill(pid, 0) != 0; });
}

/// A server on loopback that answers like `answer`, and remembers what it was asked.
class http_place {
public:
    using answers = std::function<net::server_reply(const json::object& message)>;
    explicit http_place(desk& at, answers answer) {
        auto made = net::http_server::listen(at.network.context(), {}, [this, answer = std::move(answer)](net::server_request request, net::http_server::responder respond) {
            const std::lock_guard hold(lock_);
            seen_.push_back(request);
            if (request.method == "DELETE") return respond({204, {}, "", ""});
            const auto message = parse_json(request.body);
            if (message.has_error()) return respond({400, {}, "", ""});
            respond(answer(message->get_object()));
        });
        BOOST_TEST_REQUIRE(made.has_value());
        server_ = std::move(*made);
    }
    ~http_place() { server_->stop(); }
    json::object transport() const { return {{"http", {{"endpoint", "http://127.0.0.1:" + std::to_string(server_->port()) + "/mcp"}, {"headers", {{"X-Team", "desk"}}}}}}; }
    std::vector<net::server_request> seen() {
        const std::lock_guard hold(lock_);
        return seen_;
    }

private:
    std::mutex lock_;
    std::vector<net::server_request> seen_;
    std::unique_ptr<net::http_server> server_;
};

std::string header(const net::server_request& request, std::string_view name) {
    const auto* found = net::find_header(request.headers, name);
    return found == nullptr ? "" : *found;
}

net::server_reply json_reply(const json::object& message, json::object result) {
    return {200, {{"Content-Type", "application/json"}}, to_text(json::object{{"jsonrpc", "2.0"}, {"id", message.at("id")}, {"result", std::move(result)}}), ""};
}

json::object capabilities() { return {{"protocolVersion", "2025-06-18"}, {"capabilities", json::object()}, {"serverInfo", {{"name", "s"}, {"version", "1"}}}}; }

/// Plain JSON for `initialize`, an event stream for everything else.
net::server_reply well_behaved(const json::object& message) {
    if (!message.contains("id")) return {202, {}, "", ""};
    if (message.at("method") == "initialize") {
        auto reply = json_reply(message, capabilities());
        reply.headers.push_back({"Mcp-Session-Id", "session-7"});
        return reply;
    }
    const auto body = json_reply(message, {{"tools", json::array{json::object{{"name", "add"}}}}}).body;
    return {200, {{"Content-Type", "text/event-stream; charset=utf-8"}}, ": hello\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nid: 1\r\ndata: " + body + "\r\n\r\n", ""};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp)

BOOST_AUTO_TEST_CASE(a_tool_of_a_server_process_answers_and_the_process_ends) {
    desk d;
    BOOST_TEST(text_of(d.tool("add", {{"a", 2}, {"b", 3}}).value()) == "5");
    BOOST_TEST(d.logs("ended"));  // its stdin was closed, no signal was needed
    BOOST_TEST(d.log().find("client pawl 1.2.3\nnotifications/initialized\ntools/call\nended\n") != std::string::npos, d.log());
    BOOST_TEST(ends(d.server()));
}

BOOST_AUTO_TEST_CASE(lists_are_the_result_and_the_client_is_named_as_the_author_says) {
    desk d;
    const auto out = d.ask({{"method", "tools/list"}, {"client", {{"name", "synapse"}, {"version", "9"}}}, {"transport", d.stdio("greets")}}).value();
    BOOST_TEST(out.at("tools").at(0).at("name") == json::value("add"));
    BOOST_TEST(d.logs("client synapse 9"));
}

BOOST_AUTO_TEST_CASE(a_server_process_gets_the_key_and_what_was_declared) {
    desk d;
    BOOST_TEST(text_of(d.tool("key").value()) == "key-1 hunter2");
}

BOOST_AUTO_TEST_CASE(requests_of_the_server_are_answered_or_refused) {
    desk d;
    BOOST_TEST(text_of(d.tool("add", {{"a", 1}, {"b", 1}}, "asks").value()) == "2");
    BOOST_TEST(d.logs("answer {}"));
    BOOST_TEST(d.logs("answer {\"code\": -32601"));
}

BOOST_AUTO_TEST_CASE(a_tool_that_failed_and_a_request_that_was_refused_are_runtime_errors) {
    desk d;
    const auto failed = d.tool("fail").error();
    BOOST_TEST(type_name_of(failed.type) == "runtime");
    BOOST_TEST(failed.detail == "The tool that the MCP server `python3` was asked for has failed; `result` of this error holds what it says.");
    BOOST_TEST(text_of(failed.extra.at("result")) == "no such order");
    const auto refused = d.tool("nothing").error();
    BOOST_TEST(type_name_of(refused.type) == "runtime");
    BOOST_TEST(refused.detail == "To `tools/call`, the MCP server `python3` answered with the error -32602; `error` of this error holds what it says.");
    BOOST_TEST(refused.extra.at("error").at("message") == json::value("unknown tool"));
}

BOOST_AUTO_TEST_CASE(a_server_that_ends_early_is_a_communication_error_with_its_last_words) {
    desk d;
    const auto broken = d.tool("add", {}, "broken").error();
    BOOST_TEST(type_name_of(broken.type) == "communication");
    BOOST_TEST(broken.detail == "The process of the MCP server `python3` exited with code 3 before it answered.");
    BOOST_TEST(broken.extra.at("stderr") == json::value("there is no configuration\n"));
    BOOST_TEST(d.tool("add", {}, "dies").error().extra.at("exitCode") == json::value(4));
    BOOST_TEST(type_name_of(d.tool("add", {}, "ancient").error().type) == "communication");
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_answer_in_time_is_ended) {
    desk d;
    const auto error = d.ask({{"method", "tools/list"}, {"timeout", "PT0.3S"}, {"transport", d.stdio("silent")}}).error();
    BOOST_TEST(type_name_of(error.type) == "timeout");
    BOOST_TEST(error.detail == "No answer of the MCP server `python3` to `tools/list` within 300 ms.");
    if (!d.log().empty()) BOOST_TEST(ends(d.server()));
}

BOOST_AUTO_TEST_CASE(a_call_that_nobody_waits_for_ends_its_server) {
    desk d;
    auto call = d.ask({{"method", "tools/list"}, {"transport", d.stdio("silent")}});
    BOOST_TEST(d.logs("tools/list"));
    const auto server = d.server();
    d.effect->cancel("key-1");
    BOOST_TEST(ends(server));
    BOOST_CHECK_THROW(call.get(), std::future_error);  // dropped without an outcome
}

BOOST_AUTO_TEST_CASE(servers_under_way_end_with_the_effect) {
    desk d;
    auto call = d.ask({{"method", "tools/list"}, {"transport", d.stdio("silent")}});
    BOOST_TEST(d.logs("tools/list"));
    const auto server = d.server();
    d.effect.reset();
    BOOST_TEST(ends(server));
}

BOOST_AUTO_TEST_CASE(messages_have_a_limit_in_both_directions) {
    desk d;
    BOOST_TEST(text_of(d.tool("large", {{"bytes", 90'000}}).value()).size() == 90'000u);
    BOOST_TEST(d.tool("large", {{"bytes", 110'000}}).error().detail == "A message of the MCP server `python3` has more than 100000 bytes.");
    BOOST_TEST(d.tool("add", {{"a", std::string(110'000, 'x')}}).error().detail == "The request for the MCP server `python3` has more than 100000 bytes.");
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_is_named) {
    desk d;
    const auto error = d.ask({{"method", "tools/list"}, {"transport", {{"stdio", {{"command", "no-such-server"}}}}}}).error();
    BOOST_TEST(type_name_of(error.type) == "configuration");
    BOOST_TEST(error.detail == "There is no program for the MCP server `no-such-server`: it is neither on the PATH of pawl nor a file that can be run; install it.");
}

BOOST_AUTO_TEST_CASE(a_server_over_http_is_asked_in_one_session) {
    desk d;
    http_place in(d, well_behaved);
    const auto out = d.ask({{"method", "tools/list"}, {"transport", in.transport()}}).value();
    BOOST_TEST(out.at("tools").at(0).at("name") == json::value("add"));
    BOOST_TEST(eventually([&] { return in.seen().size() == 4; }));
    const auto seen = in.seen();
    BOOST_TEST(header(seen[0], "mcp-session-id") == "");
    BOOST_TEST(header(seen[0], "accept") == "application/json, text/event-stream");
    BOOST_TEST(seen[1].body == R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
    for (std::size_t i = 1; i < 4; ++i) {
        BOOST_TEST(header(seen[i], "mcp-session-id") == "session-7");
        BOOST_TEST(header(seen[i], "mcp-protocol-version") == "2025-06-18");
        BOOST_TEST(header(seen[i], "x-team") == "desk");
    }
    BOOST_TEST(seen[2].body == R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})");
    BOOST_TEST(seen[3].method == "DELETE");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_over_http_is_told_by_kind) {
    desk d;
    http_place forbidding(d, [](const json::object&) { return net::server_reply{403, {}, "", ""}; });
    const auto forbidden = d.ask({{"method", "tools/list"}, {"transport", forbidding.transport()}}).error();
    BOOST_TEST(type_name_of(forbidden.type) == "communication");
    BOOST_TEST(forbidden.status == 403);
    http_place refusing(d, [](const json::object& message) {
        if (!message.contains("id")) return net::server_reply{202, {}, "", ""};
        if (message.at("method") == "initialize") return json_reply(message, capabilities());
        return net::server_reply{200, {{"Content-Type", "application/json"}}, R"({"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"no"}})", ""};
    });
    BOOST_TEST(type_name_of(d.ask({{"method", "tools/list"}, {"transport", refusing.transport()}}).error().type) == "runtime");
    http_place mute(d, [](const json::object& message) {
        if (message.contains("id") && message.at("method") == "initialize") return json_reply(message, capabilities());
        return net::server_reply{200, {{"Content-Type", "text/event-stream"}}, "", ""};
    });
    BOOST_TEST(type_name_of(d.ask({{"method", "tools/list"}, {"transport", mute.transport()}}).error().type) == "communication");
    const auto nobody = d.ask({{"method", "tools/list"}, {"transport", {{"http", {{"endpoint", "http://127.0.0.1:1/mcp"}}}}}}).error();
    BOOST_TEST(type_name_of(nobody.type) == "communication");
}

BOOST_AUTO_TEST_CASE(an_error_with_a_status_of_http_keeps_its_words_and_ends_the_session) {
    desk d;
    http_place refusing(d, [](const json::object& message) {
        if (!message.contains("id") || message.at("method") == "initialize") return well_behaved(message);
        return net::server_reply{
            400, {{"Content-Type", "application/json"}}, R"({"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"no such tool"}})", ""};
    });
    const auto error = d.ask({{"method", "tools/call"}, {"parameters", {{"name", "x"}}}, {"transport", refusing.transport()}}).error();
    BOOST_TEST(type_name_of(error.type) == "runtime");
    BOOST_TEST(error.extra.at("error").at("message") == json::value("no such tool"));
    const auto ended = [](http_place& at) {
        return eventually([&] {
            const auto seen = at.seen();
            return seen.back().method == "DELETE" && header(seen.back(), "mcp-session-id") == "session-7";
        });
    };
    BOOST_TEST(ended(refusing));
    http_place broken(d, [](const json::object& message) {
        if (!message.contains("id") || message.at("method") == "initialize") return well_behaved(message);
        return net::server_reply{503, {}, "", ""};
    });
    const auto failed = d.ask({{"method", "tools/list"}, {"transport", broken.transport()}}).error();
    BOOST_TEST(type_name_of(failed.type) == "communication");
    BOOST_TEST(failed.status == 503);
    BOOST_TEST(ended(broken));
}

BOOST_AUTO_TEST_CASE(an_event_stream_is_cut_into_its_data) {
    const auto data = protocol::event_stream_data("data: a\ndata: b\n\n: comment\n\nevent: x\n\ndata:c\r\n\r\ndata: unfinished");
    BOOST_TEST(data == (std::vector<std::string>{"a\nb", "c", "unfinished"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
