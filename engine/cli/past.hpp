// A stored run as it was when it last entered a task, and what it has done since: for `pawl runs rewind` and `pawl runs fork --from`. Main thread only; blocks on the store.
#pragma once

#include "cli/session.hpp"
#include "run/replay.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

struct look_back {
    std::shared_ptr<const flow::workflow> workflow;
    run::point_in_past point;
    std::string task;            ///< its path
    std::int64_t next_step = 1;  ///< of the run as it is
    std::string repeated;        ///< what has happened since and will happen again, a line for each kind; empty: nothing
    bool needs_consent = false;  ///< some of it may not happen twice
    std::vector<run::value_ref> kept_events;  ///< what the run keeps now for a later listen
};

class historian {
public:
    explicit historian(session& in) : in_(in) {}

    /// Error: what keeps the run from being rebuilt at its last entry of `task`.
    result<look_back> look(const store::run_row& run, const std::string& task);

private:
    result<std::shared_ptr<const flow::workflow>> definition(const std::string& digest);

    session& in_;
    std::map<std::string, std::shared_ptr<const flow::workflow>> known_;
};

/// The state as an order's or a store's row has it.
struct stored_state {
    std::string text;
    std::map<std::string, std::string, std::less<>> blobs;  ///< by digest
};
stored_state stored(const run::run_state& state);

}  // namespace pawl::cli
