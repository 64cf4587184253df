// Inbox and outbox.
//
// Order of the inbox. PostgreSQL gives sequence numbers at insert but shows rows at commit, so a reader that pages by `after_seq` could pass over
// a row that commits late. Posts therefore take one advisory lock from before their number is drawn until their commit: numbers become visible
// in ascending order. It costs nothing more, since NOTIFY makes the commits of posters wait for each other anyway. Consumed entries stay, without
// body, so that a repeated post of the same (source, id) is still recognised.
#include "store/soci_connection.hpp"

#include <algorithm>

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 6> inbox_columns{{{"shard", 'i'}, {"run", 't'}, {"kind", 't'}, {"source", 't'}, {"id", 't'}, {"body", 't'}}};
constexpr std::array<column_spec, 5> published_columns{{{"place", 'i'}, {"source", 't'}, {"id", 't'}, {"type", 't'}, {"body", 't'}}};
constexpr std::array<column_spec, 1> seq_columns{{{"seq", 'i'}}};

}  // namespace

bool soci_connection::insert_inbox(const inbox_post& m) {
    row_text rows(session_.kind());
    rows.row().number(m.shard).text(m.run).text(m.kind).text(m.source).text(m.id).text(m.body);
    auto& q = session_.prepared(
        "insert inbox",
        [&] {
            const auto insert = "insert into inbox (shard, run, kind, source, id, body, received_at) select shard, run, kind, source, id, body, " +
                                now_sql() + " from ";
            if (!postgresql()) return insert + source(inbox_columns) + " where true on conflict (shard, source, id) do nothing returning 'added'";
            return "with turn as materialized (select pg_advisory_xact_lock(7809912)), added as (" + insert + "turn, " + source(inbox_columns) +
                   " on conflict (shard, source, id) do nothing returning seq) select cast(pg_notify('" + inbox_channel(session_.where()) +
                   "', '') as text) from added";
        },
        "t", "t");
    auto chunks = rows.take();
    q.bind_rows(std::move(chunks.front())).execute();
    bool added = false;
    while (q.next()) added = true;  // to the end: that is where SQLite commits
    return added;
}

store_result<bool> soci_connection::post(const inbox_post& message) {
    if (auto fits = check_names("message", message.shard, {message.run, message.source, message.id}); !fits) return fits.error();
    auto posted = session_.run([&]() -> store_result<bool> { return insert_inbox(message); });
    if (posted && *posted) bells_->ring();
    return posted;
}

store_result<std::vector<inbox_entry>> soci_connection::fetch_inbox(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<inbox_entry>> {
        auto& q = session_.prepared(
            "fetch inbox",
            [&] {
                return "select i.seq, i.shard, i.run, i.kind, i.source, i.id, i.body, i.received_at from " + shards_source(session_.kind()) +
                       " join inbox i on i.shard = r.shard where i.consumed_at is null and i.seq > :after order by i.seq limit :most";
            },
            "tii", "iittttti");
        with_shards(q, shards).bind(after_seq).bind(limit_of(limit)).execute();
        std::vector<inbox_entry> entries;
        while (q.next()) {
            inbox_entry e;
            e.seq = q.number(0);
            e.shard = static_cast<shard_id>(q.number(1));
            e.run = q.text(2);
            e.kind = q.text(3);
            e.source = q.text(4);
            e.id = q.text(5);
            e.body = q.text(6);
            e.received_at = time_of(q.number(7));
            entries.push_back(std::move(e));
        }
        return entries;
    });
}

store_result<std::vector<woken_run>> soci_connection::publish(std::span<const published_event> events) {
    if (events.empty()) return std::vector<woken_run>();
    constexpr std::size_t run_id_and_blank = 40;  // the entry's id ends with the run's
    for (const auto& e : events) {
        if (auto fits = check_names("event", 0, {e.source, e.id + std::string(run_id_and_blank, ' '), e.type}); !fits) return fits.error();
    }
    auto woken = session_.run([&]() -> store_result<std::vector<woken_run>> {
        session_.begin();
        row_text rows(session_.kind());
        std::int64_t place = 0;
        for (const auto& e : events) rows.row().number(place++).text(e.source).text(e.id).text(e.type).text(e.body);
        std::vector<woken_run> runs;
        for (auto& chunk : rows.take()) {
            auto& q = session_.prepared(
                "publish",
                [&] {
                    const auto turn = postgresql() ? "turn, " : "";
                    const auto insert = "insert into inbox (shard, run, kind, source, id, body, received_at) select s.shard, s.run, 'event', r.source,"
                                        " r.id || ' ' || s.run, r.body, " + now_sql() + " from " + turn + source(published_columns) +
                                        " join subscriptions s" + indexed_by(session_.kind(), "subscriptions_type") + 
                                        " on s.type in (r.type, '') where true order by r.place, s.shard, s.run on conflict (shard, source, id) do nothing returning run, shard";
                    if (!postgresql()) return insert;
                    return "with turn as materialized (select pg_advisory_xact_lock(7809912)), added as (" + insert +
                           ") select run, shard, cast(pg_notify('" + inbox_channel(session_.where()) + "', '') as text) from added";
                },
                "t", postgresql() ? "tit" : "ti");
            q.bind_rows(std::move(chunk)).execute();
            while (q.next()) runs.push_back({q.text(0), static_cast<shard_id>(q.number(1))});
        }
        session_.commit();
        const auto by_id = [](const woken_run& a, const woken_run& b) { return a.run < b.run; };
        std::sort(runs.begin(), runs.end(), by_id);
        runs.erase(std::unique(runs.begin(), runs.end(), [](const woken_run& a, const woken_run& b) { return a.run == b.run; }), runs.end());
        return runs;
    });
    if (woken && !woken->empty()) bells_->ring();
    return woken;
}

store_result<std::vector<std::string>> soci_connection::list_subscriptions(shard_id shard, std::string_view run) {
    return session_.run([&]() -> store_result<std::vector<std::string>> {
        auto& q = session_.prepared(
            "list subscriptions", [] { return std::string("select type from subscriptions where shard = :shard and run = :run order by type"); }, "it", "t");
        q.bind(static_cast<std::int64_t>(shard)).bind(run).execute();
        std::vector<std::string> types;
        while (q.next()) types.push_back(q.text(0));
        return types;
    });
}

namespace {

outbox_entry event_of(query& q) {
    outbox_entry e;
    e.seq = q.number(0);
    e.id = q.text(1);
    e.run = q.text(2);
    e.type = q.text(3);
    e.body = q.text(4);
    e.created_at = time_of(q.number(5));
    e.shard = static_cast<shard_id>(q.number(6));
    return e;
}

}  // namespace

store_result<std::vector<outbox_entry>> soci_connection::undelivered(std::span<const shard_id> shards, std::int64_t after_seq, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<outbox_entry>> {
        auto& q = session_.prepared(
            "undelivered",
            [&] {
                return "select o.seq, o.id, o.run, o.type, o.body, o.created_at, o.shard from " + shards_source(session_.kind()) +
                       " join outbox o on o.shard = r.shard where o.delivered_at is null and o.seq > :after order by o.seq limit :most";
            },
            "tii", "ittttii");
        with_shards(q, shards).bind(after_seq).bind(limit_of(limit)).execute();
        std::vector<outbox_entry> events;
        while (q.next()) events.push_back(event_of(q));
        return events;
    });
}

store_result<void> soci_connection::mark_delivered(std::span<const std::int64_t> seqs) {
    if (seqs.empty()) return {};
    return session_.run([&]() -> store_result<void> {
        row_text rows(session_.kind());
        for (const auto seq : seqs) rows.row().number(seq);
        write_rows("mark delivered", rows, [&] {
            return "update outbox set delivered_at = " + now_sql() + " from " + source(seq_columns) +
                   " where outbox.seq = r.seq and outbox.delivered_at is null";
        });
        return {};
    });
}

store_result<std::vector<outbox_entry>> soci_connection::list_events(std::string_view run) {
    return session_.run([&]() -> store_result<std::vector<outbox_entry>> {
        auto& q = session_.prepared(
            "list events", [] { return std::string("select seq, id, run, type, body, created_at, shard from outbox where run = :run order by seq"); }, "t",
            "ittttii");
        q.bind(run).execute();
        std::vector<outbox_entry> events;
        while (q.next()) events.push_back(event_of(q));
        return events;
    });
}

}  // namespace pawl::store
