// The CloudEvent types of lifecycle events (dsl.md, "Lifecycle Events").
#pragma once

#include <string_view>

namespace pawl::runtime {

inline constexpr std::string_view lifecycle_type_prefix = "io.serverlessworkflow.";

/// True for events that the engine tells of runs by itself; false for what a flow emits.
inline bool is_lifecycle_type(std::string_view type) noexcept { return type.starts_with(lifecycle_type_prefix); }

}  // namespace pawl::runtime
