// Leases: who drives which shard. Taking one is a compare-and-swap on the row as it was read, so no lock is held while owners are examined.
//
// Whoever locks several rows does so in ascending order of shard, like a commit that holds on to its leases: an UPDATE alone locks them as it comes upon them, and two of them can then
// wait for each other. SQLite has one writer at a time.
#include "store/soci_connection.hpp"

#include <algorithm>

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 4> claim_columns{{{"shard", 'i'}, {"epoch", 'i'}, {"owner", 't'}, {"expires_at", 'i'}}};

std::string until(const std::string& now) { return now + " + cast(:ttl as bigint)"; }

/// Changes the leases that meet the condition, locked in order; `given` are rows to join with, as `r`, or nothing. PostgreSQL looks at the condition again when it had to wait for a
/// lock, and what is locked changes no more.
std::string update_in_order(dialect kind, const std::string& change, const std::string& given, const std::string& condition) {
    if (kind == dialect::sqlite) return "update leases set " + change + (given.empty() ? "" : " from " + given) + " where " + condition;
    return "update leases set " + change + " from (with locked as materialized (select leases.shard as locked_shard from leases" + (given.empty() ? "" : ", " + given) + " where " + condition +
           " order by leases.shard for update of leases) select locked_shard from locked) l where leases.shard = l.locked_shard";
}

bool is_wanted(std::span<const shard_id> wanted, shard_id shard) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), shard) != wanted.end();
}

void sort_by_shard(std::vector<lease>& leases) {
    std::sort(leases.begin(), leases.end(), [](const lease& a, const lease& b) { return a.shard < b.shard; });
}

}  // namespace

/// Takes those candidates (in ascending order of shard, so that two claimants cannot deadlock) whose row is still as it was read.
std::vector<lease> soci_connection::claim(row_text& candidates, std::string_view owner, milliseconds ttl) {
    std::vector<lease> taken;
    for (auto& chunk : candidates.take()) {
        auto& q = session_.prepared(
            "claim leases",
            [&] {
                return update_in_order(session_.kind(), "epoch = leases.epoch + 1, owner = cast(:owner as text), expires_at = " + until(now_sql()), source(claim_columns),
                                       "leases.shard = r.shard and leases.epoch = r.epoch and leases.owner = r.owner and leases.expires_at = r.expires_at "
                                       "and (select value from meta where name = 'schema_version') <= :known") +
                       " returning leases.shard, leases.epoch";
            },
            "titi", "ii");
        q.bind(owner).bind(ttl.count()).bind_rows(std::move(chunk)).bind(known_schema()).execute();
        while (q.next()) taken.push_back({static_cast<shard_id>(q.number(0)), q.number(1)});
    }
    return taken;
}

store_result<std::vector<lease>> soci_connection::acquire_leases(std::string_view owner, std::span<const shard_id> wanted, std::size_t most,
                                                                 milliseconds ttl) {
    if (auto fits = check_names("lease", wanted.empty() ? 0 : *std::max_element(wanted.begin(), wanted.end()), {owner}); !fits) return fits.error();
    if (owner.empty()) return store_error{store_errc::refused, "A lease needs an owner."};
    auto held = renew_leases(owner, ttl);
    if (!held) return held;
    std::erase_if(*held, [&](const lease& l) { return !is_wanted(wanted, l.shard); });
    if (most == 0) return held;
    return session_.run([&]() -> store_result<std::vector<lease>> {
        auto all = *held;
        // Another claimant may be faster with some: then look again for others. Every round somebody gets on.
        for (std::size_t taken = 0; taken < most;) {
            auto candidates = free_leases(owner, wanted, most - taken);
            if (candidates.empty()) break;
            if (auto newer = session_.superseded()) return *newer;
            for (const auto& l : claim(candidates, owner, ttl)) {
                all.push_back(l);
                ++taken;
            }
        }
        sort_by_shard(all);
        return all;
    });
}

/// Up to `most` rows, in ascending order, that `owner` may take over.
row_text soci_connection::free_leases(std::string_view owner, std::span<const shard_id> wanted, std::size_t most) {
    auto& q = session_.prepared(
        "look for leases",
        [&] {
            return "select shard, epoch, owner, expires_at, case when owner = '' or expires_at <= " + now_sql() +
                   " then 1 else 0 end from leases order by shard";
        },
        "", "iitii");
    q.execute();
    row_text candidates(session_.kind());
    std::map<std::string, bool, std::less<>> dead;  // asked once for each owner
    while (q.next()) {
        const auto shard = static_cast<shard_id>(q.number(0));
        const auto of = q.text(2);
        if (of == owner || candidates.size() >= most || !is_wanted(wanted, shard)) continue;
        if (q.number(4) == 0) {
            const auto known = dead.try_emplace(of, false);
            if (known.second) known.first->second = owner_is_dead(of);
            if (!known.first->second) continue;
        }
        candidates.row().number(shard).number(q.number(1)).text(of).number(q.number(3));
    }
    return candidates;
}

store_result<std::vector<lease>> soci_connection::renew_leases(std::string_view owner, milliseconds ttl) {
    if (owner.empty()) return store_error{store_errc::refused, "A lease needs an owner."};
    return session_.run([&]() -> store_result<std::vector<lease>> {
        auto& q = session_.prepared(
            "renew leases",
            [&] {
                return update_in_order(session_.kind(), "expires_at = " + until(now_sql()), "", "owner = :owner") +
                       " returning shard, epoch, (select value from meta where name = 'schema_version')";
            },
            "it", "iii");
        q.bind(ttl.count()).bind(owner).execute();
        std::vector<lease> held;
        std::int64_t version = 0;
        while (q.next()) {
            held.push_back({static_cast<shard_id>(q.number(0)), q.number(1)});
            version = q.number(2);
        }
        // Without any left, a newer version may have taken them.
        if (auto newer = held.empty() ? session_.superseded() : session_.superseded(version)) return *newer;
        sort_by_shard(held);
        return held;
    });
}

store_result<void> soci_connection::release_leases(std::string_view owner) {
    if (owner.empty()) return {};
    return session_.run([&]() -> store_result<void> {
        auto& q = session_.prepared(
            "release leases", [&] { return update_in_order(session_.kind(), "owner = '', expires_at = 0", "", "owner = :owner"); }, "t", "");
        q.bind(owner).execute();
        return {};
    });
}

store_result<void> soci_connection::release_shards(std::string_view owner, std::span<const shard_id> shards) {
    if (owner.empty() || shards.empty()) return {};
    return session_.run([&]() -> store_result<void> {
        auto& q = session_.prepared(
            "release shards",
            [&] {
                return update_in_order(session_.kind(), "owner = '', expires_at = 0", shards_source(session_.kind()), "leases.shard = r.shard and leases.owner = :owner");
            },
            "tt", "");
        with_shards(q, shards).bind(owner).execute();
        return {};
    });
}

store_result<std::size_t> soci_connection::serve(std::string_view owner, milliseconds ttl) {
    if (auto fits = check_names("engine", 0, {owner}); !fits) return fits.error();
    if (owner.empty()) return store_error{store_errc::refused, "An engine needs a name."};
    return session_.run([&]() -> store_result<std::size_t> {
        auto& upsert = session_.prepared(
            "serve",
            [&] {
                return "insert into engines (owner, expires_at) values (:owner, " + until(now_sql()) +
                       ") on conflict (owner) do update set expires_at = excluded.expires_at";
            },
            "ti", "");
        upsert.bind(owner).bind(ttl.count()).execute();
        auto& q = session_.prepared(
            "engines",
            [&] { return "select owner, case when expires_at > " + now_sql() + " then 1 else 0 end, (select value from meta where name = 'schema_version') from engines"; }, "", "tii");
        q.execute();
        std::vector<std::string> gone;
        std::size_t alive = 0;
        std::int64_t version = 0;
        while (q.next()) {
            version = q.number(2);
            auto other = q.text(0);
            if (other == owner || (q.number(1) != 0 && !owner_is_dead(other))) {
                ++alive;
            } else {
                gone.push_back(std::move(other));
            }
        }
        if (auto newer = session_.superseded(version)) return *newer;
        for (const auto& other : gone) remove_engine(other);
        return alive;
    });
}

store_result<void> soci_connection::stop_serving(std::string_view owner) {
    return session_.run([&]() -> store_result<void> {
        remove_engine(owner);
        return {};
    });
}

void soci_connection::remove_engine(std::string_view owner) {
    auto& q = session_.prepared(
        "remove engine", [] { return std::string("delete from engines where owner = :owner"); }, "t", "");
    q.bind(owner).execute();
}

store_result<std::vector<lease_row>> soci_connection::list_leases() {
    return session_.run([&]() -> store_result<std::vector<lease_row>> {
        auto& q = session_.prepared(
            "list leases", [] { return std::string("select shard, epoch, owner, expires_at from leases where owner <> '' order by shard"); }, "",
            "iiti");
        q.execute();
        std::vector<lease_row> leases;
        while (q.next()) {
            lease_row row;
            row.shard = static_cast<shard_id>(q.number(0));
            row.epoch = q.number(1);
            row.owner = q.text(2);
            row.expires_at = time_of(q.number(3));
            leases.push_back(std::move(row));
        }
        return leases;
    });
}

}  // namespace pawl::store
