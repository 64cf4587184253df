// Recorded model answers: a text file, one JSON object a line.
//
//   recorded      {"request": {function, model, system?, messages?, schema?, input?}, "response": {...}}
//   hand-written  {"match": {task?, model?, contains?}, "response": {...}}
//   response      {"text" | "json" | "vectors" | "result", "toolCalls"?, "finishReason"?, "usage"?, "requestId"?}, or {"error": {type, status?, detail?, retryable?}}
//
// A request is answered by the record with the same canonical digest, else by the first `match` in order that fits. Answers do not depend on what was asked before, so a
// call that is repeated after a crash gets the same one. Blank lines and lines that begin with # or // are skipped. Immutable after loading; any thread.
#pragma once

#include "ai/provider.hpp"

#include <map>
#include <vector>

namespace pawl::ai {

class cassette {
public:
    /// Error: one `configuration` problem with file and line, for whatever is malformed, truncated or too large.
    static result<cassette> load(const std::string& file);
    static result<cassette> parse(std::string_view text, const std::string& file);

    /// Error: what the cassette scripts, or a `configuration` problem that tells the closest record and how the request differs from it.
    result<model_reply> answer(const model_request& request) const;

    /// As answer(), but nothing where the cassette has none.
    std::optional<result<model_reply>> find(const model_request& request) const;
    /// The recorded request that is most like this one; a line of 0: there is none.
    struct recorded_request {
        std::size_t line = 0;
        json::object request;
    };
    recorded_request closest(const model_request& request) const;

    struct rule {
        std::size_t line = 0;
        std::string task, model;             ///< empty: any
        std::vector<std::string> contains;   ///< all of them in the texts of system and messages
    };

private:
    struct record {
        std::size_t line = 0;
        json::object request;
        std::size_t response = 0;
    };
    const record* closest_record(const json::object& form) const;  ///< null: nothing is recorded
    problem miss(const model_request& request, const json::object& form) const;
    result<void> add(json::value line, std::size_t number);

    std::string file_;
    std::vector<result<model_reply>> responses_;
    std::vector<record> records_;
    std::map<std::string, std::size_t, std::less<>> by_digest_;  ///< to a response
    std::vector<std::pair<rule, std::size_t>> rules_;
};

/// What recordings and requests are compared by.
std::string digest_of(const json::object& recorded_request);

/// A line for a cassette, with its line break.
std::string cassette_line(const model_request& request, const model_reply& reply);

}  // namespace pawl::ai
