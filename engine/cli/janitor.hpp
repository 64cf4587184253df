// Removes what is over for as long as the manifest's `retention` says, in small rounds with pauses between them, so that commits hardly notice. One thread of its
// own with a connection of its own; several processes may do so on one store.
#pragma once

#include "agent/manifest.hpp"
#include "observe/logger.hpp"
#include "store/administration.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace pawl::cli {

store::retention to_retention(const agent::retention_settings& settings);

class janitor {
public:
    /// Does nothing when nothing is to be removed ever.
    janitor(std::shared_ptr<store::database> database, store::retention keep, std::shared_ptr<const observe::logger> log);
    janitor(const janitor&) = delete;
    janitor& operator=(const janitor&) = delete;
    ~janitor();

private:
    void work();
    /// What the next pause is.
    milliseconds round();

    std::shared_ptr<store::database> database_;
    store::retention keep_;
    std::shared_ptr<const observe::logger> log_;
    std::unique_ptr<store::administration> admin_;
    store::prune_position position_;
    store::pruned_rows pass_;  ///< since the last line in the log
    std::mutex lock_;
    std::condition_variable wake_;
    bool stopping_ = false, failing_ = false;
    std::thread worker_;
};

}  // namespace pawl::cli
