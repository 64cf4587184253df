// Modes prove something or say that they did not: what each played, what it could not, and how one point is played alone.
#include "trial/judge.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace pawl;

namespace {

struct judged {
    trial::case_file file;
    std::vector<trial::verdict> verdicts;
};

std::unique_ptr<judged> judge(const std::string& text, const trial::modes& modes) {
    auto read = trial::read_cases(text, "modes.test.yaml");
    for (const auto& d : read.diagnostics) BOOST_ERROR(render(d, text));
    BOOST_TEST_REQUIRE(read.file.has_value());
    auto out = std::make_unique<judged>();
    out->file = std::move(*read.file);
    const auto project = agent::manifest_without_file("/");
    trial::runner runner(out->file, project, {});
    trial::judge judge(runner, modes);
    for (const auto& each : out->file.cases) out->verdicts.push_back(judge.examine(each));
    return out;
}

trial::modes all_modes() {
    trial::modes m;
    m.crash_everywhere = m.duplicates = m.bad_answers = m.old_states = true;
    m.shuffle = 1;
    return m;
}

const trial::mode_report& of(const trial::verdict& v, std::string_view mode) {
    const auto at = std::find_if(v.modes.begin(), v.modes.end(), [&](const auto& m) { return m.mode == mode; });
    BOOST_TEST_REQUIRE((at != v.modes.end()), mode);
    return *at;
}

std::string wrong(const trial::verdict& v) {
    std::string out;
    for (const auto& f : v.findings) out += f.mode + " | " + f.point + " | " + f.message + " | " + f.hint + "\n";
    return out;
}

constexpr std::string_view calls_once = R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [ { ask: { call: f, with: { n: '${ .n }' } } } ] } }
functions: { f: { safety: idempotent } }
answers: [ { call: f, value: 2 } ]
faults: [ { type: runtime }, { type: communication }, { type: timeout } ]
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(modes)

BOOST_AUTO_TEST_CASE(each_mode_counts_its_points_and_says_why_it_had_none) {
    const auto p = judge(std::string(calls_once) + R"(
cases:
  - { name: plain, then: { output: 2 } }
  - { name: fails, then: { output: 3 } }
  - { name: without, without: [bad-answers], then: { output: 2 } }
  - name: silent
    given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: u, version: '1.0.0' }, do: [ { put: { set: '${ 1 }' } } ] } }
    then: { output: 1 }
)", all_modes());
    const auto& plain = p->verdicts[0];
    BOOST_TEST(plain.passed(), wrong(plain));
    BOOST_TEST(of(plain, "crash-everywhere").points == 2 * plain.checkpoints);
    BOOST_TEST(of(plain, "duplicates").points == 1u);
    BOOST_TEST(of(plain, "duplicates").detail == "2 deliveries");  // the start, and one answer
    BOOST_TEST(of(plain, "bad-answers").points == 6u);             // three misfortunes, at one try and at every
    BOOST_TEST(of(plain, "shuffle").detail == "1 order");
    BOOST_TEST(of(plain, "old-states").points == 0u);
    BOOST_TEST(of(plain, "old-states").none == "no agent");
    BOOST_TEST(of(p->verdicts[1], "crash-everywhere").none == "the case fails as it is");
    BOOST_TEST(of(p->verdicts[2], "bad-answers").none == "`without` says so");
    BOOST_TEST(of(p->verdicts[3], "bad-answers").none == "no tool and no model gives a value");
    for (const auto& v : p->verdicts) {
        std::size_t played = 1;
        for (const auto& m : v.modes) played += m.points;
        BOOST_TEST(played == v.histories);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_names_a_point_that_is_played_alone_and_fails_again) {
    const std::string text = R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [
  { twice: { for: { each: x, in: '${ [1, 2] }' }, do: [ { ask: { call: f, with: { n: '${ $x }' } } } ] } } ] } }
functions: { f: { safety: idempotent } }
answers: [ { call: f, value: 2 } ]
cases: [ { name: a, then: { output: 2 } } ]
)";
    trial::modes modes;
    modes.bad_answers = true;
    const auto found = judge(text, modes);
    BOOST_TEST_REQUIRE(found->verdicts[0].findings.size() > 3u);
    for (const auto& f : found->verdicts[0].findings) {
        modes.point = f.point;
        const auto again = judge(text, modes);
        BOOST_TEST_REQUIRE(again->verdicts[0].findings.size() == 1u, f.point << "\n" << wrong(again->verdicts[0]));
        BOOST_TEST(again->verdicts[0].findings[0].message == f.message);
        BOOST_TEST(again->verdicts[0].histories == 2u);  // the case as it is, and this one
    }
    BOOST_TEST(found->verdicts[0].findings[0].point == "task `ask` (`f`, call 1) gets a runtime error");
    modes.point = "crash before checkpoint 1 of 3";
    BOOST_TEST(of(judge(text, modes)->verdicts[0], "bad-answers").none == "no point of it is called so");
}

BOOST_AUTO_TEST_CASE(an_event_that_comes_again_under_another_id_is_a_point_of_its_own) {
    const std::string text = R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [
  { hear: { listen: { to: { any: [], until: '($context | length) == 2' } }, foreach: { export: { as: '($context // []) + [$item.order]' } } } } ] } }
cases:
  - name: a
    when: [ { event: { type: paid, data: { order: 1 } } }, { event: { type: paid, data: { order: 2 } } } ]
    then: { status: completed, output: [ { order: 1 }, { order: 2 } ] }
)";
    trial::modes modes;
    modes.duplicates = true;
    const auto found = judge(text, modes);
    BOOST_TEST(of(found->verdicts[0], "duplicates").points == 3u);
    BOOST_TEST_REQUIRE(found->verdicts[0].findings.size() == 1u, wrong(found->verdicts[0]));
    BOOST_TEST(found->verdicts[0].findings[0].point == "event 1 of `when` is sent again under another id");
    BOOST_TEST(found->verdicts[0].findings[0].message.starts_with("an event is handled twice"), wrong(found->verdicts[0]));
    auto counted = text;
    counted.insert(counted.find("    then:"), "    without: [resent-events]\n");
    const auto passed = judge(counted, modes);
    BOOST_TEST(passed->verdicts[0].passed(), wrong(passed->verdicts[0]));
    BOOST_TEST(of(passed->verdicts[0], "duplicates").points == 1u);
}

BOOST_AUTO_TEST_CASE(the_ends_of_all_runs_are_compared_not_of_the_last_one_alone) {
    // The first message is answered by what depends on the try: a crash that repeats the call must not change how its run ends.
    const auto p = judge(std::string(calls_once) + R"(
cases:
  - name: two
    input: { n: 1 }
    answers: [ { call: f, with: { n: 1 }, value: one } ]
    when: [ { message: { n: 2 } } ]
    then: { output: 2, runs: [ { output: one }, { output: 2 } ] }
)", all_modes());
    BOOST_TEST(p->verdicts[0].passed(), wrong(p->verdicts[0]));
}

BOOST_AUTO_TEST_CASE(a_run_that_a_run_starts_may_be_started_again_after_a_crash) {
    const auto p = judge(R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [
  { kid: { run: { workflow: { namespace: t, name: kid, version: '1.0.0', input: {} } } } }, { nap: { wait: PT5S } }, { see: { set: { done: true } } } ] } }
answers: [ { call: run.workflow, value: { n: 42 } } ]
faults: [ { type: runtime }, { type: communication }, { type: timeout } ]
cases: [ { name: a, then: { output: { done: true } } } ]
)", all_modes());
    BOOST_TEST(p->verdicts[0].passed(), wrong(p->verdicts[0]));
}

BOOST_AUTO_TEST_CASE(an_order_is_also_which_of_two_runs_goes_first) {
    trial::modes modes;
    modes.shuffle = 1;
    const auto p = judge(std::string(calls_once) + "cases: [ { name: a, when: [ { message: { n: 2 } } ], then: { output: 2 } } ]\n", modes);
    BOOST_TEST(p->verdicts[0].passed(), wrong(p->verdicts[0]));
    BOOST_TEST(of(p->verdicts[0], "shuffle").detail != "1 order");
}

BOOST_AUTO_TEST_CASE(what_was_never_needed_is_told_unless_some_mode_needs_it) {
    const std::string text = std::string(calls_once) + R"(
cases:
  - name: a
    answers: [ { call: f, with: { n: 9 }, value: 3 } ]
    when: [ { event: { type: nobody.hears } }, { cancel: true } ]
    then: { output: 2 }
)";
    const auto p = judge(text, {});
    BOOST_TEST(p->verdicts[0].passed());
    BOOST_TEST_REQUIRE(p->verdicts[0].notes.size() == 3u);
    BOOST_TEST(p->verdicts[0].notes[0] == "step 1 of `when` is an event (nobody.hears) that no run listened for when it came");
    BOOST_TEST(p->verdicts[0].notes[1] == "step 2 of `when` cancels a run that had ended");
    BOOST_TEST(p->verdicts[0].notes[2].starts_with("answer 1 of this case (`f`) was never given"));
}

BOOST_AUTO_TEST_CASE(an_expectation_of_each_of_no_items_is_told) {
    const auto p = judge(std::string(calls_once) + R"(
cases:
  - { name: nothing, then: { output: 2, approvals: { $each: { status: approved } } } }
  - { name: something, then: { calls: { $each: { attempts: 1 } }, approvals: [] } }
)", {});
    BOOST_TEST(p->verdicts[0].passed(), wrong(p->verdicts[0]));
    BOOST_TEST_REQUIRE(p->verdicts[0].notes.size() == 1u);
    BOOST_TEST(p->verdicts[0].notes[0].starts_with("`$each` of `approvals` had no item to look at, so it held of nothing"), p->verdicts[0].notes[0]);
    BOOST_TEST(p->verdicts[1].notes.empty());
}

BOOST_AUTO_TEST_CASE(a_timer_and_an_answer_of_the_same_moment_come_in_either_order) {
    const std::string text = R"(
given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }, do: [
  { both: { fork: { compete: true, branches: [ { nap: { wait: PT5S, output: { as: '${ "nap" }' } } }, { ask: { call: f } } ] } } } ] } }
functions: { f: { safety: idempotent } }
answers: [ { call: f, value: answer, delay: PT5S } ]
cases: [ { name: a, then: { output: { $oneOf: [ nap, answer ] } } } ]
)";
    trial::modes modes;
    modes.shuffle = 1;
    const auto p = judge(text, modes);
    BOOST_TEST(p->verdicts[0].passed(), wrong(p->verdicts[0]));
    BOOST_TEST(of(p->verdicts[0], "shuffle").detail != "1 order");
}

BOOST_AUTO_TEST_SUITE_END()
