// A case from life (`pawl test record`): what the store knows of a finished run, written down as a case that plays it again. Pure; any thread.
#pragma once

#include "store/records.hpp"
#include "trial/redaction.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pawl::trial {

/// What the store knows.
struct life {
    store::run_row run;
    std::vector<store::step_row> steps;
    std::vector<store::approval_row> approvals;
    std::vector<store::outbox_entry> events;
    std::string bundle;                          ///< of its definition
    std::optional<store::agent_row> before;      ///< the agent as the run found it; nothing: new, or not known
    std::vector<std::string> functions;          ///< what the project's tools and models offer: their answers are scripted
    std::vector<std::string> secrets;            ///< names
};

struct recorded_case {
    json::object file;               ///< the case file: one case
    std::vector<std::string> notes;  ///< what is not as it was, a sentence each
};

/// `flow`: the path of the flow as the case file names it; empty: the definition is written into the case. Everything redacted.
recorded_case case_of(const life& from, const std::string& flow, redaction& redact);

/// A case file as YAML, with `notes` and `title` as comments in front.
std::string case_text(const recorded_case& c, const std::string& title);

/// Any JSON value as block YAML, indented.
std::string to_yaml(const json::value& value, std::size_t indent = 0);

}  // namespace pawl::trial
