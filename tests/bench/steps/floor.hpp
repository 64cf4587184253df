// What the machine can do at best: one durable commit of one row at a time, measured in the same run as the engine.
#pragma once

#include <optional>
#include <string>

namespace pawl::bench {

struct floor_result {
    double commits_per_second = 0;
    double mean_latency_ms = 0;
};

/// pgbench, one INSERT and commit per transaction, with `clients` connections for `seconds`. Nothing when pgbench is not there or fails.
std::optional<floor_result> postgres_floor(const std::string& url, int clients, int seconds);

/// SQLite, WAL, synchronous=FULL: one INSERT and commit at a time in a new file beside `path`.
std::optional<floor_result> sqlite_floor(const std::string& path, int seconds);

}  // namespace pawl::bench
