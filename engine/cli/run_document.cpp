// A run as one JSON document, for --json and `runs show`.
#include "cli/follow.hpp"
#include "cli/waits.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t page = 500;
constexpr std::size_t most_children = 100;  ///< the newest
constexpr std::size_t most_steps = 1'000;

json::value parsed_or_null(const std::string& text) {
    if (text.empty()) return nullptr;
    auto value = parse_json(text);
    return value.has_value() ? std::move(*value) : json::value(text);
}

json::object step_document(const store::step_row& step) {
    json::object out{{"seq", step.seq}, {"task", step.task}, {"pointer", step.pointer}, {"function", step.function}, {"attempt", step.attempt}, {"outcome", step.outcome}};
    out["startedAt"] = to_rfc3339(step.started_at);
    out["durationMs"] = (step.ended_at - step.started_at).count();
    if (step.outcome != "completed") out["error"] = parsed_or_null(step.result);
    if (auto record = parsed_or_null(step.record); record.is_object() && !record.get_object().empty()) out["record"] = std::move(record);
    return out;
}

}  // namespace

std::string short_id(std::string_view id) {
    // The first 13 characters of a version 7 UUID are its time: runs started together differ only after them.
    const bool timed = id.size() == 36 && id[14] == '7';
    return std::string(id.substr(0, timed ? 18 : 8));
}

json::object run_document(store::connection& connection, const store::run_row& row, std::shared_ptr<const runtime::limit_settings> limits) {
    json::object out{{"id", row.id}, {"workflow", row.workflow}, {"status", to_string(row.status)}, {"environment", row.environment}};
    if (!row.project.empty()) out["project"] = row.project;
    if (!row.tags.empty()) {
        json::object tags;
        for (const auto& [name, value] : row.tags) tags[name] = value;
        out["tags"] = std::move(tags);
    }
    if (row.priority != 0) out["priority"] = row.priority;
    if (!row.agent.empty()) out["agent"] = row.agent + "/" + row.agent_key;
    if (!row.parent.empty()) out["parent"] = row.parent;
    store::run_filter of_this;
    of_this.parent = row.id;
    of_this.limit = most_children;
    json::array children;
    if (const auto rows = connection.list_runs(of_this); rows.has_value()) {
        // Oldest first, as they were started.
        for (auto child = rows->rbegin(); child != rows->rend(); ++child)
            children.emplace_back(json::object{{"id", child->id}, {"workflow", child->workflow}, {"status", to_string(child->status)}});
    }
    if (!children.empty()) out["children"] = std::move(children);
    out["createdAt"] = to_rfc3339(row.created_at);
    out["updatedAt"] = to_rfc3339(row.updated_at);
    if (row.ended_at) out["endedAt"] = to_rfc3339(*row.ended_at);
    if (row.status == run_status::completed) out["output"] = parsed_or_null(row.output);
    if (row.status == run_status::faulted) out["error"] = parsed_or_null(row.error);
    waits(connection, std::move(limits)).describe(row, out);
    json::array steps;
    std::int64_t seen = 0;
    std::uint64_t omitted = 0;
    for (;;) {
        const auto rows = connection.list_steps(row.id, seen, page);
        if (rows.has_error() || rows->empty()) break;
        for (const auto& step : *rows) {
            seen = step.seq;
            if (steps.size() < most_steps) steps.emplace_back(step_document(step));
            else ++omitted;
        }
    }
    out["steps"] = std::move(steps);
    if (omitted > 0) out["stepsOmitted"] = omitted;
    return out;
}

}  // namespace pawl::cli
