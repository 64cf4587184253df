// The threads that ask the store: each job runs on a thread with a connection of its own and is tried again while the store does not answer.
#pragma once

#include "runtime/backoff.hpp"
#include "store/connection.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace pawl::runtime {

class reader {
public:
    /// Returns the error when the store failed it; a transient one makes the reader run the job again later.
    using job = std::function<std::optional<store::store_error>(store::connection&)>;

    /// `superseded`: told when the store belongs to a newer version now; on a thread of the reader.
    reader(std::shared_ptr<store::database> database, std::size_t threads, const std::function<void(std::string_view)>& log,
           std::function<void(const store::store_error&)> superseded);
    ~reader();  ///< stop()

    /// Any thread. Jobs start in order.
    void ask(job work);
    /// Ends the threads; jobs that wait are dropped.
    void stop();

private:
    void run();

    std::shared_ptr<store::database> database_;
    const std::function<void(std::string_view)>& log_;
    std::function<void(const store::store_error&)> superseded_;
    stop_flag stop_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<job> waiting_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace pawl::runtime
