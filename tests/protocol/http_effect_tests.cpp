// `call: http` against a server on loopback.
#include "protocol/http_effect.hpp"
#include "cli/network.hpp"
#include "net/http_server.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <mutex>

using namespace pawl;

namespace {

class place {
public:
    explicit place(std::function<void(net::server_request, net::http_server::responder)> handler) {
        auto made = net::http_server::listen(network_.context(), {}, [this, handler = std::move(handler)](net::server_request request, net::http_server::responder respond) {
            {
                const std::lock_guard hold(lock_);
                requests_.push_back(request);
            }
            handler(std::move(request), std::move(respond));
        });
        BOOST_REQUIRE(made.has_value());
        server = std::move(*made);
    }
    explicit place(net::server_reply reply) : place([reply](const net::server_request&, const net::http_server::responder& respond) { respond(reply); }) {}
    ~place() { server->stop(); }

    std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(server->port()) + path; }
    std::future<runtime::call_outcome> begin(json::value arguments, std::optional<milliseconds> left = {}) {
        auto call = std::make_shared<runtime::call_request>();
        call->key = "key-1";
        call->function = "http";
        call->arguments = std::move(arguments);
        if (left) call->until = std::chrono::steady_clock::now() + *left;
        call->assets = std::make_shared<runtime::assets>();
        auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
        auto future = promise->get_future();
        effect->start(call, [promise](runtime::call_outcome o) { promise->set_value(std::move(o)); }, {});
        return future;
    }
    runtime::call_outcome ask(json::value arguments) { return begin(std::move(arguments)).get(); }
    net::server_request seen(std::size_t i) {
        const std::lock_guard hold(lock_);
        return requests_.at(i);
    }

private:
    std::mutex lock_;
    std::vector<net::server_request> requests_;
    cli::network network_{net::http_client_options{}};

public:
    std::unique_ptr<protocol::http_effect> effect = std::make_unique<protocol::http_effect>(std::make_shared<protocol::authenticated_client>(network_.client()));
    std::unique_ptr<net::http_server> server;
};

std::string header(const net::server_request& request, std::string_view name) {
    const auto* found = net::find_header(request.headers, name);
    return found == nullptr ? "" : *found;
}

const net::server_reply json_answer{200, {{"Content-Type", "application/json; charset=utf-8"}, {"X-A", "1"}}, R"({"id":1})", ""};

}  // namespace

BOOST_AUTO_TEST_CASE(a_get_has_query_and_headers_and_its_json_is_a_value) {
    place in(json_answer);
    const auto out = in.ask(json::object{{"method", "get"}, {"endpoint", in.url("/pets?a=1")}, {"query", {{"q", "x y&z"}, {"n", 3}, {"none", nullptr}}}, {"headers", {{"X-Trace", 7}}}});
    BOOST_REQUIRE(out.value.has_value());
    BOOST_TEST(to_text(*out.value) == R"({"id":1})");
    BOOST_TEST(in.seen(0).method == "GET");
    BOOST_TEST(in.seen(0).target == "/pets?a=1&q=x%20y%26z&n=3");
    BOOST_TEST(header(in.seen(0), "x-trace") == "7");
    BOOST_TEST(header(in.seen(0), "idempotency-key") == "");
    BOOST_TEST(out.record.at("status") == 200);
}

BOOST_AUTO_TEST_CASE(a_post_sends_json_with_the_calls_key) {
    place in(json_answer);
    BOOST_TEST(in.ask(json::object{{"method", "post"}, {"endpoint", in.url()}, {"body", {{"a", json::array{1, "x"}}}}}).value.has_value());
    BOOST_TEST(in.seen(0).body == R"({"a":[1,"x"]})");
    BOOST_TEST(header(in.seen(0), "content-type") == "application/json");
    BOOST_TEST(header(in.seen(0), "idempotency-key") == "key-1");
    BOOST_TEST(in.ask(json::object{{"method", "put"}, {"endpoint", in.url()}, {"body", "as it is"}, {"headers", {{"idempotency-key", "own"}, {"Content-Type", "text/csv"}}}}).value.has_value());
    BOOST_TEST(in.seen(1).body == "as it is");
    BOOST_TEST(header(in.seen(1), "Idempotency-Key") == "own");
    BOOST_TEST(header(in.seen(1), "Content-Type") == "text/csv");
}

BOOST_AUTO_TEST_CASE(an_object_that_is_declared_as_a_form_is_sent_as_one) {
    place in(json_answer);
    const json::object body{{"name", "Eva & co"}, {"tag", json::array{"a", 2}}, {"none", nullptr}};
    std::size_t i = 0;
    for (const auto* type : {"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=utf-8"}) {
        BOOST_TEST(in.ask(json::object{{"method", "post"}, {"endpoint", in.url()}, {"body", body}, {"headers", {{"content-type", type}}}}).value.has_value());
        BOOST_TEST(in.seen(i).body == "name=Eva%20%26%20co&tag=a&tag=2");
        BOOST_TEST(header(in.seen(i++), "content-type") == type);
    }
    BOOST_TEST(in.ask(json::object{{"method", "post"}, {"endpoint", in.url()}, {"body", "a=b"}, {"headers", {{"content-type", "application/x-www-form-urlencoded"}}}}).value.has_value());
    BOOST_TEST(in.seen(2).body == "a=b");  // a text is a form already
}

BOOST_AUTO_TEST_CASE(outputs_are_content_raw_or_response) {
    place in(json_answer);
    BOOST_TEST(*in.ask(json::object{{"method", "get"}, {"endpoint", in.url()}, {"output", "raw"}}).value == "eyJpZCI6MX0=");
    const auto all = in.ask(json::object{{"method", "get"}, {"endpoint", in.url("/a?token=hush")}, {"output", "response"}}).value.value();
    BOOST_TEST(all.at("statusCode") == 200);
    BOOST_TEST(all.at("content").at("id") == 1);
    BOOST_TEST(all.at("headers").at("X-A") == "1");
    BOOST_TEST(all.at("request").at("uri").as_string() == in.url("/a"));
    place text(net::server_reply{200, {{"Content-Type", "text/plain"}}, "hello", ""});
    BOOST_TEST(*text.ask(json::object{{"method", "get"}, {"endpoint", text.url()}}).value == "hello");
    place bytes(net::server_reply{200, {}, std::string("\x00\xff", 2), ""});
    BOOST_TEST(*bytes.ask(json::object{{"method", "get"}, {"endpoint", bytes.url()}}).value == "AP8=");
    place nothing(net::server_reply{204, {}, "", ""});
    BOOST_TEST(nothing.ask(json::object{{"method", "delete"}, {"endpoint", nothing.url()}}).value->is_null());
}

BOOST_AUTO_TEST_CASE(basic_and_bearer_credentials_are_sent_and_never_told) {
    place in(net::server_reply{503, {{"Retry-After", "7"}}, "hush", ""});
    const auto with = [&](json::value policy) { return json::object{{"method", "get"}, {"endpoint", {{"uri", in.url("/a?key=hush")}, {"authentication", std::move(policy)}}}}; };
    const auto out = in.ask(with(json::object{{"bearer", {{"token", "hush"}}}}));
    BOOST_TEST(header(in.seen(0), "authorization") == "Bearer hush");
    BOOST_REQUIRE(out.value.has_error());
    BOOST_TEST(type_name_of(out.value.error().type) == "communication");
    BOOST_TEST(out.value.error().status == 503);
    BOOST_TEST(out.value.error().extra.at("retryAfter") == "7");
    BOOST_TEST(to_text(json::value(to_json(out.value.error()))).find("hush") == std::string::npos);
    in.ask(with(json::object{{"basic", {{"username", "eva"}, {"password", "hush"}}}}));
    BOOST_TEST(header(in.seen(1), "authorization") == "Basic ZXZhOmh1c2g=");
    const auto bad = in.ask(with(json::object{{"bearer", {{"token", "hush\r\nX: 1"}}}}));
    BOOST_TEST(type_name_of(bad.value.error().type) == "validation");
    BOOST_TEST(bad.value.error().detail.find("hush") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(redirections_are_errors_unless_asked_for) {
    place in(net::server_reply{302, {{"Location", "/b"}}, "", ""});
    const auto refused = in.ask(json::object{{"method", "get"}, {"endpoint", in.url()}});
    BOOST_REQUIRE(refused.value.has_error());
    BOOST_TEST(refused.value.error().status == 302);
    BOOST_TEST(in.ask(json::object{{"method", "get"}, {"endpoint", in.url()}, {"redirect", true}}).value.has_value());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sent_is_told) {
    place in(json_answer);
    const auto type_for = [&](json::value arguments) { return std::string(type_name_of(in.ask(std::move(arguments)).value.error().type)); };
    BOOST_TEST(type_for(json::object{{"method", "get"}}) == "validation");
    BOOST_TEST(type_for(json::object{{"method", "g t"}, {"endpoint", in.url()}}) == "validation");
    BOOST_TEST(type_for(json::object{{"method", "get"}, {"endpoint", "nowhere"}}) == "configuration");
    BOOST_TEST(type_for(json::object{{"method", "get"}, {"endpoint", in.url()}, {"headers", {{"X", "a\r\nB: c"}}}}) == "validation");
    BOOST_TEST(type_for(json::object{{"method", "get"}, {"endpoint", in.url()}, {"headers", {{"X Y", "a"}}}}) == "validation");
    BOOST_TEST(type_for(json::object{{"method", "get"}, {"endpoint", in.url()}, {"output", "xml"}}) == "validation");
}

BOOST_AUTO_TEST_CASE(a_compressed_body_that_nobody_asked_for_is_named_and_a_byte_order_mark_is_no_mistake) {
    place gzip(net::server_reply{200, {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}, "\x1f\x8b\x08 bomb", ""});
    const auto refused = gzip.ask(json::object{{"method", "get"}, {"endpoint", gzip.url()}}).value;
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(type_name_of(refused.error().type) == "communication");
    BOOST_TEST(refused.error().detail.find("compressed (`gzip`)") != std::string::npos, refused.error().detail);
    BOOST_TEST(gzip.ask(json::object{{"method", "get"}, {"endpoint", gzip.url()}, {"output", "raw"}}).value.has_value());
    place marked(net::server_reply{200, {{"Content-Type", "application/json"}}, "\xef\xbb\xbf{\"a\":1}", ""});
    const auto read = marked.ask(json::object{{"method", "get"}, {"endpoint", marked.url()}}).value;
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(to_text(*read) == R"({"a":1})");
}

BOOST_AUTO_TEST_CASE(broken_answers_slow_servers_and_absent_ones_are_errors) {
    place broken(net::server_reply{200, {{"Content-Type", "application/json"}}, "{", ""});
    BOOST_TEST(type_name_of(broken.ask(json::object{{"method", "get"}, {"endpoint", broken.url()}}).value.error().type) == "communication");
    std::vector<net::http_server::responder> kept;
    std::promise<void> asked;
    place slow([&](const net::server_request&, net::http_server::responder respond) {
        kept.push_back(std::move(respond));
        if (kept.size() == 2) asked.set_value();
    });
    const json::value ask{{"method", "get"}, {"endpoint", slow.url()}};
    BOOST_TEST(type_name_of(slow.begin(ask, milliseconds(300)).get().value.error().type) == "timeout");
    BOOST_TEST(type_name_of(slow.begin(ask, milliseconds(-1)).get().value.error().type) == "timeout");
    auto pending = slow.begin(ask);
    asked.get_future().get();
    slow.effect->cancel("key-1");
    BOOST_TEST(type_name_of(pending.get().value.error().type) == "runtime");
    slow.server->stop();
    BOOST_TEST(type_name_of(slow.ask(ask).value.error().type) == "communication");
}
