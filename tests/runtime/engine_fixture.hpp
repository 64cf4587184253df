// An engine over a real store, with functions that tests script: t.echo (pure), t.hold (idempotent, answers when told), t.ask (parks).
#pragma once

#include "runtime/engine.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace pawl::testing {

/// What the world outside the engine remembers; outlives engines.
class outside {
public:
    void note_start(const runtime::call_request& request, runtime::completion done);
    /// Answers the held call of `task` in `run`; waits until it is there.
    enum class which { oldest, newest };
    void release(const std::string& run, const std::string& task, json::value output, which of = which::newest);
    bool wait_for_call(const std::string& run, const std::string& task);
    void note_cancel(std::string_view key);
    /// Waits until a call with this key was told to stop.
    bool wait_for_cancel(const std::string& key);
    int starts(const std::string& task) const;
    std::vector<std::string> keys(const std::string& task) const;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::vector<runtime::completion>> held_;
    std::map<std::string, std::vector<std::string>> keys_;
    std::set<std::string> cancelled_;
};

std::shared_ptr<const runtime::effect_registry> scripted_effects(outside& o);
std::shared_ptr<const flow::workflow> workflow_of(std::string_view tasks, std::string_view more = {});

/// Gathers run events; waits for conditions.
class watcher {
public:
    runtime::run_listener listener();
    /// Waits (30 s at most) until an event satisfies `wanted`.
    bool wait_for(const std::function<bool(const runtime::run_event&)>& wanted);
    bool wait_until_finished(const std::string& run);
    bool wait_until_waiting(const std::string& run);
    std::vector<runtime::run_event> all() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<runtime::run_event> events_;
};

store::new_run run_of(const flow::workflow& w, shard_id shard, std::string_view input = "null", std::string agent = {}, std::string key = {});

/// A new, empty store of each kind under test: name and URL.
std::vector<std::pair<std::string, std::string>> fresh_stores();

std::shared_ptr<store::database> open(const std::string& url);

}  // namespace pawl::testing
