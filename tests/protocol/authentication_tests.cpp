// Digest, OAuth 2 and OpenID Connect against servers on loopback.
#include "place.hpp"
#include "protocol/challenge.hpp"
#include "protocol/http_effect.hpp"

using namespace pawl;
using namespace pawl::protocol_tests;

namespace {

struct place {
    std::shared_ptr<hand_clock> clock = std::make_shared<hand_clock>();
    cli::network network{net::http_client_options{}};
    std::shared_ptr<protocol::authenticated_client> client = std::make_shared<protocol::authenticated_client>(network.client(), clock);
    std::unique_ptr<protocol::http_effect> effect = std::make_unique<protocol::http_effect>(client);

    runtime::call_outcome get(const std::string& url, json::value authentication, const std::string& key = "key-1") {
        return begin_call(*effect, json::object{{"method", "get"}, {"endpoint", {{"uri", url}, {"authentication", std::move(authentication)}}}}, {}, key).get();
    }
};

json::value oauth(const std::string& authority, json::object more = {}) {
    json::object out{{"authority", authority}, {"grant", "client_credentials"}, {"client", {{"id", "runtime"}, {"secret", "s e&cret"}}}};
    for (auto& [key, value] : more) out[key] = value;
    return json::object{{"oauth2", std::move(out)}};
}

net::server_reply token_reply(const std::string& token, int seconds = 3600, const std::string& refresh = {}) {
    json::object body{{"access_token", token}, {"token_type", "bearer"}, {"expires_in", seconds}};
    if (!refresh.empty()) body["refresh_token"] = refresh;
    return {200, {{"Content-Type", "application/json"}}, to_text(body), {}};
}

/// Accepts one bearer token at a time.
struct resource {
    std::mutex lock;
    std::string accepted;
    void accept(std::string token) {
        const std::lock_guard hold(lock);
        accepted = std::move(token);
    }
    net::server_reply operator()(const net::server_request& request) {
        const std::lock_guard hold(lock);
        return {header_of(request, "Authorization") == "Bearer " + accepted ? 200 : 401, {{"Content-Type", "text/plain"}}, "in", {}};
    }
};

std::string param(const std::string& header, const std::string& name) {
    const auto read = protocol::challenges_of({{"WWW-Authenticate", header}});
    return read.empty() || !read.front().params.contains(name) ? std::string() : read.front().params.at(name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(authentications)

BOOST_AUTO_TEST_CASE(digest_answers_are_those_of_rfc_7616) {
    const std::string nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const std::string realm = "http-auth@example.org", opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
    net::http_request request;
    const auto answer = [&](const std::string& algorithm) {
        const protocol::challenge asked{"digest", {{"realm", realm}, {"qop", "auth, auth-int"}, {"algorithm", algorithm}, {"nonce", nonce}, {"opaque", opaque}}};
        return protocol::digest_answer(asked, {"Mufasa", "Circle of Life"}, request, "/dir/index.html", cnonce);
    };
    BOOST_TEST(param(answer("MD5"), "response") == "8ca523f5e9506fed4657c9700eebdbec");
    BOOST_TEST(param(answer("SHA-256"), "response") == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    BOOST_TEST(param(answer("SHA-256"), "opaque") == opaque);
    BOOST_TEST(param(answer("SHA-256"), "nc") == "00000001");
}

BOOST_AUTO_TEST_CASE(of_several_challenges_the_strongest_that_can_be_answered_is_taken) {
    const std::vector<net::http_header> headers{{"WWW-Authenticate", R"(Basic realm="a, b", Digest realm="r", nonce="1", algorithm=MD5, qop="auth")"},
                                                {"www-authenticate", R"(Digest realm="r", nonce="2", algorithm=SHA-256-sess, qop="auth,auth-int")"},
                                                {"WWW-Authenticate", R"(Digest realm="r", nonce="3", algorithm=SHA-1024)"}};
    BOOST_TEST(protocol::challenges_of(headers).size() == 4u);
    BOOST_TEST(protocol::digest_challenge(headers)->params.at("nonce") == "2");
    BOOST_TEST(!protocol::digest_challenge({{"WWW-Authenticate", R"(Digest realm="unclosed)"}}).has_value());
}

BOOST_AUTO_TEST_CASE(a_digest_challenge_is_answered_and_a_stale_nonce_once_more) {
    place p;
    server guarded(p.network, [](const net::server_request& request) -> net::server_reply {
        const auto given = header_of(request, "Authorization");
        if (given.empty()) return {401, {{"WWW-Authenticate", R"(Digest realm="r", qop="auth", algorithm=SHA-256, nonce="old")"}}, "", {}};
        if (param(given, "nonce") == "old") return {401, {{"WWW-Authenticate", R"(Digest realm="r", qop="auth", algorithm=SHA-256, nonce="new", stale=true)"}}, "", {}};
        const protocol::challenge asked{"digest", {{"realm", "r"}, {"qop", "auth"}, {"algorithm", "SHA-256"}, {"nonce", "new"}}};
        net::http_request same;
        same.method = request.method;
        const auto expected = protocol::digest_answer(asked, {"ann", "pass"}, same, request.target, param(given, "cnonce"));
        return {given == expected ? 200 : 403, {{"Content-Type", "text/plain"}}, "welcome", {}};
    });
    const auto out = p.get(guarded.url("/secret?x=1"), json::object{{"digest", {{"username", "ann"}, {"password", "pass"}}}});
    BOOST_TEST_REQUIRE(out.value.has_value(), out.value.error().detail);
    BOOST_TEST(out.value->get_string() == "welcome");
    BOOST_TEST(guarded.count() == 3u);
    BOOST_TEST(header_of(guarded.seen(0), "Authorization").empty());
}

BOOST_AUTO_TEST_CASE(a_wrong_digest_password_is_refused_after_one_answer) {
    place p;
    server guarded(p.network, [](const net::server_request&) -> net::server_reply { return {401, {{"WWW-Authenticate", R"(Digest realm="r", nonce="n", qop="auth")"}}, "", {}}; });
    const auto out = p.get(guarded.url("/"), json::object{{"digest", R"({"username": "ann", "password": "not-it"})"}});
    BOOST_TEST_REQUIRE(out.value.has_error());
    BOOST_TEST(out.value.error().status == 401);
    BOOST_TEST(guarded.count() == 2u);
    BOOST_TEST(to_text(to_json(out.value.error())).find("not-it") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(one_token_serves_all_calls_until_shortly_before_its_end) {
    place p;
    resource doors;
    std::atomic<int> asked = 0;
    server authority(p.network, [&](const net::server_request&) {
        const auto token = "t" + std::to_string(++asked);
        doors.accept(token);
        return token_reply(token, 100);
    });
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    const auto policy = oauth(authority.url("/realm/"), {{"scopes", json::array{"read", "write"}}, {"audiences", json::array{"api"}}});
    for (int i = 0; i < 3; ++i) BOOST_TEST(p.get(api.url("/a"), policy).value.has_value());
    BOOST_TEST(authority.count() == 1u);
    BOOST_TEST(authority.seen(0).target == "/realm/oauth2/token");
    BOOST_TEST(authority.seen(0).body == "grant_type=client_credentials&scope=read%20write&audience=api&client_id=runtime&client_secret=s%20e%26cret");
    p.clock->advance(milliseconds(76'000));
    BOOST_TEST(p.get(api.url("/a"), policy).value.has_value());
    BOOST_TEST(authority.count() == 2u);
    BOOST_TEST(api.count() == 4u);
}

BOOST_AUTO_TEST_CASE(a_token_whose_server_writes_its_lifetime_as_a_text_is_renewed_in_time) {
    place p;
    resource doors;
    std::atomic<int> asked = 0;
    server authority(p.network, [&](const net::server_request&) {
        const auto token = "t" + std::to_string(++asked);
        doors.accept(token);
        return net::server_reply{
            200, {{"Content-Type", "application/json"}}, R"({"access_token":")" + token + R"(","token_type":"BEARER","expires_in":"100"})", {}};
    });
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    const auto policy = oauth(authority.url("/realm/"), {});
    BOOST_TEST(p.get(api.url("/a"), policy).value.has_value());
    BOOST_TEST(header_of(api.seen(0), "authorization") == "Bearer t1");
    p.clock->advance(milliseconds(60'000));
    BOOST_TEST(p.get(api.url("/a"), policy).value.has_value());
    BOOST_TEST(authority.count() == 1u);
    p.clock->advance(milliseconds(20'000));
    BOOST_TEST(p.get(api.url("/a"), policy).value.has_value());
    BOOST_TEST(authority.count() == 2u);
}

BOOST_AUTO_TEST_CASE(a_refresh_token_renews_and_when_it_is_refused_the_grant_is_asked_again) {
    place p;
    resource doors;
    server authority(p.network, [&](const net::server_request& request) -> net::server_reply {
        if (request.body.find("refresh_token=r1") != std::string::npos) {
            doors.accept("second");
            return token_reply("second", 100, "r2");
        }
        if (request.body.find("grant_type=refresh_token") != std::string::npos) return {400, {}, R"({"error":"invalid_grant"})", {}};
        doors.accept("first");
        return token_reply("first", 100, "r1");
    });
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    const auto policy = oauth(authority.url(), {{"grant", "password"}, {"username", "ann"}, {"password", "pw"}});
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(p.get(api.url("/a"), policy).value.has_value());
        p.clock->advance(milliseconds(90'000));
    }
    BOOST_TEST(authority.count() == 4u);
    BOOST_TEST(authority.seen(0).body.find("grant_type=password&username=ann&password=pw") == 0u);
    BOOST_TEST(authority.seen(1).body.find("grant_type=refresh_token&refresh_token=r1") == 0u);
}

BOOST_AUTO_TEST_CASE(a_refused_token_is_replaced_once_and_not_for_ever) {
    place p;
    resource doors;
    std::atomic<int> asked = 0;
    server authority(p.network, [&](const net::server_request&) { return token_reply("t" + std::to_string(++asked)); });
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    const auto policy = oauth(authority.url());
    doors.accept("t1");
    BOOST_TEST(p.get(api.url("/"), policy).value.has_value());
    doors.accept("t2");  // revoked before its time
    BOOST_TEST(p.get(api.url("/"), policy).value.has_value());
    BOOST_TEST(authority.count() == 2u);
    doors.accept("never");
    const auto out = p.get(api.url("/"), policy);
    BOOST_TEST_REQUIRE(out.value.has_error());
    BOOST_TEST(out.value.error().status == 401);
    BOOST_TEST(authority.count() == 3u);
}

BOOST_AUTO_TEST_CASE(calls_at_the_same_time_share_one_token_request) {
    place p;
    resource doors;
    doors.accept("shared");
    server authority(p.network, [&](const net::server_request&) { return token_reply("shared"); });
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    std::vector<std::future<runtime::call_outcome>> all;
    for (int i = 0; i < 20; ++i) {
        json::object endpoint{{"uri", api.url("/" + std::to_string(i))}, {"authentication", oauth(authority.url())}};
        all.push_back(begin_call(*p.effect, json::object{{"method", "get"}, {"endpoint", std::move(endpoint)}}, {}, "key-" + std::to_string(i)));
    }
    for (auto& each : all) BOOST_TEST(each.get().value.has_value());
    BOOST_TEST(authority.count() == 1u);
}

BOOST_AUTO_TEST_CASE(the_client_shows_itself_in_each_of_the_ways) {
    place p;
    resource doors;
    doors.accept("t");
    server authority(p.network, [&](const net::server_request&) { return token_reply("t"); });
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    const auto with = [&](json::object client, json::object more = {}) {
        more["client"] = std::move(client);
        BOOST_TEST(p.get(api.url("/"), oauth(authority.url(), std::move(more))).value.has_value());
        return authority.seen(authority.count() - 1);
    };
    const auto basic = with({{"id", "me"}, {"secret", "a:b"}, {"authentication", "client_secret_basic"}});
    BOOST_TEST(header_of(basic, "Authorization") == "Basic bWU6YSUzQWI=");
    BOOST_TEST(basic.body == "grant_type=client_credentials");
    BOOST_TEST(with({{"id", "me"}, {"authentication", "none"}}).body == "grant_type=client_credentials&client_id=me");
    const auto signed_by_us = with({{"id", "me"}, {"secret", "k"}, {"authentication", "client_secret_jwt"}});
    BOOST_TEST(signed_by_us.body.find("client_assertion=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.") != std::string::npos);
    const auto in_json = with({{"id", "me"}, {"assertion", "a.b.c"}, {"authentication", "private_key_jwt"}},
                              {{"request", {{"encoding", "application/json"}}}, {"audiences", json::array{"x", "y"}}, {"endpoints", {{"token", "/connect"}}}});
    BOOST_TEST(in_json.target == "/connect");
    BOOST_TEST(in_json.body == R"({"grant_type":"client_credentials","audience":["x","y"],"client_id":"me","client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer","client_assertion":"a.b.c"})");
}

BOOST_AUTO_TEST_CASE(openid_connect_finds_the_token_endpoint_and_keeps_it) {
    place p;
    resource doors;
    std::atomic<int> asked = 0;
    std::string base;
    server authority(p.network, [&](const net::server_request& request) -> net::server_reply {
        if (request.target == "/realm/.well-known/openid-configuration") return {200, {}, R"({"issuer":"x","token_endpoint":")" + base + R"(/elsewhere/token"})", {}};
        if (request.target != "/elsewhere/token") return {404, {}, "", {}};
        const auto token = "t" + std::to_string(++asked);
        doors.accept(token);
        return token_reply(token, 10);
    });
    base = authority.url();
    server api(p.network, [&](const net::server_request& r) { return doors(r); });
    for (const auto* suffix : {"/realm", "/realm/.well-known/openid-configuration"}) {
        const json::value policy = json::object{{"oidc", oauth(authority.url(suffix)).get_object().at("oauth2")}};
        BOOST_TEST(p.get(api.url("/"), policy).value.has_value());
    }
    p.clock->advance(milliseconds(9'000));
    const json::value policy = json::object{{"oidc", oauth(authority.url("/realm")).get_object().at("oauth2")}};
    BOOST_TEST(p.get(api.url("/"), policy).value.has_value());
    std::size_t discoveries = 0;
    for (std::size_t i = 0; i < authority.count(); ++i) discoveries += authority.seen(i).target.find("well-known") != std::string::npos;
    BOOST_TEST(discoveries == 1u);
}

BOOST_AUTO_TEST_CASE(errors_name_the_authority_and_repeat_no_credential) {
    place p;
    server refusing(p.network, [](const net::server_request&) -> net::server_reply { return {401, {}, R"({"error":"invalid_client","error_description":"s e&cret is wrong"})", {}}; });
    const auto out = p.get("http://127.0.0.1:1/", oauth(refusing.url()));
    BOOST_TEST_REQUIRE(out.value.has_error());
    BOOST_TEST(type_name_of(out.value.error().type) == "authentication");
    BOOST_TEST(out.value.error().detail.find("/oauth2/token answered 401: invalid_client.") != std::string::npos, out.value.error().detail);
    BOOST_TEST(to_text(to_json(out.value.error())).find("s e&cret") == std::string::npos);
    server broken(p.network, [](const net::server_request&) -> net::server_reply { return {503, {}, "", {}}; });
    BOOST_TEST(type_name_of(p.get("http://127.0.0.1:1/", oauth(broken.url())).value.error().type) == "communication");
    server odd(p.network, [](const net::server_request&) -> net::server_reply { return {200, {}, "{}", {}}; });
    BOOST_TEST(p.get("http://127.0.0.1:1/", oauth(odd.url())).value.error().detail.find("without a usable `access_token`") != std::string::npos);
    server issued(p.network, [](const net::server_request&) { return token_reply("e30.eyJpc3MiOiJvdGhlciJ9.x"); });
    BOOST_TEST(p.get("http://127.0.0.1:1/", oauth(issued.url(), {{"issuers", json::array{"mine"}}})).value.error().detail.find("not among `issuers`") != std::string::npos);
    const auto secret = p.get("http://127.0.0.1:1/", json::object{{"basic", "hush, not JSON"}});
    BOOST_TEST(secret.value.error().detail.find("must be a JSON object with `username` and `password`") != std::string::npos);
    BOOST_TEST(secret.value.error().detail.find("hush") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_that_waits_for_a_token_is_not_sent) {
    place p;
    std::promise<net::http_server::responder> held;
    auto authority = net::http_server::listen(p.network.context(), {}, [&](const net::server_request&, const net::http_server::responder& respond) { held.set_value(respond); });
    BOOST_REQUIRE(authority.has_value());
    server api(p.network, [](const net::server_request&) -> net::server_reply { return {200, {}, "", {}}; });
    auto waiting = begin_call(*p.effect, json::object{{"method", "get"}, {"endpoint", {{"uri", api.url("/")}, {"authentication", oauth("http://127.0.0.1:" + std::to_string((*authority)->port()))}}}});
    auto respond = held.get_future().get();
    p.effect->cancel("key-1");
    respond(token_reply("t"));
    BOOST_TEST(waiting.get().value.has_error());
    BOOST_TEST(api.count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
