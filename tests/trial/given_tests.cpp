// What a case may say of the store, of secrets, of models that break off, of snapshots and of real tools.
#include "base/ids.hpp"
#include "trial/judge.hpp"
#include "trial/snapshots.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

using namespace pawl;

namespace {

class scratch {
public:
    scratch() : path_((std::filesystem::temp_directory_path() / ("pawl-given-" + new_uuid7())).string()) { std::filesystem::create_directory(path_); }
    scratch(const scratch&) = delete;
    ~scratch() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }
    const std::string& path() const { return path_; }
    void write(const std::string& name, std::string_view text) const { std::ofstream(path_ + "/" + name) << text; }

private:
    std::string path_;
};

struct played {
    trial::case_file file;
    std::vector<trial::verdict> verdicts;
};

std::unique_ptr<played> play(const std::string& text, const std::string& path = "given.test.yaml", const trial::real_tools* real = nullptr, const trial::modes& modes = {}) {
    auto read = trial::read_cases(text, path);
    for (const auto& d : read.diagnostics) BOOST_ERROR(render(d, text));
    BOOST_TEST_REQUIRE(read.file.has_value());
    auto out = std::make_unique<played>();
    out->file = std::move(*read.file);
    const auto project = agent::manifest_without_file("/");
    std::vector<function_description> functions;
    if (real != nullptr) functions = out->file.functions;
    trial::runner runner(out->file, project, functions);
    runner.call_with(real);
    trial::judge judge(runner, modes);
    for (const auto& each : out->file.cases) out->verdicts.push_back(judge.examine(each));
    return out;
}

std::string wrong(const trial::verdict& v) {
    std::string out;
    for (const auto& f : v.findings) out += f.message + " | " + f.expected + " | " + f.actual + " | " + f.hint + "\n";
    return out;
}

constexpr std::string_view greeting = R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { ask: { call: f, with: { n: '${ .n }' } } } ] } }
functions: { f: { safety: idempotent } }
)";

/// Answers with how often it was called.
class counter final : public runtime::effect {
public:
    explicit counter(effect_safety safety) : safety_(safety) {}
    std::vector<function_description> functions() const override {
        function_description f;
        f.name = "f";
        f.version = "1.0.0";
        f.safety = safety_;
        return {f};
    }
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        keys.push_back(request->key);
        done({json::value(json::object{{"called", true}}), {}, {}});
    }
    void cancel(std::string_view) override {}
    std::vector<std::string> keys;

private:
    effect_safety safety_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(given)

BOOST_AUTO_TEST_CASE(a_snapshot_is_written_once_then_held_and_told_when_nobody_asks_for_it) {
    const scratch folder;
    const auto path = folder.path() + "/a.test.yaml";
    const auto cases = [&](int n, const std::string& name) {
        return play(std::string(greeting) + "answers: [ { call: f, value: { n: " + std::to_string(n) + " } } ]\ncases: [ { name: " + to_text(json::value(name)) + ", then: { snapshot: [output] } } ]\n", path);
    };
    const auto held = [&](int n, const std::string& name, trial::snapshot_mode mode, std::vector<std::string>* obsolete = nullptr) {
        const auto p = cases(n, name);
        auto book = trial::snapshot_book::open(path, mode);
        BOOST_TEST_REQUIRE(book.has_value());
        book->hold(p->verdicts[0]);
        if (obsolete != nullptr) *obsolete = book->obsolete(p->file.cases);
        BOOST_TEST(book->close(p->file.cases).has_value());
        return wrong(p->verdicts[0]);
    };
    using mode = trial::snapshot_mode;
    BOOST_TEST(held(1, "it's: a \"name\"", mode::strict).find("there is no snapshot of this case") == 0u);
    BOOST_TEST(held(1, "it's: a \"name\"", mode::keep).empty());
    BOOST_TEST(held(1, "it's: a \"name\"", mode::strict).empty());
    BOOST_TEST(held(2, "it's: a \"name\"", mode::keep).find("`output` is not as in the snapshot | {\"n\":1} | {\"n\":2}") == 0u);
    BOOST_TEST(held(2, "it's: a \"name\"", mode::update).empty());
    BOOST_TEST(held(2, "it's: a \"name\"", mode::strict).empty());
    std::vector<std::string> obsolete;
    BOOST_TEST(held(2, "another", mode::keep, &obsolete).empty());
    BOOST_TEST(obsolete.size() == 1u);
    BOOST_TEST(held(2, "another", mode::update).empty());
    BOOST_TEST(held(2, "it's: a \"name\"", mode::strict).find("there is no snapshot") == 0u);
}

BOOST_AUTO_TEST_CASE(a_model_that_breaks_off_is_no_json_and_says_why_it_ended) {
    const auto p = play(R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { ask: { call: ai.chat, with: { prompt: hi, schema: { type: object } } } } ] } }
functions: { ai.chat: { safety: idempotent } }
cases:
  - { name: cut, answers: [ { call: ai.chat, text: '{"a":"ü"}', cut: 7 } ], then: { status: faulted, error: validation } }
  - { name: whole, answers: [ { call: ai.chat, text: '{"a":"ü"}', cut: 9 } ], then: { output: { a: 'ü' } } }
)");
    for (const auto& v : p->verdicts) BOOST_TEST(v.findings.empty(), wrong(v));
}

BOOST_AUTO_TEST_CASE(the_store_may_hold_waiting_runs_and_tells_what_became_of_them) {
    const scratch folder;
    folder.write("wait.yaml", R"(document: { dsl: '1.0.3', namespace: t, name: wait, version: '1.0.0' }
do: [ { hear: { listen: { to: { one: { with: { type: t.paid.v1 } } } } } } ]
)");
    folder.write("tell.yaml", R"(document: { dsl: '1.0.3', namespace: t, name: tell, version: '1.0.0' }
do: [ { tell: { emit: { event: { with: { source: 'https://example.com', type: t.paid.v1, data: { n: 7 } } } } } } ]
)");
    const auto p = play(R"(given: { flow: tell.yaml, store: { runs: [ { flow: wait.yaml }, { flow: wait.yaml } ] } }
cases:
  - name: both hear it
    then: { store: { runs: [ { status: completed, workflow: { $matches: 't/wait' }, output: [ { n: 7 } ] }, { status: completed }, { workflow: { $matches: 't/tell' } } ] }, calls: [] }
  - name: an event before is not for it
    given: { flow: wait.yaml, store: { runs: [ { flow: wait.yaml } ], events: [ { type: t.paid.v1, data: 1 } ] } }
    then: { status: waiting, store: { runs: [ { status: completed }, { status: waiting } ] } }
)", folder.path() + "/a.test.yaml");
    for (const auto& v : p->verdicts) BOOST_TEST(v.findings.empty(), wrong(v));
}

BOOST_AUTO_TEST_CASE(what_stands_for_a_secret_is_never_shown) {
    const auto p = play(R"(
given:
  secrets: { TOKEN: hush-hush }
  workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, use: { secrets: [TOKEN] }, do: [ { ask: { call: f, with: { token: '${ $secrets.TOKEN }' } } } ] }
functions: { f: { safety: idempotent } }
answers: [ { call: f, value: { is: hush-hush } } ]
cases: [ { name: a, then: { output: { is: other }, calls: [ { with: { n: 1 } } ] } } ]
)");
    const auto told = wrong(p->verdicts[0]) + to_text(json::value(p->verdicts[0].seen));
    BOOST_TEST(told.find("hush-hush") == std::string::npos, told);
    BOOST_TEST(told.find("(secret TOKEN)") != std::string::npos, told);
}

BOOST_AUTO_TEST_CASE(a_real_tool_is_called_where_the_case_has_no_answer_with_a_key_of_this_test_alone) {
    const auto text = std::string(greeting) + "tools: real\ncases: [ { name: a, then: { output: { called: true } } }, { name: b, answers: [ { call: f, value: 2 } ], then: { output: 2 } } ]\n";
    std::vector<std::string> keys;
    for (int i = 0; i < 2; ++i) {
        const auto tool = std::make_shared<counter>(effect_safety::idempotent);
        auto registry = std::make_shared<runtime::effect_registry>();
        BOOST_TEST_REQUIRE(registry->add(tool).has_value());
        const trial::real_tools real(registry, {}, false);
        trial::modes modes;
        modes.crash_everywhere = true;
        const auto p = play(text, "given.test.yaml", &real, modes);
        for (const auto& v : p->verdicts) BOOST_TEST(v.findings.empty(), wrong(v));
        BOOST_TEST(tool->keys.size() > 1u);  // a crash calls it again, with the same key
        for (const auto& key : tool->keys) BOOST_TEST(key == tool->keys.front());
        keys.push_back(tool->keys.front());
    }
    BOOST_TEST(keys[0] != keys[1]);
}

BOOST_AUTO_TEST_CASE(a_real_tool_that_is_at_most_once_is_called_once_and_no_mode_plays_it_again) {
    const auto tool = std::make_shared<counter>(effect_safety::at_most_once);
    auto registry = std::make_shared<runtime::effect_registry>();
    BOOST_TEST_REQUIRE(registry->add(tool).has_value());
    const trial::real_tools real(registry, {"f"}, false);
    trial::modes modes;
    modes.crash_everywhere = modes.duplicates = true;
    auto text = std::string(greeting);
    text.replace(text.find("idempotent"), 10, "at-most-once");
    const auto p = play(text + "cases: [ { name: a, answers: [ { call: f, value: 2 } ], then: { output: { called: true } } } ]\n", "given.test.yaml", &real, modes);
    BOOST_TEST(p->verdicts[0].findings.empty(), wrong(p->verdicts[0]));
    BOOST_TEST_REQUIRE(p->verdicts[0].notes.size() == 1u);
    BOOST_TEST(p->verdicts[0].notes.front().find("`f` is really called and at-most-once") != std::string::npos);
    BOOST_TEST(tool->keys.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_name_that_nothing_bears_is_a_mistake_not_a_promise_that_holds_for_ever) {
    const auto p = play(std::string(greeting) + R"(
answers: [ { call: f, value: 2 }, { task: of-another-case, value: 3 } ]
cases:
  - { name: never, then: { never: [ff] } }
  - { name: task, answers: [ { task: aks, value: 1 } ], then: { output: 2 } }
  - { name: call, answers: [ { call: g, value: 1 } ], then: { output: 2 } }
  - { name: right, answers: [ { task: ask, value: 1 } ], then: { output: 1 } }
)");
    BOOST_TEST(wrong(p->verdicts[0]).starts_with("there is no function and no task `ff`, so this would always hold; did you mean `f`? |"), wrong(p->verdicts[0]));
    BOOST_TEST(p->verdicts[0].findings[0].pointer == "/cases/0/then/never/0");
    BOOST_TEST(wrong(p->verdicts[1]).starts_with("the flow of this case has no task `aks`, so this answer is never given; did you mean `ask`? |"), wrong(p->verdicts[1]));
    BOOST_TEST(p->verdicts[1].findings[0].pointer == "/cases/1/answers/0/task");
    BOOST_TEST(wrong(p->verdicts[2]).find("there is no function `g`, so this answer is never given") != std::string::npos, wrong(p->verdicts[2]));
    BOOST_TEST(p->verdicts[3].passed(), wrong(p->verdicts[3]));
}

BOOST_AUTO_TEST_CASE(a_run_that_never_rests_is_stopped_and_told) {
    const auto p = play(R"(
cases:
  - name: circles
    given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { a: { set: { n: 1 } } }, { b: { set: { n: 2 }, then: a } } ] } }
    then: { status: completed }
  - name: counts the seconds of a year
    given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { a: { wait: PT1S } }, { b: { set: { n: 2 }, then: a } } ] } }
    when: [ { wait: P365D } ]
    then: { status: waiting }
)");
    BOOST_TEST(wrong(p->verdicts[0]).find("goes round without a call, an event or time passing") != std::string::npos, wrong(p->verdicts[0]));
    BOOST_TEST(wrong(p->verdicts[1]).find("it was stopped after 200000 events, when its clock had gone on by P") != std::string::npos, wrong(p->verdicts[1]));
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_absent_and_time_has_ranges) {
    const auto p = play(R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { a: { wait: P3D } } ] } }
cases:
  - { name: absent, then: { status: completed, error: { $absent: true }, took: { $range: [P2D, P4D] } } }
  - { name: late, then: { took: { $range: [null, P2D] }, output: { $absent: true } } }
  - { name: nobody asked, when: [ { approve: a } ], then: { status: completed } }
)");
    BOOST_TEST(p->verdicts[0].passed(), wrong(p->verdicts[0]));
    BOOST_TEST(wrong(p->verdicts[1]).find("| a duration in the range [null,\"P2D\"] | \"P3D\"") != std::string::npos, wrong(p->verdicts[1]));
    BOOST_TEST(p->verdicts[1].findings.size() == 2u);
    BOOST_TEST(wrong(p->verdicts[2]).find("nothing to approve: task `a` has not asked for a decision") != std::string::npos, wrong(p->verdicts[2]));
}

BOOST_AUTO_TEST_CASE(lists_that_differ_are_told_in_short_and_shuffle_plays_many_interleavings) {
    const auto p = play(std::string(greeting) + R"(
answers: [ { call: f, value: 2 } ]
cases: [ { name: a, then: { transitions: [ask, tell] } } ]
)");
    BOOST_TEST(wrong(p->verdicts[0]).find("| 2 items: [ask completed, tell completed] | 1 items: [ask completed] |") != std::string::npos, wrong(p->verdicts[0]));
    // The last writer wins: one seed alone may miss it.
    trial::modes modes;
    modes.shuffle = 3;
    const auto race = play(R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [
  { both: { fork: { branches: [ { a: { call: f, with: {}, export: { as: { last: a } } } }, { b: { call: f, with: {}, export: { as: { last: b } } } } ] } } },
  { tell: { set: '${ $context.last }' } } ] } }
functions: { f: { safety: idempotent } }
answers: [ { call: f, value: 2 } ]
cases: [ { name: a, then: { output: b } } ]
)", "given.test.yaml", nullptr, modes);
    BOOST_TEST_REQUIRE(race->verdicts[0].findings.size() == 1u, wrong(race->verdicts[0]));
    const auto& found = race->verdicts[0].findings[0];
    BOOST_TEST(found.point.starts_with("seed "));
    BOOST_TEST(found.transitions_expected.size() == 2u);
    BOOST_TEST((found.transitions_actual == std::vector<std::string>{"b completed", "a completed"}));
}

BOOST_AUTO_TEST_SUITE_END()
