// One case, one history: builds the world of a case, lets happen what the case says, and tells what was seen.
// One thread; a runner keeps the compiled flows of its file.
#pragma once

#include "agent/manifest.hpp"
#include "flow/workflow.hpp"
#include "trial/case_vocabulary.hpp"
#include "trial/coverage.hpp"
#include "trial/script.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::trial {

/// What a case's history differs in from the plain one.
struct variant {
    std::optional<crash_point> crash;
    bool duplicates = false;
    std::optional<std::size_t> resent;  ///< this event of `when`, counted from 0, comes again under another id
    std::uint64_t seed = 0;
    std::optional<replacement> bad;
    std::optional<earlier_state> earlier;
};

/// A step of `when` that could not be done, or a world that never comes to rest.
struct trouble {
    std::string pointer;
    std::string message;
    bool of_the_case = true;  ///< what is written is wrong; false: it is what came of it
};

struct history {
    /// { status, output, error, state, meta, transitions, calls, events, approvals, log, runs, took }
    json::object seen;
    std::vector<seen_try> tries;
    std::vector<std::string> unanswered;
    std::vector<trouble> troubles;
    std::size_t commits = 0;
    std::size_t written = 0;       ///< checkpoints, also those that were refused: where crash points count
    std::size_t crashes = 0;
    std::size_t replaced = 0;      ///< calls that got the variant's bad answer
    std::size_t twice = 0;         ///< messages, decisions and answers that came a second time
    std::size_t resent = 0;        ///< events that came again under another id
    std::vector<std::string> notes;   ///< steps of `when` that nobody took notice of
    std::vector<std::string> unused;  ///< answers of the case's own that no call got: a sentence's beginning each
    std::vector<std::string> real_calls;  ///< functions that were really called and are at-most-once
    bool waits_for_decision = false;
    std::vector<std::string> said;
    std::shared_ptr<const flow::workflow> workflow;
};

class runner {
public:
    /// `functions`: what the project offers. Both outlive the runner.
    runner(const case_file& file, const agent::manifest& project, const std::vector<function_description>& functions);

    /// Error: the flow cannot be used, and why, rendered.
    result<std::shared_ptr<const flow::workflow>> flow_of(const test_case& c);
    result<history> run(const test_case& c, const variant& v = {});
    /// What the case says of names and members that are not there: it would hold for ever, or never be used. What the file says for all its cases is told
    /// with the first case that is asked for.
    std::vector<trouble> mistaken_names(const test_case& c);

    /// The models of every history from now on are real ones.
    void ask_models(model_caller live) { live_ = std::move(live); }
    /// What the histories from here on do is counted there; null: nowhere.
    void measure(coverage* in) { coverage_ = in; }

    /// Where calls go that are really made; outlives the runner. Null: nowhere.
    void call_with(const real_tools* tools) { real_ = tools; }

    /// A state of the case's agent as today's version holds it. Error: why its migrations cannot bring it there.
    result<json::value> migrated(const test_case& c, int version, const json::value& state) const;
    /// The version of the state that `given.state` has: the project's when the case says none.
    int state_version(const test_case& c) const;
    int newest_version(const test_case& c) const;
    /// Earlier versions of the agent's state that the case does not say.
    std::vector<int> untold_versions(const test_case& c) const;

    const case_file& file() const { return file_; }
    const std::vector<function_description>& functions() const { return functions_; }

private:
    /// The provider's name of the model that an alias of the project stands for.
    std::string model_name(std::string_view alias) const;
    result<std::shared_ptr<const flow::workflow>> compile_file(const std::string& path, const agent::agent_settings* agent);
    result<std::shared_ptr<const flow::workflow>> compile_inline(const test_case& c, const agent::agent_settings* agent);
    std::optional<trouble> fill_store(const test_case& c, world& w, std::vector<std::string>& runs);
    /// What the case can name; nothing: one of its flows cannot be used.
    std::optional<names_of_case> names_of(const test_case& c);
    std::string run_prefix(const test_case& c);
    std::vector<std::string> unused_answers(const test_case& c, const script& outside) const;
    void measure(const test_case& c, const std::shared_ptr<const flow::workflow>& workflow, world_options& options);

    const case_file& file_;
    const agent::manifest& project_;
    std::vector<function_description> functions_;
    std::shared_ptr<const agent::agent_states> states_;
    std::map<std::string, std::shared_ptr<const flow::workflow>> compiled_;
    redaction redact_;
    model_caller live_;
    coverage* coverage_ = nullptr;
    const real_tools* real_ = nullptr;
    bool file_was_read_ = false;   ///< for names that are mistaken
    std::map<const test_case*, std::string> run_prefixes_;  ///< of cases with real tools
};

}  // namespace pawl::trial
