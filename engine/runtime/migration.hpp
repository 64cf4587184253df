// The message that moves a live run to another definition: inbox kind "migrate", body { digest, by }. Pure; any thread.
#pragma once

#include "run/control.hpp"

#include <string>
#include <string_view>

namespace pawl::runtime {

using run::migrate_kind;

std::string migration_message(std::string_view digest, std::string_view by);
/// The digest in such a message; empty when the text is none.
std::string migration_target(std::string_view message);

}  // namespace pawl::runtime
