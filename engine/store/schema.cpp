#include "store/schema.hpp"

#include <charconv>

namespace pawl::store {
namespace {

constexpr const char* application_id = "1348564844";  // "Pawl", in the header of SQLite files
constexpr const char* migration_lock = "7809911";     // PostgreSQL advisory lock

/// The value of `name` in the meta table, or nothing when there is no such table or entry.
std::optional<std::int64_t> meta(session& on, std::string_view name) {
    auto& exists =
        on.kind() == dialect::sqlite
            ? on.prepared(
                  "meta exists", [] { return std::string("select count(*) from sqlite_master where type = 'table' and name = 'meta'"); }, "", "i")
            : on.prepared(
                  "meta exists",
                  [&] {
                      return "select cast(count(*) as bigint) from pg_tables where tablename = 'meta' and schemaname = '" + on.where().schema + "'";
                  },
                  "", "i");
    exists.execute();
    const bool there = exists.next() && exists.number(0) > 0;
    exists.finish();
    if (!there) return std::nullopt;
    auto& read = on.prepared(
        "meta", [] { return std::string("select value from meta where name = :name"); }, "t", "i");
    read.bind(name).execute();
    if (!read.next()) return std::nullopt;
    const auto value = read.number(0);
    read.finish();
    return value;
}

store_error newer(const location& where, std::int64_t found, int known) {
    return {store_errc::newer_schema, "The tables of " + where.shown + " have version " + std::to_string(found) +
                                          "; this program knows versions up to " + std::to_string(known) + ". Use the newer pawl that wrote them."};
}

store_error no_store(const location& where) {
    return {store_errc::not_found, "There is no store in " + (where.kind == dialect::sqlite ? "the file " + where.path + ", which is empty" : "the schema \"" + where.schema + "\" of " + where.shown) +
                                       ". `pawl run`, `pawl deploy` and `pawl serve` make it; or name another with --store."};
}

/// A file of somebody else must not get our tables.
store_result<void> check_stranger(session& on) {
    if (on.kind() != dialect::sqlite) return {};
    auto& tables = on.prepared(
        "tables", [] { return std::string("select count(*) from sqlite_master"); }, "", "i");
    tables.execute();
    const bool used = tables.next() && tables.number(0) > 0;
    tables.finish();
    if (!used) return {};
    return store_error{store_errc::refused, "The file " + on.where().path + " is an SQLite database of another program. Name another file."};
}

void create_schema(session& on) {
    if (on.kind() == dialect::sqlite) return;
    // CREATE SCHEMA IF NOT EXISTS asks for the right to create even when the schema exists.
    auto& exists = on.prepared(
        "schema exists", [&] { return "select cast(count(*) as bigint) from pg_namespace where nspname = '" + on.where().schema + "'"; }, "", "i");
    exists.execute();
    const bool there = exists.next() && exists.number(0) > 0;
    exists.finish();
    if (!there) on.execute(("create schema \"" + on.where().schema + "\"").c_str());
}

void create_meta(session& on, std::uint32_t shard_count) {
    on.execute(sql_for(on.kind(), "create table meta (name {id} not null primary key, value {int} not null){strict}").c_str());
    on.execute(("insert into meta (name, value) values ('schema_version', 0), ('shard_count', " + std::to_string(shard_count) + ")").c_str());
    if (on.kind() == dialect::sqlite) on.execute((std::string("pragma application_id = ") + application_id).c_str());
}

/// Every shard has its lease row from the start, so that taking one is an update of one row.
void create_leases(session& on, std::int64_t shard_count) {
    std::string sql = "insert into leases (shard, epoch, owner, expires_at) values ";
    for (std::int64_t shard = 0; shard < shard_count; ++shard) sql += (shard == 0 ? "(" : ", (") + std::to_string(shard) + ", 0, '', 0)";
    on.execute(sql.c_str());
}

}  // namespace

std::optional<store_error> newer_schema(session& on, int known) {
    auto& read = on.prepared(
        "schema version", [] { return std::string("select value from meta where name = 'schema_version'"); }, "", "i");
    read.execute();
    const auto version = read.next() ? read.number(0) : 0;
    read.finish();
    return newer_schema(on, known, version);
}

std::optional<store_error> newer_schema(session& on, int known, std::int64_t found) {
    if (found <= known) return std::nullopt;
    return newer(on.where(), found, known);
}

store_result<std::uint32_t> prepare_schema(session& on, std::span<const migration> migrations, std::optional<std::uint32_t> shard_count) {
    if (shard_count && (*shard_count < 1 || *shard_count > 4096))
        return store_error{store_errc::refused, "A store has between 1 and 4096 shards, not " + std::to_string(*shard_count) + "."};
    return on.run([&]() -> store_result<std::uint32_t> {
        const int newest = migrations.back().version;
        auto version = meta(on, "schema_version");
        if (!version && !shard_count) {
            if (auto ours = check_stranger(on); !ours) return ours.error();
            return no_store(on.where());
        }
        if (!version || *version < newest) {
            on.begin();
            if (on.kind() == dialect::postgresql) on.execute((std::string("select pg_advisory_xact_lock(") + migration_lock + ")").c_str());
            version = meta(on, "schema_version");  // somebody else may have been faster
            if (!version) {
                if (auto ours = check_stranger(on); !ours) return ours.error();
                create_schema(on);
                create_meta(on, shard_count.value());
                version = 0;
            }
            // First of all: engines of the version before can commit nothing from here on, and what they are committing ends before the tables change.
            if (*version >= 1 && *version < newest) on.execute("update leases set epoch = epoch + 1, owner = '', expires_at = 0");
            for (const auto& step : migrations) {
                if (step.version <= *version) continue;
                on.execute(sql_for(on.kind(), step.sql).c_str());
                if (step.version == 1) create_leases(on, *meta(on, "shard_count"));
                on.execute(("update meta set value = " + std::to_string(step.version) + " where name = 'schema_version'").c_str());
                version = step.version;
            }
            on.commit();
        }
        if (*version > newest) return newer(on.where(), *version, newest);
        const auto shards = meta(on, "shard_count");
        if (!shards)
            return store_error{store_errc::refused, "The meta table of " + on.where().shown + " is incomplete: restore the store from a backup."};
        return static_cast<std::uint32_t>(*shards);
    });
}

}  // namespace pawl::store
