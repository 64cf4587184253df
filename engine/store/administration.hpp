// What operators do with a store beside running it: keep it small. A connection of its own, so that it never stands in the way of checkpoints; everything it does is
// done in transactions of bounded size. One thread at a time; every call blocks. Times are the database's clock.
#pragma once

#include "store/connection.hpp"
#include "store/health.hpp"
#include "store/transfer.hpp"

namespace pawl::store {

/// How long what is over is kept. Nothing: for ever.
struct retention {
    std::optional<milliseconds> finished_runs;      ///< since their end; with their steps, delivered events and approvals
    std::optional<milliseconds> live_history;       ///< steps of runs that still live, since the step's end
    std::optional<milliseconds> delivered_events;   ///< since delivery
    std::optional<milliseconds> consumed_messages;  ///< since consumption: so long a second message with the same (source, id) is recognised
    std::optional<milliseconds> ended_approvals;    ///< since the decision

    bool empty() const noexcept { return !finished_runs && !live_history && !delivered_events && !consumed_messages && !ended_approvals; }
};

struct pruned_rows {
    std::size_t runs = 0, steps = 0, events = 0, messages = 0, approvals = 0;
    bool more = false;  ///< there is more to prune: call again

    std::size_t total() const noexcept { return runs + steps + events + messages + approvals; }
};

/// Where prune() goes on with the history of live runs; starts anew at the end.
struct prune_position {
    std::int64_t shard = -1;
    std::string run;
};

class administration {
public:
    virtual ~administration() = default;

    /// One round: at most about `most` rows of each kind, in one transaction. What a live run needs stays: a finished run with live children, with a message
    /// that waits (for it, or from it for its parent), or with events to deliver; steps of a live run go (they are for reading only).
    virtual store_result<pruned_rows> prune(const retention& keep, prune_position& position, std::size_t most) = 0;
    /// The same for finished runs that a filter finds (its `limit` and `after` do not count).
    virtual store_result<pruned_rows> prune_runs(const run_filter& filter, std::size_t most) = 0;
    /// What prune_runs() would take, without taking it: the first `most`.
    virtual store_result<std::vector<run_row>> prunable_runs(const run_filter& filter, std::size_t most) = 0;

    /// Ends a live run here, so that it can live on in another store: it becomes cancelled with an error of type `moved_error`, its timers, subscriptions, messages
    /// and approvals end, and what it needs to go on stays readable until it is pruned. True when it is moved (also when it was before). False: it computes just now, is over, or
    /// its revision is not `revision` any more.
    virtual store_result<bool> move_run(const run_row& run) = 0;
    virtual store_result<transferred_run> read_transfer(std::string_view run) = 0;
    /// Steps of a run that import_run() will store; those that exist are left as they are.
    virtual store_result<void> import_steps(shard_id shard, std::string_view run, std::span<const step_row> steps) = 0;
    /// The run, in one transaction; its events count as delivered. False: a run of this id exists, and nothing was changed. Messages are posted by the caller.
    virtual store_result<bool> import_run(const transferred_run& run) = 0;

    /// What cannot proceed, the oldest first: what was noted (connection::note_dead_letter) and still holds, then messages for runs that do not exist.
    virtual store_result<std::vector<dead_letter>> list_dead_letters(std::size_t limit) = 0;
    /// The event or message itself; empty for a run.
    virtual store_result<std::string> dead_letter_body(const dead_letter& letter) = 0;
    /// An event is delivered again to every sink; a run is forgotten as a dead letter (the caller wakes it). False: there is nothing to try again.
    virtual store_result<bool> retry_dead_letter(const dead_letter& letter) = 0;
    /// An event counts as delivered, a message as taken, a run ends as faulted (the caller tells its parent). False: it went on meanwhile.
    virtual store_result<bool> discard_dead_letter(const dead_letter& letter) = 0;

    /// Every check, good ones too. `repair`: mends what is safe to mend. Reads whole tables; `local_time` is the caller's clock.
    virtual store_result<std::vector<health_finding>> examine(bool repair, time_point local_time) = 0;
};

}  // namespace pawl::store
