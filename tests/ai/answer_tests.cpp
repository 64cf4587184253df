// Prompts in, checked answers out: templates, versions, schemas, the one repair.
#include "fixture.hpp"

#include "ai/structured.hpp"
#include "base/digest.hpp"

using namespace pawl;
using namespace pawl::ai_tests;

namespace {

const json::value intent_schema{{"type", "object"},
                                {"required", json::array{"intent"}},
                                {"properties", {{"intent", {{"enum", json::array{"refund", "other"}}}}, {"notes", {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}}}}},
                                {"additionalProperties", false}};

runtime::call_request with_file(const std::string& text, json::value arguments) {
    auto out = lab::request(std::move(arguments));
    out.assets = std::make_shared<runtime::assets>(runtime::assets{{"prompts/x.md", text}});
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(a_prompt_file_is_a_template_over_its_values) {
    lab in;
    in.serve({json_reply(200, completion("ok"))});
    in.offer_openai();
    const json::value arguments{{"system", {{"file", "prompts/x.md"}, {"values", {{"name", "Eva"}, {"n", 3}}}}}, {"prompt", "hi"}};
    const auto out = in.ask(with_file("---\ntitle: greeting\nversion: \"2.1\"\n---\nGreet ${ .name } ${ .n + 1 } times.\n", arguments));
    BOOST_TEST_REQUIRE(kind(out) == "ok", detail(out));
    BOOST_TEST(in.body(0).at("messages").at(0).at("content") == "Greet Eva 4 times.\n");
    BOOST_TEST(out.record.at("promptVersion") == "2.1");
}

BOOST_AUTO_TEST_CASE(a_file_without_a_version_is_known_by_its_digest) {
    lab in;
    in.serve({json_reply(200, completion("ok"))});
    in.offer_openai();
    const json::value arguments{{"system", {{"file", "prompts/x.md"}}}, {"prompt", "hi"}};
    BOOST_TEST(in.ask(with_file("Be brief.", arguments)).record.at("promptVersion").as_string() == sha256_hex("Be brief.").substr(0, 12));
    const json::value inline_text{{"system", "Be brief."}, {"prompt", "hi"}};
    BOOST_TEST(in.ask(inline_text).record.at("promptVersion").as_string() == sha256_hex("Be brief.\nhi").substr(0, 12));
}

BOOST_AUTO_TEST_CASE(expressions_in_values_and_messages_are_data) {
    lab in;
    in.serve({json_reply(200, completion("ok"))});
    in.offer_openai();
    const json::value arguments{{"system", {{"file", "prompts/x.md"}, {"values", {{"text", "${ .secret }"}, {"secret", "s"}}}}}, {"prompt", "${ 1 + 1 }"}};
    BOOST_TEST(kind(in.ask(with_file("Say ${ .text }", arguments))) == "ok");
    BOOST_TEST(in.body(0).at("messages").at(0).at("content") == "Say ${ .secret }");
    BOOST_TEST(in.body(0).at("messages").at(1).at("content") == "${ 1 + 1 }");
}

BOOST_AUTO_TEST_CASE(faults_in_prompt_files_name_file_and_line) {
    lab in;
    in.serve({json_reply(200, completion("ok"))});
    in.offer_openai();
    const json::value arguments{{"system", {{"file", "prompts/x.md"}, {"values", {{"n", "text"}}}}}, {"prompt", "hi"}};
    const auto broken = in.ask(with_file("---\nversion: 1\n---\nOne\n${ .n | lenght }", arguments));
    BOOST_TEST(kind(broken) == "configuration");
    BOOST_TEST(detail(broken).find("prompts/x.md, line 5: ") == 0u, detail(broken));
    const auto failing = in.ask(with_file("One\n${ .n - 1 }", arguments));
    BOOST_TEST(kind(failing) == "expression");
    BOOST_TEST(detail(failing).find("prompts/x.md, line 2: ") == 0u, detail(failing));
    BOOST_TEST(kind(in.ask(lab::request(arguments))) == "configuration");
    BOOST_TEST(in.asked() == 0u);
}

BOOST_AUTO_TEST_CASE(an_answer_against_the_schema_is_repaired_once) {
    lab in;
    in.serve({json_reply(200, completion(R"({"intent":"whale"})")), json_reply(200, completion(R"({"intent":"refund"})"))});
    in.offer_openai();
    const auto out = in.ask(json::object{{"prompt", "hi"}, {"schema", intent_schema}});
    BOOST_TEST_REQUIRE(kind(out) == "ok", detail(out));
    BOOST_TEST(to_text(*out.value) == R"({"intent":"refund"})");
    BOOST_TEST(out.record.at("repaired") == true);
    BOOST_TEST(out.record.at("attempts") == 2);
    BOOST_TEST(out.record.at("usage").at("totalTokens") == 24);
    const auto second = in.body(1).at("messages").as_array();
    BOOST_TEST_REQUIRE(second.size() == 3u);
    BOOST_TEST(second[1].at("content") == R"({"intent":"whale"})");
    const std::string asked(second[2].at("content").as_string());
    BOOST_TEST(asked.find("`/intent` must be one of \"refund\", \"other\"") != std::string::npos, asked);
}

BOOST_AUTO_TEST_CASE(a_second_wrong_answer_is_a_validation_error_that_quotes_nothing) {
    for (const std::string answer : {R"({"intent":"private-words"})", "Sure! private-words", R"({"intent":"refund","private-words":1})", R"({"intent":"refund","notes":{"private-words":3}})",
                                     R"([{"private-words":"private-words"}])", ""}) {
        BOOST_TEST_CONTEXT(answer) {
            lab in;
            in.serve({json_reply(200, completion(answer))});
            in.offer_openai();
            const auto out = in.ask(json::object{{"prompt", "hi"}, {"schema", intent_schema}});
            BOOST_TEST(kind(out) == "validation");
            BOOST_TEST(out.record.at("attempts") == 2);
            BOOST_TEST(out.record.at("repaired") == true);
            const auto told = to_text(json::value(to_json(out.value.error()))) + to_text(out.record);
            BOOST_TEST(told.find("private-words") == std::string::npos, told);
        }
    }
}

BOOST_AUTO_TEST_CASE(fences_and_blanks_around_json_are_tolerated_and_nothing_else) {
    const auto reads = [](const char* text) { return ai::read_json_answer(json::value(text)).has_value(); };
    BOOST_TEST(reads("{\"a\":1}"));
    BOOST_TEST(reads("  \n[1]\n "));
    BOOST_TEST(reads("```json\n{\"a\":1}\n```"));
    BOOST_TEST(reads("```\n\"x\"\n```  "));
    BOOST_TEST(!reads("Here you are: {\"a\":1}"));
    BOOST_TEST(!reads("{\"a\":1} Anything else?"));
    BOOST_TEST(!reads("```json\n```"));
    BOOST_TEST(!reads("```"));
    BOOST_TEST(!reads(""));
    BOOST_TEST(!reads("{\"a\":1"));
}

BOOST_AUTO_TEST_SUITE_END()
