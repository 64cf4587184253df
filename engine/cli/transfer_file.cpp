#include "cli/transfer_file.hpp"

#include "base/digest.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t longest_line = 64 * 1024 * 1024;

json::value time_value(time_point at) { return at.time_since_epoch().count(); }
json::value time_value(std::optional<time_point> at) { return at ? time_value(*at) : json::value(); }

/// Takes members out of a line and remembers the first that is missing or wrong.
class line_reader {
public:
    explicit line_reader(const json::object& line) : line_(line) {}

    std::string text(std::string_view name) {
        const auto* value = line_.if_contains(name);
        if (value != nullptr && value->is_string()) return std::string(value->get_string());
        return wrong(name, "a text"), std::string();
    }
    /// An identifier: not empty, and short enough for a key.
    std::string name(std::string_view member) {
        auto out = text(member);
        if (out.empty() || out.size() > 1'000) wrong(member, "1 to 1000 bytes long");
        return out;
    }
    std::int64_t number(std::string_view name) {
        const auto* value = line_.if_contains(name);
        if (value != nullptr && value->is_int64()) return value->get_int64();
        return wrong(name, "a whole number"), 0;
    }
    time_point time(std::string_view name) { return time_point(milliseconds(number(name))); }
    std::optional<time_point> maybe_time(std::string_view name) {
        const auto* value = line_.if_contains(name);
        if (value == nullptr || value->is_null()) return std::nullopt;
        return time(name);
    }
    bool flag(std::string_view name) {
        const auto* value = line_.if_contains(name);
        return value != nullptr && *value == json::value(true);
    }
    store::tag_map tags(std::string_view name) {
        store::tag_map out;
        const auto* value = line_.if_contains(name);
        if (value == nullptr || !value->is_object()) return out;
        for (const auto& [key, each] : value->get_object()) {
            if (each.is_string() && out.size() < 4 * store::most_tags) out.emplace(key, each.get_string());
        }
        return out;
    }
    void wrong(std::string_view name, std::string_view expected) {
        if (why_.empty()) why_ = "`" + std::string(name) + "` must be " + std::string(expected);
    }
    template <class T>
    result<T> done(T&& value) {
        if (!why_.empty()) return make_problem(problem_type::configuration, why_);
        return std::forward<T>(value);
    }

private:
    const json::object& line_;
    std::string why_;
};

json::object tags_value(const store::tag_map& tags) {
    json::object out;
    for (const auto& [name, value] : tags) out[name] = value;
    return out;
}

}  // namespace

std::string transfer_text(const json::object& line, std::string_view name) {
    const auto* value = line.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object transfer_line(const store::definition_row& d) {
    return {{"kind", "definition"}, {"digest", d.digest}, {"namespace", d.ns}, {"name", d.name}, {"version", d.version}, {"bundle", d.bundle}, {"tags", tags_value(d.tags)}};
}

json::object transfer_line(const store::transferred_run& given) {
    const auto& r = given.run;
    return {{"kind", "run"}, {"run", r.id}, {"shard", r.shard}, {"definition", r.definition}, {"workflow", r.workflow}, {"agent", r.agent}, {"agentKey", r.agent_key},
            {"environment", r.environment}, {"project", r.project}, {"input", r.input}, {"parent", r.parent}, {"parentKey", r.parent_key}, {"depth", r.depth}, {"priority", r.priority}, {"tags", tags_value(r.tags)},
            {"revision", r.revision}, {"status", to_string(r.status)}, {"dueAt", time_value(r.due_at)}, {"state", r.state}, {"output", r.output}, {"error", r.error},
            {"createdAt", time_value(r.created_at)}, {"updatedAt", time_value(r.updated_at)}, {"endedAt", time_value(r.ended_at)}, {"moved", given.moved}};
}

json::object transfer_line(const std::string& run, const store::blob_row& b) { return {{"kind", "blob"}, {"run", run}, {"digest", b.digest}, {"body", b.body}}; }

json::object transfer_line(const store::approval_row& a) {
    return {{"kind", "approval"}, {"run", a.run}, {"id", a.id}, {"key", a.key}, {"agent", a.agent}, {"agentKey", a.agent_key}, {"task", a.task}, {"title", a.title},
            {"proposal", a.proposal}, {"status", to_string(a.status)}, {"expiresAt", time_value(a.expires_at)}, {"decidedBy", a.decided_by}, {"comment", a.comment},
            {"createdAt", time_value(a.created_at)}, {"decidedAt", time_value(a.decided_at)}};
}

json::object transfer_line(const store::transferred_event& e) {
    return {{"kind", "event"}, {"run", e.run}, {"id", e.id}, {"type", e.type}, {"body", e.body}, {"createdAt", time_value(e.created_at)}, {"deliveredAt", time_value(e.delivered_at)}};
}

json::object transfer_line(const store::inbox_entry& m) {
    return {{"kind", "message"}, {"run", m.run}, {"what", m.kind}, {"source", m.source}, {"id", m.id}, {"body", m.body}};
}

json::object transfer_line(const std::string& run, const store::step_row& s) {
    return {{"kind", "step"}, {"run", run}, {"seq", s.seq}, {"task", s.task}, {"pointer", s.pointer}, {"function", s.function}, {"key", s.key}, {"digest", s.digest},
            {"attempt", s.attempt}, {"outcome", s.outcome}, {"startedAt", time_value(s.started_at)}, {"endedAt", time_value(s.ended_at)}, {"result", s.result}, {"record", s.record}};
}

result<store::definition_row> read_definition_line(const json::object& line) {
    line_reader in(line);
    store::definition_row d{in.name("digest"), in.text("namespace"), in.text("name"), in.text("version"), in.text("bundle"), in.tags("tags")};
    if (d.digest != sha256_hex(d.bundle)) in.wrong("digest", "the SHA-256 of `bundle`: the line was changed");
    return in.done(std::move(d));
}

result<store::transferred_run> read_run_line(const json::object& line) {
    line_reader in(line);
    store::transferred_run out;
    auto& r = out.run;
    r.id = in.name("run");
    const auto shard = in.number("shard");
    r.shard = static_cast<shard_id>(shard);
    r.definition = in.name("definition");
    r.workflow = in.name("workflow");
    r.agent = in.text("agent");
    r.agent_key = in.text("agentKey");
    r.environment = in.text("environment");
    r.project = in.text("project");
    r.input = in.text("input");
    r.parent = in.text("parent");
    r.parent_key = in.text("parentKey");
    const auto depth = in.number("depth");
    r.depth = static_cast<int>(depth);
    const auto priority = line.contains("priority") ? in.number("priority") : 0;  // of files before there were any: not stated
    r.priority = static_cast<int>(priority);
    r.tags = in.tags("tags");
    r.revision = in.number("revision");
    const auto status = run_status_from(in.text("status"));
    r.status = status.value_or(run_status::faulted);
    r.due_at = in.maybe_time("dueAt");
    r.state = in.text("state");
    r.output = in.text("output");
    r.error = in.text("error");
    r.created_at = in.time("createdAt");
    r.updated_at = in.time("updatedAt");
    r.ended_at = in.maybe_time("endedAt");
    out.moved = in.flag("moved");
    if (!status) in.wrong("status", "a status of runs");
    if (shard < 0 || shard > 4'095) in.wrong("shard", "between 0 and 4095");
    if (depth < 0 || depth > 1'000) in.wrong("depth", "between 0 and 1000");
    if (priority < 0 || priority > 5) in.wrong("priority", "between 1 and 5, or 0 when it is not stated");
    if (r.agent.size() > 1'000 || r.agent_key.size() > 1'000) in.wrong("agent", "at most 1000 bytes long, and its key");
    if (r.parent.size() > 1'000 || r.parent_key.size() > 1'000) in.wrong("parent", "at most 1000 bytes long, and its key");
    if (is_final(r.status) != r.ended_at.has_value()) in.wrong("endedAt", "there when the run is over, and only then");
    if (is_final(r.status) && out.moved) in.wrong("status", "that of a live run when it was moved");
    if (!parse_json(r.input)) in.wrong("input", "JSON text");
    return in.done(std::move(out));
}

result<store::blob_row> read_blob_line(const json::object& line) {
    line_reader in(line);
    store::blob_row b{in.name("digest"), in.text("body")};
    return in.done(std::move(b));
}

result<store::approval_row> read_approval_line(const json::object& line) {
    line_reader in(line);
    store::approval_row a;
    a.run = in.name("run");
    a.id = in.name("id");
    a.key = in.text("key");
    a.agent = in.text("agent");
    a.agent_key = in.text("agentKey");
    a.task = in.text("task");
    a.title = in.text("title");
    a.proposal = in.text("proposal");
    const auto status = store::approval_status_from(in.text("status"));
    if (!status) in.wrong("status", "a status of approvals");
    a.status = status.value_or(store::approval_status::cancelled);
    a.expires_at = in.maybe_time("expiresAt");
    a.decided_by = in.text("decidedBy");
    a.comment = in.text("comment");
    a.created_at = in.time("createdAt");
    a.decided_at = in.maybe_time("decidedAt");
    return in.done(std::move(a));
}

result<store::transferred_event> read_event_line(const json::object& line) {
    line_reader in(line);
    store::transferred_event e;
    e.run = in.name("run");
    e.id = in.text("id");
    e.type = in.text("type");
    e.body = in.text("body");
    e.created_at = in.time("createdAt");
    e.delivered_at = in.maybe_time("deliveredAt");
    return in.done(std::move(e));
}

result<store::inbox_entry> read_message_line(const json::object& line) {
    line_reader in(line);
    store::inbox_entry m;
    m.run = in.name("run");
    m.kind = in.name("what");
    m.source = in.name("source");
    m.id = in.name("id");
    m.body = in.text("body");
    return in.done(std::move(m));
}

result<store::step_row> read_step_line(const json::object& line) {
    line_reader in(line);
    store::step_row s;
    s.seq = in.number("seq");
    s.task = in.text("task");
    s.pointer = in.text("pointer");
    s.function = in.text("function");
    s.key = in.text("key");
    s.digest = in.text("digest");
    s.attempt = static_cast<int>(in.number("attempt"));
    s.outcome = in.text("outcome");
    s.started_at = in.time("startedAt");
    s.ended_at = in.time("endedAt");
    s.result = in.text("result");
    s.record = in.text("record");
    return in.done(std::move(s));
}

result<std::optional<std::string>> next_line(std::istream& from) {
    std::string line;
    for (auto c = from.get(); c != std::istream::traits_type::eof(); c = from.get()) {
        if (c == '\n') return std::optional(std::move(line));
        if (line.size() == longest_line) return make_problem(problem_type::configuration, "the line is longer than 64 MiB");
        line.push_back(static_cast<char>(c));
    }
    if (line.empty()) return std::optional<std::string>();
    return std::optional(std::move(line));
}

}  // namespace pawl::cli
