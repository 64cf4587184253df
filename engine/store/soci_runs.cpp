// Definitions, runs, their steps, blobs and timers.
#include "store/commit_statements.hpp"
#include "store/run_search.hpp"
#include "store/soci_connection.hpp"

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 5> definition_columns{{{"digest", 't'}, {"ns", 't'}, {"name", 't'}, {"version", 't'}, {"bundle", 't'}}};

store_error no_such(std::string_view what, std::string_view id, const location& where) {
    return {store_errc::not_found, "There is no " + std::string(what) + " \"" + std::string(id.substr(0, 100)) + "\" in " + where.shown + "."};
}

std::string whole_run_fields(dialect kind) {
    return run_fields(kind) + ", s.state, case when exists (select 1 from heartbeats h where h.shard = r.shard and h.run = r.id) then 1 else 0 end";
}

std::string whole_run_letters() { return std::string(run_field_letters) + "ti"; }

run_row whole_run_of(query& q) {
    auto run = run_of(q);
    run.state = q.text(run_field_letters.size());
    run.has_heartbeats = q.number(run_field_letters.size() + 1) != 0;
    return run;
}

/// One look-up for each id, whatever the database thinks of how many ids or runs there are: it is not to read the tables instead.
std::string runs_by_id(dialect kind) {
    static constexpr std::array<column_spec, 1> columns{{{"id", 't'}}};
    const auto ids = "(select id as wanted from " + rows_source(kind, columns) + ") w cross join ";
    if (kind == dialect::sqlite) return ids + "runs r cross join run_states s where r.id = w.wanted and s.shard = r.shard and s.run = r.id";
    return ids + "lateral (select * from runs where id = w.wanted limit 1) r cross join lateral (select * from run_states where shard = r.shard and run = r.id limit 1) s";
}

}  // namespace

soci_connection::soci_connection(location where, session_options options, std::uint32_t shard_count, std::function<void(fault_point)> fault_hook,
                                 std::shared_ptr<local_bells> bells)
    : session_(std::move(where), options), shard_count_(shard_count), fault_hook_(std::move(fault_hook)), bells_(std::move(bells)) {}

store_result<void> soci_connection::check() {
    return session_.run([]() -> store_result<void> { return {}; });
}

store_result<void> soci_connection::check_names(std::string_view what, shard_id shard, std::initializer_list<std::string_view> names) const {
    constexpr std::size_t longest = 1'000;  // PostgreSQL's indexes take 2,700 bytes an entry
    if (shard >= shard_count_) {
        return store_error{store_errc::refused, "The " + std::string(what) + " belongs to shard " + std::to_string(shard) + ", but " +
                                                    session_.where().shown + " has " + std::to_string(shard_count_) + " shards."};
    }
    for (const auto name : names) {
        if (name.size() > longest) {
            return store_error{store_errc::refused, "A name, key or id of the " + std::string(what) + " is " + std::to_string(name.size()) +
                                                        " bytes long; at most 1000 are allowed: \"" + std::string(name.substr(0, 60)) + "...\"."};
        }
    }
    return {};
}

store_result<time_point> soci_connection::now() {
    return session_.run([&]() -> store_result<time_point> {
        auto& q = session_.prepared(
            "now", [&] { return "select " + now_sql(); }, "", "i");
        q.execute();
        q.next();
        return time_of(q.number(0));
    });
}

store_result<void> soci_connection::put_definition(const definition_row& d) {
    if (auto fits = check_names("definition", 0, {d.digest}); !fits) return fits;
    return session_.run([&]() -> store_result<void> {
        row_text rows(session_.kind());
        rows.row().text(d.digest).text(d.ns).text(d.name).text(d.version).text(d.bundle);
        write_rows("put definition", rows, [&] {
            return "insert into definitions (digest, ns, name, version, bundle, created_at) select digest, ns, name, version, bundle, " + now_sql() +
                   " from " + source(definition_columns) + " where true on conflict (digest) do nothing";
        });
        write_definition_tags(d);
        return {};
    });
}

store_result<definition_row> soci_connection::get_definition(std::string_view digest) {
    return session_.run([&]() -> store_result<definition_row> {
        auto& q = session_.prepared(
            "get definition", [] { return std::string("select digest, ns, name, version, bundle from definitions where digest = :digest"); }, "t",
            "ttttt");
        q.bind(digest).execute();
        if (!q.next()) return no_such("definition", digest, session_.where());
        definition_row found{q.text(0), q.text(1), q.text(2), q.text(3), q.text(4)};
        q.finish();
        found.tags = definition_tags(digest);
        return found;
    });
}

store_result<void> soci_connection::create_run(const new_run& run) {
    if (auto fits = check_names("run", run.shard, {run.id, run.definition, run.workflow, run.agent, run.agent_key, run.parent, run.parent_key}); !fits) return fits;
    auto created = session_.run([&]() -> store_result<void> {
        session_.begin();
        row_text runs(session_.kind()), states(session_.kind());
        add_unstarted_run(runs, states, run);
        if (write_rows("insert run", runs, [&] { return insert_runs(session_.kind(), now_sql()); }) == 0)
            return store_error{store_errc::duplicate, "The run " + run.id + " exists already in " + session_.where().shown + "."};
        write_rows("insert run_state", states, [&] { return insert_run_states(session_.kind(), now_sql()); });
        row_text tags(session_.kind());
        add_tags(tags, run);
        write_rows("insert tags", tags, [&] { return insert_tags(session_.kind(), now_sql()); });
        row_text types(session_.kind());
        add_birth_types(types, run);
        write_rows("insert subscriptions", types, [&] { return "insert into subscriptions (shard, run, type) select shard, run, type from " + source(subscribed_columns) + " where true on conflict do nothing"; });
        insert_inbox({run.shard, run.id, "start", "run", run.id, "{}"});
        session_.commit();
        return {};
    });
    if (created) bells_->ring();
    return created;
}

store_result<run_row> soci_connection::load_run(std::string_view id) {
    return session_.run([&]() -> store_result<run_row> {
        auto& q = session_.prepared(
            "load run", [&] { return whole_run_fields(session_.kind()) + " from runs r join run_states s on s.shard = r.shard and s.run = r.id where r.id = :id"; }, "t",
            whole_run_letters());
        q.bind(id).execute();
        if (!q.next()) return no_such("run", id, session_.where());
        return whole_run_of(q);
    });
}

store_result<std::vector<run_row>> soci_connection::load_runs(std::span<const std::string> ids) {
    return session_.run([&]() -> store_result<std::vector<run_row>> {
        row_text rows(session_.kind());
        for (const auto& id : ids) rows.row().text(id);
        std::vector<run_row> found;
        for (auto& chunk : rows.take()) {
            auto& q = session_.prepared(
                "load runs", [&] { return whole_run_fields(session_.kind()) + " from " + runs_by_id(session_.kind()); }, "t", whole_run_letters());
            q.bind_rows(std::move(chunk)).execute();
            while (q.next()) found.push_back(whole_run_of(q));
        }
        return found;
    });
}

store_result<std::size_t> soci_connection::count_pending(std::string_view prefix, std::size_t most) {
    return session_.run([&]() -> store_result<std::size_t> {
        auto& q = session_.prepared(
            "count pending",
            [] {
                return std::string(
                    "select count(*) from (select 1 as one from run_states s join runs r on r.shard = s.shard and r.id = s.run"
                    " where s.status = 'pending' and s.status in ('pending', 'running') and substr(r.workflow, 1, length(cast(:prefix as text))) = :workflow limit :most) found");
            },
            "tti", "i");
        q.bind(prefix).bind(prefix).bind(limit_of(most)).execute();
        q.next();
        return static_cast<std::size_t>(q.number(0));
    });
}

store_result<std::vector<step_row>> soci_connection::list_steps(std::string_view run, std::int64_t after_seq, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<step_row>> {
        auto& q = session_.prepared(
            "list steps",
            [] {
                return std::string(
                    "select seq, task, pointer, function, key, digest, attempt, outcome, started_at, ended_at, result, record from steps"
                    " where shard = (select shard from runs where id = :id) and run = :run and seq > :after order by seq limit :most");
            },
            "ttii", "itttttitiitt");
        q.bind(run).bind(run).bind(after_seq).bind(limit_of(limit)).execute();
        std::vector<step_row> steps;
        while (q.next()) {
            steps.push_back({q.number(0), q.text(1), q.text(2), q.text(3), q.text(4), q.text(5), static_cast<int>(q.number(6)), q.text(7),
                             time_of(q.number(8)), time_of(q.number(9)), q.text(10), q.text(11)});
        }
        return steps;
    });
}

store_result<std::vector<blob_row>> soci_connection::load_blobs(shard_id shard, std::string_view run) {
    return session_.run([&]() -> store_result<std::vector<blob_row>> {
        auto& q = session_.prepared(
            "load blobs", [] { return std::string("select digest, body from blobs where shard = :shard and run = :run order by digest"); }, "it",
            "tt");
        q.bind(static_cast<std::int64_t>(shard)).bind(run).execute();
        std::vector<blob_row> blobs;
        while (q.next()) blobs.push_back({q.text(0), q.text(1)});
        return blobs;
    });
}

store_result<std::vector<due_run>> soci_connection::runnable_runs(std::span<const shard_id> shards, std::string_view after, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<due_run>> {
        auto& q = session_.prepared(
            "runnable runs",
            [&] {
                return "select s.run, s.shard, coalesce(s.due_at, s.updated_at) from " + shards_source(session_.kind()) +
                       " join run_states s" + indexed_by(session_.kind(), "run_states_runnable") +
                       " on s.shard = r.shard where s.status in ('pending', 'running') and s.run > :after order by s.run limit :most";
            },
            "tti", "tii");
        with_shards(q, shards).bind(after).bind(limit_of(limit)).execute();
        std::vector<due_run> runs;
        while (q.next()) runs.push_back({q.text(0), static_cast<shard_id>(q.number(1)), time_of(q.number(2))});
        return runs;
    });
}

store_result<std::vector<due_run>> soci_connection::due_runs(std::span<const shard_id> shards, time_point until, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<due_run>> {
        auto& q = session_.prepared(
            "due runs",
            [&] {
                return "select s.run, s.shard, s.due_at from " + shards_source(session_.kind()) +
                       " join run_states s on s.shard = r.shard where s.due_at is not null and s.due_at <= :until order by s.due_at, s.run limit "
                       ":most";
            },
            "tii", "tii");
        with_shards(q, shards).bind(until.time_since_epoch().count()).bind(limit_of(limit)).execute();
        std::vector<due_run> runs;
        while (q.next()) runs.push_back({q.text(0), static_cast<shard_id>(q.number(1)), time_of(q.number(2))});
        return runs;
    });
}

store_result<std::optional<time_point>> soci_connection::next_due(std::span<const shard_id> shards) {
    return session_.run([&]() -> store_result<std::optional<time_point>> {
        // The least of each shard is one index look-up.
        auto& q = session_.prepared(
            "next due",
            [&] {
                return "select min(d.due_at) from (select (select min(s.due_at) from run_states s where s.shard = r.shard and s.due_at is not null) "
                       "as due_at from " +
                       shards_source(session_.kind()) + ") d";
            },
            "t", "i");
        with_shards(q, shards).execute();
        if (!q.next()) return std::optional<time_point>();
        return maybe_time_of(q.maybe_number(0));
    });
}

}  // namespace pawl::store
