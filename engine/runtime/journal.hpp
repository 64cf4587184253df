// Group commit: one thread that writes the checkpoints of all runs. While one transaction commits, the next batch gathers, and a
// little longer where that pays (gathering.hpp).
//
// Guarantees: those of group_commit.hpp, and: checkpoints are written in the order in which they were given; while the store cannot be reached the journal waits and tries again; nothing
// is dropped.
#pragma once

#include "runtime/gathering.hpp"
#include "runtime/group_commit.hpp"

#include <atomic>
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

    /// `done` is called on the journal's thread after each batch, and whoever it tells may say caught_up().
    /// `newer` when the store belongs to a newer version now: then nothing is written any more, and every checkpoint is fenced.
    journal(std::shared_ptr<store::database> database, std::size_t max_batch, report done, const std::function<void(std::string_view)>& log, superseded newer = [](const store::store_error&) {});
    ~journal();  ///< stop()

    /// Any thread. Written before what write() is given after it; while the store does not answer, the newest row of a call wins.
    void beat(store::heartbeat_row row);
    /// Any thread.
    void write(store::checkpoint checkpoint);
    /// Any thread: what a report of several checkpoints brought about at once has been given to write(). A hint; once for each such report.
    void caught_up();
    /// Writes what has been given, as far as the store answers at once, and ends the thread.
    void stop();

    std::uint64_t transactions() const noexcept { return transactions_; }
    std::uint64_t checkpoints() const noexcept { return checkpoints_; }

private:
    using batch = group_commit::batch;

    void run();
    void expect_more() noexcept;
    batch next(std::vector<store::heartbeat_row>& beats);
    bool others_wait();
    void note_report(std::size_t checkpoints);

    std::size_t max_batch_;
    stop_flag stop_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    batch waiting_;
    std::map<std::pair<std::string, std::string>, store::heartbeat_row> beats_;  ///< by run and key
    gathering gathering_;
    bool stopping_ = false;
    std::atomic<bool> given_ = false;  ///< something waits; a hint, for who looks without the lock
    bool brisk_ = false;               ///< the journal's thread only: what came last came soon after a commit
    std::optional<gathering::clock::time_point> began_;  ///< the journal's thread only: the transaction whose time is taken
    std::atomic<std::uint64_t> transactions_ = 0;
    std::atomic<std::uint64_t> checkpoints_ = 0;
    group_commit commits_;  ///< the journal's thread only
    std::thread thread_;
};

}  // namespace pawl::runtime
