// Is a case true, and does it stay true whatever happens? Each mode plays the case again and again, every time with one misfortune, and compares.
// One thread; different judges may be on different threads.
#pragma once

#include "trial/runner.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::trial {

struct modes {
    bool crash_everywhere = false;  ///< the process dies before and after every checkpoint in turn
    bool duplicates = false;        ///< messages, decisions, events and answers arrive twice; each event again under another id
    bool bad_answers = false;       ///< each answer in turn is garbage, an error, or never comes
    std::optional<std::uint64_t> shuffle;  ///< things happen in the order that the seed chooses, and in those of the seeds after it
    bool old_states = false;        ///< the agent's state begins in each of its earlier versions
    std::string point;              ///< of all points only the one that is named so; empty: all
    bool any() const noexcept { return crash_everywhere || duplicates || bad_answers || shuffle || old_states; }
};

/// One way in which a case failed, smallest reproduction included.
struct finding {
    std::string mode;        ///< empty: the case as it is
    std::string point;       ///< what was done to it: "crash after checkpoint 3"
    std::string pointer;     ///< into the case file
    std::string message;     ///< a sentence
    std::string expected;    ///< may be empty
    std::string actual;
    std::string hint;        ///< may be empty
    std::vector<std::string> transitions_expected, transitions_actual;  ///< when they tell more
    bool wrong = false;      ///< the case itself, or a file that it names, is wrong: this is no failure of the flow
};

/// What one mode did to a case.
struct mode_report {
    std::string mode;
    std::size_t points = 0;  ///< histories that it played, each with one misfortune
    std::string detail;      ///< "4 orders"; may be empty
    std::string none;        ///< why it played nothing; empty when it played something
};

struct verdict {
    const test_case* of = nullptr;
    std::vector<finding> findings;
    std::vector<std::string> unused; ///< answers of its own that no call got in any history
    std::size_t histories = 0;     ///< how many were played
    double seconds = 0;            ///< real ones
    std::vector<mode_report> modes;  ///< those that were asked for
    std::vector<std::string> notes;  ///< what was not done or never needed, and why
    std::size_t checkpoints = 0;   ///< of the plain one
    json::object seen;             ///< of the plain one
    std::shared_ptr<const flow::workflow> workflow;
    bool passed() const noexcept { return findings.empty(); }
    /// It could not be tested as it is written.
    bool wrong() const noexcept;
};

class judge {
public:
    judge(runner& with, modes chosen) : runner_(with), modes_(chosen) {}

    verdict examine(const test_case& c);

private:
    /// The chosen modes that the case does not do without, one after the other.
    void play_modes(const test_case& c, const history& plain, verdict& v);
    void plain(const test_case& c, verdict& v, history& out);
    void crashes(const test_case& c, const history& plain, verdict& v);
    void twice(const test_case& c, const history& plain, verdict& v);
    void resent(const test_case& c, const history& plain, verdict& v);
    /// Whether this point is the one that is played, or all are.
    bool wanted(const finding& about) const { return modes_.point.empty() || modes_.point == about.point; }
    void never_came(const test_case& c, finding about, std::string what, verdict& v);
    void bad(const test_case& c, const history& plain, verdict& v);
    void shuffled(const test_case& c, const history& plain, verdict& v);
    bool same_state(const test_case& c, const earlier_state& each, finding about, verdict& v);
    void old(const test_case& c, const history& plain, verdict& v);
    void compare(const history& plain, const history& other, const finding& about, std::vector<finding> found, verdict& v);
    std::optional<history> play(const test_case& c, const variant& how, finding about, verdict& v);
    void same_end(const test_case& c, const history& plain, const history& other, const finding& about, verdict& v);

    runner& runner_;
    modes modes_;
};

/// What a row's `expect` is held against: the last result of the table's task, or the run's output; nothing when there is none.
std::optional<json::value> row_actual(const test_case& c, const history& h);
/// What a member of `then` says, without short forms.
json::value whole_expectation(std::string_view name, const json::value& expected, bool unordered);
/// What does not match `then`, `always` and the script; `unordered`: lists in any order.
std::vector<finding> judge_expectations(const test_case& c, const history& h, bool unordered);
/// What holds only because there was nothing to look at, a note each.
std::vector<std::string> idle_expectations(const test_case& c, const history& h);
std::vector<finding> judge_conditions(const test_case& c, const history& h);
/// Why the end is none that the flow declares; nothing when it is.
std::optional<std::string> undeclared_end(const test_case& c, const history& h);

}  // namespace pawl::trial
