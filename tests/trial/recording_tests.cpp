#include "trial/recording.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

runtime::call_request call(std::string function, json::value with, std::string task = "t", unsigned attempt = 1) {
    runtime::call_request out;
    out.function = std::move(function);
    out.task = std::move(task);
    out.arguments = std::move(with);
    out.attempt = attempt;
    out.assets = std::make_shared<const runtime::assets>();
    return out;
}

std::string same_name(std::string_view alias) { return std::string(alias); }

trial::recording recorded(std::string_view text) { return trial::recording::parse(text, "c.jsonl").value(); }

json::value answer(const trial::recording& from, const runtime::call_request& request, trial::recording::used_answers& used, trial::redaction* redact = nullptr) {
    const auto found = from.find(request, same_name, redact, used);
    if (!found) return "a miss";
    return found->value.has_value() ? *found->value : json::value(found->value.error().detail);
}

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(recordings)

BOOST_AUTO_TEST_CASE(equal_arguments_are_answered_by_attempt_then_task_then_order) {
    const auto from = recorded(R"(# comment
{"call": {"function": "f", "task": "t", "attempt": 1, "with": {"a": 1, "b": 2}}, "error": {"type": "https://open-workflow-specification.org/spec/1.0.0/errors/communication", "status": 503, "title": "x", "detail": "down"}}
{"call": {"function": "f", "task": "t", "attempt": 2, "with": {"b": 2, "a": 1}}, "value": "second try"}

{"call": {"function": "f", "task": "other", "attempt": 1, "with": {"a": 1, "b": 2}}, "value": "other task"}
{"call": {"function": "f", "task": "t", "attempt": 1, "with": {"a": 2}}, "value": "first of two"}
{"call": {"function": "f", "task": "t", "attempt": 1, "with": {"a": 2}}, "value": "last of two"}
{"call": {"function": "g"}, "value": "whatever"}
)");
    trial::recording::used_answers used;
    BOOST_TEST(answer(from, call("f", {{"b", 2}, {"a", 1}}), used) == json::value("down"));
    BOOST_TEST(answer(from, call("f", {{"b", 2}, {"a", 1}}, "t", 2), used) == json::value("second try"));
    BOOST_TEST(answer(from, call("f", {{"b", 2}, {"a", 1}}, "other"), used) == json::value("other task"));
    for (const auto* expected : {"first of two", "last of two", "last of two"}) BOOST_TEST(answer(from, call("f", {{"a", 2}}), used) == json::value(expected));
    BOOST_TEST(answer(from, call("g", 7), used) == json::value("whatever"));
    BOOST_TEST(answer(from, call("f", {{"a", 3}}), used) == json::value("a miss"));
}

BOOST_AUTO_TEST_CASE(a_miss_tells_the_closest_record_and_the_places_that_differ_without_secrets) {
    const auto from = recorded(R"({"call": {"function": "f", "with": {"x": 1}}, "value": 1}
{"call": {"function": "f", "with": {"order": "A-1", "lines": [1, 2], "apiKey": "one", "text": "The lamp arrived broken."}}, "value": 2}
)");
    const auto told = from.miss(call("f", {{"order", "A-1"}, {"lines", {1, 3}}, {"apiKey", "two"}, {"text", "The lamp arrived late."}, {"more", true}}), same_name);
    BOOST_TEST(says(told, "c.jsonl has 2 records of `f`, none with these arguments; the closest is on line 2:"), told);
    BOOST_TEST(says(told, "/lines/1\n    recorded: 2\n    asked:    3"), told);
    BOOST_TEST(says(told, "recorded: \"The lamp arrived broken.\"\n    asked:    \"The lamp arrived late.\""), told);
    BOOST_TEST(says(told, "/more\n    recorded: nothing\n    asked:    true"), told);
    BOOST_TEST(!says(told, "two"), told);
    BOOST_TEST(says(from.miss(call("h", {}), same_name), "c.jsonl has no record of `h`"));
}

BOOST_AUTO_TEST_CASE(models_are_answered_by_the_lines_of_a_models_cassette_and_a_miss_shows_the_request) {
    const auto from = recorded(R"({"request": {"function": "ai.chat", "model": "m", "messages": [{"role": "user", "content": "How are you?"}]}, "response": {"text": "Fine."}}
{"match": {"contains": ["sort"]}, "response": {"json": {"kind": 1}}}
{"call": {"function": "tool", "with": {}}, "value": 1}
)");
    trial::recording::used_answers used;
    BOOST_TEST(answer(from, call("ai.chat", {{"model", "m"}, {"prompt", "How are you?"}}), used).at("text") == json::value("Fine."));
    const json::value schema{{"type", "object"}, {"required", {"kind"}}};
    BOOST_TEST(answer(from, call("ai.chat", {{"model", "m"}, {"prompt", "sort this"}, {"schema", schema}}), used) == (json::value{{"kind", 1}}));
    const auto told = from.miss(call("ai.chat", {{"model", "m"}, {"prompt", "How old are you?"}}), same_name);
    BOOST_TEST(says(told, "the closest request is in c.jsonl, line 1:"), told);
    BOOST_TEST(says(told, "/messages/0/content\n    recorded: \"How are you?\"\n    asked:    \"How old are you?\""), told);
}

BOOST_AUTO_TEST_CASE(mistakes_of_a_recording_are_told_with_their_line) {
    const auto wrong = [](std::string_view text) { return trial::recording::parse(text, "c.jsonl").error().detail; };
    BOOST_TEST(says(wrong("\n{\"call\": {\"function\": \"f\"}, \"valu\": 1}\n"), "c.jsonl, line 2: the record has the unknown key `valu`; did you mean `value`?"));
    BOOST_TEST(says(wrong("{\"call\": {\"function\": \"f\"}}\n"), "line 1: the record needs either `value` or `error`"));
    BOOST_TEST(says(wrong("{\"call\": 5, \"value\": 1}\n"), "`call` must be an object with `function`"));
    BOOST_TEST(says(wrong("{\"call\": {\"function\": \"f\", \"attempt\": 0}, \"value\": 1}\n"), "`attempt` in `call`"));
    BOOST_TEST(says(wrong("{\"call\": {\"function\": \"f\"}, \"value\": 1}\n{\"call\": {\"fun"), "line 2: the file ends within this record; it was cut off"));
    BOOST_TEST(says(wrong("{\"call\": {\"function\": \n{}\n"), "line 1: not a JSON object on one line"));
    BOOST_TEST(says(trial::recording::load("/nowhere/c.jsonl").error().detail, "/nowhere/c.jsonl cannot be read"));
}

BOOST_AUTO_TEST_CASE(what_a_project_redacts_is_replaced_alike_everywhere_and_a_recording_still_answers) {
    const agent::redact_settings rules{{"name"}, {"/lines/*/iban"}, {"[a-z]+@[a-z]+\\.com"}};
    const json::value with{{"name", "Maria Lopez"}, {"note", "Maria Lopez wrote from ml@example.com"}, {"lines", {{{"iban", "DE11"}}, {{"iban", 123456}}}}, {"password", "hunter2"}, {"n", 5}};
    trial::redaction one({rules}, {"s3cr3t-value"});
    auto request = call("f", with);
    const auto line = trial::recording_line(request, {json::value{{"hello", "Dear Maria Lopez, s3cr3t-value"}}, {{"model", "m"}, {"requestId", "r"}}, {}}, one);
    for (const auto* gone : {"Maria", "Lopez", "@example", "DE11", "123456", "hunter2", "s3cr3t", "requestId"}) BOOST_TEST(!says(line, gone), line);
    BOOST_TEST(says(line, "\"n\":5"), line);
    const auto read = parse_json(line).value();
    const auto token = std::string(read.at("call").at("with").at("name").as_string());
    BOOST_TEST(read.at("call").at("with").at("note").as_string().starts_with(token + " wrote from [redacted-"));
    BOOST_TEST(read.at("value").at("hello") == json::value("Dear " + token + ", [redacted]"));
    BOOST_TEST(read.at("call").at("with").at("lines").at(1).at("iban").is_int64());

    const auto from = recorded(line);
    trial::redaction other(rules);
    trial::recording::used_answers used;
    BOOST_TEST(answer(from, request, used, &other).is_object());
    request.arguments = read.at("call").at("with");  // redacted before
    BOOST_TEST(answer(from, request, used, &other).is_object());
    request.arguments.get_object()["name"] = "Somebody Else";
    BOOST_TEST(answer(from, request, used, &other) == json::value("a miss"));
}

BOOST_AUTO_TEST_CASE(whatever_stands_within_a_member_with_a_secret_name_is_hidden_and_keeps_its_type) {
    trial::redaction plain;
    const auto out = plain.apply(parse_json(R"({"apiKeys": ["one", {"of": "two"}, 3], "credentials": {"user": "maria", "pin": 4711, "open": true}, "note": "one"})").value());
    BOOST_TEST(out == parse_json(R"({"apiKeys": ["[redacted]", {"of": "[redacted]"}, 0], "credentials": {"user": "[redacted]", "pin": 0, "open": true}, "note": "one"})").value(), to_text(out));
}

BOOST_AUTO_TEST_SUITE_END()
