// What cannot proceed, as an operator sees it. Plain values; any thread.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"

#include <cstdint>
#include <string>

namespace pawl::store {

/// Noted by who met it: "checkpoint" (the store refuses what a run would write; subject: the run), "run" (it cannot be loaded; subject: the run), "event" (a sink refuses it
/// for good; subject: its number in the outbox). Seen by looking: "message" (for a run that does not exist; subject: its number in the inbox).
struct dead_letter {
    std::string kind;
    std::string subject;
    shard_id shard = 0;
    std::string run;
    std::int64_t revision = 0;  ///< of the run when it was noted: a run that went on since is no dead letter any more
    std::string why;            ///< a sentence without content
    time_point first_at;
    time_point last_at;
    std::int64_t times = 1;

    std::string id() const { return kind + ":" + subject; }
};

}  // namespace pawl::store
