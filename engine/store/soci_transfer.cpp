// Carrying runs from store to store. A live run is ended at its source first, by the same guard as a checkpoint (its revision), so that no engine goes on with it: what an
// engine had begun meanwhile does not commit, and nothing leaves before a commit. What the run was stays in the row that ended it, so moving can be repeated after a crash.
#include "store/approval_fields.hpp"
#include "store/soci_administration.hpp"
#include "store/soci_connection.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 14> imported_run_columns{{{"shard", 'i'}, {"id", 't'}, {"definition", 't'}, {"workflow", 't'}, {"agent", 't'}, {"agent_key", 't'},
                                                            {"environment", 't'}, {"project", 't'}, {"input", 't'}, {"parent", 't'}, {"parent_key", 't'}, {"depth", 'i'}, {"priority", 'i'},
                                                            {"created_at", 'i'}}};
constexpr std::array<column_spec, 10> imported_state_columns{{{"shard", 'i'}, {"run", 't'}, {"revision", 'i'}, {"status", 't'}, {"due_at", 'i'}, {"state", 't'}, {"output", 't'},
                                                              {"error", 't'}, {"updated_at", 'i'}, {"ended_at", 'i'}}};
constexpr std::array<column_spec, 5> imported_tag_columns{{{"shard", 'i'}, {"run", 't'}, {"name", 't'}, {"value", 't'}, {"created_at", 'i'}}};
constexpr std::array<column_spec, 7> imported_event_columns{
    {{"shard", 'i'}, {"run", 't'}, {"id", 't'}, {"type", 't'}, {"body", 't'}, {"created_at", 'i'}, {"delivered_at", 'i'}}};

/// Name of the blob that holds the state of a moved run.
constexpr std::string_view moved_state = "moved-state";

std::string names_of(std::span<const column_spec> columns) {
    std::string out;
    for (const auto& column : columns) out += (out.empty() ? "" : ", ") + std::string(column.name);
    return out;
}

json::value time_or_null(std::optional<time_point> at) { return at ? json::value(at->time_since_epoch().count()) : json::value(); }

/// What a moved run was, from the error that it ended with; null when it is none.
json::value memory_of(const run_row& run) {
    if (run.status != run_status::cancelled || run.error.empty()) return nullptr;
    const auto error = parse_json(run.error);
    if (!error || !error->is_object() || error->get_object().if_contains("type") == nullptr || error->get_object().at("type") != json::value(moved_error)) return nullptr;
    const auto* was = error->get_object().if_contains("was");
    return was != nullptr && was->is_object() ? *was : json::value();
}

std::vector<std::string> texts_of(const json::value& of, std::string_view name) {
    std::vector<std::string> out;
    if (const auto* list = of.get_object().if_contains(name); list != nullptr && list->is_array()) {
        for (const auto& each : list->get_array()) out.emplace_back(each.is_string() ? std::string(each.get_string()) : std::string());
    }
    return out;
}

}  // namespace

std::int64_t soci_administration::insert(std::string_view table, std::span<const column_spec> columns, row_text& rows) {
    return write_rows("import " + std::string(table), rows, std::nullopt, [&] {
        const auto names = names_of(columns);
        return "insert into " + std::string(table) + " (" + names + ") select " + names + " from " + rows_source(session_.kind(), columns) + " where true on conflict do nothing";
    });
}

/// Ends what ends with a moved run, and makes the error that it ends with: what it was, and what ended.
std::string soci_administration::end_all_of(const run_row& run) {
    json::array subscriptions, approvals, messages;
    const std::string now = session_.now_sql();
    const auto end = [&](std::string_view name, const std::string& sql, char column) -> query& {
        auto& q = session_.prepared(name, [&] { return sql; }, "it", std::string(1, column));
        q.bind(static_cast<std::int64_t>(run.shard)).bind(run.id).execute();
        return q;
    };
    auto& types = end("end subscriptions", "delete from subscriptions where shard = :shard and run = :run returning type", 't');
    while (types.next()) subscriptions.emplace_back(types.text(0));
    auto& asked = end("end approvals", "update approvals set status = 'cancelled', decided_at = " + now + " where shard = :shard and run = :run and status = 'pending' returning id", 't');
    while (asked.next()) approvals.emplace_back(asked.text(0));
    auto& waiting = end("end messages", "update inbox set consumed_at = " + now + " where shard = :shard and run = :run and consumed_at is null returning seq", 'i');
    while (waiting.next()) messages.emplace_back(waiting.number(0));
    const json::object error{{"type", moved_error},
                             {"status", 410},
                             {"title", "Moved"},
                             {"detail", "This run was exported with --move: it lives on in the store that it is imported into."},
                             {"was",
                              {{"status", to_string(run.status)},
                               {"dueAt", time_or_null(run.due_at)},
                               {"updatedAt", run.updated_at.time_since_epoch().count()},
                               {"subscriptions", std::move(subscriptions)},
                               {"approvals", std::move(approvals)},
                               {"messages", std::move(messages)}}}};
    return to_text(error);
}

store_result<bool> soci_administration::move_run(const run_row& run) {
    if (!memory_of(run).is_null()) return true;
    if (run.status != run_status::pending && run.status != run_status::waiting && run.status != run_status::suspended) return false;
    return session_.run([&]() -> store_result<bool> {
        session_.begin();
        // First, so that its row is locked: what is read then stays so until the commit.
        auto& ends = session_.prepared(
            "move run",
            [&] {
                const std::string now = session_.now_sql();
                return "update run_states set revision = revision + 1, status = 'cancelled', due_at = null, updated_at = " + now + ", ended_at = " + now +
                       " where shard = :shard and run = :run and revision = :revision and status = :status";
            },
            "itit", "");
        ends.bind(static_cast<std::int64_t>(run.shard)).bind(run.id).bind(run.revision).bind(to_string(run.status)).execute();
        if (ends.affected() != 1) {
            session_.rollback();
            return false;
        }
        // Beside it and not in it: a run that was moved must not go on here by any other way.
        auto& aside = session_.prepared(
            "state aside",
            [] {
                return std::string("insert into blobs (shard, run, digest, body) select shard, run, '") + std::string(moved_state) +
                       "', state from run_states where shard = :shard and run = :run";
            },
            "it", "");
        aside.bind(static_cast<std::int64_t>(run.shard)).bind(run.id).execute();
        const auto error = end_all_of(run);
        auto& remember = session_.prepared("remember move", [] { return std::string("update run_states set error = :error, state = '' where shard = :shard and run = :run"); }, "tit", "");
        remember.bind(error).bind(static_cast<std::int64_t>(run.shard)).bind(run.id).execute();
        session_.commit();
        return true;
    });
}

void soci_administration::read_lists(transferred_run& to) {
    const auto& run = to.run;
    auto& blobs = session_.prepared("blobs of run", [] { return std::string("select digest, body from blobs where shard = :shard and run = :run order by digest"); }, "it", "tt");
    blobs.bind(static_cast<std::int64_t>(run.shard)).bind(run.id).execute();
    while (blobs.next()) to.blobs.push_back({blobs.text(0), blobs.text(1)});
    auto& approvals = session_.prepared("approvals of run", [] { return std::string(approval_fields) + " where run = :run order by created_at, id"; }, "t", approval_letters);
    approvals.bind(run.id).execute();
    while (approvals.next()) to.approvals.push_back(approval_of(approvals));
    auto& events = session_.prepared(
        "events of run", [] { return std::string("select seq, id, type, body, created_at, delivered_at from outbox where run = :run order by seq"); }, "t", "itttii");
    events.bind(run.id).execute();
    while (events.next()) {
        transferred_event e;
        e.run = run.id;
        e.seq = events.number(0);
        e.id = events.text(1);
        e.type = events.text(2);
        e.body = events.text(3);
        e.created_at = time_of(events.number(4));
        e.delivered_at = maybe_time_of(events.maybe_number(5));
        to.events.push_back(std::move(e));
    }
}

/// A moved run as it was before.
void soci_administration::restore(transferred_run& to) {
    const auto was = memory_of(to.run);
    if (was.is_null()) return;
    to.moved = true;
    auto& run = to.run;
    const auto& old = was.get_object();
    run.status = run_status_from(std::string_view(old.at("status").as_string())).value_or(run_status::waiting);
    run.due_at = old.at("dueAt").is_null() ? std::nullopt : std::optional(time_of(old.at("dueAt").to_number<std::int64_t>()));
    run.updated_at = time_of(old.at("updatedAt").to_number<std::int64_t>());
    run.revision -= 1;
    run.ended_at.reset();
    run.error.clear();
    const auto state = std::find_if(to.blobs.begin(), to.blobs.end(), [](const blob_row& b) { return b.digest == moved_state; });
    if (state != to.blobs.end()) {
        run.state = std::move(state->body);
        to.blobs.erase(state);
    }
    to.subscriptions = texts_of(was, "subscriptions");
    const auto asked = texts_of(was, "approvals");
    for (auto& approval : to.approvals) {
        if (std::find(asked.begin(), asked.end(), approval.id) == asked.end()) continue;
        approval.status = approval_status::pending;
        approval.decided_at.reset();
    }
    for (const auto& seq : old.at("messages").as_array()) {
        auto& q = session_.prepared(
            "message of run", [] { return std::string("select kind, source, id, body, received_at from inbox where shard = :shard and seq = :seq"); }, "ii", "tttti");
        q.bind(static_cast<std::int64_t>(run.shard)).bind(seq.to_number<std::int64_t>()).execute();
        if (!q.next()) continue;
        inbox_entry message;
        message.shard = run.shard;
        message.run = run.id;
        message.kind = q.text(0);
        message.source = q.text(1);
        message.id = q.text(2);
        message.body = q.text(3);
        message.received_at = time_of(q.number(4));
        q.finish();
        to.messages.push_back(std::move(message));
    }
}

store_result<transferred_run> soci_administration::read_transfer(std::string_view id) {
    return session_.run([&]() -> store_result<transferred_run> {
        auto& q = session_.prepared(
            "read run", [&] { return run_fields(session_.kind()) + ", s.state from runs r join run_states s on s.shard = r.shard and s.run = r.id where r.id = :id"; }, "t",
            std::string(run_field_letters) + "t");
        q.bind(id).execute();
        if (!q.next()) return store_error{store_errc::not_found, "There is no run \"" + std::string(id.substr(0, 100)) + "\" in " + session_.where().shown + "."};
        transferred_run out;
        out.run = run_of(q);
        out.run.state = q.text(run_field_letters.size());
        q.finish();
        read_lists(out);
        restore(out);
        return out;
    });
}

store_result<void> soci_administration::import_steps(shard_id shard, std::string_view run, std::span<const step_row> steps) {
    return session_.run([&]() -> store_result<void> {
        row_text rows(session_.kind());
        for (const auto& s : steps) {
            rows.row().number(shard).text(run).number(s.seq).text(s.task).text(s.pointer).text(s.function).text(s.key).text(s.digest).number(s.attempt).text(s.outcome);
            rows.time(s.started_at).time(s.ended_at).text(s.result).text(s.record);
        }
        insert("steps", step_columns, rows);
        return {};
    });
}

store_result<bool> soci_administration::import_run(const transferred_run& given) {
    return session_.run([&]() -> store_result<bool> {
        const auto& run = given.run;
        const auto kind = session_.kind();
        row_text runs(kind), states(kind), tags(kind), blobs(kind), approvals(kind), events(kind), types(kind);
        runs.row().number(run.shard).text(run.id).text(run.definition).text(run.workflow).text(run.agent).text(run.agent_key).text(run.environment).text(run.project);
        runs.text(run.input).text(run.parent).text(run.parent_key).number(run.depth).number(run.priority).time(run.created_at);
        states.row().number(run.shard).text(run.id).number(run.revision).text(to_string(run.status)).maybe(run.due_at).text(run.state).text(run.output).text(run.error);
        states.time(run.updated_at).maybe(run.ended_at);
        for (const auto& [name, value] : run.tags) tags.row().number(run.shard).text(run.id).text(name).text(value).time(run.created_at);
        for (const auto& blob : given.blobs) blobs.row().number(run.shard).text(run.id).text(blob.digest).text(blob.body);
        for (const auto& a : given.approvals) {
            approvals.row().number(run.shard).text(a.id).text(run.id).text(a.key).text(a.agent).text(a.agent_key).text(a.task).text(a.title).text(a.proposal);
            approvals.text(to_string(a.status)).maybe(a.expires_at).text(a.decided_by).text(a.comment).time(a.created_at).maybe(a.decided_at);
        }
        for (const auto& e : given.events) {
            events.row().number(run.shard).text(run.id).text(e.id).text(e.type).text(e.body).time(e.created_at).time(e.delivered_at.value_or(e.created_at));
        }
        for (const auto& type : given.subscriptions) types.row().number(run.shard).text(run.id).text(type);
        session_.begin();
        if (insert("runs", imported_run_columns, runs) == 0) {
            session_.rollback();
            return false;
        }
        insert("run_states", imported_state_columns, states);
        insert("run_tags", imported_tag_columns, tags);
        insert("blobs", blob_columns, blobs);
        insert("approvals", approval_columns, approvals);
        insert("outbox", imported_event_columns, events);
        insert("subscriptions", subscribed_columns, types);
        session_.commit();
        return true;
    });
}

}  // namespace pawl::store
