// The health of a store: each check counts what is wrong, and some know a statement that mends it. A repair only removes or frees what nobody can need any more,
// or makes what the schema says.
#include "store/migrations.hpp"
#include "store/soci_administration.hpp"
#include "store/soci_connection.hpp"

#include <algorithm>
#include <set>

namespace pawl::store {
namespace {

struct count_check {
    const char* name;
    health state;
    const char* count;   ///< `{now}` is the database's time
    const char* what;    ///< behind the number
    const char* hint;
    const char* repair;  ///< null: nothing that is safe
};

constexpr std::array<count_check, 15> checks{{
    {"runs-without-state", health::error, "select count(*) from runs r where not exists (select 1 from run_states s where s.shard = r.shard and s.run = r.id)",
     "runs have lost their state", "rows were removed by hand: restore the store from a backup", nullptr},
    {"states-without-run", health::error, "select count(*) from run_states s where not exists (select 1 from runs r where r.shard = s.shard and r.id = s.run)",
     "states belong to no run", "rows were removed by hand: restore the store from a backup", nullptr},
    {"missing-definitions", health::error,
     "select count(*) from run_states s join runs r on r.shard = s.shard and r.id = s.run where s.ended_at is null and not exists (select 1 from definitions d where d.digest = r.definition)",
     "live runs have lost their definition", "they go on when it is there again: deploy or run the same flow; `pawl runs terminate` ends them", nullptr},
    {"orphan-blobs", health::warning, "select count(*) from blobs where not exists (select 1 from run_states s where s.shard = blobs.shard and s.run = blobs.run and s.state <> '')"
     " and not exists (select 1 from blobs m where m.shard = blobs.shard and m.run = blobs.run and m.digest = 'moved-state')",
     "large values belong to no live run", "they only take space", "delete from blobs where not exists (select 1 from run_states s where s.shard = blobs.shard and s.run = blobs.run and s.state <> '')"
     " and not exists (select 1 from blobs m where m.shard = blobs.shard and m.run = blobs.run and m.digest = 'moved-state')"},
    {"orphan-subscriptions", health::warning,
     "select count(*) from subscriptions where not exists (select 1 from run_states s where s.shard = subscriptions.shard and s.run = subscriptions.run and s.ended_at is null)",
     "subscriptions belong to no live run", "every event of their type is stored for nobody",
     "delete from subscriptions where not exists (select 1 from run_states s where s.shard = subscriptions.shard and s.run = subscriptions.run and s.ended_at is null)"},
    {"orphan-tags", health::warning, "select count(*) from run_tags where not exists (select 1 from runs r where r.shard = run_tags.shard and r.id = run_tags.run)",
     "tags belong to no run", "they only take space", "delete from run_tags where not exists (select 1 from runs r where r.shard = run_tags.shard and r.id = run_tags.run)"},
    {"orphan-steps", health::note, "select count(*) from (select distinct shard, run from steps) x where not exists (select 1 from runs r where r.shard = x.shard and r.id = x.run)",
     "histories belong to no run", "an import was interrupted: import the file again", nullptr},
    {"orphan-approvals", health::warning,
     "select count(*) from approvals where status = 'pending' and not exists (select 1 from run_states s where s.shard = approvals.shard and s.run = approvals.run and s.ended_at is null)",
     "approvals wait for a decision, but no live run waits for them", "nobody would hear the answer",
     "update approvals set status = 'cancelled', decided_at = {now} where status = 'pending'"
     " and not exists (select 1 from run_states s where s.shard = approvals.shard and s.run = approvals.run and s.ended_at is null)"},
    {"timers-of-ended-runs", health::warning, "select count(*) from run_states where ended_at is not null and due_at is not null", "runs are over but have a timer",
     "they are looked at again and again", "update run_states set due_at = null where ended_at is not null and due_at is not null"},
    {"expired-leases", health::warning, "select count(*) from leases where owner <> '' and expires_at < {now} - 60000", "shards are held by engines that have not been heard of for a minute",
     "the next engine takes them over by itself", "update leases set owner = '', expires_at = 0 where owner <> '' and expires_at < {now} - 60000"},
    {"gone-engines", health::warning, "select count(*) from engines where expires_at < {now} - 60000", "engines are listed that have not been heard of for a minute",
     "the next one that serves forgets them", "delete from engines where expires_at < {now} - 60000"},
    {"unowned-runs", health::warning,
     "select count(*) from run_states s join leases l on l.shard = s.shard where (l.owner = '' or l.expires_at < {now}) and (s.due_at < {now} - 60000 or (s.status in ('pending', 'running')"
     " and s.updated_at < {now} - 60000))",
     "runs could go on, but no engine owns their shard", "start `pawl serve`, or go on with one by `pawl runs resume`", nullptr},
    {"late-runs", health::warning,
     "select count(*) from run_states s join leases l on l.shard = s.shard where l.owner <> '' and l.expires_at >= {now} and (s.due_at < {now} - 60000 or (s.status = 'pending' and s.updated_at <"
     " {now} - 300000))",
     "runs should have gone on more than a minute ago, although an engine owns their shard", "look at its log; is it overloaded, or cut off from something?", nullptr},
    {"inbox-backlog", health::warning, "select count(*) from inbox where consumed_at is null and received_at < {now} - 300000", "messages wait for more than five minutes",
     "start `pawl serve` if none runs; `pawl dead-letters` shows those that nobody can take", nullptr},
    {"outbox-backlog", health::warning, "select count(*) from outbox where delivered_at is null and created_at < {now} - 300000", "events wait for more than five minutes to be delivered",
     "start `pawl serve` if none runs; else a sink is down, and the engine's log says which", nullptr},
}};

/// The indexes that the migrations make, with their statements.
std::map<std::string, std::string> expected_indexes(dialect kind) {
    std::map<std::string, std::string> out;
    for (const auto& step : built_in_migrations()) {
        const auto text = sql_for(kind, step.sql);
        for (std::size_t from = 0; from < text.size();) {
            const auto end = std::min(text.find(';', from), text.size());
            auto statement = text.substr(from, end - from);
            from = end + 1;
            statement.erase(0, std::min(statement.find_first_not_of(" \n"), statement.size()));
            const auto name_behind = [&](std::string_view words) { return statement.substr(words.size(), statement.find_first_of(" \n", words.size()) - words.size()); };
            for (const std::string_view words : {"create index ", "create unique index "}) {
                if (statement.starts_with(words)) out[name_behind(words)] = statement;
            }
            if (statement.starts_with("drop index ")) out.erase(statement.substr(statement.rfind(' ') + 1));
        }
    }
    return out;
}

std::string with_now(std::string sql, const char* now) {
    for (auto at = sql.find("{now}"); at != std::string::npos; at = sql.find("{now}", at)) sql.replace(at, 5, now);
    return sql;
}

std::string plural(std::int64_t count, const std::string& what) { return std::to_string(count) + " " + what; }

}  // namespace

std::int64_t soci_administration::count_of(const std::string& sql) {
    auto& q = session_.prepared(sql, [&] { return sql; }, "", "i");
    q.execute();
    const auto count = q.next() ? q.number(0) : 0;
    q.finish();
    return count;
}

/// One text column of all rows.
std::vector<std::string> soci_administration::column_of(const std::string& sql) {
    auto& q = session_.prepared(sql, [&] { return sql; }, "", "t");
    q.execute();
    std::vector<std::string> out;
    while (q.next()) out.push_back(q.text(0));
    return out;
}

void soci_administration::examine_rows(std::vector<health_finding>& out, bool repair) {
    for (const auto& check : checks) {
        const auto count = count_of(with_now(check.count, session_.now_sql()));
        health_finding f{check.name, count > 0 ? check.state : health::good, count, count > 0 ? plural(count, check.what) : std::string("none"), count > 0 ? check.hint : "", check.repair != nullptr, false};
        if (count > 0 && repair && check.repair != nullptr) {
            session_.execute(with_now(check.repair, session_.now_sql()).c_str());
            f.repaired = true;
        }
        out.push_back(std::move(f));
    }
}

/// Leases of processes of this host that are gone: known at once, before their time is over.
void soci_administration::examine_owners(std::vector<health_finding>& out, bool repair) {
    health_finding f{"dead-owners", health::good, 0, "none", "", true, false};
    for (const auto& owner : column_of("select distinct owner from leases where owner <> ''")) {
        if (!owner_is_dead(owner)) continue;
        ++f.count;
        if (!repair) continue;
        auto& free = session_.prepared("free shards of the dead", [] { return std::string("update leases set owner = '', expires_at = 0 where owner = :owner"); }, "t", "");
        free.bind(owner).execute();
        f.repaired = true;
    }
    if (f.count > 0) {
        f.state = health::warning;
        f.what = plural(f.count, "processes of this host own shards, but do not live any more");
        f.hint = "the next engine takes them over by itself";
    }
    out.push_back(std::move(f));
}

void soci_administration::examine_indexes(std::vector<health_finding>& out, bool repair) {
    const bool sqlite = session_.kind() == dialect::sqlite;
    const auto there = column_of(sqlite ? "select name from sqlite_master where type = 'index'" : "select cast(indexname as text) from pg_indexes where schemaname = '" + session_.where().schema + "'");
    const std::set<std::string> known(there.begin(), there.end());
    health_finding missing{"indexes", health::good, 0, "all there", "", true, false};
    std::string names;
    for (const auto& [name, statement] : expected_indexes(session_.kind())) {
        if (known.contains(name)) continue;
        ++missing.count;
        names += (names.empty() ? "" : ", ") + name;
        if (!repair) continue;
        session_.execute(statement.c_str());
        missing.repaired = true;
    }
    if (missing.count > 0) {
        missing.state = health::error;
        missing.what = plural(missing.count, "indexes are missing: " + names);
        missing.hint = "what they serve is slow, and what they keep unique may be stored twice; making them keeps writers waiting meanwhile";
    }
    out.push_back(std::move(missing));
    if (sqlite) return;
    const auto invalid = column_of("select cast(c.relname as text) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = '" +
                                  session_.where().schema + "' and not (i.indisvalid and i.indisready)");
    health_finding f{"index-validity", invalid.empty() ? health::good : health::error, static_cast<std::int64_t>(invalid.size()), "all valid", "", false, false};
    if (!invalid.empty()) {
        f.what = "the index " + invalid.front() + " is not valid";
        f.hint = "make it anew: REINDEX INDEX " + session_.where().schema + "." + invalid.front();
    }
    out.push_back(std::move(f));
}

void soci_administration::examine_database(std::vector<health_finding>& out, std::int64_t local_time) {
    const auto version = count_of("select value from meta where name = 'schema_version'");
    out.push_back({"schema", health::good, 0, "version " + std::to_string(version), "", false, false});
    const auto shards = count_of("select value from meta where name = 'shard_count'"), leases = count_of("select count(*) from leases");
    health_finding rows{"lease-rows", shards == leases ? health::good : health::error, shards - leases, "one for each of " + std::to_string(shards) + " shards", "", false, false};
    if (shards != leases) {
        rows.what = "the store has " + std::to_string(shards) + " shards, but lease rows of " + std::to_string(leases);
        rows.hint = "rows were removed by hand: restore the store from a backup";
    }
    out.push_back(std::move(rows));
    if (session_.kind() == dialect::sqlite) {
        const auto complaints = column_of("select integrity_check from pragma_integrity_check(5)");
        const bool fine = complaints.size() == 1 && complaints.front() == "ok";
        out.push_back({"integrity", fine ? health::good : health::error, fine ? 0 : static_cast<std::int64_t>(complaints.size()), fine ? "the file is whole" : "the file is damaged: " + complaints.front(),
                       fine ? "" : "stop every engine and restore the file from a backup", false, false});
    } else {
        for (const auto& [setting, loses] : {std::pair{"fsync", "a crash of the machine can destroy the whole database"}, {"synchronous_commit", "a crash of the machine loses steps that engines have built on"},
                                             {"full_page_writes", "a crash of the machine can destroy pages"}}) {
            const auto values = column_of(std::string("select current_setting('") + setting + "')");
            const bool off = !values.empty() && values.front() == "off";
            out.push_back({std::string("setting-") + setting, off ? health::error : health::good, off, std::string(setting) + " is " + (values.empty() ? "unknown" : values.front()),
                           off ? std::string(loses) + "; set it to on" : "", false, false});
        }
    }
    const auto apart = database_time() - local_time;
    const bool close = apart < 2'000 && apart > -2'000;
    out.push_back({"clock", close ? health::good : health::warning, close ? 0 : apart, "the database's clock and this machine's are " + std::to_string(apart < 0 ? -apart : apart) + " ms apart",
                   close ? "" : "set both by NTP; engines go by the database's, people by their own", false, false});
}

store_result<std::vector<health_finding>> soci_administration::examine(bool repair, time_point local_time) {
    return session_.run([&]() -> store_result<std::vector<health_finding>> {
        std::vector<health_finding> out;
        examine_database(out, local_time.time_since_epoch().count());
        examine_indexes(out, repair);
        examine_owners(out, repair);
        examine_rows(out, repair);
        return out;
    });
}

}  // namespace pawl::store
