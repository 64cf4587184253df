// Dead letters: what somebody noted as not able to proceed, and messages for runs that do not exist.
#include "store/soci_administration.hpp"
#include "store/soci_connection.hpp"

#include "base/json.hpp"

#include <charconv>

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 6> letter_columns{{{"kind", 't'}, {"subject", 't'}, {"shard", 'i'}, {"run", 't'}, {"revision", 'i'}, {"why", 't'}}};
constexpr std::size_t longest_why = 1'000;

std::int64_t number_of(const dead_letter& letter) {
    std::int64_t out = -1;
    std::from_chars(letter.subject.data(), letter.subject.data() + letter.subject.size(), out);
    return out;
}

bool is_about_a_run(const dead_letter& letter) { return letter.kind == "run" || letter.kind == "checkpoint"; }

}  // namespace

store_result<void> soci_connection::note_dead_letter(const dead_letter& letter) {
    return session_.run([&]() -> store_result<void> {
        row_text rows(session_.kind());
        rows.row().text(letter.kind).text(letter.subject).number(letter.shard).text(letter.run).number(letter.revision).text(letter.why.substr(0, longest_why));
        write_rows("note dead letter", rows, [&] {
            return "insert into dead_letters (kind, subject, shard, run, revision, why, first_at, last_at, times) select kind, subject, shard, run, revision, why, " + now_sql() + ", " +
                   now_sql() + ", 1 from " + source(letter_columns) +
                   " where true on conflict (kind, subject) do update set shard = excluded.shard, run = excluded.run, revision = excluded.revision, why = excluded.why,"
                   " last_at = excluded.last_at, times = dead_letters.times + 1";
        });
        return {};
    });
}

store_result<std::vector<dead_letter>> soci_administration::list_dead_letters(std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<dead_letter>> {
        std::vector<dead_letter> out;
        auto& noted = session_.prepared(
            "dead letters",
            [] {
                return std::string(
                    "select d.kind, d.subject, d.shard, d.run, d.revision, d.why, d.first_at, d.last_at, d.times from dead_letters d"
                    " left join run_states s on s.shard = d.shard and s.run = d.run where d.kind = 'event' or (s.run is null and d.kind = 'checkpoint')"
                    " or (s.ended_at is null and s.revision <= d.revision) order by d.first_at, d.kind, d.subject limit :most");
            },
            "i", "ttititiii");
        noted.bind(limit_of(limit)).execute();
        while (noted.next()) {
            out.push_back({noted.text(0), noted.text(1), static_cast<shard_id>(noted.number(2)), noted.text(3), noted.number(4), noted.text(5), time_of(noted.number(6)),
                           time_of(noted.number(7)), noted.number(8)});
        }
        auto& lost = session_.prepared(
            "messages for nobody",
            [] {
                return std::string("select i.seq, i.shard, i.run, i.kind, i.received_at from inbox i where i.consumed_at is null and i.run <> ''"
                                   " and not exists (select 1 from runs r where r.id = i.run) order by i.seq limit :most");
            },
            "i", "iitti");
        lost.bind(limit_of(limit > out.size() ? limit - out.size() : 0)).execute();
        while (lost.next()) {
            const auto at = time_of(lost.number(4));
            out.push_back({"message", std::to_string(lost.number(0)), static_cast<shard_id>(lost.number(1)), lost.text(2), 0,
                           "A message of kind \"" + lost.text(3) + "\" is for a run that does not exist.", at, at, 1});
        }
        return out;
    });
}

store_result<std::string> soci_administration::dead_letter_body(const dead_letter& letter) {
    return session_.run([&]() -> store_result<std::string> {
        const auto none = [] { return store_result<std::string>(boost::system::in_place_value, ""); };
        if (is_about_a_run(letter)) return none();
        const bool event = letter.kind == "event";
        auto& q = session_.prepared(
            "body of " + letter.kind, [&] { return std::string("select body from ") + (event ? "outbox" : "inbox") + " where shard = :shard and seq = :seq"; }, "ii", "t");
        q.bind(static_cast<std::int64_t>(letter.shard)).bind(number_of(letter)).execute();
        if (!q.next()) return none();
        auto body = q.text(0);
        q.finish();
        return store_result<std::string>(boost::system::in_place_value, std::move(body));
    });
}

void soci_administration::forget_letter(const dead_letter& letter) {
    auto& q = session_.prepared("forget dead letter", [] { return std::string("delete from dead_letters where kind = :kind and subject = :subject"); }, "tt", "");
    q.bind(letter.kind).bind(letter.subject).execute();
}

bool soci_administration::on_entry(std::string_view name, const std::string& sql, const dead_letter& letter) {
    auto& q = session_.prepared(name, [&] { return sql; }, "ii", "");
    q.bind(static_cast<std::int64_t>(letter.shard)).bind(number_of(letter)).execute();
    return q.affected() == 1;
}

store_result<bool> soci_administration::retry_dead_letter(const dead_letter& letter) {
    if (letter.kind == "message") return false;
    return session_.run([&]() -> store_result<bool> {
        session_.begin();
        bool done = true;
        if (letter.kind == "event") done = on_entry("deliver again", "update outbox set delivered_at = null where shard = :shard and seq = :seq", letter);
        forget_letter(letter);
        session_.commit();
        return done;
    });
}

/// Ends the run at the revision it was noted at, as its own last checkpoint would: an engine that holds it finds the revision changed.
bool soci_administration::fault_run(const dead_letter& letter) {
    const std::string now = session_.now_sql();
    const auto error = to_text(json::object{{"type", "urn:pawl:discarded"}, {"status", 500}, {"title", "Discarded"}, {"detail", "An operator gave this run up, because it could not proceed: " + letter.why}});
    auto& ends = session_.prepared(
        "give up run",
        [&] {
            return "update run_states set revision = revision + 1, status = 'faulted', due_at = null, state = '', error = :error, updated_at = " + now + ", ended_at = " + now +
                   " where shard = :shard and run = :run and ended_at is null and revision <= :revision";
        },
        "titi", "");
    ends.bind(error).bind(static_cast<std::int64_t>(letter.shard)).bind(letter.run).bind(letter.revision).execute();
    if (ends.affected() != 1) return false;
    for (const auto& [name, sql] : {std::pair<std::string, std::string>{"give up subscriptions", "delete from subscriptions where shard = :shard and run = :run"},
                                    {"give up blobs", "delete from blobs where shard = :shard and run = :run"},
                                    {"give up approvals", "update approvals set status = 'cancelled', decided_at = " + now + " where shard = :shard and run = :run and status = 'pending'"}}) {
        auto& q = session_.prepared(name, [&] { return sql; }, "it", "");
        q.bind(static_cast<std::int64_t>(letter.shard)).bind(letter.run).execute();
    }
    return true;
}

store_result<bool> soci_administration::discard_dead_letter(const dead_letter& letter) {
    return session_.run([&]() -> store_result<bool> {
        session_.begin();
        bool done = true;
        if (letter.kind == "message") {
            done = on_entry("discard message", std::string("update inbox set consumed_at = ") + session_.now_sql() + ", body = '' where shard = :shard and seq = :seq and consumed_at is null", letter);
        } else if (is_about_a_run(letter)) {
            done = fault_run(letter);
        }
        forget_letter(letter);
        session_.commit();
        return done;
    });
}

}  // namespace pawl::store
