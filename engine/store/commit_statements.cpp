#include "store/commit_statements.hpp"

#include <algorithm>
#include <array>

namespace pawl::store {
namespace {

template <std::size_t N>
std::string from(dialect kind, const std::array<column_spec, N>& columns) {
    return " from " + rows_source(kind, columns);
}

std::string run_states(dialect kind, const std::string& now) {
    return "update run_states set revision = r.revision, status = r.status, due_at = r.due_at, state = r.state, output = r.output, error = r.error,"
           " updated_at = " + now + ", ended_at = case when r.status in ('completed', 'faulted', 'cancelled') then " + now + " end" +
           from(kind, run_state_columns) +
           " where run_states.shard = r.shard and run_states.run = r.run and run_states.revision = r.expected";
}

std::string agents(dialect kind, const std::string& now) {
    return "insert into agents (shard, agent, key, revision, state_version, state, meta, updated_at)"
           " select r.shard, r.agent, r.key, r.revision, r.state_version, r.state, r.meta, " + now + from(kind, agent_columns) +
           " left join agents a on a.shard = r.shard and a.agent = r.agent and a.key = r.key where coalesce(a.revision, 0) < r.least"
           " on conflict (shard, agent, key) do update set revision = excluded.revision, state_version = excluded.state_version,"
           " state = excluded.state, meta = excluded.meta, updated_at = excluded.updated_at where agents.revision < excluded.revision";
}

std::string steps(dialect kind, const std::string&) {
    constexpr const char* columns = "shard, run, seq, task, pointer, function, key, digest, attempt, outcome, started_at, ended_at, result, record";
    return std::string("insert into steps (") + columns + ") select " + columns + from(kind, step_columns);
}

std::string blobs(dialect kind, const std::string&) {
    return "insert into blobs (shard, run, digest, body) select shard, run, digest, body" + from(kind, blob_columns) +
           " where true on conflict (shard, run, digest) do nothing";
}

/// A semi-join over the keys on both back ends: SQLite has no DELETE ... USING.
std::string dropped_blobs(dialect kind, const std::string&) {
    return "delete from blobs where (shard, run, digest) in (select b.shard, b.run, b.digest" + from(kind, dropped_blob_columns) +
           " join blobs b on b.shard = r.shard and b.run = r.run and (r.digest = '' or b.digest = r.digest))";
}

std::string outbox(dialect kind, const std::string& now) {
    return "insert into outbox (shard, run, id, type, body, created_at) select shard, run, id, type, body, " + now + from(kind, event_columns);
}

std::string inbox(dialect kind, const std::string& now) {
    return "update inbox set consumed_at = " + now + ", body = ''" + from(kind, consumed_columns) +
           " where inbox.shard = r.shard and inbox.seq = r.seq";
}

/// Like every poster's: the lock from before a number is drawn until the commit (soci_messages.cpp). No NOTIFY: whoever owns the shard reads after it commits.
std::string posts(dialect kind, const std::string& now) {
    const bool locked = kind == dialect::postgresql;
    return std::string("insert into inbox (shard, run, kind, source, id, body, received_at) ") +
           (locked ? "with turn as materialized (select pg_advisory_xact_lock(7809912)) " : "") +
           "select shard, run, kind, source, id, body, " + now + from(kind, post_columns) + (locked ? ", turn" : "") +
           " where true on conflict (shard, source, id) do nothing";
}

std::string approvals(dialect kind, const std::string& now) {
    return "insert into approvals (shard, id, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment,"
           " created_at, decided_at) select shard, id, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment,"
           " case when created_at = 0 then " + now + " else created_at end, decided_at" + from(kind, approval_columns) +
           " where true on conflict (shard, id) do update set task = excluded.task, title = excluded.title, proposal = excluded.proposal,"
           " status = excluded.status, expires_at = excluded.expires_at, decided_by = excluded.decided_by, comment = excluded.comment,"
           " decided_at = excluded.decided_at";
}

std::string moved(dialect kind, const std::string&) {
    return "update runs set definition = r.definition, workflow = r.workflow" + from(kind, moved_columns) + " where runs.shard = r.shard and runs.id = r.run";
}

std::string subscribed(dialect kind, const std::string&) {
    return "insert into subscriptions (shard, run, type) select shard, run, type" + from(kind, subscribed_columns) + " where true on conflict do nothing";
}

std::string unsubscribed(dialect kind, const std::string&) {
    return "delete from subscriptions where (shard, run, type) in (select s.shard, s.run, s.type" + from(kind, unsubscribed_columns) +
           " join subscriptions s on s.shard = r.shard and s.run = r.run and (r.every = 1 or s.type = r.type))";
}

std::string default_tags(dialect kind, const std::string& now) {
    return "insert into run_tags (shard, run, name, value, created_at) select r.shard, r.run, t.name, t.value,"
           " coalesce((select b.created_at from runs b where b.shard = r.shard and b.id = r.run), " + now + ")" + from(kind, default_tag_columns) +
           " join definition_tags t on t.definition = r.definition where true on conflict do nothing";
}

}  // namespace

/// With the run's own time, which lists are sorted by: where the run is a row of the same statement it is not seen yet, but `now` is the same.
std::string insert_tags(dialect kind, const std::string& now) {
    return "insert into run_tags (shard, run, name, value, created_at) select r.shard, r.run, r.name, r.value,"
           " coalesce((select b.created_at from runs b where b.shard = r.shard and b.id = r.run), " + now + ")" + from(kind, tag_columns) +
           " where true on conflict do nothing";
}

std::string insert_runs(dialect kind, const std::string& now) {
    return "insert into runs (shard, id, definition, workflow, agent, agent_key, environment, project, input, parent, parent_key, depth, created_at)"
           " select shard, id, definition, workflow, agent, agent_key, environment, project, input, parent, parent_key, depth, " + now + from(kind, new_run_columns) +
           " where true on conflict do nothing";
}

std::string insert_run_states(dialect kind, const std::string& now) {
    return "insert into run_states (shard, run, revision, status, due_at, state, output, error, updated_at, ended_at)"
           " select shard, run, revision, status, due_at, state, output, error, " + now +
           ", case when status in ('completed', 'faulted', 'cancelled') then " + now + " end" + from(kind, born_state_columns) +
           " where true on conflict do nothing";
}

std::span<const table_statement> table_statements() {
    static constexpr std::array<table_statement, 18> all{{{"born runs", &batch_rows::born_runs, &insert_runs, true},
                                                         {"born states", &batch_rows::born_states, &insert_run_states, true},
                                                         {"run_states", &batch_rows::run_states, &run_states, true},
                                                         {"agents", &batch_rows::agents, &agents, true},
                                                         {"steps", &batch_rows::steps, &steps, false},
                                                         {"blobs", &batch_rows::blobs, &blobs, false},
                                                         {"dropped blobs", &batch_rows::dropped_blobs, &dropped_blobs, false},
                                                         {"outbox", &batch_rows::events, &outbox, false},
                                                         {"inbox", &batch_rows::consumed, &inbox, false},
                                                         {"births", &batch_rows::births, &insert_runs, false},
                                                         {"birth states", &batch_rows::birth_states, &insert_run_states, false},
                                                         {"posts", &batch_rows::posts, &posts, false},
                                                         {"approvals", &batch_rows::approvals, &approvals, false},
                                                         {"unsubscribed", &batch_rows::unsubscribed, &unsubscribed, false},
                                                         {"subscribed", &batch_rows::subscribed, &subscribed, false},
                                                         {"moved", &batch_rows::moved, &moved, true},
                                                         {"tags", &batch_rows::tags, &insert_tags, false},
                                                         {"default tags", &batch_rows::default_tags, &default_tags, false}}};
    return all;
}

std::string statement_for_all(std::span<const table_statement* const> touched, const std::string& now) {
    const auto fits = [](const std::string& count, const std::string& counted) {
        return counted + "_fits as materialized (select 1 / (case when count(*) = :" + count + " then 1 else 0 end) as fits from " + counted + ")";
    };
    // FOR SHARE: a takeover waits for this statement to commit, or is seen here.
    std::string with = "with leases_held as materialized (select 1" + from(dialect::postgresql, lease_columns) +
                       " join leases l on l.shard = r.shard where l.owner <> '' and l.epoch = r.epoch order by l.shard for share of l), " +
                       fits("leases", "leases_held");
    std::string checked = "select (select fits from leases_held_fits)";
    const bool tagged = std::any_of(touched.begin(), touched.end(), [](const auto* table) { return table->sql == &insert_tags || table->sql == &default_tags; });
    if (tagged) with += ", moment as materialized (select " + now + " as at)";
    const auto at = tagged ? "(select at from moment)" : now;
    for (std::size_t i = 0; i < touched.size(); ++i) {
        const auto label = "part" + std::to_string(i);
        with += ", " + label + " as (" + touched[i]->sql(dialect::postgresql, at) + (touched[i]->counted ? " returning 1)" : ")");
        if (!touched[i]->counted) continue;
        with += ", " + fits("count" + std::to_string(i), label);
        checked += " + (select fits from " + label + "_fits)";
    }
    return with + " " + checked;
}

}  // namespace pawl::store
