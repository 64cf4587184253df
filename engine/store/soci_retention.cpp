// Retention: what is over leaves in small transactions. Finished runs are never written again, so taking them disturbs no checkpoint; on PostgreSQL rows that
// somebody holds are left for the next round.
#include "store/soci_administration.hpp"
#include "store/soci_connection.hpp"

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 2> run_columns{{{"shard", 'i'}, {"run", 't'}}};
constexpr std::int64_t runs_per_slice = 100;         ///< of live runs whose history is looked at in one round
constexpr std::int64_t oldest_steps_looked_at = 200; ///< of each of them

/// What keeps a finished run: live children (their end is for it), messages that wait for it or from it for its parent, events that are not delivered.
constexpr const char* nobody_needs_it =
    "s.ended_at is not null"
    " and not exists (select 1 from runs c join run_states cs on cs.shard = c.shard and cs.run = c.id"
    " where c.parent <> '' and c.parent = r.id and cs.ended_at is null)"
    " and not exists (select 1 from inbox i where i.shard = r.shard and i.run = r.id and i.consumed_at is null)"
    " and not (r.parent_key <> '' and exists (select 1 from runs p join inbox i on i.shard = p.shard and i.source = r.id and i.id = 'end'"
    " where p.id = r.parent and i.consumed_at is null))"
    " and not exists (select 1 from outbox o where o.run = r.id and (o.delivered_at is null"
    " or exists (select 1 from dead_letters d where d.kind = 'event' and d.subject = cast(o.seq as text))))";

constexpr std::string_view fields = "select r.shard, r.id";

/// A step, an event... of the chosen runs: at most so many.
std::string delete_of_runs(dialect kind, const std::string& table, const std::string& key, const std::string& run_column) {
    std::string selected;
    for (const char* column : {"shard", run_column.c_str(), key.c_str()}) selected += (selected.empty() ? "x." : ", x.") + std::string(column);
    return "delete from " + table + " where (shard, " + run_column + ", " + key + ") in (select " + selected + " from " + rows_source(kind, run_columns) + " join " +
           table + " x on x.shard = r.shard and x." + run_column + " = r.run limit :most)";
}

std::string delete_whole(dialect kind, const std::string& table, const std::string& run_column) {
    return "delete from " + table + " where (shard, " + run_column + ") in (select r.shard, r.run from " + rows_source(kind, run_columns) + ")";
}

}  // namespace

/// Steps, events and approvals first: a run with more of them than fit into a round stays until they are gone.
void soci_administration::take_runs(const run_filter& filter, std::size_t most, pruned_rows& done) {
    auto oldest = filter;
    oldest.limit = std::max<std::size_t>(most / 10, 1);
    oldest.after.reset();
    const auto search = search_of(session_.kind(), oldest, std::string(fields), {nobody_needs_it, search_order::as_found, postgresql() ? " for update of s skip locked" : ""});
    auto& q = prepared(search, "it");
    q.execute();
    std::vector<std::pair<std::int64_t, std::string>> chosen;
    while (q.next()) chosen.emplace_back(q.number(0), q.text(1));
    if (chosen.empty()) return;
    const auto rows = [&] {
        row_text out(session_.kind());
        for (const auto& [shard, run] : chosen) out.row().number(shard).text(run);
        return out;
    };
    const auto kind = session_.kind();
    const auto take = [&](const char* name, const std::string& table, const std::string& key, std::size_t& count) {
        auto given = rows();
        const auto gone = static_cast<std::size_t>(write_rows(name, given, limit_of(most), [&] { return delete_of_runs(kind, table, key, "run"); }));
        count += gone;
        return gone < most;
    };
    done.more = done.more || chosen.size() == oldest.limit;
    const bool whole = take("prune steps", "steps", "seq", done.steps) && take("prune events", "outbox", "seq", done.events) &&
                       take("prune approvals", "approvals", "id", done.approvals);
    if (!whole) {
        done.more = true;
        return;
    }
    for (const auto& [table, column] : {std::pair{"run_tags", "run"}, {"blobs", "run"}, {"subscriptions", "run"}, {"run_states", "run"}, {"runs", "id"}}) {
        auto given = rows();
        write_rows(std::string("prune ") + table, given, std::nullopt, [&] { return delete_whole(kind, table, column); });
    }
    done.runs += chosen.size();
}

/// The next slice of live runs: of each the oldest steps, as far as they are old enough. Without an index of steps by time, which every checkpoint would pay for.
void soci_administration::take_live_history(std::int64_t cutoff, prune_position& position, std::size_t most, pruned_rows& done) {
    auto& slice = session_.prepared(
        "live runs",
        [] { return std::string("select shard, run from run_states where (shard, run) > (:shard, :run) and ended_at is null order by shard, run limit :slice"); }, "iti", "it");
    slice.bind(position.shard).bind(position.run).bind(runs_per_slice).execute();
    row_text rows(session_.kind());
    auto last = position;
    std::int64_t count = 0;
    for (; slice.next(); ++count) {
        last = {slice.number(0), slice.text(1)};
        rows.row().number(last.shard).text(last.run);
    }
    std::int64_t gone = 0;
    for (auto& chunk : rows.take()) {
        auto& q = session_.prepared(
            "prune live steps",
            [&] {
                return "delete from steps where (shard, run, seq) in (select x.shard, x.run, x.seq from " + rows_source(session_.kind(), run_columns) +
                       " join steps x on x.shard = r.shard and x.run = r.run and x.seq < :most_of_run + (select min(y.seq) from steps y where y.shard = r.shard and y.run = r.run)"
                       " where x.ended_at < :cutoff limit :most)";
            },
            "tiii", "");
        q.bind_rows(std::move(chunk)).bind(oldest_steps_looked_at).bind(cutoff).bind(limit_of(most)).execute();
        gone += q.affected();
    }
    done.steps += static_cast<std::size_t>(gone);
    if (gone > 0) {
        done.more = true;  // the same runs again: they may have more of it
    } else if (count == runs_per_slice) {
        position = last;
        done.more = true;
    } else {
        position = {};
    }
}

store_result<pruned_rows> soci_administration::prune(const retention& keep, prune_position& position, std::size_t most) {
    return session_.run([&]() -> store_result<pruned_rows> {
        pruned_rows done;
        session_.begin();
        const auto now = database_time();
        const auto before = [&](std::optional<milliseconds> kept) { return now - kept->count(); };
        const auto count = [&](std::int64_t gone, std::size_t& of) {
            of += static_cast<std::size_t>(gone);
            done.more = done.more || static_cast<std::size_t>(gone) >= most;
        };
        if (keep.finished_runs) {
            run_filter over;
            over.ended.until = time_of(before(keep.finished_runs));
            take_runs(over, most, done);
        }
        if (keep.live_history) take_live_history(before(keep.live_history), position, most, done);
        if (keep.delivered_events) {
            count(delete_before("prune delivered",
                                "delete from outbox where (shard, seq) in (select o.shard, o.seq from outbox o where o.delivered_at is not null and o.delivered_at < :cutoff"
                                " and not exists (select 1 from dead_letters d where d.kind = 'event' and d.subject = cast(o.seq as text)) limit :most)",
                                before(keep.delivered_events), most),
                  done.events);
        }
        if (keep.consumed_messages) {
            // An event is published to the runs again until every sink has it: so long its entries stay, however old.
            count(delete_before("prune consumed",
                                "delete from inbox where (shard, seq) in (select i.shard, i.seq from inbox i where i.consumed_at is not null and i.consumed_at < :cutoff"
                                " and (i.kind <> 'event' or i.received_at < coalesce((select o.created_at from outbox o where o.delivered_at is null order by o.seq limit 1),"
                                " i.received_at + 1)) limit :most)",
                                before(keep.consumed_messages), most),
                  done.messages);
        }
        if (keep.ended_approvals) {
            count(delete_before("prune decided",
                                "delete from approvals where (shard, id) in (select shard, id from approvals where status <> 'pending'"
                                " and coalesce(decided_at, expires_at, created_at) < :cutoff limit :most)",
                                before(keep.ended_approvals), most),
                  done.approvals);
        }
        session_.commit();
        return done;
    });
}

store_result<pruned_rows> soci_administration::prune_runs(const run_filter& filter, std::size_t most) {
    return session_.run([&]() -> store_result<pruned_rows> {
        pruned_rows done;
        session_.begin();
        take_runs(filter, most, done);
        session_.commit();
        return done;
    });
}

store_result<std::vector<run_row>> soci_administration::prunable_runs(const run_filter& filter, std::size_t most) {
    return session_.run([&]() -> store_result<std::vector<run_row>> {
        auto first = filter;
        first.limit = most;
        const auto search = search_of(session_.kind(), first, run_fields(session_.kind()), {nobody_needs_it, search_order::newest_first, ""});
        auto& q = prepared(search, run_field_letters);
        q.execute();
        std::vector<run_row> runs;
        while (q.next()) runs.push_back(run_of(q));
        return runs;
    });
}

}  // namespace pawl::store
