// Group commit: one thread that writes the checkpoints of all runs. While one transaction commits, the next batch gathers.
//
// Guarantees: checkpoints are written in the order in which they were given; a checkpoint is reported committed only when the database has said so; after a
// connection was lost in the middle of a commit, its outcome is settled by the runs' revisions, never guessed. While the store cannot be
// reached the journal waits and tries again; nothing is dropped. A checkpoint that the store refuses for what is in it, or stumbles over whenever it is
// given it while it takes others (a row that somebody has locked, a text too large for the server), is held and tried again by itself: it keeps nobody else
// waiting, and its run stays as it is stored.
#pragma once

#include "runtime/backoff.hpp"
#include "store/connection.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pawl::runtime {

class journal {
public:
    using report = std::function<void(std::vector<store::checkpoint> batch, std::vector<store::checkpoint_outcome> outcomes)>;

    using superseded = std::function<void(const store::store_error&)>;

    /// `done` is called on the journal's thread after each batch; `newer` when the store belongs to a newer version now: then nothing is written any more, and every checkpoint is fenced.
    journal(std::shared_ptr<store::database> database, std::size_t max_batch, report done, const std::function<void(std::string_view)>& log, superseded newer = [](const store::store_error&) {});
    ~journal();  ///< stop()

    /// Any thread. Written before what write() is given after it; while the store does not answer, the newest row of a call wins.
    void beat(store::heartbeat_row row);
    /// Any thread.
    void write(store::checkpoint checkpoint);
    /// Writes what has been given, as far as the store answers at once, and ends the thread.
    void stop();

    std::uint64_t transactions() const noexcept { return transactions_; }
    std::uint64_t checkpoints() const noexcept { return checkpoints_; }

private:
    /// A checkpoint that was refused by itself.
    struct held_checkpoint {
        store::checkpoint checkpoint;
        std::chrono::steady_clock::time_point again;
        milliseconds pause;
        bool in_doubt;  ///< a try may have committed it
    };
    using batch = std::vector<store::checkpoint>;
    enum class certainty { proven, suspected };  ///< whether the store took others meanwhile

    void run();
    void expect_more() noexcept;
    batch next(std::vector<store::heartbeat_row>& beats);
    /// One try; reports when it committed. Error: nothing is known to be written. `in_doubt`: an earlier try, or this one, may have committed.
    store::store_result<void> attempt(batch& given, bool& in_doubt);
    bool commit(batch& given, bool in_doubt = false);
    void stand_aside(batch& given, const store::store_error& why);
    void isolate(batch& given, bool in_doubt);
    void single_out(batch& given, bool& in_doubt);
    void hold(store::checkpoint refused, milliseconds pause, const store::store_error& why, bool in_doubt, certainty how = certainty::proven);
    bool retry_held();
    bool write_beats(std::vector<store::heartbeat_row>& beats);
    bool others_wait();
    store::store_result<void> settle(const batch& given, std::vector<store::checkpoint_outcome>& outcomes);

    std::shared_ptr<store::database> database_;
    std::size_t max_batch_;
    report done_;
    superseded newer_;
    const std::function<void(std::string_view)>& log_;
    outage outage_;
    stop_flag stop_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    batch waiting_;
    std::map<std::pair<std::string, std::string>, store::heartbeat_row> beats_;  ///< by run and key
    bool stopping_ = false;
    std::atomic<bool> given_ = false;  ///< something waits; a hint, for who looks without the lock
    bool brisk_ = false;               ///< the journal's thread only: what came last came soon after a commit
    std::vector<held_checkpoint> held_;  ///< the journal's thread only
    std::unique_ptr<store::connection> connection_;
    std::atomic<std::uint64_t> transactions_ = 0;
    std::atomic<std::uint64_t> checkpoints_ = 0;
    std::thread thread_;
};

}  // namespace pawl::runtime
