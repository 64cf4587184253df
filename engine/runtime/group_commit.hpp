// What becomes of the checkpoints that are written together: tries, pauses, outcomes that nobody knows, and checkpoints over which the store stumbles. The journal without its thread:
// the same code runs there and in the simulator.
//
// Guarantees: groups are written in the order in which they were given, heartbeats before the checkpoints that were given with them; a checkpoint is reported committed only when the
// database has said so; after a connection was lost in the middle of a commit, its outcome is settled by the runs' revisions, never guessed. A checkpoint that the store refuses for what
// is in it, or stumbles over whenever it is given it while it takes others (a row that somebody has locked, a text too large for the server), is held and tried again by itself: it keeps
// nobody else waiting, and its run stays as it is stored.
//
// One thread at a time; advance() blocks on the store, and on nothing else.
#pragma once

#include "runtime/backoff.hpp"
#include "store/connection.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace pawl::runtime {

class group_commit {
public:
    using moment = std::chrono::steady_clock::time_point;
    using batch = std::vector<store::checkpoint>;

    struct surroundings {
        std::function<void(batch checkpoints, std::vector<store::checkpoint_outcome> outcomes)> done;
        std::function<void(const store::store_error&)> superseded;  ///< the store belongs to a newer version: nothing is written any more, and every checkpoint is fenced
        std::function<bool()> others_wait;                          ///< more will be given as soon as this is written
        std::function<bool()> is_stopping;                          ///< nothing is tried twice any more
        std::function<moment()> now;
        const std::function<void(std::string_view)>& log;
    };

    group_commit(std::shared_ptr<store::database> database, surroundings around);

    /// To be written next. The runs of a batch have one checkpoint each, so order within it does not matter.
    void give(batch checkpoints, std::vector<store::heartbeat_row> beats);
    /// Something has been given that is not written yet. Held checkpoints do not count.
    bool is_busy() const noexcept { return !beats_.empty() || !groups_.empty(); }
    /// One round. How long to wait before the next one, while busy; held checkpoints whose time has come are tried when nothing else is to be written.
    milliseconds advance();
    /// When the first of the held checkpoints is to be tried again.
    std::optional<moment> next_held() const;

private:
    /// Tried together.
    struct group {
        batch checkpoints;
        bool in_doubt = false;  ///< a try may have committed them
        std::size_t tries = 0;
    };
    /// A checkpoint that was refused by itself.
    struct held_checkpoint {
        store::checkpoint checkpoint;
        moment again;
        milliseconds pause;
        bool in_doubt;
    };
    enum class certainty { proven, suspected };  ///< whether the store took others meanwhile

    store::store_result<void> connect();
    store::store_result<void> attempt(batch& given, bool& in_doubt);
    milliseconds write_beats();
    milliseconds commit(group given);
    void stand_aside(batch& given, const store::store_error& why);
    void isolate(group given);
    void single_out(group& given);
    void hold(store::checkpoint refused, milliseconds pause, const store::store_error& why, bool in_doubt, certainty how = certainty::proven);
    void retry_held();
    store::store_result<void> settle(const batch& given, std::vector<store::checkpoint_outcome>& outcomes);

    std::shared_ptr<store::database> database_;
    surroundings around_;
    outage outage_;
    std::vector<store::heartbeat_row> beats_;
    std::deque<group> groups_;
    std::vector<held_checkpoint> held_;
    std::unique_ptr<store::connection> connection_;
};

}  // namespace pawl::runtime
