// The tools and models of a case: every call is answered as the case says, and remembered. What agents are made of (agent.update,
// approval.request, log) is real. A script does not die with the process: the outside keeps what it did, and answers a repeated call as before.
// One thread, that of its world.
#pragma once

#include "agent/manifest.hpp"
#include "agent/state.hpp"
#include "trial/case_file.hpp"
#include "trial/real_tools.hpp"
#include "trial/world.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace pawl::trial {

/// One try of a call, in the order in which they were executed first.
struct seen_try {
    std::string run;
    std::string key;
    std::string function;
    std::string task;
    unsigned attempt = 1;
    json::value with;
    reply answered;
    bool bounded = false;    ///< some time-out ends it
    int executions = 0;
    std::optional<time_point> answer_at;  ///< once executed
    bool real = false;       ///< the tool itself was called
    effect_safety safety = effect_safety::at_most_once;
};

/// In place of what the case answers, for --bad-answers.
struct replacement {
    std::string key;
    std::optional<unsigned> attempt;  ///< absent: every try
    reply with;
};

/// A real model: its answer, waited for.
using model_caller = std::function<runtime::call_outcome(const runtime::call_request&)>;

/// The functions that are real in a script: agent.update, approval.request, log.
std::vector<function_description> real_functions();

class script {
public:
    /// All outlive the script. `functions`: what the project and the file offer.
    script(const test_case& of, const std::vector<function_description>& functions, std::shared_ptr<const agent::agent_states> states);

    /// What recordings are asked with: what an alias of a model stands for, and the project's redaction (may be null; outlives the script).
    void ask_recordings_with(ai::model_namer model_of, redaction* redact) {
        model_of_ = std::move(model_of);
        redact_ = redact;
    }
    /// Calls of models (ai.*) go there instead of to the case's answers. It may take its time.
    void ask_models(model_caller live) { live_ = std::move(live); }
    /// Tools that may really be called; outlives the script. Null: none.
    void call_with(const real_tools* tools) { real_ = tools; }
    void replace(replacement r) { replacement_ = std::move(r); }
    void answer_twice() { answers_ = 2; }
    /// The effects of one process of `w`.
    std::shared_ptr<const runtime::effect_registry> effects(world& w);

    const std::vector<seen_try>& tries() const { return tries_; }
    /// How many calls were answered by the replacement; how many answers were given twice.
    std::size_t replaced() const { return replaced_; }
    std::size_t answered_twice() const { return answered_twice_; }
    const json::array& log() const { return log_; }
    /// Whether the case's answer was chosen for any call.
    bool was_given(const answer& a) const { return used_.contains(&a); }
    /// Calls that no answer fits, each told once: "`orders.lookup` in task `find` with {...}".
    const std::vector<std::string>& unanswered() const { return unanswered_; }

private:
    class scripted;

    /// Whether a call is the tool's own to answer, before and after the case's answers were asked.
    bool is_really_called(const std::string& function) const;
    seen_try& seen(const runtime::call_request& request);
    reply choose(const runtime::call_request& request);
    result<json::value> output_of(const runtime::call_request& request, const reply& r) const;

    const test_case& case_;
    const std::vector<function_description>& functions_;
    std::shared_ptr<const agent::agent_states> states_;
    std::optional<replacement> replacement_;
    ai::model_namer model_of_ = [](std::string_view alias) { return std::string(alias); };
    redaction* redact_ = nullptr;
    model_caller live_;
    recording::used_answers used_recorded_;
    const real_tools* real_ = nullptr;
    int answers_ = 1;
    std::size_t replaced_ = 0, answered_twice_ = 0;
    std::map<const answer*, std::size_t> used_;
    std::vector<seen_try> tries_;
    std::map<std::pair<std::string, unsigned>, std::size_t> places_;
    json::array log_;
    std::vector<std::string> unanswered_;
};

}  // namespace pawl::trial
