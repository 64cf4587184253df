// Where a workflow listens: what its runs can ever be told by an event, known before any of them begins. Pure; any thread.
#pragma once

#include "flow/workflow.hpp"

#include <set>
#include <string>
#include <vector>

namespace pawl::flow {

/// Types of the events that a new run of it can take; only "" when every type can be; none when it never listens.
std::set<std::string> heard_types(const workflow& w);

/// Every `listen` of the workflow, in the order of its tasks.
std::vector<listen_place> listens_of(const workflow& w);

}  // namespace pawl::flow
