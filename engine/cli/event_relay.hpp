// Delivers emitted events from the outbox: to the runs of the same store that listen, each once, and to the project's sinks, at least once; in order per
// store, with a growing pause after a failure. An event counts as delivered when all have taken it; one that a sink refuses for good becomes a dead letter. One thread of its own; blocks on store, disk and network.
#pragma once

#include "agent/manifest.hpp"
#include "cli/network.hpp"
#include "observe/logger.hpp"
#include "store/connection.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pawl::cli {

enum class delivery {
    taken,
    refused  ///< the sink answers and does not want this event, and would not the next time
};
/// Takes one CloudEvent (JSON text, structured mode). Error: not taken; try again later.
using deliver_event = std::function<result<delivery>(const store::outbox_entry& event)>;

/// Appends one line and syncs it to the disk.
deliver_event deliver_to_file(std::string path);
/// POSTs application/cloudevents+json; any 2xx answer takes it. 400, 406, 409, 410, 411, 413, 414, 415, 422 and 431 are about the event: it is refused.
deliver_event deliver_to_url(std::string url, std::shared_ptr<network> through);

class event_relay {
public:
    event_relay(std::shared_ptr<store::database> database, const std::vector<agent::event_sink>& sinks, std::shared_ptr<network> through,
                std::function<std::vector<shard_id>()> owned, std::shared_ptr<const observe::logger> log);
    ~event_relay();

    /// Something may have been emitted. Any thread.
    void ring();
    /// Waits until nothing is left to deliver, at most `limit`. Not from the relay's thread.
    void drain(milliseconds limit);
    void stop();

private:
    void work();
    /// How many were delivered; an error ends the round.
    result<std::size_t> deliver_round(store::connection& connection);
    /// Everything that waits, to the runs that listen: page by page, so that a sink that is down keeps no event from them.
    result<void> publish_new(store::connection& connection, const std::vector<shard_id>& shards, std::int64_t& until);
    /// To every sink that takes its kind. Error: one of them is down.
    result<void> deliver_one(store::connection& connection, const store::outbox_entry& event);
    /// Our shards, and now and then those that no engine drives: a process may die between a run's last checkpoint and the delivery.
    struct served {
        std::vector<shard_id> owned, free;
    };
    served shards_to_serve(store::connection& connection);

    std::shared_ptr<store::database> database_;
    struct sink {
        std::string name;  ///< for people: its file, or its URL's origin
        deliver_event deliver;
        bool emitted, lifecycle;
    };
    std::vector<sink> sinks_;
    std::function<std::vector<shard_id>()> owned_;
    std::shared_ptr<const observe::logger> log_;
    std::chrono::steady_clock::time_point next_look_at_free_shards_;
    std::vector<shard_id> published_shards_;  ///< of ours, whose events have been published
    std::int64_t published_until_ = 0;        ///< up to this number of the outbox
    std::mutex lock_;
    std::condition_variable news_;
    bool rung_ = true, stopping_ = false, idle_ = false;
    std::thread worker_;
};

}  // namespace pawl::cli
