// Takes out of recordings what a project's `redact` names, and secrets: consistently, so that a recording still answers.
//
// The same value becomes the same token in every file and every process: `[redacted-` + 8 hex digits of its SHA-256 + `]`, a number another number. So a request
// that is redacted by the same rules finds its recording. Whoever can guess a value can check the guess: tokens are pseudonyms. Members with secret names
// and values of secrets become `[redacted]`. A value that was found once is replaced wherever it stands afterwards, also within texts.
// Thread-safe.
#pragma once

#include "agent/manifest.hpp"
#include "observe/redact.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace pawl::trial {

class redaction {
public:
    /// Nothing but members with secret names.
    redaction() = default;
    explicit redaction(agent::redact_settings rules, std::vector<std::string> secrets = {});

    /// `value` without what the rules name. It is a whole document for their JSON Pointers: an input, arguments, an output.
    json::value apply(json::value value);
    /// Whether this scalar stands for another one, or holds a token: it is not what the flow will make.
    bool is_replaced(const json::value& scalar) const;
    /// How many different values were replaced so far.
    std::size_t count() const;

private:
    void learn(const json::value& value);
    void learn_members(const json::value& value, bool named);
    void learn_at(const json::value& value, std::string_view pointer);
    void learn_patterns(const json::value& value);
    void add(const json::value& scalar);
    void replace(json::value& value) const;

    agent::redact_settings rules_;
    observe::secret_values secrets_;
    mutable std::mutex lock_;
    std::map<std::string, std::string, std::greater<>> texts_;  ///< value -> token; a longer text that begins alike comes first
    std::map<std::string, std::int64_t> numbers_;               ///< by canonical text
};

}  // namespace pawl::trial
