// Load for the crash matrix: runs of a workflow with every kind of step, and numbered messages to instances of an agent, handed straight to the store as any client may; and a checker
// that knows each effect they must have.
#pragma once

#include "store/connection.hpp"
#include "system/process.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pawl::system_tests {

class load {
public:
    /// Deploys the project into the store.
    explicit load(std::string store_url);
    ~load();
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    /// A `pawl serve` on the store; shards of a silent one are taken over after two seconds.
    process engine(const variables& more = {}) const;
    /// With engines at work: starts to submit so many runs and messages a second, each until the store has taken it.
    void start(int per_second);
    /// How many runs the store has taken so far.
    std::size_t submitted() const { return count_; }
    /// Waits until each shard is held by one of so many engines, under a lease that is alive.
    void await_engines(std::size_t engines) const;
    /// Submits nothing any more. How many runs there are.
    std::size_t stop();
    /// Waits until every run has ended and compares what happened with what had to.
    void check();

private:
    using request = std::function<store::store_result<void>(store::connection& to)>;

    void submit_all(milliseconds pause);
    void until_taken(const request& work);
    void submit_run(const std::string& id, const std::string& workflow, const std::string& agent_key, const json::object& input);
    void say(int instance, int number);
    std::size_t count(const std::vector<run_status>& statuses) const;
    std::size_t share_of(int instance) const;
    void check_payments() const;
    void check_outputs() const;
    void check_agents() const;
    void check_messages() const;

    temporary_folder folder_;
    place at_;
    std::string url_;
    std::shared_ptr<store::database> database_;
    std::unique_ptr<store::connection> connection_;  ///< the thread's, once it runs
    std::vector<std::string> hearers_;               ///< runs that hear the messages, one for each instance
    std::atomic<std::size_t> count_ = 0;
    std::atomic<std::size_t> refused_ = 0;
    std::mutex mutex_;
    std::condition_variable end_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace pawl::system_tests
