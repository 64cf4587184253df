// Deployed workflows: definitions that a store knows by namespace, name and version. Main thread only; blocks on the store.
#pragma once

#include "cli/workflow_finder.hpp"

namespace pawl::cli {

/// The deployed definition of that name, the current version when none is asked for. `store` may be null: then nothing is deployed.
/// Error: there is none, and which there are.
result<std::shared_ptr<const flow::workflow>> deployed_workflow(store::connection* store, const workflow_name& name);

/// "namespace/name:version"
std::string label_of(const store::deployment_row& row);

}  // namespace pawl::cli
