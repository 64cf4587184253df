// A run as one JSON document, for --json and `runs show`.
#include "cli/follow.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t page = 500;
constexpr std::size_t most_children = 100;  ///< the newest
constexpr std::size_t most_awaited = 10;    ///< children in one answer to "what does it wait for?"
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

/// What its live listens wait for, of all that it is subscribed to, and what it keeps for later ones: as its state says (run/state_codec.hpp).
struct hearing {
    std::vector<std::string> awaited;
    std::uint64_t kept = 0, dropped = 0;
};

hearing hearing_of(store::connection& connection, const store::run_row& row) {
    hearing out;
    const auto types = connection.list_subscriptions(row.shard, row.id);
    if (types.has_error() || types->empty() || row.status == run_status::pending) return out;
    auto text = row.state;
    if (text.empty()) {  // of a list
        if (auto whole = connection.load_run(row.id); whole.has_value()) text = std::move(whole->state);
    }
    const auto state = parsed_or_null(text);
    if (!state.is_object()) return out;
    const auto list = [&](std::string_view name) -> const json::array* {
        const auto* found = state.get_object().if_contains(name);
        return found != nullptr && found->is_array() ? &found->get_array() : nullptr;
    };
    if (const auto* kept = list("kept")) out.kept = kept->size();
    if (const auto* dropped = state.get_object().if_contains("dropped"); dropped != nullptr && dropped->is_int64()) out.dropped = static_cast<std::uint64_t>(dropped->get_int64());
    const auto* listening = list("listening");
    if (listening == nullptr) {
        out.awaited = *types;  // stored by a version that subscribed a run only while it listened
        return out;
    }
    for (const auto& type : *listening) {
        if (type.is_string()) out.awaited.emplace_back(type.get_string());
    }
    return out;
}

}  // namespace

std::string short_id(std::string_view id) {
    // The first 13 characters of a version 7 UUID are its time: runs started together differ only after them.
    const bool timed = id.size() == 36 && id[14] == '7';
    return std::string(id.substr(0, timed ? 18 : 8));
}

json::array waiting_for(store::connection& connection, const store::run_row& row) {
    json::array out;
    const auto pending = connection.list_approvals(store::approval_status::pending, row.id, 100);
    if (pending.has_value()) {
        for (const auto& approval : *pending) {
            json::object one{{"kind", "approval"}, {"id", approval.id}, {"task", approval.task}, {"title", approval.title}};
            if (approval.expires_at) one["expiresAt"] = to_rfc3339(*approval.expires_at);
            out.emplace_back(std::move(one));
        }
    }
    for (const auto& type : hearing_of(connection, row).awaited) out.emplace_back(json::object{{"kind", "event"}, {"type", type}});
    store::run_filter children;
    children.parent = row.id;
    children.statuses = {run_status::pending, run_status::running, run_status::waiting, run_status::suspended};
    children.limit = most_awaited;
    if (const auto rows = connection.list_runs(children); rows.has_value()) {
        for (const auto& child : *rows) {
            // Without a key nobody waits for it.
            if (!child.parent_key.empty()) out.emplace_back(json::object{{"kind", "child"}, {"id", child.id}, {"workflow", child.workflow}, {"status", to_string(child.status)}});
        }
    }
    if (row.due_at) out.emplace_back(json::object{{"kind", "timer"}, {"until", to_rfc3339(*row.due_at)}});
    return out;
}

json::object run_document(store::connection& connection, const store::run_row& row) {
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
    if (!is_final(row.status)) {
        out["waitingFor"] = waiting_for(connection, row);
        const auto heard = hearing_of(connection, row);
        if (heard.kept > 0) out["eventsKept"] = heard.kept;
        if (heard.dropped > 0) out["eventsDropped"] = heard.dropped;
    }
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
