#include "store/commit_statements.hpp"

#include <algorithm>
#include <array>

namespace pawl::store {
namespace {

template <std::size_t N>
std::string from(row_form form, const std::array<column_spec, N>& columns) {
    return " from " + rows_source(form, columns);
}

std::string run_states(row_form form, const std::string& now) {
    return "update run_states set revision = r.revision, status = r.status, due_at = r.due_at, state = r.state, output = r.output, error = r.error,"
           " updated_at = " + now + ", ended_at = case when r.status in ('completed', 'faulted', 'cancelled') then " + now + " end" +
           from(form, run_state_columns) +
           " where run_states.shard = r.shard and run_states.run = r.run and run_states.revision = r.expected";
}

std::string agents(row_form form, const std::string& now) {
    return "insert into agents (shard, agent, key, revision, state_version, state, meta, updated_at)"
           " select r.shard, r.agent, r.key, r.revision, r.state_version, r.state, r.meta, " + now + from(form, agent_columns) +
           " left join agents a on a.shard = r.shard and a.agent = r.agent and a.key = r.key where coalesce(a.revision, 0) = r.least - 1"
           " on conflict (shard, agent, key) do update set revision = excluded.revision, state_version = excluded.state_version,"
           " state = excluded.state, meta = excluded.meta, updated_at = excluded.updated_at where agents.revision < excluded.revision";
}

std::string steps(row_form form, const std::string&) {
    constexpr const char* columns = "shard, run, seq, task, pointer, function, key, digest, attempt, outcome, started_at, ended_at, result, record";
    return std::string("insert into steps (") + columns + ") select " + columns + from(form, step_columns);
}

std::string blobs(row_form form, const std::string&) {
    return "insert into blobs (shard, run, digest, body) select shard, run, digest, body" + from(form, blob_columns) +
           " where true on conflict (shard, run, digest) do nothing";
}

/// A semi-join over the keys on both back ends: SQLite has no DELETE ... USING.
std::string dropped_blobs(row_form form, const std::string&) {
    return "delete from blobs where (shard, run, digest) in (select b.shard, b.run, b.digest" + from(form, dropped_blob_columns) +
           " join blobs b on b.shard = r.shard and b.run = r.run and (r.digest = '' or b.digest = r.digest))";
}

std::string outbox(row_form form, const std::string& now) {
    return "insert into outbox (shard, run, id, type, body, created_at) select shard, run, id, type, body, " + now + from(form, event_columns);
}

std::string inbox(row_form form, const std::string& now) {
    return "update inbox set consumed_at = " + now + ", body = ''" + from(form, consumed_columns) +
           " where inbox.shard = r.shard and inbox.seq = r.seq";
}

/// Like every poster's: the lock from before a number is drawn until the commit (soci_messages.cpp). No NOTIFY: whoever owns the shard reads after it commits.
std::string posts(row_form form, const std::string& now) {
    const bool locked = form.kind == dialect::postgresql;
    return std::string("insert into inbox (shard, run, kind, source, id, body, received_at) ") +
           (locked ? "with turn as materialized (select pg_advisory_xact_lock(7809912)) " : "") +
           "select shard, run, kind, source, id, body, " + now + from(form, post_columns) + (locked ? ", turn" : "") +
           " where true on conflict (shard, source, id) do nothing";
}

std::string approvals(row_form form, const std::string& now) {
    return "insert into approvals (shard, id, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment,"
           " created_at, decided_at) select shard, id, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment,"
           " case when created_at = 0 then " + now + " else created_at end, decided_at" + from(form, approval_columns) +
           " where true on conflict (shard, id) do update set task = excluded.task, title = excluded.title, proposal = excluded.proposal,"
           " status = excluded.status, expires_at = excluded.expires_at, decided_by = excluded.decided_by, comment = excluded.comment,"
           " decided_at = excluded.decided_at";
}

std::string moved(row_form form, const std::string&) {
    return "update runs set definition = r.definition, workflow = r.workflow" + from(form, moved_columns) + " where runs.shard = r.shard and runs.id = r.run";
}

std::string subscribed(row_form form, const std::string&) {
    return "insert into subscriptions (shard, run, type) select shard, run, type" + from(form, subscribed_columns) + " where true on conflict do nothing";
}

/// A run that existed, and has perhaps ended, is left as it is.
std::string birth_types(row_form form, const std::string&) {
    return "insert into subscriptions (shard, run, type) select r.shard, r.run, r.type" + from(form, subscribed_columns) +
           " where not exists (select 1 from run_states s where s.shard = r.shard and s.run = r.run and s.ended_at is not null) on conflict do nothing";
}

std::string unsubscribed(row_form form, const std::string&) {
    return "delete from subscriptions where (shard, run, type) in (select s.shard, s.run, s.type" + from(form, unsubscribed_columns) +
           " join subscriptions s on s.shard = r.shard and s.run = r.run and (r.every = 1 or s.type = r.type))";
}

std::string default_tags(row_form form, const std::string& now) {
    return "insert into run_tags (shard, run, name, value, created_at) select r.shard, r.run, t.name, t.value,"
           " coalesce((select b.created_at from runs b where b.shard = r.shard and b.id = r.run), " + now + ")" + from(form, default_tag_columns) +
           " join definition_tags t on t.definition = r.definition where true on conflict do nothing";
}

std::string settled(row_form form, const std::string&) {
    return "delete from heartbeats where (shard, run, key) in (select h.shard, h.run, h.key" + from(form, settled_columns) +
           " join heartbeats h on h.shard = r.shard and h.run = r.run and (r.key = '' or h.key = r.key))";
}

}  // namespace

/// With the run's own time, which lists are sorted by: where the run is a row of the same statement it is not seen yet, but `now` is the same.
std::string insert_tags(row_form form, const std::string& now) {
    return "insert into run_tags (shard, run, name, value, created_at) select r.shard, r.run, r.name, r.value,"
           " coalesce((select b.created_at from runs b where b.shard = r.shard and b.id = r.run), " + now + ")" + from(form, tag_columns) +
           " where true on conflict do nothing";
}

std::string insert_runs(row_form form, const std::string& now) {
    return "insert into runs (shard, id, definition, workflow, agent, agent_key, environment, project, input, parent, parent_key, depth, priority, created_at)"
           " select shard, id, definition, workflow, agent, agent_key, environment, project, input, parent, parent_key, depth, priority, " + now + from(form, new_run_columns) +
           " where true on conflict do nothing";
}

std::string insert_run_states(row_form form, const std::string& now) {
    return "insert into run_states (shard, run, revision, status, due_at, state, output, error, updated_at, ended_at)"
           " select shard, run, revision, status, due_at, state, output, error, " + now +
           ", case when status in ('completed', 'faulted', 'cancelled') then " + now + " end" + from(form, born_state_columns) +
           " where true on conflict do nothing";
}

std::span<const table_statement> table_statements() {
    static constexpr std::array<table_statement, 20> all{{{"born runs", &batch_rows::born_runs, new_run_columns, &insert_runs, true, "given_run"},
                                                         {"born states", &batch_rows::born_states, born_state_columns, &insert_run_states, true, "given_birth"},
                                                         {"run_states", &batch_rows::run_states, run_state_columns, &run_states, true, "given_state"},
                                                         {"agents", &batch_rows::agents, agent_columns, &agents, true, "given_agent"},
                                                         {"steps", &batch_rows::steps, step_columns, &steps, false, "given_step"},
                                                         {"blobs", &batch_rows::blobs, blob_columns, &blobs, false, "given_blob"},
                                                         {"dropped blobs", &batch_rows::dropped_blobs, dropped_blob_columns, &dropped_blobs, false},
                                                         {"outbox", &batch_rows::events, event_columns, &outbox, false, "given_event"},
                                                         {"inbox", &batch_rows::consumed, consumed_columns, &inbox, false, "given_entry"},
                                                         {"births", &batch_rows::births, new_run_columns, &insert_runs, false, "given_run"},
                                                         {"birth states", &batch_rows::birth_states, born_state_columns, &insert_run_states, false, "given_birth"},
                                                         {"posts", &batch_rows::posts, post_columns, &posts, false, "given_post"},
                                                         {"approvals", &batch_rows::approvals, approval_columns, &approvals, false},
                                                         {"unsubscribed", &batch_rows::unsubscribed, unsubscribed_columns, &unsubscribed, false},
                                                         {"subscribed", &batch_rows::subscribed, subscribed_columns, &subscribed, false},
                                                         {"birth types", &batch_rows::birth_types, subscribed_columns, &birth_types, false},
                                                         {"settled", &batch_rows::settled, settled_columns, &settled, false},
                                                         {"moved", &batch_rows::moved, moved_columns, &moved, true},
                                                         {"tags", &batch_rows::tags, tag_columns, &insert_tags, false},
                                                         {"default tags", &batch_rows::default_tags, default_tag_columns, &default_tags, false}}};
    return all;
}

namespace {

/// FOR SHARE: a takeover waits for this statement to commit, or is seen here.
std::string held_leases(row_form form) {
    return "with leases_held as materialized (select 1" + from(form, lease_columns) +
           " join leases l on l.shard = r.shard where l.owner <> '' and l.epoch = r.epoch order by l.shard for share of l)";
}

}  // namespace

bool is_chain(std::span<const table_statement* const> touched) {
    for (std::size_t i = 1; i < touched.size(); ++i) {
        if (touched[i]->counted) return false;
    }
    return true;
}

std::string statement_for_one(std::span<const table_statement* const> touched, const std::string& now) {
    std::string with = held_leases({dialect::postgresql, true});
    std::string before = "leases_held";
    for (std::size_t i = 0; i < touched.size(); ++i) {
        const auto label = "part" + std::to_string(i);
        with += ", " + label + " as (" + touched[i]->sql({dialect::postgresql, true, {}, before}, now) + (touched[i]->counted ? " returning 1)" : ")");
        if (touched[i]->counted) before = label;
    }
    return with + " select 1 from " + before;
}

std::string statement_for_all(std::span<const table_statement* const> touched, bool single, const std::string& now) {
    const auto form = [single](std::string_view type) { return row_form(dialect::postgresql, single, type); };
    const auto fits = [](const std::string& count, const std::string& counted) {
        return counted + "_fits as materialized (select 1 / (case when count(*) = :" + count + " then 1 else 0 end) as fits from " + counted + ")";
    };
    std::string with = held_leases(form(lease_row_type)) + ", " + fits("leases", "leases_held");
    std::string checked = "select (select fits from leases_held_fits)";
    // Once for all rows: what turns the clock into a number costs more than many a row. Read when the leases are locked, by the first part that needs it. For a single row that would cost more.
    const bool tagged = std::any_of(touched.begin(), touched.end(), [](const auto* table) { return table->sql == &insert_tags || table->sql == &default_tags; });
    if (!single || tagged) with += ", moment as materialized (select " + now + " as at)";
    const auto at = !single || tagged ? "(select at from moment)" : now;
    for (std::size_t i = 0; i < touched.size(); ++i) {
        const auto label = "part" + std::to_string(i);
        with += ", " + label + " as (" + touched[i]->sql(form(touched[i]->row_type), at) + (touched[i]->counted ? " returning 1)" : ")");
        if (!touched[i]->counted) continue;
        with += ", " + fits("count" + std::to_string(i), label);
        checked += " + (select fits from " + label + "_fits)";
    }
    return with + " " + checked;
}

}  // namespace pawl::store
