// `pawl agents list|show|reset`.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/workplace.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t most_listed = 1'000;

json::value parsed(const std::string& text) {
    auto value = parse_json(text);
    return value.has_value() ? std::move(*value) : json::value(nullptr);
}

json::object document(const store::agent_row& row) {
    auto meta = parsed(row.meta);
    if (auto* object = meta.if_object()) (*object)["revision"] = row.revision;
    return {{"agent", row.agent}, {"key", row.key}, {"version", row.state_version}, {"state", parsed(row.state)}, {"meta", meta}, {"updatedAt", to_rfc3339(row.updated_at)}};
}

std::string meta_text(const json::value& meta, std::string_view name) {
    const auto* found = meta.is_object() ? meta.get_object().if_contains(name) : nullptr;
    return found == nullptr || found->is_null() ? "-" : found->is_string() ? std::string(found->get_string()) : to_text(*found);
}

result<store::agent_row> find_instance(store::connection& connection, const agent_name& name) {
    auto row = connection.load_agent(name.agent, name.key);
    if (row.has_error()) return to_problem(row.error());
    if (!*row) return make_problem(problem_type::configuration, "there is no agent instance " + name.agent + "/" + name.key + " in this store; `pawl run --agent " + name.agent + "/" + name.key + "` begins one");
    return std::move(**row);
}

}  // namespace

int list_agents_command(const agents_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    const auto rows = (*opened)->connection().list_agents("", most_listed);
    if (rows.has_error()) return fail(to_problem(rows.error()));
    if (options.json) {
        json::array all;
        for (const auto& row : *rows) all.emplace_back(document(row));
        print_out(to_text(all) + "\n");
        return exit_completed;
    }
    std::vector<std::vector<std::string>> lines{{"AGENT", "REVISION", "STATUS", "UPDATED", "STATE"}};
    for (const auto& row : *rows) {
        lines.push_back({row.agent + "/" + row.key, std::to_string(row.revision), meta_text(parsed(row.meta), "status"), to_rfc3339(row.updated_at), shortened(row.state, 80)});
    }
    print_out(rows->empty() ? "no agents\n" : table(lines));
    return exit_completed;
}

int show_agent_command(const agents_options& options) {
    const auto name = parse_agent_name(options.instance);
    if (name.has_error()) return fail(name.error());
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    const auto row = find_instance((*opened)->connection(), *name);
    if (row.has_error()) return fail(row.error());
    print_out((options.json ? to_text(document(*row)) : to_pretty_text(document(*row))) + "\n");
    return exit_completed;
}

int reset_agent_command(const agents_options& options) {
    const auto name = parse_agent_name(options.instance);
    if (name.has_error()) return fail(name.error());
    const auto project = open_project({options.place.project, {}, options.place.environment});
    if (project.has_error()) return fail(project.error());
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto before = find_instance(in.connection(), *name);
    if (before.has_error()) return fail(before.error());
    const auto tools = open_toolbox(*project);
    if (tools.has_error()) return fail(tools.error());
    store::agent_row fresh;
    fresh.agent = name->agent;
    fresh.key = name->key;
    if (const auto known = tools->states->load(fresh); known.has_error()) return fail(known.error());

    in.start_engine(*project, *tools);
    const auto shard = shard_of(name->agent + "/" + name->key, in.shard_count());
    const store::inbox_post message{shard, "", "reset", "cli", new_uuid7(), to_text(json::object{{"agent", name->agent}, {"agentKey", name->key}})};
    if (const auto posted = in.connection().post(message); posted.has_error()) return fail(to_problem(posted.error()));
    if (const auto owned = in.own(shard); owned.has_error()) return fail(owned.error());
    const auto end = in.wait_until(
        [&] {
            const auto now = in.connection().load_agent(name->agent, name->key);
            if (!in.owns(shard)) (void)in.own(shard);
            return now.has_value() && *now && (*now)->revision > before->revision && (*now)->state == fresh.state;
        },
        milliseconds(100), milliseconds(30'000));
    const auto after = in.connection().load_agent(name->agent, name->key);
    in.close();
    if (end != session::wait_end::done) return fail("the reset of " + options.instance + " is stored, but the process that owns it has not applied it yet");
    if (options.json && after.has_value() && *after) print_out(to_text(document(**after)) + "\n");
    else print_err("agent " + options.instance + " begins anew with its initial state\n");
    return exit_completed;
}

}  // namespace pawl::cli
