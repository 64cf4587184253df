// `pawl test` as a program: exit codes, what it prints, the reports it writes.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr std::string_view flow = R"(
document: { dsl: '1.0.3', namespace: test, name: pay, version: '1.0.0' }
do: [ { pay: { call: bank.pay, with: { amount: '${ .amount }' } } } ]
)";

std::string cases(std::string_view status) {
    return R"(given: { flow: pay.yaml }
functions: { bank.pay: { safety: at-most-once } }
answers: [ { call: bank.pay, value: { paid: <b>1&2</b> } } ]
cases:
  - name: it is "paid" & done
    input: { amount: 5 }
    then: { status: )" + std::string(status) + R"( }
  - name: nothing else
    input: { amount: 6 }
    then: { calls: [{ with: { amount: 6 } }] }
)";
}

struct project {
    temporary_folder folder;
    place at;
    project() {
        at.folder = folder.path();
        folder.write("pay.yaml", flow);
    }
};

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(test_command)

BOOST_AUTO_TEST_CASE(cases_that_hold_end_with_zero_and_leave_nothing_behind) {
    const project p;
    p.folder.write("pay.test.yaml", cases("completed"));
    const auto e = p.at.run({"test"});
    BOOST_TEST(e.code == 0, e);
    BOOST_TEST(says(e.out, "2 cases, 0 failed"), e);
    BOOST_TEST(!std::filesystem::exists(p.folder.path() + "/.pawl"));
}

BOOST_AUTO_TEST_CASE(a_case_that_fails_ends_with_two_and_names_its_line) {
    const project p;
    p.folder.write("pay.test.yaml", cases("faulted"));
    const auto e = p.at.run({"test", "pay.test.yaml", "--junit", "report.xml"});
    BOOST_TEST(e.code == 2, e);
    BOOST_TEST(says(e.out, "pay.test.yaml:7:21: error: `status` is not as expected"), e);
    BOOST_TEST(says(e.out, "expected: \"faulted\""), e);
    BOOST_TEST(says(e.out, "actual:   \"completed\""), e);
    const auto junit = p.folder.read("report.xml");
    BOOST_TEST(says(junit, R"(tests="2" failures="1" errors="0")"), junit);
    BOOST_TEST(says(junit, "it is &quot;paid&quot; &amp; done"), junit);
    const auto again = p.at.run({"test", "--filter", "else"});
    BOOST_TEST(again.code == 0, again);
    BOOST_TEST(says(again.out, "1 case, 0 failed"), again);
}

BOOST_AUTO_TEST_CASE(a_mode_that_finds_something_prints_how_to_see_it_again) {
    const project p;
    p.folder.write("pay.test.yaml", cases("completed"));
    const auto e = p.at.run({"test", "--crash-everywhere"});
    BOOST_TEST(e.code == 2, e);
    BOOST_TEST(says(e.out, "leaves open whether an at-most-once call took place"), e);
    BOOST_TEST(says(e.out, "crash-everywhere: crash"), e);
    BOOST_TEST(says(e.out, "again: pawl test pay.test.yaml --case 'it is \"paid\" & done' --crash-everywhere --point 'crash after checkpoint 1 of 2'"), e);
    // The command that it names plays the case and this one point, and finds the same.
    const auto alone = p.at.run({"test", "pay.test.yaml", "--case", "it is \"paid\" & done", "--crash-everywhere", "--point", "crash after checkpoint 1 of 2"});
    BOOST_TEST(alone.code == 2, alone);
    BOOST_TEST(says(alone.out, "1 case, 1 failed, 2 histories"), alone);
    BOOST_TEST(says(alone.out, "crash-everywhere: 1 point in 1 case"), alone);
    BOOST_TEST(says(alone.out, "leaves open whether an at-most-once call took place"), alone);
    for (const auto& wrong : std::vector<std::vector<std::string>>{{"--case", "it is"}, {"--point", "crash after checkpoint 1 of 2"}, {"--duplicates", "--point", "no such point"}}) {
        auto words = std::vector<std::string>{"test"};
        words.insert(words.end(), wrong.begin(), wrong.end());
        const auto refused = p.at.run(words);
        BOOST_TEST(refused.code == 1, refused);
    }
    const auto nothing = p.at.run({"test", "--old-states", "--junit", "modes.xml"});
    BOOST_TEST(nothing.code == 0, nothing);
    BOOST_TEST(says(nothing.out, "old-states: nothing was played; 2 cases had none (no agent)"), nothing);
    BOOST_TEST(says(p.folder.read("modes.xml"), "old-states: nothing to play: no agent"));
    const auto document = p.at.run({"test", "--crash-everywhere", "--json"});
    const auto parsed = parse_json(document.out);
    BOOST_TEST_REQUIRE(parsed.has_value(), document);
    BOOST_TEST(parsed->at("failed") == json::value(2));
    BOOST_TEST(parsed->at("modes").at(0).at("mode") == json::value("crash-everywhere"));
    const auto& first = parsed->at("results").at(0).at("cases").at(0);
    BOOST_TEST(first.at("modes").at(0).at("points") == json::value(4));
    BOOST_TEST(first.at("findings").at(0).at("transitions").at("with") == json::value(json::array{"pay unknown"}));
    BOOST_TEST(parsed->at("results").at(0).at("cases").at(0).at("findings").at(0).at("mode") == json::value("crash-everywhere"));
}

BOOST_AUTO_TEST_CASE(a_case_that_is_wrong_as_it_is_written_ends_with_one_and_is_no_failure) {
    const project p;
    const auto ends = [&](const std::string& one_case, std::string_view words) {
        p.folder.write("pay.test.yaml", "functions: { bank.pay: { safety: idempotent } }\nanswers: [ { call: bank.pay, value: 1 } ]\ncases:\n  - { name: fine, given: { flow: pay.yaml }, then: { output: 1 } }\n  - " + one_case + "\n");
        const auto e = p.at.run({"test", "--junit", "wrong.xml", "--crash-everywhere"});
        BOOST_TEST(e.code == 1, e);
        BOOST_TEST(says(e.out, "  WRONG x"), e);
        BOOST_TEST(says(e.out, words), e);
        BOOST_TEST(says(e.out, "2 cases, 0 failed, 1 wrong"), e);
        BOOST_TEST(says(p.folder.read("wrong.xml"), R"(failures="0" errors="1")"), p.folder.read("wrong.xml"));
        BOOST_TEST(says(p.folder.read("wrong.xml"), "<error message="));
    };
    p.folder.write("bad.yaml", "document: {}\n");
    ends("{ name: x, given: { flow: none.yaml }, then: { output: 1 } }", "cannot read none.yaml: there is no such file");
    ends("{ name: x, given: { flow: bad.yaml }, then: { output: 1 } }", "bad.yaml cannot be tested");
    ends("{ name: x, given: { flow: pay.yaml, agent: desk/1 }, then: { output: 1 } }", "The manifest names no agent `desk`");
    ends("{ name: x, given: { flow: pay.yaml, store: { runs: [ { flow: none.yaml } ] } }, then: { output: 1 } }", "cannot read none.yaml");
    ends("{ name: x, given: { flow: pay.yaml }, then: { output: 1, never: [bank.pya] } }", "did you mean `bank.pay`?");
    ends("{ name: x, given: { flow: pay.yaml }, when: [ { approve: pya } ], then: { output: 1 } }", "the flow has no such task; did you mean `pay`?");
    ends("{ name: x, given: { flow: pay.yaml }, then: { output: 1 }, always: ['${ .statsu != \"faulted\" }'] }", "did you mean `status`?");
    ends("{ name: x, given: { flow: pay.yaml }, tools: { real: [bank.pay] }, then: { output: 1 } }", "the project offers no such function");
    const auto nowhere = p.at.run({"test", "--env", "staging"});
    BOOST_TEST(nowhere.code == 1, nowhere);
    BOOST_TEST(says(nowhere.out, "environment `staging` was asked for, but there is no pawl.yaml that could name it"), nowhere);
}

BOOST_AUTO_TEST_CASE(a_junit_report_is_xml_whatever_stands_in_a_case) {
    const project p;
    p.folder.write("odd.test.yaml", "given: { flow: pay.yaml }\nfunctions: { bank.pay: { safety: idempotent } }\nanswers: [ { call: bank.pay, value: \"\\u0001 \\uFFFE ]]> \\t\" } ]\n"
                                    "cases: [ { name: \"bell \\u0007 \\e[31m <b>&\\\" \\uFFFF \\uFFFD\", then: { output: 1 } } ]\n");
    const auto e = p.at.run({"test", "--junit", "report.xml"});
    BOOST_TEST(e.code == 2, e);
    const auto xml = p.folder.read("report.xml");
    for (const auto* no_character : {"\x01", "\x07", "\x1b", "\xEF\xBF\xBE", "\xEF\xBF\xBF"}) BOOST_TEST(!says(xml, no_character), xml);
    BOOST_TEST(says(xml, "&lt;b&gt;&amp;&quot; \xEF\xBF\xBD \xEF\xBF\xBD\""), xml);
    BOOST_TEST(says(xml, "]]&gt;"), xml);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_tested_ends_with_one_and_says_why) {
    const project p;
    BOOST_TEST(p.at.run({"test"}).code == 1);
    BOOST_TEST(p.at.run({"test", "nowhere"}).code == 1);
    p.folder.write("pay.test.yaml", cases("completed"));
    const auto none = p.at.run({"test", "--filter", "unheard of"});
    BOOST_TEST(none.code == 1, none);
    p.folder.write("bad.test.yaml", "cases:\n  - name: x\n    then: { statsu: completed }\n");
    const auto e = p.at.run({"test"});
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(says(e.out, "bad.test.yaml:3:13: error: `then` has the unknown property `statsu`"), e);
    BOOST_TEST(says(e.out, "did you mean `status`"), e);
    BOOST_TEST(says(e.out, "ok    nothing else"), e);
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_written_once_and_held_until_somebody_updates_it) {
    const project p;
    const auto write = [&](const char* paid) {
        p.folder.write("pay.test.yaml", std::string("# mine\ngiven: { flow: pay.yaml }\nfunctions: { bank.pay: { safety: idempotent } }\nanswers: [ { call: bank.pay, value: { paid: ") + paid +
                                            " } } ]\ncases: [ { name: a, input: { amount: 5 }, then: { snapshot: [output] } } ]\n");
    };
    write("1");
    const auto absent = p.at.run({"test", "--ci"});
    BOOST_TEST(absent.code == 2, absent);
    BOOST_TEST(says(absent.out, "there is no snapshot of this case in pay.test.snapshots.yaml"), absent);
    BOOST_TEST(p.at.run({"test"}).code == 0);
    BOOST_TEST(says(p.folder.read("pay.test.snapshots.yaml"), R"(output: {"paid":1})"));
    BOOST_TEST(p.at.run({"test"}, {{"CI", "true"}}).code == 0);
    write("2");
    const auto other = p.at.run({"test"});
    BOOST_TEST(other.code == 2, other);
    BOOST_TEST(says(other.out, "`output` is not as in the snapshot"), other);
    BOOST_TEST(p.at.run({"test", "--update"}).code == 0);
    BOOST_TEST(p.at.run({"test", "--ci"}).code == 0);
    BOOST_TEST(says(p.folder.read("pay.test.yaml"), "# mine"));
}

BOOST_AUTO_TEST_CASE(watching_tests_again_what_a_saved_file_concerns_until_it_is_interrupted) {
    const project p;
    p.folder.write("pay.test.yaml", cases("completed"));
    p.folder.write("other.yaml", flow);
    auto other = cases("completed");
    other.replace(other.find("pay.yaml"), 8, "other.yaml");
    p.folder.write("other.test.yaml", other);
    auto watching = p.at.start({"test", "--watch"});
    const auto waits = [&](std::size_t times) {
        wait_for(
            [&] {
                const auto out = watching.out();
                std::size_t seen = 0;
                for (auto at = out.find("waiting for changes"); at != std::string::npos; at = out.find("waiting for changes", at + 1)) ++seen;
                return seen >= times;
            },
            "it waits for changes");
    };
    waits(1);
    BOOST_TEST(says(watching.out(), "4 cases, 0 failed"));
    auto wrong = std::string(flow);
    wrong.replace(wrong.find(".amount }"), 9, ".amount + 1 }");
    p.folder.write("pay.yaml", wrong);
    waits(2);
    const auto second = watching.out().substr(watching.out().find("changed: pay.yaml"));
    BOOST_TEST(says(second, "2 cases, 1 failed"), second);
    BOOST_TEST(!says(second, "other.test.yaml"), second);
    p.folder.write("pay.test.yaml", cases("faulted"));
    waits(3);
    BOOST_TEST(says(watching.out(), "2 cases, 2 failed"));
    watching.send(SIGINT);
    BOOST_TEST(watching.wait().code == 0);
}

BOOST_AUTO_TEST_CASE(a_real_tool_that_nobody_offers_is_an_error) {
    const project p;
    p.folder.write("pay.test.yaml", cases("completed"));
    const auto e = p.at.run({"test", "--real-tool", "bank.pay"});
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(says(e.err, "--real-tool bank.pay: the project offers no such function"), e);
}

BOOST_AUTO_TEST_SUITE_END()
