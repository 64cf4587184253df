// What can be seen of a case at all: its members, and the names that tasks, functions, outcomes, events and states can have there. What a case says of anything
// else would hold, or fail, whatever happens. Pure; any thread.
#pragma once

#include "expr/vocabulary.hpp"
#include "flow/workflow.hpp"

#include <set>

namespace pawl::trial {

/// The names of one case, or of all cases of a file together.
struct names_of_case {
    std::set<std::string> tasks;
    std::set<std::string> functions;              ///< that can be called, the real ones (agent.update and the like) too
    std::set<std::string> events;                 ///< types that its flows emit
    bool any_event = false;                       ///< some type is only known when it is emitted
    std::set<std::string> project_agents;
    std::set<std::string> agents;                 ///< whose instances its runs belong to
    std::vector<const json::value*> state_schemas;  ///< of these; null: one has none

    void add(const flow::workflow& flow);
    void add(const names_of_case& other);
};

/// The functions that are real in a case: they are among `transitions`, never among `calls`.
bool is_real_function(std::string_view name);

/// What `$seen` may hold. Schemas are read while it is made.
std::shared_ptr<const expr::vocabulary> vocabulary_of(const names_of_case& names);

}  // namespace pawl::trial
