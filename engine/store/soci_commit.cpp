// Checkpoints: one transaction for a batch, one statement for each touched table.
#include "store/commit_statements.hpp"
#include "store/soci_connection.hpp"

#include <soci/postgresql/soci-postgresql.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 1> shard_columns{{{"shard", 'i'}}};
constexpr std::array<column_spec, 2> run_columns{{{"shard", 'i'}, {"run", 't'}}};
constexpr std::array<column_spec, 3> agent_name_columns{{{"shard", 'i'}, {"agent", 't'}, {"key", 't'}}};

}  // namespace

store_result<std::vector<checkpoint_outcome>> soci_connection::commit(std::span<const checkpoint> batch) {
    std::vector<checkpoint_outcome> outcomes(batch.size(), checkpoint_outcome::committed);
    if (batch.empty()) return outcomes;
    return session_.run([&]() -> store_result<std::vector<checkpoint_outcome>> {
        if (postgresql() && commit_at_once(batch, outcomes)) return outcomes;
        const auto told = [&]() -> store_result<std::vector<checkpoint_outcome>> {
            // Everybody's leases end when a newer version takes over the store.
            if (std::find(outcomes.begin(), outcomes.end(), checkpoint_outcome::fenced) != outcomes.end()) {
                if (auto newer = session_.superseded()) return *newer;
            }
            return outcomes;
        };
        const auto encoding = postgresql() ? row_encoding::json : row_encoding::cells;
        // A round without conflict ends; every other one takes at least one checkpoint out.
        for (std::size_t round = 0; round <= batch.size(); ++round) {
            session_.begin();
            mark_fenced(batch, outcomes);
            auto rows = rows_of(session_.kind(), batch, outcomes, encoding, encoding);
            if (std::none_of(outcomes.begin(), outcomes.end(), [](auto o) { return o == checkpoint_outcome::committed; })) {
                session_.rollback();
                return told();
            }
            if (write(rows)) {
                if (fault_hook_) fault_hook_(fault_point::before_commit);
                session_.commit();
                if (fault_hook_) fault_hook_(fault_point::after_commit);
                return told();
            }
            session_.rollback();
            find_conflicts(batch, outcomes);
        }
        return store_error{store_errc::busy, "A batch of checkpoints kept colliding with another writer of " + session_.where().shown +
                                                 "; nothing was written. Try again."};
    });
}

/// PostgreSQL: the whole batch as one statement, hence one round trip. False when nothing was written because a lease or a revision is not as
/// expected (commit() then goes the long way to find out which), and for batches too large for one parameter a table.
bool soci_connection::commit_at_once(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes) {
    std::vector<checkpoint_outcome> expected(outcomes.begin(), outcomes.end());
    auto rows = rows_of(session_.kind(), batch, expected, row_encoding::composites, row_encoding::json);
    row_text leases(session_.kind(), row_encoding::composites);
    std::set<std::pair<shard_id, std::int64_t>> known;
    for (const auto& c : batch) {
        if (known.emplace(c.shard, c.epoch).second) leases.row().number(c.shard).number(c.epoch);
    }
    std::vector<const table_statement*> touched;
    bool single = known.size() == 1;
    for (const auto& table : table_statements()) {
        if ((rows.*table.rows).empty()) continue;
        touched.push_back(&table);
        single = single && (rows.*table.rows).is_single();
    }
    const bool chain = single && is_chain(touched);
    std::string name = chain ? "chain" : single ? "one at once" : "at once";
    for (const auto* table : touched) name += "+" + std::string(table->name);
    auto& statement = session_.prepared_native(name, [&] { return chain ? statement_for_one(touched, now_sql()) : statement_for_all(touched, single, now_sql()); });
    const auto bind = [&](row_text& given, std::string_view type) {
        if (single) {
            statement.bind_cells(given.take_single());
            return true;
        }
        auto chunks = given.take();
        if (chunks.size() > 1) return false;
        if (given.encoding() == row_encoding::json) {
            statement.bind_json(std::move(chunks.front()));
        } else {
            statement.bind_composites(std::move(chunks.front()), session_.row_type(type));
        }
        return true;
    };
    const auto leases_known = static_cast<std::int64_t>(known.size());
    bool fits = bind(leases, lease_row_type);
    if (!chain) statement.bind(leases_known);
    for (const auto* table : touched) {
        auto& given = rows.*table->rows;
        const auto count = static_cast<std::int64_t>(given.size());
        fits = fits && bind(given, table->row_type);
        if (table->counted && !chain) statement.bind(count);
    }
    if (!fits) {
        statement.clear();
        return false;
    }
    if (fault_hook_) fault_hook_(fault_point::before_commit);
    try {
        if (session_.execute_and_commit(statement) == 0) return false;
    } catch (const soci::postgresql_soci_error& error) {
        const auto state = error.sqlstate();
        if (state != "22012" && state != "23505") throw;  // a conflicting checkpoint may also repeat a step's number
        return false;
    }
    if (fault_hook_) fault_hook_(fault_point::after_commit);
    std::copy(expected.begin(), expected.end(), outcomes.begin());
    return true;
}

/// Locks the leases' rows, so that a takeover waits for our commit or is seen here. Released leases fence too.
void soci_connection::mark_fenced(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes) {
    const auto shards = shards_of(batch);
    auto& guard = session_.prepared(
        "lease guard",
        [&] {
            return "select l.shard, l.epoch from " + source(shard_columns) +
                   " join leases l on l.shard = r.shard where l.owner <> '' order by l.shard" + (postgresql() ? " for share of l" : "");
        },
        "t", "ii");
    with_shards(guard, shards).execute();
    std::vector<lease> held;
    while (guard.next()) held.push_back({static_cast<shard_id>(guard.number(0)), guard.number(1)});
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto at = std::lower_bound(held.begin(), held.end(), batch[i].shard, [](const lease& l, shard_id s) { return l.shard < s; });
        const bool ours = at != held.end() && at->shard == batch[i].shard && at->epoch == batch[i].epoch;
        if (!ours && outcomes[i] == checkpoint_outcome::committed) outcomes[i] = checkpoint_outcome::fenced;
    }
}

/// SQLite: row by row.
std::int64_t soci_connection::write_cells(const table_statement& table, const row_text& rows, std::int64_t now) {
    return session_.prepared_sqlite(table.name, [&] { return table.sql({session_.kind(), true}, ":now"); }, table.columns.size()).execute(rows, now);
}

std::int64_t soci_connection::write_rows(std::string_view name, row_text& rows, const std::function<std::string()>& sql) {
    std::int64_t affected = 0;
    for (auto& chunk : rows.take()) {
        auto& statement = session_.prepared(name, sql, "t", "");
        statement.bind_rows(std::move(chunk)).execute();
        affected += statement.affected();
    }
    return affected;
}

/// False when a run or an agent is not at the revision that its checkpoint expects.
bool soci_connection::write(batch_rows& rows) {
    // SQLite's own clock is this one.
    const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
    for (const auto& table : table_statements()) {
        auto& given = rows.*table.rows;
        if (given.empty()) continue;
        const auto count = static_cast<std::int64_t>(given.size());
        const auto affected = postgresql() ? write_rows(table.name, given, [&] { return table.sql(session_.kind(), now_sql()); }) : write_cells(table, given, now);
        if (table.counted && affected != count) return false;
    }
    return true;
}

/// Compares revisions one by one. Rare: only after write() found that some differ.
void soci_connection::find_conflicts(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes) {
    row_text runs(session_.kind()), agents(session_.kind());
    for (const auto& c : batch) {
        if (!c.run.empty()) runs.row().number(c.shard).text(c.run);
        for (const auto& a : c.agents) agents.row().number(c.shard).text(a.agent).text(a.key);
    }
    std::unordered_map<std::string, std::int64_t> revision_of_run;
    std::map<std::pair<std::string, std::string>, std::int64_t> revision_of_agent;
    for (auto& chunk : runs.take()) {
        auto& q = session_.prepared(
            "revisions of runs",
            [&] { return "select s.run, s.revision from " + source(run_columns) + " join run_states s on s.shard = r.shard and s.run = r.run"; }, "t",
            "ti");
        q.bind_rows(std::move(chunk)).execute();
        while (q.next()) revision_of_run[q.text(0)] = q.number(1);
    }
    for (auto& chunk : agents.take()) {
        auto& q = session_.prepared(
            "revisions of agents",
            [&] {
                return "select a.agent, a.key, a.revision from " + source(agent_name_columns) +
                       " join agents a on a.shard = r.shard and a.agent = r.agent and a.key = r.key";
            },
            "t", "tti");
        q.bind_rows(std::move(chunk)).execute();
        while (q.next()) {
            std::pair name(q.text(0), q.text(1));
            revision_of_agent[std::move(name)] = q.number(2);
        }
    }
    std::set<std::pair<std::string, std::string>> broken;  // agents whose earlier change in this batch does not count: later ones build on it
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (outcomes[i] != checkpoint_outcome::committed) continue;
        const auto& c = batch[i];
        bool fits = true;
        if (!c.run.empty()) {
            const auto at = revision_of_run.find(c.run);
            fits = c.born ? at == revision_of_run.end() : at != revision_of_run.end() && at->second == c.expected_revision;
        }
        for (const auto& a : c.agents) fits = fits && !broken.contains({a.agent, a.key}) && revision_of_agent[{a.agent, a.key}] + 1 == a.revision;
        if (!fits) {
            outcomes[i] = checkpoint_outcome::conflict;
            for (const auto& a : c.agents) broken.emplace(a.agent, a.key);
            continue;
        }
        if (!c.run.empty()) revision_of_run[c.run] = c.expected_revision + 1;
        for (const auto& a : c.agents) revision_of_agent[{a.agent, a.key}] = a.revision;
    }
}

}  // namespace pawl::store
