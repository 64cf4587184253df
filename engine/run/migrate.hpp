// Moves a live run to another version of its definition: every live frame goes to the task with the same path of names. Pure; the thread that owns the state.
#pragma once

#include "run/state.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pawl::run {

/// Why one live frame cannot go on in the other definition.
struct migration_obstacle {
    std::string task;     ///< name
    std::string pointer;  ///< in the definition that the run has now
    std::string why;      ///< a sentence
};

/// Moves `s` to `to` and returns nothing, or changes nothing and returns every obstacle. What has happened stays: `$context`, inputs, results, counts and keys.
/// Tasks that are about to be entered, and the branches of a live `fork`, must exist there too; a call under way must still name the same function.
std::vector<migration_obstacle> migrate(run_state& s, std::shared_ptr<const flow::workflow> to);

}  // namespace pawl::run
