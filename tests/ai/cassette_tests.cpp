// Recorded answers.
#include "fixture.hpp"

#include "ai/cassette.hpp"

using namespace pawl;
using namespace pawl::ai_tests;

namespace {

ai::model_request chat(const std::string& prompt, const std::string& task = "classify") {
    ai::model_request out;
    out.function = "ai.chat";
    out.model = "desk";
    out.task = task;
    out.messages = {json::object{{"role", "user"}, {"content", prompt}}};
    return out;
}

std::string told(std::string_view text) {
    const auto read = ai::cassette::parse(text, "desk.jsonl");
    return read.has_error() ? read.error().detail : "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cassettes)

BOOST_AUTO_TEST_CASE(a_recorded_request_comes_before_matches_and_those_in_order) {
    const auto read = ai::cassette::parse("# by hand\n\n"
                                          R"({"match":{"contains":["money","back"]},"response":{"text":"both"}})" "\n"
                                          R"({"match":{"contains":"money"},"response":{"text":"one"}})" "\n"
                                          R"({"match":{"task":"triage"},"response":{"json":{"intent":"x"}}})" "\r\n"
                                          R"({"request":{"messages":[{"content":"my money back","role":"user"}],"model":"desk","function":"ai.chat"},"response":{"text":"exact"}})",
                                          "desk.jsonl");
    BOOST_TEST_REQUIRE(read.has_value(), read.error().detail);
    BOOST_TEST(read->answer(chat("my money back"))->content == "exact");
    BOOST_TEST(read->answer(chat("money, give it back"))->content == "both");
    BOOST_TEST(read->answer(chat("money"))->content == "one");
    BOOST_TEST(read->answer(chat("hello", "triage"))->content.at("intent") == "x");
    BOOST_TEST(read->answer(chat("hello")).has_error());
}

BOOST_AUTO_TEST_CASE(a_miss_tells_the_closest_record_and_the_difference_without_content) {
    const auto read = ai::cassette::parse(R"({"request":{"function":"ai.chat","model":"desk","messages":[{"role":"user","content":"the red lamp\nis broken"}]},"response":{"text":"a"}})" "\n"
                                          R"({"request":{"function":"ai.embed","model":"desk","input":["x"]},"response":{"vectors":[[1]]}})" "\n"
                                          R"({"match":{"task":"other"},"response":{"text":"b"}})",
                                          "desk.jsonl");
    auto asked = chat("the red lamp\nis brown");
    asked.model = "desk-2";
    const auto error = read->answer(asked).error();
    BOOST_TEST(type_name_of(error.type) == "configuration");
    BOOST_TEST(error.detail.find("line 1: its model is `desk`, asked for was `desk-2`; message 1 (user) differs from byte 20 on (line 2;") != std::string::npos, error.detail);
    BOOST_TEST(error.detail.find("The `match` on line 3 is for the task `other`.") != std::string::npos, error.detail);
    BOOST_TEST(error.detail.find("lamp") == std::string::npos, error.detail);
    BOOST_TEST(error.extra.at("retryable") == false);
}

BOOST_AUTO_TEST_CASE(malformed_and_truncated_cassettes_are_one_error_with_file_and_line) {
    const std::string good = R"({"match":{},"response":{"text":"a"}})" "\n";
    for (const auto& [line, part] : std::vector<std::pair<std::string, std::string>>{
             {R"({"match":{"task":"a"},"response":{"te)", "cut off"},
             {"nonsense\n", "not a JSON object"},
             {"[1]\n", "must be an object"},
             {R"({"match":{}})", "no `response`"},
             {R"({"response":{"text":"a"}})", "either `request` or `match`"},
             {R"({"match":{},"request":{"function":"ai.chat"},"response":{"text":"a"}})", "either `request` or `match`"},
             {R"({"match":{},"response":{}})", "exactly one"},
             {R"({"match":{},"response":{"text":"a","json":1}})", "exactly one"},
             {R"({"match":{},"response":{"text":1}})", "must be a string"},
             {R"({"match":{},"respones":{"text":"a"}})", "did you mean `response`"},
             {R"({"match":{"contain":"a"},"response":{"text":"a"}})", "did you mean `contains`"},
             {R"({"match":{"contains":3},"response":{"text":"a"}})", "`contains`"},
             {R"({"request":{},"response":{"text":"a"}})", "`function`"},
         }) {
        const auto message = told(good + line);
        BOOST_TEST(message.find("desk.jsonl, line 2: ") != std::string::npos, message);
        BOOST_TEST(message.find(part) != std::string::npos, message << " / " << part);
    }
    BOOST_TEST(told(good) == "");
    BOOST_TEST(told("") == "");
}

BOOST_AUTO_TEST_CASE(a_cassette_answers_calls_and_scripts_failures) {
    const scratch_file file(R"({"match":{"contains":"down"},"response":{"error":{"type":"communication","status":503,"detail":"scripted","retryable":true}}})" "\n"
                            R"({"match":{"task":"classify"},"response":{"json":{"intent":"refund"},"usage":{"totalTokens":9},"requestId":"r-1"}})" "\n");
    lab in;
    in.offer({"replay", "", "", "", "", "", file.path(), "", false});
    const json::value schema{{"type", "object"}, {"required", json::array{"intent"}}};
    const auto out = in.ask(json::object{{"prompt", "hi"}, {"schema", schema}});
    BOOST_TEST_REQUIRE(kind(out) == "ok", detail(out));
    BOOST_TEST(out.value->at("intent") == "refund");
    BOOST_TEST(out.record.at("provider") == "replay");
    BOOST_TEST(out.record.at("requestId") == "r-1");
    BOOST_TEST(out.agent_meta.at("lastModel") == "desk");
    const auto failed = in.ask(json::object{{"prompt", "down"}});
    BOOST_TEST(failed.value.error().status == 503);
    BOOST_TEST(failed.record.at("attempts") == 3);
}

BOOST_AUTO_TEST_CASE(what_is_recorded_replays) {
    const scratch_file file;
    const json::value ask{{"system", "Be brief."}, {"prompt", "hi"}};
    const json::value embed{{"text", "a"}};
    json::value first, vector;
    {
        lab in;
        in.serve({json_reply(200, completion("Hello")), json_reply(200, json::object{{"data", json::array{json::object{{"index", 0}, {"embedding", json::array{0.5, 1}}}}}})});
        in.offer({"openai", "small", in.base(), "", "", "TOKEN", "", file.path(), false});
        first = in.ask(ask).value.value();
        vector = in.ask(embed, "ai.embed").value.value();
    }
    BOOST_TEST(file.text().find(secret_token) == std::string::npos);
    lab in;
    in.offer({"replay", "small", "", "", "", "", file.path(), "", false});
    BOOST_TEST(in.ask(ask).value.value() == first);
    BOOST_TEST(in.ask(embed, "ai.embed").value.value() == vector);
    BOOST_TEST(kind(in.ask(json::object{{"prompt", "hi"}})) == "configuration");
}

BOOST_AUTO_TEST_SUITE_END()
