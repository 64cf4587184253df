// Turns what SOCI and the drivers throw into a store_error: a class and one sentence, without passwords or row content.
#pragma once

#include "store/location.hpp"

#include <soci/soci.h>

namespace pawl::store {

/// `busy_timeout` is named in the sentence about locks. `committing`: the failure hit a COMMIT, whose outcome is then unknown.
store_error describe_failure(const soci::soci_error& error, const location& where, milliseconds busy_timeout, bool committing);

}  // namespace pawl::store
