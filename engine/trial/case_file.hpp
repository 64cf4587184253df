// A `*.test.yaml` file: cases as plain values. The format is the JSON Schema of case_schema(); README.md explains it.
// Reading is pure but for the file itself; one thread.
#pragma once

#include "base/clock.hpp"
#include "base/diagnostic.hpp"
#include "base/function.hpp"
#include "flow/yaml.hpp"
#include "trial/recording.hpp"
#include "trial/table.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::trial {

/// How a scripted call ends.
struct reply {
    enum class kind { value, error, silence, real } what = kind::value;
    json::value value;
    bool is_text = false;   ///< `text`: what a model wrote; read as JSON where the call asks for a schema
    bool is_cut = false;    ///< what the model wrote ends in mid-stream
    problem error;
    milliseconds delay{0};
    bool whole = false;         ///< recorded: `value` is the call's output as it was
    json::object record;        ///< recorded facts of the call: model, promptVersion, usage
};

/// Which calls get which replies: the first call the first reply, and so on; the last one stays.
struct answer {
    std::string call;                  ///< function; empty: any
    std::string task;                  ///< task name; empty: any
    std::optional<json::value> with;   ///< matches the arguments
    std::optional<unsigned> attempt;
    std::vector<reply> replies;                  ///< none where a recording answers
    std::shared_ptr<const recording> recorded;   ///< `cassette`
    std::string pointer;
};

/// One thing that the outside does.
struct happening {
    enum class kind { approve, reject, cancel, wait, message, event } what = kind::wait;
    std::string task;   ///< approve, reject: the task that asks; empty: whichever asks first
    std::string by, comment;
    milliseconds duration{0};
    json::value body;   ///< message, event
    std::string pointer;
};

struct earlier_state {
    int version = 1;
    json::value state;
    std::string pointer;
};

/// Another instance of an agent that the store holds.
struct stored_agent {
    std::string agent, key;
    std::optional<int> state_version;
    json::value state;
    std::string pointer;
};

/// A run that was there before the case began, and has gone as far as it can.
struct stored_run {
    std::string flow;  ///< path as written
    json::value input = json::object();
    std::string agent, key;
    std::string pointer;
};

struct starting_point {
    std::string flow;              ///< path as written; empty: `workflow`, or the agent's `on.message`
    json::value workflow;          ///< a whole definition; null: none
    std::string workflow_pointer;
    std::map<std::string, std::string, std::less<>> files;  ///< prompts and schemas that `workflow` names: path as written -> text
    std::string agent, key;
    std::optional<json::value> state;
    std::optional<int> state_version;        ///< absent: the project's
    std::vector<earlier_state> earlier;      ///< the same state as it stood in earlier versions
    time_point clock;
    std::map<std::string, std::string, std::less<>> secrets;
    std::string environment;                 ///< of the manifest; empty: the command's
    std::vector<stored_agent> agents;        ///< `store`
    std::vector<stored_run> runs;            ///< `store`: in this order
    std::vector<happening> events;           ///< `store`: published when those runs had gone as far as they can
    std::string pointer;
};

struct test_case {
    std::string name;
    std::string pointer;
    starting_point given;
    json::value input = json::object();
    std::vector<happening> when;
    std::vector<answer> answers;       ///< the case's own, then the file's
    json::value then = json::object();
    std::string then_pointer;
    std::vector<std::pair<std::string, json::value>> always;  ///< pointer and condition: holds at the end in every mode
    std::vector<json::value> faults;   ///< errors that are declared ends
    std::optional<table_row> row;      ///< this case is one row of a table
    std::vector<std::string> snapshot; ///< members of what was seen that are held against a stored snapshot
    bool real_tools = false;           ///< what the case has no answer for is really called
    std::vector<std::string> real;     ///< these functions are really called, whatever `answers` say
    std::vector<std::string> without;  ///< modes that do not apply, by their names
};

struct case_file {
    std::string path;
    flow::yaml_document document;
    std::vector<function_description> functions;  ///< declared in the file
    std::vector<test_case> cases;
};

struct case_file_result {
    std::optional<case_file> file;  ///< nothing when there are errors
    std::vector<diagnostic> diagnostics;
};

/// `path` is shown in messages.
case_file_result read_cases(std::string_view text, const std::string& path);

/// The JSON Schema (2020-12) of case files.
const json::value& case_schema();

}  // namespace pawl::trial
