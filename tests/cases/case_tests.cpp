// The suite's own cases, in every mode; and defects planted in small flows, each found by the mode that should find it.
#include "cases/suite.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>

using namespace pawl;
using namespace pawl::cases;

namespace {

std::size_t judge_all(const trial::modes& modes, std::size_t& histories) {
    std::size_t cases = 0;
    for (const auto& path : files_ending(".test.yaml")) {
        const auto opened = open_file(path);
        trial::runner runner(opened->file, project(), {});
        trial::judge judge(runner, modes);
        for (const auto& each : opened->file.cases) {
            const auto verdict = judge.examine(each);
            BOOST_TEST(verdict.passed(), told(*opened, verdict));
            histories += verdict.histories;
            // No mode holds because it did nothing: one that plays no point says why, and these two always have some.
            for (const auto& m : verdict.modes) {
                BOOST_TEST((m.points > 0) == m.none.empty(), each.name << ": " << m.mode);
                if (m.mode == "crash-everywhere") BOOST_TEST(m.points >= 2 * verdict.checkpoints, each.name << ": " << m.points << " crashes at " << verdict.checkpoints << " checkpoints");
                if (m.mode == "shuffle") BOOST_TEST(m.points == 16u, each.name);
            }
            ++cases;
        }
    }
    return cases;
}

struct defect {
    std::string file;    ///< in defects/, without .defect.yaml
    std::string mode;    ///< empty: the plain case finds it
    std::string phrase;  ///< in message, hint or point
};

trial::modes only(const std::string& mode) {
    trial::modes m;
    m.crash_everywhere = mode == "crash-everywhere";
    m.duplicates = mode == "duplicates";
    m.bad_answers = mode == "bad-answers";
    m.old_states = mode == "old-states";
    if (mode == "shuffle") m.shuffle = 1;
    return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cases)

BOOST_AUTO_TEST_CASE(every_case_holds) {
    std::size_t histories = 0;
    const auto began = std::chrono::steady_clock::now();
    const auto count = judge_all({}, histories);
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::cout << "cases: " << count << " in " << seconds << " s, " << static_cast<int>(static_cast<double>(count) / seconds) << " a second\n";
    BOOST_TEST(count >= 100u);
}

BOOST_AUTO_TEST_CASE(every_case_holds_in_every_mode) {
    trial::modes all;
    all.crash_everywhere = all.duplicates = all.bad_answers = all.old_states = true;
    all.shuffle = 1;
    std::size_t histories = 0;
    const auto count = judge_all(all, histories);
    BOOST_TEST(count >= 100u);
    std::cout << "cases: " << count << ", histories: " << histories << "\n";
    BOOST_TEST(histories > count * 3);
}

BOOST_AUTO_TEST_CASE(every_case_holds_whatever_order_twenty_seeds_choose) {
    for (std::uint64_t seed = 2; seed <= 21; ++seed) {
        trial::modes m;
        m.shuffle = seed;
        std::size_t histories = 0;
        BOOST_TEST_INFO_SCOPE("seed " << seed);
        judge_all(m, histories);
    }
}

BOOST_AUTO_TEST_CASE(every_planted_defect_is_found_by_its_mode_and_by_no_other) {
    const std::vector<defect> planted{
        {"refund_without_key", "crash-everywhere", "leaves open whether an at-most-once call took place"},
        {"state_before_effect", "bad-answers", "what must always hold does not"},
        {"missing_catch", "bad-answers", "nothing catches it"},
        {"swallowed_error", "bad-answers", "what must always hold does not"},
        {"timeout_shorter_than_retry", "bad-answers", "nothing catches it"},
        {"garbage_believed", "bad-answers", "nothing catches it"},
        {"no_deadline_for_a_human", "", "`status` is not as expected"},
        {"migration_drops_a_field", "old-states", "becomes another state than `given.state`"},
        {"order_of_branches", "shuffle", "is not as expected"},
        {"migration_missing", "old-states", "cannot be brought to version 3"},
        {"event_handled_twice", "duplicates", "an event is handled twice"},
        {"lost_update", "shuffle", "`state/count` is not as expected"},
        {"answer_with_the_deadline", "shuffle", "`output/paid` is not as expected"},
        {"migration_forgets_the_unit", "old-states", "becomes another state than `given.state`"},
    };
    BOOST_TEST(files_ending(".defect.yaml", PAWL_CASES "/defects").size() == planted.size());
    for (const auto& each : planted) {
        const auto opened = open_file(std::string(PAWL_CASES) + "/defects/" + each.file + ".defect.yaml");
        trial::runner runner(opened->file, project(), {});
        for (const std::string mode : {"", "crash-everywhere", "duplicates", "bad-answers", "shuffle", "old-states"}) {
            trial::judge judge(runner, only(mode));
            const auto verdict = judge.examine(opened->file.cases.front());
            if (mode != each.mode) {
                if (!each.mode.empty()) BOOST_TEST(verdict.passed(), each.file << " in mode " << mode << ":\n" << told(*opened, verdict));
                continue;
            }
            BOOST_TEST_REQUIRE(!verdict.passed(), each.file << " was not found by " << mode);
            const auto& f = verdict.findings.front();
            BOOST_TEST(f.mode == mode);
            BOOST_TEST((f.message + f.hint).find(each.phrase) != std::string::npos, each.file << ":\n" << told(*opened, verdict));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
