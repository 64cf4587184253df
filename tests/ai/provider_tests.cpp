// The two HTTP providers against a scripted server.
#include "fixture.hpp"

using namespace pawl;
using namespace pawl::ai_tests;

BOOST_AUTO_TEST_SUITE(providers)

BOOST_AUTO_TEST_CASE(workers_ai_is_asked_by_path_and_token_and_its_envelope_is_read) {
    lab in;
    in.serve({enveloped(json::object{{"response", "Hello"}, {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 1}, {"total_tokens", 12}}}})});
    in.offer_workers_ai();
    const auto out = in.ask(json::object{{"system", "Be brief."}, {"prompt", "hi"}, {"temperature", 0.5}, {"maxTokens", 64}, {"options", {{"top_p", 0.9}}}});
    BOOST_TEST_REQUIRE(kind(out) == "ok", detail(out));
    BOOST_TEST(to_text(*out.value) == R"({"text":"Hello","finishReason":"stop"})");
    BOOST_TEST(in.requests[0].target == "/client/v4/accounts/acc/ai/run/@cf/test/small");
    BOOST_TEST(*net::find_header(in.requests[0].headers, "authorization") == "Bearer " + secret_token);
    BOOST_TEST(to_canonical_text(in.body(0)) ==
               R"({"max_tokens":64,"messages":[{"content":"Be brief.","role":"system"},{"content":"hi","role":"user"}],"temperature":0.5,"top_p":0.9})");
    BOOST_TEST(out.record.at("provider") == "workers-ai");
    BOOST_TEST(out.record.at("model") == "@cf/test/small");
    BOOST_TEST(out.record.at("requestId") == "req-1");
    BOOST_TEST(out.record.at("gatewayLogId") == "log-1");
    BOOST_TEST(out.record.at("usage").at("totalTokens") == 12);
    BOOST_TEST(out.record.at("attempts") == 1);
    BOOST_TEST(out.record.at("outcome") == "ok");
    BOOST_TEST(out.record.contains("latencyMs"));
    BOOST_TEST(out.agent_meta.at("lastModel") == "@cf/test/small");
    BOOST_TEST(out.agent_meta.at("promptVersion") == out.record.at("promptVersion"));
    const auto recorded = to_text(out.record) + to_text(out.agent_meta);
    BOOST_TEST(recorded.find("brief") == std::string::npos);
    BOOST_TEST(recorded.find("Hello") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_models_path_can_be_percent_encoded_and_a_gateway_is_another_address) {
    lab in;
    in.serve({enveloped(json::object{{"response", 42}})});
    in.offer({"workers-ai", "@cf/test/small", in.base(), "acc", "", "TOKEN", "", "", true});
    BOOST_TEST(to_text(*in.ask(json::object{{"prompt", "hi"}}).value) == R"({"text":"42","finishReason":"stop"})");
    BOOST_TEST(in.requests[0].target == "/client/v4/accounts/acc/ai/run/@cf%2Ftest%2Fsmall");
    in.offer({"workers-ai", "@cf/test/small", in.base(), "acc", "gate", "TOKEN", "", "", false});
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}})) == "ok");
    BOOST_TEST(in.requests[1].target == "/v1/acc/gate/workers-ai/@cf/test/small");
}

BOOST_AUTO_TEST_CASE(choices_win_over_response_and_tool_calls_are_read_in_both_forms) {
    lab in;
    auto newer = completion("from choices").get_object();
    newer["response"] = "from response";
    const json::value asks{{"choices", json::array{json::object{{"finish_reason", "tool_calls"},
                                                                {"message", {{"content", nullptr}, {"tool_calls", json::array{json::object{{"id", "c1"}, {"type", "function"}, {"function", {{"name", "weather"}, {"arguments", "{\"city\":\"Bonn\"}"}}}}}}}}}}}};
    const json::value legacy{{"response", nullptr}, {"tool_calls", json::array{json::object{{"name", "weather"}, {"arguments", {{"city", "Bonn"}}}}}}};
    in.serve({enveloped(newer), enveloped(asks), enveloped(legacy), json_reply(200, completion("without an envelope"))});
    in.offer_workers_ai();
    const json::value hi{{"prompt", "hi"}};
    BOOST_TEST(in.ask(hi).value->at("text") == "from choices");
    BOOST_TEST(to_text(*in.ask(hi).value) == R"({"text":"","finishReason":"tool_calls","toolCalls":[{"name":"weather","arguments":{"city":"Bonn"},"id":"c1"}]})");
    BOOST_TEST(to_text(*in.ask(hi).value) == R"({"text":"","finishReason":"tool_calls","toolCalls":[{"name":"weather","arguments":{"city":"Bonn"}}]})");
    BOOST_TEST(in.ask(hi).value->at("text") == "without an envelope");
}

BOOST_AUTO_TEST_CASE(json_mode_sends_the_bare_schema_to_workers_ai_and_the_named_one_to_openai) {
    const json::value schema{{"type", "object"}, {"required", json::array{"intent"}}, {"properties", {{"intent", {{"enum", json::array{"refund", "other"}}}}}}};
    const json::value ask{{"prompt", "hi"}, {"schema", schema}};
    {
        lab in;
        in.serve({enveloped(json::object{{"response", {{"intent", "refund"}}}})});
        in.offer_workers_ai();
        BOOST_TEST(to_text(*in.ask(ask).value) == R"({"intent":"refund"})");
        BOOST_TEST(in.body(0).at("response_format").at("json_schema") == schema);
    }
    lab in;
    in.serve({json_reply(200, completion("\n```json\n{\"intent\": \"other\"}\n```\n"))});
    in.offer_openai();
    BOOST_TEST(to_text(*in.ask(ask).value) == R"({"intent":"other"})");
    BOOST_TEST(in.requests[0].target == "/v1/chat/completions");
    BOOST_TEST(in.body(0).at("model") == "small");
    BOOST_TEST(in.body(0).at("response_format").at("json_schema").at("schema") == schema);
}

BOOST_AUTO_TEST_CASE(texts_become_vectors_in_both_forms) {
    {
        lab in;
        in.serve({enveloped(json::object{{"shape", json::array{2, 2}}, {"data", json::array{json::array{1, 2}, json::array{3, 4}}}})});
        in.offer_workers_ai();
        BOOST_TEST(to_text(*in.ask(json::object{{"text", json::array{"a", "b"}}}, "ai.embed").value) == R"({"vectors":[[1,2],[3,4]],"dimensions":2})");
        BOOST_TEST(to_text(in.body(0)) == R"({"text":["a","b"]})");
        const auto short_of_one = in.ask(json::object{{"text", json::array{"a", "b", "c"}}}, "ai.embed");
        BOOST_TEST(kind(short_of_one) == "communication");
        BOOST_TEST(detail(short_of_one).find("2 vectors for 3 texts") != std::string::npos, detail(short_of_one));
    }
    lab in;
    in.serve({json_reply(200, json::object{{"data", json::array{json::object{{"index", 0}, {"embedding", json::array{0.5, 1}}}}}})});
    in.offer_openai();
    BOOST_TEST(to_text(*in.ask(json::object{{"text", "a"}}, "ai.embed").value) == R"({"vector":[0.5,1],"dimensions":2})");
    BOOST_TEST(in.requests[0].target == "/v1/embeddings");
}

BOOST_AUTO_TEST_CASE(a_raw_run_passes_input_and_result_through) {
    lab in;
    in.serve({enveloped(json::object{{"label", "POSITIVE"}}), {200, {{"Content-Type", "image/png"}}, "\x89PNG", ""}});
    in.offer_workers_ai();
    const json::value input{{"input", {{"text", "fine"}}}};
    BOOST_TEST(to_text(*in.ask(input, "ai.run").value) == R"({"label":"POSITIVE"})");
    BOOST_TEST(to_text(in.body(0)) == R"({"text":"fine"})");
    BOOST_TEST(to_text(*in.ask(input, "ai.run").value) == R"({"contentType":"image/png","base64":"iVBORw=="})");
    in.offer_openai();
    BOOST_TEST(kind(in.ask(input, "ai.run")) == "configuration");
}

BOOST_AUTO_TEST_CASE(models_are_found_by_alias_and_a_wrong_name_is_told) {
    lab in;
    in.serve({enveloped(json::object{{"response", "x"}})});
    in.offer_workers_ai();
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}, {"model", "desk"}})) == "ok");
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}, {"model", "@cf/other/one"}})) == "ok");
    BOOST_TEST(in.requests[1].target.ends_with("/@cf/other/one"));
    const auto wrong = in.ask(json::object{{"prompt", "hi"}, {"model", "dest"}});
    BOOST_TEST(kind(wrong) == "configuration");
    BOOST_TEST(detail(wrong).find("did you mean `desk`?") != std::string::npos, detail(wrong));
    BOOST_TEST(in.asked() == 2u);
}

BOOST_AUTO_TEST_CASE(arguments_are_checked_before_anything_is_sent) {
    lab in;
    in.serve({enveloped(json::object{{"response", "x"}})});
    in.offer_workers_ai();
    BOOST_TEST(kind(in.ask(json::object{{"system", "only"}})) == "validation");
    BOOST_TEST(kind(in.ask(json::object{{"prompt", 3}})) == "validation");
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}, {"tempature", 1}})) == "validation");
    BOOST_TEST(kind(in.ask(json::value("hi"))) == "validation");
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}, {"options", {{"stream", true}}}})) == "validation");
    BOOST_TEST(kind(in.ask(json::object{{"prompt", std::string(9 * 1024 * 1024, 'x')}})) == "validation");
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}, {"schema", {{"type", 3}}}})) == "configuration");
    BOOST_TEST(kind(in.ask(json::object{{"text", json::array()}}, "ai.embed")) == "validation");
    BOOST_TEST(in.asked() == 0u);
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}, {"system", nullptr}, {"model", nullptr}})) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
