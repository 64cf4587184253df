// Real tools for cases: a call goes to the project's own effect, and the world in memory waits for it while no virtual time passes.
// Any number of threads may call; starts are made one at a time, as effects expect them.
#pragma once

#include "runtime/effect.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace pawl::trial {

class real_tools {
public:
    /// `forced`: functions that are really called whatever a case answers; `all`: every one of the project.
    real_tools(std::shared_ptr<const runtime::effect_registry> registry, std::set<std::string> forced, bool all)
        : registry_(std::move(registry)), forced_(std::move(forced)), all_(all) {}

    bool offers(const std::string& function) const { return registry_->find(function) != nullptr; }
    bool forced(const std::string& function) const { return all_ || forced_.contains(function); }
    bool forces() const { return all_ || !forced_.empty(); }

    /// Blocks until the tool has answered, at most two minutes; `now` is the world's: the call's deadline is moved to this machine's clock.
    runtime::call_outcome call(const runtime::call_request& request, time_point now) const;

private:
    std::shared_ptr<const runtime::effect_registry> registry_;
    std::set<std::string> forced_;
    bool all_ = false;
    mutable std::mutex starting_;
};

}  // namespace pawl::trial
