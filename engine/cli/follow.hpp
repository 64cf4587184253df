// Follows one run to its end: here when this process owns the run's shard, from the store while another process does. Shows progress meanwhile, says
// how to approve when the run waits for a human, and gives the result the form the user asked for. Main thread only.
#pragma once

#include "cli/progress.hpp"
#include "cli/session.hpp"

#include <optional>
#include <string>

namespace pawl::cli {

struct follow_options {
    bool detach = false;  ///< leave as soon as the run only waits
    bool json = false;    ///< one document on standard output instead of progress and result
    /// When set, "only waits" does not count before it says true (a decision that is still under way, for example).
    std::function<bool()> applied;
    /// When another process drives the run: enough that `applied` says true.
    bool leave_to_owner = false;
    bool quiet_result = false;  ///< say how the run stands in one line, do not print its output
};

class follower {
public:
    follower(session& in, std::string run, shard_id shard, follow_options options);

    /// Until the run is final, only waits (with detach), or a signal. The exit code, with the result printed.
    /// Error: the store is unusable, or the run is gone.
    result<int> follow();

private:
    bool look();
    bool look_at_store();
    void read_steps();
    void note_owner();
    void say_that_it_is_suspended();
    void say_what_it_waits_for(std::optional<time_point> until, bool parked);
    bool only_waits(const store::run_row& row);
    void event(const runtime::run_event& e);
    bool fail_with(const store::store_error& error);
    result<int> finish();
    void print_result(const store::run_row& row);

    session& in_;
    std::string run_;
    shard_id shard_;
    follow_options options_;
    progress view_;
    std::optional<store::run_row> row_;
    std::optional<problem> failure_;
    bool here_ = false;           ///< this process owns the shard
    bool told_elsewhere_ = false;
    bool told_suspended_ = false;
    bool ended_ = false, waits_ = false;
    std::int64_t steps_seen_ = 0;
    std::chrono::steady_clock::time_point next_look_{};
};

/// `pawl runs show --json` and the document of --json: { id, workflow, status, environment, createdAt, updatedAt, endedAt?, agent?, parent?, children?, tags?, output | error, waitingFor?, steps }.
/// `limits` are the project's, if it is known (waits.hpp).
json::object run_document(store::connection& connection, const store::run_row& row, std::shared_ptr<const runtime::limit_settings> limits = nullptr);

/// The first characters of an id that people need to type.
std::string short_id(std::string_view id);

}  // namespace pawl::cli
