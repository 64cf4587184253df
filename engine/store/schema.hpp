// Brings a store's schema to this program's version and tells what the store was created with. Any number of processes may do so at once.
#pragma once

#include "store/migrations.hpp"
#include "store/session.hpp"

namespace pawl::store {

/// Creates or migrates under a lock, all or nothing. A migration takes every lease away, in the same transaction and before it touches a table: engines of the version before
/// finish the commit they are in, and none after it. `shard_count` counts only when the store is created;
/// without one a store that does not exist is not_found.
/// Returns the store's shard count. Errors: not_found; newer_schema; refused when the file belongs to another program.
store_result<std::uint32_t> prepare_schema(session& on, std::span<const migration> migrations, std::optional<std::uint32_t> shard_count);

/// Under session::run(): the error when the store's version is above `known`. Throws soci_error.
std::optional<store_error> newer_schema(session& on, int known);
std::optional<store_error> newer_schema(session& on, int known, std::int64_t found);

}  // namespace pawl::store
