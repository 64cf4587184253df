// Opens a store on SQLite (`sqlite:PATH`) or PostgreSQL (`postgresql://...`) through SOCI.
//
// Guarantees: the schema is at this program's version when open_database returns; what a call reported as done survives a crash of the process,
// and of the machine as far as the database promises it (SQLite: WAL with synchronous=FULL; PostgreSQL: its own setting).
// open_database and the database may be used from any thread and block; connections and doorbells as connection.hpp says.
#pragma once

#include "store/connection.hpp"
#include "store/migrations.hpp"

#include <functional>

namespace pawl::store {

/// Where the crash tests stop the process: around the commit of a checkpoint batch.
enum class fault_point { before_commit, after_commit };

struct open_options {
    milliseconds busy_timeout{5'000};  ///< how long to wait for somebody else's lock
    std::uint32_t shard_count = 64;    ///< of a store that does not exist yet; an existing one keeps its own
    bool create = true;                ///< false: a store that does not exist yet is refused, and nothing is made
    std::function<void(fault_point)> fault_hook;
    std::int64_t sqlite_max_pages = 0;        ///< quota in pages of 4 KB; 0: none
    std::vector<migration> later_migrations;  ///< for tests: steps after the built-in ones
    std::optional<int> newest_built_in;       ///< for tests: knows no built-in step after this one, as an earlier release
};

/// Errors: not_found (only without `create`), refused, newer_schema, busy, lost, full.
store_result<std::shared_ptr<database>> open_database(std::string_view url, const open_options& options = {});

/// The URL with every password in it replaced by ***.
std::string redact_url(std::string_view url);

}  // namespace pawl::store
