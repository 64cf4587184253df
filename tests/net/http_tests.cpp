#include "net/fixture.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

using namespace pawl;
using pawl::testing::network;
using namespace std::chrono_literals;

namespace {

net::http_server::handler always(net::server_reply reply) {
    return [reply](net::server_request, net::http_server::responder answer) { answer(reply); };
}

net::server_reply raw(std::string bytes) {
    net::server_reply reply;
    reply.raw = std::move(bytes);
    return reply;
}

/// Answers the first request of its first connection, takes the second one and closes, and answers whatever comes on other connections.
class dying_server {
public:
    dying_server() : acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}), worker_([this] { serve(); }) {}
    ~dying_server() {
        stopping_ = true;
        boost::asio::ip::tcp::socket knock(context_);
        boost::system::error_code ignored;
        knock.connect(acceptor_.local_endpoint(), ignored);
        worker_.join();
    }
    dying_server(const dying_server&) = delete;
    dying_server& operator=(const dying_server&) = delete;

    unsigned short port() const { return acceptor_.local_endpoint().port(); }
    int requests() const { return requests_; }

private:
    bool take(boost::asio::ip::tcp::socket& from) {
        std::string head;
        boost::system::error_code e;
        boost::asio::read_until(from, boost::asio::dynamic_buffer(head), "\r\n\r\n", e);
        if (!e) ++requests_;
        return !e;
    }
    void serve() {
        for (int connection = 0; !stopping_; ++connection) {
            boost::system::error_code e;
            boost::asio::ip::tcp::socket peer(context_);
            acceptor_.accept(peer, e);
            if (e || stopping_ || !take(peer)) continue;
            boost::asio::write(peer, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), e);
            if (connection == 0) take(peer);
        }
    }

    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::atomic<int> requests_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread worker_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http)

BOOST_AUTO_TEST_CASE(a_request_arrives_whole_and_so_does_the_answer) {
    network n;
    net::server_request seen;
    auto& server = n.serve([&](net::server_request request, net::http_server::responder answer) {
        seen = std::move(request);
        answer({201, {{"X-Id", "7"}, {"Content-Type", "application/json"}}, std::string(200'000, 'a'), {}});
    });
    auto request = network::get(server, "/a%20b?x=1");
    request.method = "POST";
    request.headers = {{"Content-Type", "application/json"}, {"X-Split", "a\r\nEvil: 1"}};
    request.body = R"({"n":1})";
    const auto r = n.ask(request);
    BOOST_TEST_REQUIRE(r.has_value());
    BOOST_TEST(r->status == 201);
    BOOST_TEST(*net::find_header(r->headers, "x-id") == "7");
    BOOST_TEST(r->body.size() == 200'000u);
    BOOST_TEST(seen.method == "POST");
    BOOST_TEST(seen.target == "/a%20b?x=1");
    BOOST_TEST(seen.body == R"({"n":1})");
    BOOST_TEST(net::find_header(seen.headers, "Evil") == nullptr);
}

BOOST_AUTO_TEST_CASE(connections_are_kept_and_used_again) {
    network n;
    auto& server = n.serve(always({200, {}, "x", {}}));
    for (int i = 0; i < 20; ++i) BOOST_TEST(n.ask(network::get(server)).has_value());
    BOOST_TEST(server.accepted() == 1u);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_the_server_closed_is_replaced) {
    network n;
    net::http_server_options options;
    options.idle_timeout = 30ms;
    auto& server = n.serve(always({200, {}, "x", {}}), options);
    BOOST_TEST(n.ask(network::get(server)).has_value());
    // Until the server has closed its side, whenever that is, every request must succeed.
    for (int i = 0; server.accepted() < 2 && i < 100'000; ++i) {
        BOOST_TEST_REQUIRE(n.ask(network::get(server)).has_value());
        std::promise<void> later;
        auto waited = later.get_future();
        waited.wait_for(40ms);
    }
    BOOST_TEST(server.accepted() >= 2u);
}

BOOST_AUTO_TEST_CASE(chunked_answers_and_answers_that_end_with_the_connection_are_read) {
    network n;
    auto& chunked = n.serve(always(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")));
    BOOST_TEST(n.ask(network::get(chunked))->body == "abcde");
    auto& until_close = n.serve(always(raw("HTTP/1.1 200 OK\r\n\r\nall of it")));
    BOOST_TEST(n.ask(network::get(until_close))->body == "all of it");
}

BOOST_AUTO_TEST_CASE(broken_servers_give_one_clear_error_each) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "in the middle of the answer"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1.1"},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'h') + "\r\n\r\n", "headers are larger"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "body is larger"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP/1.1"},
    };
    for (const auto& [bytes, expected] : cases) {
        network n;
        auto& server = n.serve(always(raw(bytes)));
        const auto r = n.ask(network::get(server));
        BOOST_TEST_REQUIRE(r.has_error());
        BOOST_TEST(type_name_of(r.error().type) == "communication");
        BOOST_TEST(r.error().detail.find(expected) != std::string::npos, r.error().detail);
    }
}

BOOST_AUTO_TEST_CASE(nobody_listening_and_unknown_hosts_are_communication_errors) {
    network n;
    std::uint16_t closed = 0;
    {
        network other;
        closed = other.serve(always({})).port();
    }
    net::http_request request;
    request.url = "http://127.0.0.1:" + std::to_string(closed);
    const auto refused = n.ask(request);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("127.0.0.1:" + std::to_string(closed)) != std::string::npos);
    request.url = "http://no-such-host.invalid/";
    const auto unknown = n.ask(request);
    BOOST_TEST_REQUIRE(unknown.has_error());
    BOOST_TEST(type_name_of(unknown.error().type) == "communication");
}

BOOST_AUTO_TEST_CASE(bad_urls_are_refused_before_anything_is_sent) {
    network n;
    for (const auto* url : {"", "example.com", "ftp://example.com/", "http://", "http:///path", "https://exa mple.com/", "http://host:port/"}) {
        net::http_request request;
        request.url = url;
        const auto r = n.ask(request);
        BOOST_TEST_REQUIRE(r.has_error(), url);
        BOOST_TEST(type_name_of(r.error().type) == "configuration", url);
    }
    net::http_request secret;
    secret.url = "gopher://user:hunter2@example.com/?token=abc";
    BOOST_TEST(n.ask(secret).error().detail.find("abc") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_silent_server_times_out_and_a_cancelled_request_ends) {
    network n;
    std::vector<net::http_server::responder> held;
    std::promise<void> arrived;
    auto& server = n.serve([&](net::server_request, net::http_server::responder answer) {
        held.push_back(std::move(answer));
        if (held.size() == 2) arrived.set_value();
    });
    auto request = network::get(server);
    request.timeout = 50ms;
    const auto late = n.ask(request);
    BOOST_TEST_REQUIRE(late.has_error());
    BOOST_TEST(late.error().status == 408);

    std::promise<result<net::http_response>> promise;
    auto answer = promise.get_future();
    const auto id = n.client->send(network::get(server), [&](result<net::http_response> r) { promise.set_value(std::move(r)); });
    arrived.get_future().wait();
    n.client->cancel(id);
    const auto cancelled = answer.get();
    BOOST_TEST_REQUIRE(cancelled.has_error());
    BOOST_TEST(type_name_of(cancelled.error().type) == "runtime");
}

BOOST_AUTO_TEST_CASE(redirects_are_followed_only_when_asked_and_credentials_stay_home) {
    network n;
    std::vector<net::server_request> seen;
    auto& other = n.serve([&](net::server_request request, net::http_server::responder answer) {
        seen.push_back(std::move(request));
        answer({200, {}, "there", {}});
    });
    auto& server = n.serve(always({302, {{"Location", "http://127.0.0.1:" + std::to_string(other.port()) + "/new"}}, "", {}}));
    auto request = network::get(server);
    request.headers = {{"Authorization", "Bearer x"}};
    BOOST_TEST(n.ask(request)->status == 302);
    request.max_redirects = 3;
    BOOST_TEST(n.ask(request)->body == "there");
    BOOST_TEST(seen.at(0).target == "/new");
    BOOST_TEST(net::find_header(seen.at(0).headers, "Authorization") == nullptr);
    auto& loop = n.serve(always({302, {{"Location", "/again"}}, "", {}}));
    auto endless = network::get(loop);
    endless.max_redirects = 5;
    BOOST_TEST(n.ask(endless)->status == 302);
}

BOOST_AUTO_TEST_CASE(a_redirection_may_be_relative_to_what_was_asked) {
    network n;
    for (const auto& [location, expected] : std::vector<std::pair<std::string, std::string>>{
             {"next", "/a/next"}, {"../up?x=1", "/up?x=1"}, {"?page=2", "/a/b?page=2"}, {"/top#part", "/top"}, {"./c/./d", "/a/c/d"}}) {
        std::vector<std::string> seen;
        auto& server = n.serve([&seen, location = location](net::server_request request, net::http_server::responder answer) {
            seen.push_back(request.target);
            answer(seen.size() == 1 ? net::server_reply{302, {{"Location", location}}, "", {}} : net::server_reply{200, {}, "there", {}});
        });
        auto request = network::get(server, "/a/b?q=1");
        request.max_redirects = 1;
        const auto r = n.ask(request);
        BOOST_TEST_REQUIRE(r.has_value(), location);
        BOOST_TEST(r->body == "there");
        BOOST_TEST(seen.back() == expected);
    }
    // `//host/path` is another host, and gets no credentials.
    net::server_request seen;
    auto& other = n.serve([&](net::server_request request, net::http_server::responder answer) {
        seen = std::move(request);
        answer({200, {}, "there", {}});
    });
    auto& server = n.serve(always({307, {{"Location", "//127.0.0.1:" + std::to_string(other.port()) + "/x"}}, "", {}}));
    auto request = network::get(server, "/");
    request.headers = {{"Authorization", "Bearer x"}};
    request.max_redirects = 1;
    BOOST_TEST(n.ask(request)->body == "there");
    BOOST_TEST(seen.target == "/x");
    BOOST_TEST(net::find_header(seen.headers, "Authorization") == nullptr);
}

BOOST_AUTO_TEST_CASE(what_comes_before_the_answer_is_not_the_answer) {
    network n;
    auto& server = n.serve(always(
        raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade")));
    auto request = network::get(server);
    request.method = "POST";
    const auto r = n.ask(request);
    BOOST_TEST_REQUIRE(r.has_value());
    BOOST_TEST(r->status == 201);
    BOOST_TEST(r->body == "made");
    std::string endless;
    for (int i = 0; i < 100; ++i) endless += "HTTP/1.1 102 Processing\r\n\r\n";
    auto& never = n.serve(always(raw(endless)));
    const auto refused = n.ask(network::get(never));
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("never comes to its end") != std::string::npos, refused.error().detail);
}

BOOST_AUTO_TEST_CASE(a_request_that_may_not_happen_twice_is_not_sent_again_on_a_new_connection) {
    for (const bool keyed : {false, true}) {
        dying_server server;
        network n;
        const auto ask = [&](std::string method) {
            net::http_request request;
            request.method = std::move(method);
            request.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
            if (keyed) request.headers = {{"Idempotency-Key", "k"}};
            return n.ask(request);
        };
        BOOST_TEST(ask("GET").has_value());
        const auto second = ask("POST");  // it arrives on the kept connection, which then ends
        BOOST_TEST(second.has_value() == keyed);
        BOOST_TEST(server.requests() == (keyed ? 3 : 2));
        if (second.has_error()) BOOST_TEST(type_name_of(second.error().type) == "communication");
    }
}

BOOST_AUTO_TEST_CASE(the_egress_map_decides_where_a_host_is_reached) {
    network plain;
    auto& server = plain.serve([](net::server_request request, net::http_server::responder answer) { answer({200, {}, *net::find_header(request.headers, "Host"), {}}); });
    net::http_client_options options;
    const auto local = "127.0.0.1:" + std::to_string(server.port());
    options.egress["https://Petstore.example"] = "http://" + local;
    options.egress["http://nobody.example:8080"] = "http://127.0.0.1:1";
    network n(options);
    net::http_request request;
    request.url = "https://petstore.example/v2/pet/1";
    BOOST_TEST(n.ask(request)->body == local);
    request.url = "http://nobody.example:8080/";
    const auto refused = n.ask(request);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("nobody.example:8080, sent to 127.0.0.1:1 by the egress map") != std::string::npos, refused.error().detail);
}

BOOST_AUTO_TEST_CASE(an_egress_map_with_more_than_origins_sends_nothing) {
    net::http_client_options options;
    options.egress["https://petstore.example/v2"] = "http://127.0.0.1:1";
    network n(options);
    net::http_request request;
    request.url = "http://127.0.0.1:1/";
    const auto refused = n.ask(request);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("an origin has a scheme, a host and a port") != std::string::npos, refused.error().detail);
}

BOOST_AUTO_TEST_CASE(the_server_refuses_what_is_too_large_or_malformed) {
    network n;
    net::http_server_options options;
    options.max_body_bytes = 1000;
    auto& server = n.serve(always({200, {}, "x", {}}), options);
    auto request = network::get(server);
    request.method = "POST";
    request.body = std::string(2000, 'x');
    BOOST_TEST(n.ask(request)->status == 413);
}

BOOST_AUTO_TEST_CASE(tls_certificates_are_verified) {
    const auto folder = std::filesystem::temp_directory_path() / ("pawl-tls-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto at = [&](const char* name) { return (folder / name).string(); };
    const auto make = [&](const std::string& name, const std::string& host) {
        const auto command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" + host + " -addext subjectAltName=" +
                             (host == "127.0.0.1" ? "IP:" : "DNS:") + host + " -keyout " + at((name + ".key").c_str()) + " -out " + at((name + ".pem").c_str()) + " 2>/dev/null";
        BOOST_TEST_REQUIRE(std::system(command.c_str()) == 0);
    };
    make("good", "127.0.0.1");
    make("other", "example.org");
    network servers;
    const auto serve = [&](const char* name) -> net::http_server& {
        net::http_server_options options;
        options.certificate_file = at((std::string(name) + ".pem").c_str());
        options.key_file = at((std::string(name) + ".key").c_str());
        return servers.serve(always({200, {}, "secret", {}}), options);
    };
    const auto ask = [&](const net::http_server& server, const std::string& ca) {
        net::http_client_options options;
        options.ca_file = ca;
        network n(options);
        net::http_request request;
        request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
        return n.ask(request);
    };
    auto& good = serve("good");
    auto& other = serve("other");
    BOOST_TEST(ask(good, at("good.pem"))->body == "secret");
    const auto untrusted = ask(good, "");
    BOOST_TEST_REQUIRE(untrusted.has_error());
    BOOST_TEST(untrusted.error().detail.find("certificate") != std::string::npos, untrusted.error().detail);
    const auto wrong_host = ask(other, at("other.pem"));
    BOOST_TEST_REQUIRE(wrong_host.has_error());
    BOOST_TEST(wrong_host.error().detail.find("certificate") != std::string::npos, wrong_host.error().detail);
    BOOST_TEST(ask(good, at("missing.pem")).has_error());
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()
