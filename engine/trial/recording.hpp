// Recorded answers for cases (`cassette` in `answers`): a text file, one JSON object a line, in any mixture of
//
//   {"call": {"function", "task"?, "attempt"?, "with"?}, "value": V, "record"?}    what `pawl run --record` writes: one answer of one function
//   {"call": {...}, "error": PROBLEM}                                              `with` absent: whatever the arguments
//   {"request" | "match": ..., "response": ...}                                    a model's cassette (ai/cassette.hpp)
//
// A call is answered by a record of its function with equal arguments; of several, by that of its attempt, then of its task, then by the first that has not answered yet;
// the last one stays. Models are asked with their prompts read, as the replay provider is. Blank lines and those that begin with # or // are skipped.
// Immutable after loading; any thread.
#pragma once

#include "ai/replayed.hpp"
#include "trial/redaction.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pawl::trial {

class recording {
public:
    /// Error: one `configuration` problem that names file and line.
    static result<recording> load(const std::string& file);
    static result<recording> parse(std::string_view text, const std::string& file);

    struct answer {
        std::size_t line = 0;
        std::string function, task;
        std::optional<unsigned> attempt;
        std::optional<json::value> with;
        result<json::value> value;
        json::object record;
    };

    /// The answers that one history has used so far.
    using used_answers = std::set<const answer*>;
    /// Nothing: a miss. `redact` may be null; a request matches as it is, or redacted.
    std::optional<runtime::call_outcome> find(const runtime::call_request& call, const ai::model_namer& model_of, redaction* redact, used_answers& used) const;
    /// Why there is no answer: the closest record and how it differs, a line for each place. Without secrets.
    std::string miss(const runtime::call_request& call, const ai::model_namer& model_of) const;

    const std::string& file() const noexcept { return file_; }

private:
    result<void> add(json::object line, std::size_t number);

    std::string file_;
    std::vector<answer> answers_;
    std::shared_ptr<const ai::cassette> models_;  ///< never null after parse()
};

/// A line of a recording, with its line break.
std::string recording_line(const runtime::call_request& call, const runtime::call_outcome& outcome, redaction& redact);

}  // namespace pawl::trial
