// From life to test: `pawl run --record`, cassettes in cases, `pawl test record`.
#include "system/desk.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

std::vector<json::value> lines_of(const std::string& text) {
    std::vector<json::value> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(parse_json(line).value());
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(from_life_to_test)

BOOST_AUTO_TEST_CASE(a_recorded_run_of_the_support_desk_answers_a_case_and_a_miss_shows_what_differs) {
    temporary_folder folder;
    copy_example("support-desk", folder);
    place at{folder.path(), {}};
    folder.write("pawl.yaml", folder.read("pawl.yaml") + "\nredact: { names: [customer] }\n");
    const auto ran = at.run({"run", "--agent", "desk/T-1", "--input", "@data/ticket.json", "--detach", "--record", "life.jsonl"});
    BOOST_TEST(ran.code == 4, ran);
    BOOST_TEST(says(ran.err, "recorded 2 answers in life.jsonl, 1 value redacted"), ran);
    const auto lines = lines_of(folder.read("life.jsonl"));
    BOOST_TEST_REQUIRE(lines.size() == 2u);
    BOOST_TEST(lines[0].at("call").at("function") == json::value("ai.chat"));
    BOOST_TEST(lines[0].at("value").at("intent") == json::value("refund"));
    BOOST_TEST(lines[1].at("call").at("with").at("orderId") == json::value("A-1001"));
    BOOST_TEST(lines[1].at("value").at("customer").as_string().starts_with("[redacted-"));

    const auto test = [&](const std::string& text) {
        folder.write("life.test.yaml", "given: { agent: desk/T-1 }\nanswers: [ { cassette: life.jsonl } ]\ncases:\n  - name: as in life\n    input: { ticket: T-1, order: A-1001, text: '" + text +
                                           "' }\n    when: [ { reject: {} } ]\n    then: { output: { status: refused }, transitions: [ask, note, find, ask-a-human, refuse, tell] }\n");
        return at.run({"test", "life.test.yaml"});
    };
    const auto again = test("The lamp I ordered arrived broken. I want my money back.");
    BOOST_TEST(again.code == 0, again);
    const auto missed = test("The lamp I ordered arrived late. I want my money back.");
    BOOST_TEST(missed.code == 2, missed);
    BOOST_TEST(says(missed.out, "life.jsonl has 1 record of `ai.chat`, none with these arguments; the closest is on line 1:"), missed);
    BOOST_TEST(says(missed.out, "/prompt"), missed);

    // A second recording goes to the end of the same file.
    BOOST_TEST(at.run({"run", "--agent", "desk/T-2", "--input", R"({"ticket": "T-2", "text": "Do you sell chairs?"})", "--record", "life.jsonl"}).code == 0);
    BOOST_TEST(lines_of(folder.read("life.jsonl")).size() == 3u);
    folder.write("cut.jsonl", "{\"call\": {");
    const auto cut = at.run({"run", "--agent", "desk/T-3", "--record", "cut.jsonl"});
    BOOST_TEST(cut.code == 1, cut);
    BOOST_TEST(says(cut.err, "ends within a record"), cut);
}

BOOST_AUTO_TEST_CASE(a_cassette_that_cannot_be_read_is_told_at_its_place_in_the_case_file) {
    temporary_folder folder;
    folder.write("broken.jsonl", "{\"call\": {\"function\": \"f\"}, \"values\": 1}\n");
    folder.write("a.test.yaml", "given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: a, version: '1.0.0' }, do: [ { s: { set: { a: 1 } } } ] } }\n"
                                "answers:\n  - cassette: broken.jsonl\n  - cassette: none.jsonl\ncases: [ { name: x, then: { status: completed } } ]\n");
    const auto e = place{folder.path(), {}}.run({"test"});
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(says(e.out, "a.test.yaml:3:15: error: the cassette broken.jsonl, line 1: the record has the unknown key `values`; did you mean `value`?"), e);
    BOOST_TEST(says(e.out, "a.test.yaml:4:15: error: the cassette none.jsonl cannot be read"), e);
}

BOOST_AUTO_TEST_SUITE_END()
