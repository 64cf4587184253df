// Files that a flow refers to by URL (schemas, functions of catalogs), read while it is compiled: through the egress map, with authentication, within limits.
// Main thread only: it waits for the answer.
#pragma once

#include "cli/toolbox.hpp"
#include "cli/workflow_finder.hpp"

namespace pawl::cli {

/// Keeps what it needs of the tools alive.
read_url read_from_network(const toolbox& tools);

}  // namespace pawl::cli
