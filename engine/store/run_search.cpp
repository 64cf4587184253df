#include "store/run_search.hpp"

#include "base/json.hpp"
#include "store/soci_connection.hpp"

#include <algorithm>

namespace pawl::store {
namespace {

constexpr const char* last_character = "\xf4\x8f\xbf\xbf";

class search_builder {
public:
    search_builder(const run_filter& filter, const search_extras& extras) : f_(filter), extras_(extras), by_tag_(!filter.tags.empty()) {}

    run_search build(const std::string& fields) {
        out_.sql = fields + (by_tag_ ? " from run_tags t join runs r on r.shard = t.shard and r.id = t.run" : " from runs r") +
                   " join run_states s on s.shard = r.shard and s.run = r.id";
        add_tags();
        add_names();
        if (f_.statuses.empty() && (f_.ended.from || f_.ended.until)) {
            also("s.status in ('cancelled', 'faulted', 'completed') and s.ended_at is not null");
        } else {
            add_status();
        }
        add_range("r.created_at", f_.created);
        add_range("s.updated_at", f_.updated);
        add_range("s.ended_at", f_.ended);
        if (f_.after) {
            // Rows of equal time are told apart by id.
            const std::string key = by_tag_ ? "(t.created_at, t.run)" : "(r.created_at, r.id)";
            also(key + " < (?, ?)").number(f_.after->created_at.time_since_epoch().count()).text(f_.after->id);
        }
        if (!extras_.condition.empty()) also(extras_.condition);
        if (extras_.order == search_order::newest_first) {
            // By its beginning a run is found in the index of ids, wherever it stands among the newest.
            where_ += !f_.id_begins.empty() ? " order by r.id desc" : by_tag_ ? " order by t.created_at desc, t.run desc" : " order by r.created_at desc, r.id desc";
        }
        where_ += " limit ?";
        number(limit_of(f_.limit));
        out_.sql += where_ + extras_.lock;
        return std::move(out_);
    }

private:
    search_builder& also(const std::string& condition) {
        where_ += (where_.empty() ? " where " : " and ") + condition;
        return *this;
    }
    /// The next `?` of the condition gets a name of its own: SQLite takes equal names for one parameter.
    void place() {
        const auto at = where_.find('?');
        where_.replace(at, 1, ":p" + std::to_string(out_.values.size()));
    }
    search_builder& text(std::string_view value) {
        place();
        out_.parameters += 't';
        out_.values.emplace_back(std::string(value));
        return *this;
    }
    search_builder& number(std::int64_t value) {
        place();
        out_.parameters += 'i';
        out_.values.emplace_back(value);
        return *this;
    }

    void add_tags() {
        bool first = true;
        for (const auto& [name, value] : f_.tags) {
            if (std::exchange(first, false)) {
                also("t.name = ? and t.value = ?").text(name).text(value);
            } else {
                also("exists (select 1 from run_tags x where x.shard = r.shard and x.run = r.id and x.name = ? and x.value = ?)").text(name).text(value);
            }
        }
    }

    void add_names() {
        if (!f_.id_begins.empty()) also("r.id >= ? and r.id < ?").text(f_.id_begins).text(f_.id_begins + last_character);
        if (!f_.agent.empty()) also("r.agent <> '' and r.agent = ?").text(f_.agent);
        if (!f_.agent_key.empty()) also("r.agent_key = ?").text(f_.agent_key);
        // A prefix as a range of the index: everything up to the prefix with the last of all characters behind it.
        if (!f_.workflow.empty()) also("r.workflow >= ? and r.workflow < ?").text(f_.workflow).text(f_.workflow + last_character);
        if (!f_.parent.empty()) also("r.parent <> '' and r.parent = ?").text(f_.parent);
    }

    /// As literals: only then do the databases see that a partial index holds all that is asked for.
    void add_status() {
        if (f_.statuses.empty()) return;
        std::string list;
        for (const auto status : f_.statuses) list += (list.empty() ? "'" : ", '") + std::string(to_string(status)) + "'";
        also("s.status in (" + list + ")");
        if (std::all_of(f_.statuses.begin(), f_.statuses.end(), [](auto s) { return is_final(s); })) also("s.ended_at is not null");
    }

    void add_range(const std::string& column, const time_range& range) {
        if (range.from) also(column + " >= ?").number(range.from->time_since_epoch().count());
        if (range.until) also(column + " < ?").number(range.until->time_since_epoch().count());
    }

    const run_filter& f_;
    const search_extras& extras_;
    bool by_tag_;
    run_search out_;
    std::string where_;
};

}  // namespace

std::string run_fields(dialect kind) {
    const std::string tags = kind == dialect::sqlite ? "json_group_object(name, value)" : "cast(json_object_agg(name, value) as text)";
    return "select r.id, r.shard, r.definition, r.workflow, r.agent, r.agent_key, r.environment, r.project, r.input, r.created_at,"
           " s.revision, s.status, s.due_at, s.output, s.error, s.updated_at, s.ended_at, r.parent, r.parent_key, r.depth,"
           " (select " + tags + " from run_tags g where g.shard = r.shard and g.run = r.id), r.priority";
}

run_row run_of(query& q) {
    run_row run;
    run.id = q.text(0);
    run.shard = static_cast<shard_id>(q.number(1));
    run.definition = q.text(2);
    run.workflow = q.text(3);
    run.agent = q.text(4);
    run.agent_key = q.text(5);
    run.environment = q.text(6);
    run.project = q.text(7);
    run.input = q.text(8);
    run.created_at = time_of(q.number(9));
    run.revision = q.number(10);
    run.status = run_status_from(q.text(11)).value_or(run_status::faulted);
    run.due_at = maybe_time_of(q.maybe_number(12));
    run.output = q.text(13);
    run.error = q.text(14);
    run.updated_at = time_of(q.number(15));
    run.ended_at = maybe_time_of(q.maybe_number(16));
    run.parent = q.text(17);
    run.parent_key = q.text(18);
    run.depth = static_cast<int>(q.number(19));
    if (const auto text = q.text(20); text.size() > 2) {
        const auto tags = parse_json(text);
        if (tags && tags->is_object()) {
            for (const auto& [name, value] : tags->get_object()) {
                if (value.is_string()) run.tags.emplace(name, value.get_string());
            }
        }
    }
    run.priority = static_cast<int>(q.number(21));
    return run;
}

run_search search_of(dialect, const run_filter& filter, const std::string& fields, const search_extras& extras) { return search_builder(filter, extras).build(fields); }

run_search search_of(dialect kind, const run_filter& filter) { return search_of(kind, filter, run_fields(kind)); }

}  // namespace pawl::store
