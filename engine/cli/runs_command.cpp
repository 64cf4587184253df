// `pawl runs list|show`, and going on with one run: `pawl runs resume RUN`.
#include "base/visible.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/waits.hpp"
#include "cli/workplace.hpp"
#include "runtime/control.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

std::string age(time_point of, time_point now) { return to_human(now - of) + " ago"; }

json::object tags_document(const store::tag_map& tags) {
    json::object out;
    for (const auto& [name, value] : tags) out[name] = value;
    return out;
}

json::object summary(const store::run_row& row) {
    json::object out{{"id", row.id}, {"workflow", row.workflow}, {"status", to_string(row.status)}, {"environment", row.environment}, {"createdAt", to_rfc3339(row.created_at)}, {"updatedAt", to_rfc3339(row.updated_at)}};
    if (!row.agent.empty()) out["agent"] = row.agent + "/" + row.agent_key;
    if (row.ended_at) out["endedAt"] = to_rfc3339(*row.ended_at);
    if (!row.tags.empty()) out["tags"] = tags_document(row.tags);
    return out;
}

void print_run(store::connection& connection, const store::run_row& row, const std::shared_ptr<const runtime::limit_settings>& limits) {
    std::vector<std::vector<std::string>> facts{{"run", row.id}, {"workflow", row.workflow}, {"status", std::string(to_string(row.status))}};
    if (!row.agent.empty()) facts.push_back({"agent", row.agent + "/" + row.agent_key});
    if (!row.project.empty()) facts.push_back({"project", row.project});
    if (!row.parent.empty()) facts.push_back({"parent", row.parent});
    for (const auto& [name, value] : row.tags) facts.push_back({"tag", name + "=" + value});
    if (row.priority != 0) facts.push_back({"priority", std::to_string(row.priority)});
    facts.push_back({"environment", row.environment});
    facts.push_back({"created", to_rfc3339(row.created_at)});
    if (row.ended_at) facts.push_back({"ended", to_rfc3339(*row.ended_at)});
    const auto document = run_document(connection, row, limits);
    if (const auto* what = document.if_contains("waitingFor"); what != nullptr && !what->get_array().empty() && row.status != run_status::suspended)
        facts.push_back({"waits for", in_words(what->get_array())});
    for (const auto& [key, label] : {std::pair{"eventsKept", "events kept"}, std::pair{"eventsDropped", "events dropped"}}) {
        if (const auto* count = document.if_contains(key)) facts.push_back({label, to_text(*count)});
    }
    auto out = table(facts);
    std::vector<std::vector<std::string>> rows{{"  #", "task", "function", "attempt", "outcome", "duration"}};
    for (const auto& item : document.at("steps").get_array()) {
        const auto& step = item.get_object();
        rows.push_back({"  " + to_text(step.at("seq")), std::string(step.at("task").get_string()), std::string(step.at("function").get_string()), to_text(step.at("attempt")),
                        std::string(step.at("outcome").get_string()), to_human(milliseconds(step.at("durationMs").to_number<std::int64_t>()))});
    }
    if (const auto* children = document.if_contains("children")) {
        std::vector<std::vector<std::string>> family;
        for (const auto& item : children->get_array()) {
            const auto& child = item.get_object();
            family.push_back({"  " + std::string(child.at("id").get_string()), std::string(child.at("workflow").get_string()), std::string(child.at("status").get_string())});
        }
        out += "children\n" + table(family);
    }
    if (rows.size() > 1) out += "steps\n" + table(rows);
    if (const auto* omitted = document.if_contains("stepsOmitted")) out += "  and " + to_text(*omitted) + " more\n";
    const auto events = connection.list_events(row.id);
    if (events.has_value() && !events->empty()) {
        out += "events\n";
        for (const auto& event : *events) out += "  " + visible_line(event.type) + "  " + visible_line(event.id) + "\n";
    }
    if (const auto input = parse_json(row.input); input.has_value()) out += "input\n" + to_pretty_text(*input) + "\n";
    for (const auto* part : {"output", "error"}) {
        if (const auto* value = document.if_contains(part)) out += std::string(part) + "\n" + to_pretty_text(*value) + "\n";
    }
    print_out(out);
}

/// Suspended, or about to be.
bool is_paused(store::connection& connection, const store::run_row& row) {
    const auto now = connection.load_run(row.id);
    if (now.has_value() && now->status == run_status::suspended) return true;
    const auto messages = connection.fetch_inbox(std::span(&row.shard, 1), 0, 1'000);
    return messages.has_value() && std::any_of(messages->begin(), messages->end(), [&](const store::inbox_entry& m) { return m.run == row.id && m.kind == runtime::pause_kind; });
}

}  // namespace

int list_runs_command(const runs_options& options) {
    std::shared_ptr<const runtime::limit_settings> limits;
    const auto opened = open_existing_store(options.place, &limits);
    if (opened.has_error()) return fail(opened.error());
    auto& connection = (*opened)->connection();
    auto filter = read_run_filter(options.filter, connection);
    if (filter.has_error()) return fail(filter.error());
    filter->limit = options.limit;
    const auto runs = connection.list_runs(*filter);
    if (runs.has_error()) return fail(to_problem(runs.error()));
    if (options.json) {
        json::array all;
        for (const auto& row : *runs) all.emplace_back(summary(row));
        print_out(to_text(all) + "\n");
        return exit_completed;
    }
    const auto now = connection.now();
    std::vector<std::vector<std::string>> rows{{"RUN", "WORKFLOW", "AGENT", "STATUS", "CREATED", "WAITS FOR"}};
    waits what(connection, limits);
    for (const auto& row : *runs) {
        rows.push_back({short_id(row.id), row.workflow, row.agent.empty() ? "-" : row.agent + "/" + row.agent_key, std::string(to_string(row.status)),
                        now.has_value() ? age(row.created_at, *now) : to_rfc3339(row.created_at), row.status == run_status::suspended ? std::string() : in_words(what.of(row))});
    }
    print_out(runs->empty() ? "no runs\n" : table(rows));
    if (runs->size() == options.limit) print_err("these are the newest " + std::to_string(options.limit) + "; the next page: --after " + runs->back().id + "\n");
    return exit_completed;
}

int show_run_command(const runs_options& options) {
    std::shared_ptr<const runtime::limit_settings> limits;
    const auto opened = open_existing_store(options.place, &limits);
    if (opened.has_error()) return fail(opened.error());
    auto& connection = (*opened)->connection();
    const auto row = find_run(connection, options.id);
    if (row.has_error()) return fail(row.error());
    if (options.json) {
        auto document = run_document(connection, *row, limits);
        if (auto input = parse_json(row->input); input.has_value()) document["input"] = std::move(*input);
        print_out(to_text(document) + "\n");
    } else {
        print_run(connection, *row, limits);
    }
    return exit_completed;
}

int resume_run_command(const runs_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto row = find_run(in.connection(), options.id);
    if (row.has_error()) return fail(row.error());
    // Whoever drives it lifts the pause, also one that has been asked for and not begun.
    const bool paused = !is_final(row->status) && is_paused(in.connection(), *row);
    if (paused) {
        const store::inbox_post message{row->shard, row->id, std::string(runtime::resume_kind), "cli", new_uuid7(), runtime::control_message(who_decides(options.by))};
        if (const auto posted = in.connection().post(message); posted.has_error()) return fail(to_problem(posted.error()));
    }
    // A run that is over may have left events that its process could not deliver any more.
    const auto left = in.connection().undelivered(std::span(&row->shard, 1), 0, 1);
    if (!is_final(row->status) || (left.has_value() && !left->empty())) {
        if (const auto started = start_engine_for(in, *row, options.place); started.has_error()) return fail(started.error());
    }
    if (!options.json) print_err("run " + row->id + "  " + row->workflow + (row->agent.empty() ? "" : "  agent " + row->agent + "/" + row->agent_key) + "\n");
    std::function<bool()> applied;
    if (paused) {
        applied = [&in, &row, lifted = false]() mutable {
            if (!lifted) lifted = !is_paused(in.connection(), *row);
            return lifted;
        };
    }
    follower follow(in, row->id, row->shard, {options.detach, options.json, applied, false, false});
    const auto code = follow.follow();
    in.close();
    if (code.has_error()) return fail(code.error());
    return *code;
}

}  // namespace pawl::cli
