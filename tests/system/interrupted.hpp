// One run of a project that is killed at one moment and goes on, and what it has left behind: what the kill tests of single constructs share.
#pragma once

#include "system/process.hpp"

#include <set>
#include <string>

namespace pawl::system_tests {

struct interrupted {
    bool crashed = false;  ///< false: it was over before that moment came
    ended end;
};

/// `pawl run flow.yaml`, killed at `moment` (a value of PAWL_CRASH_AT; empty: not at all) and gone on with until it ends well.
interrupted run_interrupted(const place& at, const std::string& moment);

/// The orders in the payments tool's ledger: each once for each effect.
std::multiset<std::string> orders_paid(const temporary_folder& folder);

}  // namespace pawl::system_tests
