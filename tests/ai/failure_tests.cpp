// What can go wrong between engine and model, and what the flow sees of it.
#include "fixture.hpp"

#include "ai/http_failure.hpp"
#include "ai/model_call.hpp"

using namespace pawl;
using namespace pawl::ai_tests;

namespace {

const json::value hi{{"prompt", "hi"}};

net::server_reply fine() { return enveloped(json::object{{"response", "x"}}); }

json::object extra(const runtime::call_outcome& outcome) { return outcome.value.error().extra; }

}  // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(every_error_code_has_its_type_status_and_retry_class) {
    struct row {
        int http, code;
        const char* type;
        int status;
        bool retryable;
    };
    const row table[] = {{429, 3036, "communication", 429, false}, {429, 4006, "communication", 429, false}, {429, 3040, "communication", 429, true},
                         {429, 3021, "communication", 429, true},  {400, 3010, "communication", 429, true},  {408, 3007, "communication", 408, true},
                         {408, 3008, "communication", 408, true},  {500, 8008, "communication", 500, true},  {400, 5007, "configuration", 404, false},
                         {404, 3042, "configuration", 404, false}, {403, 5018, "authorization", 403, false}, {403, 5016, "authorization", 403, false},
                         {403, 3023, "authorization", 403, false}, {403, 3041, "authorization", 403, false}, {400, 5004, "validation", 400, false},
                         {400, 3039, "validation", 400, false},    {400, 3003, "validation", 400, false},    {400, 5006, "validation", 400, false},
                         {413, 3006, "validation", 413, false},    {405, 5005, "validation", 405, false},    {405, 5019, "validation", 405, false},
                         {401, 10000, "authentication", 401, false}, {401, 0, "authentication", 401, false}, {403, 0, "authorization", 403, false},
                         {404, 0, "configuration", 404, false},    {409, 0, "communication", 409, true},     {429, 0, "communication", 429, true},
                         {503, 0, "communication", 503, true},     {422, 0, "validation", 422, false},       {302, 0, "communication", 502, false}};
    for (const auto& each : table) {
        BOOST_TEST_CONTEXT(each.http << " " << each.code) {
            const auto error = ai::failure_of("Workers AI", each.http, {each.code, "", 0, "so it said"}, "");
            BOOST_TEST(std::string(type_name_of(error.type)) == each.type);
            BOOST_TEST(error.status == each.status);
            BOOST_TEST(ai::is_retryable(error) == each.retryable);
            if (each.code != 0) BOOST_TEST(error.extra.at("code") == each.code);
        }
    }
}

BOOST_AUTO_TEST_CASE(both_error_envelopes_and_openais_are_read) {
    const auto read = [](const char* text) { return ai::read_api_error(parse_json(text).value()); };
    BOOST_TEST(read(R"({"success":false,"errors":[{"code":3040,"message":"busy"}],"result":null})")->code == 3040);
    const auto gateway = read(R"({"internalCode":3021,"httpCode":429,"name":"AiError","message":"rate"})");
    BOOST_TEST(gateway->code == 3021);
    BOOST_TEST(gateway->status == 429);
    BOOST_TEST(read(R"({"error":{"message":"no","type":"invalid_request_error","code":null}})")->code_text == "invalid_request_error");
    BOOST_TEST(read(R"({"error":"model not loaded"})")->message == "model not loaded");
    BOOST_TEST(read(R"({"success":false})").has_value());
    BOOST_TEST(!read(R"({"success":true,"errors":[],"result":{}})").has_value());
    BOOST_TEST(!read(R"([1,2])").has_value());
    BOOST_TEST(!read(R"("text")").has_value());
}

BOOST_AUTO_TEST_CASE(a_busy_model_is_asked_again_and_attempts_are_recorded) {
    lab in;
    in.serve({refused(429, 3040, "no capacity"), json_reply(429, json::object{{"internalCode", 3021}, {"httpCode", 429}, {"name", "AiError"}, {"message", "rate"}}), fine()});
    in.offer_workers_ai();
    const auto out = in.ask(hi);
    BOOST_TEST_REQUIRE(kind(out) == "ok", detail(out));
    BOOST_TEST(out.record.at("attempts") == 3);
    BOOST_TEST(in.asked() == 3u);
}

BOOST_AUTO_TEST_CASE(after_two_retries_the_flow_gets_the_error) {
    lab in;
    in.serve({refused(503, 3040, "no capacity", {{"cf-ai-req-id", "req-9"}})});
    in.offer_workers_ai();
    const auto out = in.ask(hi);
    BOOST_TEST(kind(out) == "communication");
    BOOST_TEST(out.value.error().status == 429);
    BOOST_TEST(extra(out).at("retryable") == true);
    BOOST_TEST(extra(out).at("code") == 3040);
    BOOST_TEST(out.record.at("attempts") == 3);
    BOOST_TEST(out.record.at("outcome") == "communication");
    BOOST_TEST(out.record.at("requestId") == "req-9");
    BOOST_TEST(in.asked() == 3u);
}

BOOST_AUTO_TEST_CASE(a_used_up_allowance_is_not_hammered) {
    lab in;
    in.serve({refused(429, 3036, "daily free allocation of 10,000 neurons used")});
    in.offer_workers_ai();
    const auto out = in.ask(hi);
    BOOST_TEST(in.asked() == 1u);
    BOOST_TEST(extra(out).at("retryable") == false);
    BOOST_TEST(detail(out).find("00:00 UTC") != std::string::npos, detail(out));
}

BOOST_AUTO_TEST_CASE(a_wrong_token_is_an_authentication_error_that_hides_it) {
    lab in;
    in.serve({refused(401, 10000, "Authentication error: token " + secret_token + " is unknown")});
    in.offer_workers_ai();
    const auto out = in.ask(hi);  // looks for the token in everything told
    BOOST_TEST(kind(out) == "authentication");
    BOOST_TEST(detail(out).find("[hidden]") != std::string::npos, detail(out));
    BOOST_TEST(in.asked() == 1u);
}

BOOST_AUTO_TEST_CASE(a_secret_without_a_value_is_named) {
    lab in;
    in.serve({fine()});
    in.offer({"workers-ai", "@cf/test/small", in.base(), "acc", "", "ABSENT", "", "", false});
    const auto out = in.ask(hi);
    BOOST_TEST(kind(out) == "authentication");
    BOOST_TEST(detail(out).find("`ABSENT`") != std::string::npos, detail(out));
    BOOST_TEST(in.asked() == 0u);
}

BOOST_AUTO_TEST_CASE(retry_after_is_honoured_and_a_long_one_goes_to_the_flow) {
    lab in;
    in.serve({refused(429, 3040, "later", {{"Retry-After", "1"}}), fine(), refused(429, 3040, "later", {{"Retry-After", "3600"}})});
    in.offer_workers_ai();
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(kind(in.ask(hi)) == "ok");
    BOOST_TEST((std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(1000)));
    const auto out = in.ask(hi);
    BOOST_TEST(kind(out) == "communication");
    BOOST_TEST(extra(out).at("retryAfterMs") == 3'600'000);
    BOOST_TEST(in.asked() == 3u);
}

BOOST_AUTO_TEST_CASE(retry_after_is_read_in_seconds_and_as_a_date) {
    const auto now = parse_rfc3339("1994-11-06T08:49:30Z").value();
    const auto wait = [&](const char* text) { return ai::retry_after({429, {{"Retry-After", text}}, ""}, now); };
    BOOST_TEST(wait("7")->count() == 7000);
    BOOST_TEST(wait("Sun, 06 Nov 1994 08:49:37 GMT")->count() == 7000);
    BOOST_TEST(wait("Sun, 06 Nov 1994 08:49:20 GMT")->count() == 0);
    BOOST_TEST(wait("99999999999")->count() == 86'400'000);
    BOOST_TEST(wait("-5")->count() == 0);
    for (const auto* nonsense : {"", "soon", "7s", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"}) BOOST_TEST(!wait(nonsense).has_value(), nonsense);
}

BOOST_AUTO_TEST_CASE(jitter_comes_from_the_key) {
    ai::retry_options options;
    BOOST_TEST((ai::retry_delay(options, "a", 1) == ai::retry_delay(options, "a", 1)));
    BOOST_TEST((ai::retry_delay(options, "a", 1) != ai::retry_delay(options, "b", 1)));
    for (const unsigned n : {1u, 2u, 3u}) {
        const auto step = options.first_delay.count() * (1 << (n - 1));
        BOOST_TEST(ai::retry_delay(options, "a", n).count() >= step / 2);
        BOOST_TEST(ai::retry_delay(options, "a", n).count() <= step * 3 / 2);
    }
    BOOST_TEST((ai::retry_delay(options, "a", 60) <= options.longest_delay));
}

BOOST_AUTO_TEST_CASE(malformed_truncated_and_strange_replies_are_communication_errors) {
    const net::server_reply replies[] = {
        {200, {{"Content-Type", "application/json"}}, "{\"result\": {", ""},
        {200, {{"Content-Type", "text/html"}}, "<html>login</html>", ""},
        {200, {{"Content-Type", "application/json"}}, "", ""},
        {200, {}, "", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"result\":"},
        {200, {}, "", "no HTTP at all\r\n\r\n"},
        enveloped(nullptr),
        enveloped("text"),
        enveloped(json::object{{"choices", json::array()}}),
        enveloped(json::object{{"choices", json::array{json::object{{"index", 0}}}}}),
        enveloped(json::object{{"choices", json::array{"x"}}}),
        enveloped(json::object{{"other", 1}}),
        json_reply(200, json::array{1, 2}),
    };
    for (std::size_t i = 0; i < std::size(replies); ++i) {
        BOOST_TEST_CONTEXT("reply " << i) {
            lab in;
            in.serve({replies[i]});
            in.offer_workers_ai();
            const auto out = in.ask(hi);
            BOOST_TEST(kind(out) == "communication", detail(out));
            BOOST_TEST(extra(out).at("retryable") == true);
            BOOST_TEST(in.asked() >= 3u);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_truncated_reply_is_followed_by_a_good_one) {
    lab in;
    in.serve({{200, {}, "", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"result\":"}, fine()});
    in.offer_workers_ai();
    BOOST_TEST(kind(in.ask(hi)) == "ok");
}

BOOST_AUTO_TEST_CASE(an_error_page_that_is_not_json_is_told_by_its_status) {
    lab in;
    in.serve({{502, {{"Content-Type", "text/html"}}, "<html>Bad gateway</html>", ""}});
    in.offer_openai();
    const auto out = in.ask(hi);
    BOOST_TEST(out.value.error().status == 502);
    BOOST_TEST(detail(out).find("html") == std::string::npos, detail(out));
}

BOOST_AUTO_TEST_CASE(a_slow_server_ends_at_the_deadline) {
    lab in;
    std::vector<net::http_server::responder> kept;
    in.serve([&](const net::server_request&, net::http_server::responder respond) { kept.push_back(std::move(respond)); });
    in.offer_workers_ai();
    auto request = lab::request(hi);
    request.until = std::chrono::steady_clock::now() + milliseconds(300);
    const auto out = in.ask(std::move(request));
    BOOST_TEST(kind(out) == "timeout", detail(out));
    BOOST_TEST(in.asked() == 1u);
    auto late = lab::request(hi);
    late.until = std::chrono::steady_clock::now() - milliseconds(1);
    BOOST_TEST(kind(in.ask(std::move(late))) == "timeout");
    BOOST_TEST(in.asked() == 1u);
    in.server->stop();
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_a_communication_error) {
    lab in;
    in.serve({fine()});
    in.offer_workers_ai();
    in.server->stop();
    const auto out = in.ask(hi);
    BOOST_TEST(kind(out) == "communication", detail(out));
    BOOST_TEST(out.record.at("attempts") == 3);
    BOOST_TEST(extra(out).at("retryable") == true);
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_ends_at_once_also_between_retries) {
    lab in;
    std::promise<void> asked;
    std::vector<net::http_server::responder> kept;
    in.serve([&](const net::server_request&, net::http_server::responder respond) {
        kept.push_back(std::move(respond));
        asked.set_value();
    });
    in.offer_workers_ai();
    auto pending = in.begin(lab::request(hi));
    asked.get_future().get();
    in.effect->cancel("key");
    BOOST_TEST(kind(pending.get()) == "runtime");
    in.effect->cancel("key");
    in.effect->cancel("unknown");

    lab waiting;
    waiting.serve({refused(429, 3040, "later", {{"Retry-After", "15"}})});
    waiting.offer_workers_ai();
    auto paused = waiting.begin(lab::request(hi));
    while (waiting.asked() == 0) std::this_thread::yield();
    waiting.effect->cancel("key");
    BOOST_TEST(kind(paused.get()) == "runtime");
}

BOOST_AUTO_TEST_CASE(an_effect_that_goes_takes_its_pauses_along) {
    auto in = std::make_unique<lab>();
    in->serve({refused(429, 3040, "later", {{"Retry-After", "15"}})});
    in->offer_workers_ai();
    auto dropped = in->begin(lab::request(hi));
    while (in->asked() == 0) std::this_thread::yield();
    const auto began = std::chrono::steady_clock::now();
    in.reset();
    BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(10)));
    BOOST_CHECK_THROW(dropped.get(), std::future_error);
}

BOOST_AUTO_TEST_CASE(settings_that_cannot_work_are_told_at_start) {
    lab in;
    const auto told = [&](ai::model_options model) {
        ai::ai_options options;
        options.models["desk"] = std::move(model);
        auto made = ai::make_ai_effect(std::move(options), in.context, *in.client);
        return made.has_error() ? made.error().detail : std::string();
    };
    BOOST_TEST(told({"workers-ai", "m", "", "", "", "TOKEN", "", "", false}).find("`account`") != std::string::npos);
    BOOST_TEST(told({"workers-ai", "m", "", "acc", "", "", "", "", false}).find("`token`") != std::string::npos);
    BOOST_TEST(told({"openai", "m", "not a url", "", "", "", "", "", false}).find("Model `desk`") != std::string::npos);
    BOOST_TEST(told({"magic", "m", "", "", "", "", "", "", false}).find("no provider `magic`") != std::string::npos);
    BOOST_TEST(told({"replay", "", "", "", "", "", "/nowhere/x.jsonl", "", false}).find("/nowhere/x.jsonl") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
