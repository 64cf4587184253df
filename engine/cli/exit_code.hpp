// The program's exit codes: documented in `pawl --help` and stable.
#pragma once

#include "base/run_status.hpp"

namespace pawl::cli {

enum exit_code : int {
    exit_completed = 0,  ///< the command did its work; the run completed
    exit_wrong = 1,      ///< the command line, a file, the project or the store is wrong
    exit_faulted = 2,    ///< the run (or tool, or expression) failed
    exit_cancelled = 3,  ///< the run was cancelled
    exit_waiting = 4,    ///< the run is not over: it waits, or the command was interrupted; `pawl runs resume` goes on
    exit_superseded = 5, ///< the store belongs to a newer pawl, or has become one's while the command ran: use that one
    exit_busy = 6        ///< nothing was done: as many runs wait to begin as `limits` allow; try again later
};

constexpr int exit_code_of(run_status status) noexcept {
    switch (status) {
        case run_status::completed: return exit_completed;
        case run_status::faulted: return exit_faulted;
        case run_status::cancelled: return exit_cancelled;
        default: return exit_waiting;
    }
}

inline constexpr const char* exit_codes_help =
    "Exit codes: 0 completed, 1 the command or a file is wrong, 2 the run faulted, 3 cancelled, 4 still waiting, 5 the store belongs to a newer pawl, 6 busy: try again later.";

}  // namespace pawl::cli
