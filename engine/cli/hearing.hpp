// What a run listens for, and the events that it keeps for listens to come.
#pragma once

#include "store/connection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::cli {

/// What its live listens wait for, of all that it is subscribed to, and what it keeps for later ones: as its state says (run/state_codec.hpp).
struct hearing {
    std::vector<std::string> awaited;
    std::uint64_t kept = 0, dropped = 0;
};
hearing hearing_of(store::connection& connection, const store::run_row& row);

}  // namespace pawl::cli
