// Identifiers. Random ones are made at the edge (CLI, API); the machine only derives ids from (run id, path).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl {

using shard_id = std::uint32_t;

/// UUID version 7 (RFC 9562): time-ordered, 122 - 48 random bits from the operating system.
std::string new_uuid7();

/// UUID version 8-style, derived: the first 16 bytes of SHA-256(seed) with version and variant bits set. Deterministic.
std::string derived_uuid(std::string_view seed);

/// The shard of a key: first 8 bytes of SHA-256(key), big endian, modulo `shard_count`. Stable for ever.
shard_id shard_of(std::string_view key, std::uint32_t shard_count);

}  // namespace pawl
