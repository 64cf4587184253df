// Checkpoints: one transaction for a batch, one statement for each touched table.
#include "store/soci_connection.hpp"

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
        // A round without conflict ends; every other one takes at least one checkpoint out.
        for (std::size_t round = 0; round <= batch.size(); ++round) {
            session_.begin();
            mark_fenced(batch, outcomes);
            auto rows = rows_of(session_.kind(), batch, outcomes);
            if (std::none_of(outcomes.begin(), outcomes.end(), [](auto o) { return o == checkpoint_outcome::committed; })) {
                session_.rollback();
                return outcomes;
            }
            if (write(rows)) {
                if (fault_hook_) fault_hook_(fault_point::before_commit);
                session_.commit();
                if (fault_hook_) fault_hook_(fault_point::after_commit);
                return outcomes;
            }
            session_.rollback();
            find_conflicts(batch, outcomes);
        }
        return store_error{store_errc::busy, "A batch of checkpoints kept colliding with another writer of " + session_.where().shown + "; nothing was written. Try again."};
    });
}

/// Locks the leases' rows, so that a takeover waits for our commit or is seen here. Released leases fence too.
void soci_connection::mark_fenced(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes) {
    const auto shards = shards_of(batch);
    auto& guard = session_.prepared("lease guard", [&] {
        return "select l.shard, l.epoch from " + source(shard_columns) + " join leases l on l.shard = r.shard where l.owner <> '' order by l.shard" + (postgresql() ? " for share of l" : "");
    }, "t", "ii");
    with_shards(guard, shards).execute();
    std::vector<lease> held;
    while (guard.next()) held.push_back({static_cast<shard_id>(guard.number(0)), guard.number(1)});
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto at = std::lower_bound(held.begin(), held.end(), batch[i].shard, [](const lease& l, shard_id s) { return l.shard < s; });
        const bool ours = at != held.end() && at->shard == batch[i].shard && at->epoch == batch[i].epoch;
        if (!ours && outcomes[i] == checkpoint_outcome::committed) outcomes[i] = checkpoint_outcome::fenced;
    }
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
    const auto runs = static_cast<std::int64_t>(rows.run_states.size());
    const auto updated = write_rows("update run_states", rows.run_states, [&] {
        return "update run_states set revision = r.revision, status = r.status, due_at = r.due_at, state = r.state, output = r.output, error = r.error, updated_at = " + now_sql() +
               ", ended_at = case when r.status in ('completed', 'faulted', 'cancelled') then " + now_sql() + " end from " + source(run_state_columns) +
               " where run_states.shard = r.shard and run_states.run = r.run and run_states.revision = r.expected";
    });
    if (updated != runs) return false;
    const auto agents = static_cast<std::int64_t>(rows.agents.size());
    const auto upserted = write_rows("upsert agents", rows.agents, [&] {
        return "insert into agents (shard, agent, key, revision, state_version, state, meta, updated_at) select r.shard, r.agent, r.key, r.revision, r.state_version, r.state, r.meta, " + now_sql() +
               " from " + source(agent_columns) + " left join agents a on a.shard = r.shard and a.agent = r.agent and a.key = r.key where coalesce(a.revision, 0) < r.least"
               " on conflict (shard, agent, key) do update set revision = excluded.revision, state_version = excluded.state_version, state = excluded.state,"
               " meta = excluded.meta, updated_at = excluded.updated_at where agents.revision < excluded.revision";
    });
    if (upserted != agents) return false;
    write_rows("insert steps", rows.steps, [&] {
        return "insert into steps (shard, run, seq, task, pointer, function, key, digest, attempt, outcome, started_at, ended_at, result, record)"
               " select shard, run, seq, task, pointer, function, key, digest, attempt, outcome, started_at, ended_at, result, record from " + source(step_columns);
    });
    write_rows("insert blobs", rows.blobs, [&] {
        return "insert into blobs (shard, run, digest, body) select shard, run, digest, body from " + source(blob_columns) + " where true on conflict (shard, run, digest) do nothing";
    });
    write_rows("delete blobs", rows.dropped_blobs, [&] {
        // A semi-join over the keys on both back ends; SQLite has no DELETE ... USING.
        return std::string("delete from blobs where (shard, run, digest) in (select b.shard, b.run, b.digest from ") + source(dropped_blob_columns) +
               " join blobs b on b.shard = r.shard and b.run = r.run and (r.digest = '' or b.digest = r.digest))";
    });
    write_rows("insert outbox", rows.events, [&] {
        return "insert into outbox (shard, run, id, type, body, created_at) select shard, run, id, type, body, " + now_sql() + " from " + source(event_columns);
    });
    write_rows("consume inbox", rows.consumed, [&] {
        return "update inbox set consumed_at = " + now_sql() + ", body = '' from " + source(consumed_columns) + " where inbox.shard = r.shard and inbox.seq = r.seq";
    });
    write_rows("upsert approvals", rows.approvals, [&] {
        return "insert into approvals (shard, id, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment, created_at, decided_at)"
               " select shard, id, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment, case when created_at = 0 then " + now_sql() +
               " else created_at end, decided_at from " + source(approval_columns) +
               " where true on conflict (shard, id) do update set task = excluded.task, title = excluded.title, proposal = excluded.proposal, status = excluded.status,"
               " expires_at = excluded.expires_at, decided_by = excluded.decided_by, comment = excluded.comment, decided_at = excluded.decided_at";
    });
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
        auto& q = session_.prepared("revisions of runs", [&] { return "select s.run, s.revision from " + source(run_columns) + " join run_states s on s.shard = r.shard and s.run = r.run"; }, "t", "ti");
        q.bind_rows(std::move(chunk)).execute();
        while (q.next()) revision_of_run[q.text(0)] = q.number(1);
    }
    for (auto& chunk : agents.take()) {
        auto& q = session_.prepared("revisions of agents", [&] {
            return "select a.agent, a.key, a.revision from " + source(agent_name_columns) + " join agents a on a.shard = r.shard and a.agent = r.agent and a.key = r.key";
        }, "t", "tti");
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
            fits = at != revision_of_run.end() && at->second == c.expected_revision;
            if (fits) ++at->second;
        }
        for (const auto& a : c.agents) {
            const auto at = revision_of_agent.find({a.agent, a.key});
            if (broken.contains({a.agent, a.key}) || (at != revision_of_agent.end() && at->second >= a.revision)) fits = false;
        }
        if (fits) continue;
        outcomes[i] = checkpoint_outcome::conflict;
        for (const auto& a : c.agents) broken.emplace(a.agent, a.key);
    }
}

}  // namespace pawl::store
