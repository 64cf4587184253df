// How far calls are: one row a call, written over.
#include "store/soci_connection.hpp"

#include <array>

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 6> heartbeat_columns{{{"shard", 'i'}, {"epoch", 'i'}, {"run", 't'}, {"key", 't'}, {"attempt", 'i'}, {"detail", 't'}}};

/// FOR SHARE, as for checkpoints: a takeover waits for this to commit, or is seen here.
std::string upsert(dialect kind, const std::string& source, const std::string& now) {
    const bool locked = kind == dialect::postgresql;
    const auto held = "select r.shard, r.run, r.key, r.attempt, r.detail from " + source +
                      " join leases l on l.shard = r.shard where l.owner <> '' and l.epoch = r.epoch" + (locked ? " order by l.shard for share of l" : "");
    return std::string("insert into heartbeats (shard, run, key, attempt, detail, at) ") +
           (locked ? "with held as materialized (" + held + ") select h.shard, h.run, h.key, h.attempt, h.detail, " + now + " from held h"
                   : "select h.shard, h.run, h.key, h.attempt, h.detail, " + now + " from (" + held + ") h") +
           " where true on conflict (shard, run, key) do update set attempt = excluded.attempt, detail = excluded.detail, at = excluded.at";
}

}  // namespace

store_result<void> soci_connection::beat(std::span<const heartbeat_row> rows) {
    if (rows.empty()) return {};
    return session_.run([&]() -> store_result<void> {
        row_text given(session_.kind());
        for (const auto& row : rows) given.row().number(row.shard).number(row.epoch).text(row.run).text(row.key).number(row.attempt).text(row.detail);
        session_.begin();
        write_rows("beat", given, [&] { return upsert(session_.kind(), source(heartbeat_columns), now_sql()); });
        session_.commit();
        return {};
    });
}

store_result<std::vector<heartbeat_row>> soci_connection::load_heartbeats(shard_id shard, std::string_view run) {
    return session_.run([&]() -> store_result<std::vector<heartbeat_row>> {
        auto& q = session_.prepared(
            "load heartbeats", [] { return std::string("select key, attempt, detail from heartbeats where shard = :shard and run = :run order by at, key"); }, "it",
            "tit");
        q.bind(static_cast<std::int64_t>(shard)).bind(run).execute();
        std::vector<heartbeat_row> rows;
        while (q.next()) rows.push_back({shard, 0, std::string(run), q.text(0), static_cast<int>(q.number(1)), q.text(2)});
        return rows;
    });
}

}  // namespace pawl::store
