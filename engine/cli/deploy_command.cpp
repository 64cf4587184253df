// `pawl deploy` and `pawl definitions`: which definition a name and version stand for, and the run that keeps its schedule.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/deployments.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/remote_files.hpp"
#include "cli/schedules.hpp"
#include "cli/workplace.hpp"
#include "runtime/definitions.hpp"

#include <set>

namespace pawl::cli {
namespace {

struct deploying {
    agent::manifest project;
    toolbox tools;
    std::string store;
};

result<deploying> prepare(const deploy_options& options) {
    const auto near = options.flows.empty() ? std::string() : options.flows.front();
    auto project = open_project({options.place.project, near, options.place.environment});
    if (project.has_error()) return project.error();
    const auto url = choose_store(options.place.store, *project);
    if (url.has_error()) return url.error();
    auto tools = open_toolbox(*project);
    if (tools.has_error()) return tools.error();
    return deploying{std::move(*project), std::move(*tools), *url};
}

/// All of them, or none: a project is deployed when every flow of it is right.
result<std::vector<std::shared_ptr<const flow::workflow>>> check_all(const std::vector<std::string>& flows, const deploying& d) {
    workflow_finder finder(d.project, d.tools.effects->functions(), store_when_asked(d.store), read_from_network(d.tools));
    std::vector<std::shared_ptr<const flow::workflow>> out;
    for (const auto& path : flows) {
        auto made = load_flow_to_run(path, finder.functions(), nullptr, &finder);
        if (made.has_error()) return made.error();
        out.push_back(std::move(*made));
    }
    return out;
}

store::deployment_row row_of(const flow::workflow& w, const agent::manifest& project) {
    store::deployment_row row;
    row.ns = w.document.ns;
    row.name = w.document.name;
    row.version = w.document.version;
    row.digest = w.digest;
    row.environment = project.environment;
    if (!project.file.empty()) row.project = project.folder;
    return row;
}

/// What has become of the flow, for --json. Error: the version stands for something else, or the store does not work.
result<json::object> deploy_one(session& in, const std::shared_ptr<const flow::workflow>& w, store::deployment_row row, const deploy_options& options, const store::tag_map& tags) {
    auto& store = in.connection();
    const auto label = label_of(row);
    const auto before = store.list_deployments(row.ns, row.name);
    if (before.has_error()) return to_problem(before.error());
    bool unchanged = !before->empty() && before->front().version == row.version && before->front().digest == row.digest;
    if (unchanged) {
        row = before->front();
        const auto kept = is_schedule_kept(in, *w, row);
        if (kept.has_error()) return kept.error();
        unchanged = *kept;
    }
    if (!unchanged) {
        if (const auto put = runtime::put_definitions(store, *w); put.has_error()) return to_problem(put.error());
        const auto done = store.deploy(row, options.force);
        if (done.has_error()) return to_problem(done.error());
        if (!*done) {
            return make_problem(problem_type::configuration, label + " is deployed with another content; give it a new version in `document.version`, or replace it with --force "
                                                                     "(runs that have begun keep what they began with)");
        }
        const auto after = store.list_deployments(row.ns, row.name);
        if (after.has_error()) return to_problem(after.error());
        if (!after->empty()) row = after->front();
    }
    if (!tags.empty()) {
        if (const auto put = store.put_definition({w->digest, row.ns, row.name, row.version, w->bundle, tags}); put.has_error()) return to_problem(put.error());
    }
    const auto scheduled = keep_schedule(in, w, row);
    if (scheduled.has_error()) return scheduled.error();
    json::object document{{"namespace", row.ns}, {"name", row.name}, {"version", row.version}, {"digest", row.digest}, {"changed", !unchanged}};
    if (!scheduled->empty()) document["schedule"] = *scheduled;
    if (!options.json) print_out(label + (unchanged ? " is deployed already" : " deployed") + "  " + row.digest.substr(0, 12) + (scheduled->empty() ? "" : "  " + *scheduled) + "\n");
    return document;
}

int remove(const deploy_options& options) {
    const auto name = parse_workflow_name(options.remove);
    if (!name || !name->version.empty()) return fail("--remove takes namespace/name, such as --remove shop/order");
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    const auto removed = (*opened)->connection().remove_deployments(name->ns, name->name);
    if (removed.has_error()) return fail(to_problem(removed.error()));
    // Also when nothing was deployed any more: an earlier try may have been interrupted here.
    const auto ended = end_schedules(**opened, name->ns, name->name, {});
    if (ended.has_error()) return fail(ended.error());
    if (!*removed) return fail("there is no deployed workflow " + options.remove + "; `pawl definitions` lists what there is");
    if (options.json) print_out(to_text(json::object{{"removed", options.remove}, {"schedulesEnded", *ended}}) + "\n");
    else print_out(options.remove + " removed; its runs go on" + (*ended > 0 ? ", its schedule ends" : "") + "\n");
    return exit_completed;
}

}  // namespace

int deploy_command(const deploy_options& options) {
    if (!options.remove.empty()) return remove(options);
    const auto tags = read_tags(options.tags);
    if (tags.has_error()) return fail(tags.error());
    const auto prepared = prepare(options);
    if (prepared.has_error()) return fail(prepared.error());
    const auto flows = options.flows.empty() ? flows_of(prepared->project) : options.flows;
    if (flows.empty()) return fail("there is nothing to deploy: name flows, or put them into `workflows/` or `flows/` of a project");
    const auto checked = check_all(flows, *prepared);
    if (checked.has_error()) return fail(checked.error());
    const auto opened = session::open(prepared->store, true);
    if (opened.has_error()) return fail(opened.error());
    json::array deployed;
    for (const auto& workflow : *checked) {
        auto done = deploy_one(**opened, workflow, row_of(*workflow, prepared->project), options, *tags);
        if (done.has_error()) return fail(done.error());
        deployed.push_back(std::move(*done));
    }
    if (options.json) print_out(to_text(json::object{{"deployed", std::move(deployed)}}) + "\n");
    return exit_completed;
}

int definitions_command(const definitions_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    const auto rows = (*opened)->connection().list_deployments("", "");
    if (rows.has_error()) return fail(to_problem(rows.error()));
    std::set<std::string> seen;
    json::array all;
    std::vector<std::vector<std::string>> lines{{"WORKFLOW", "VERSION", "CURRENT", "DIGEST", "ENVIRONMENT", "DEPLOYED"}};
    for (const auto& row : *rows) {
        const bool current = seen.insert(row.ns + "/" + row.name).second;
        lines.push_back({row.ns + "/" + row.name, row.version, current ? "yes" : "-", row.digest.substr(0, 12), row.environment, to_rfc3339(row.deployed_at)});
        all.emplace_back(json::object{{"namespace", row.ns}, {"name", row.name}, {"version", row.version}, {"current", current}, {"digest", row.digest},
                                      {"environment", row.environment}, {"deployedAt", to_rfc3339(row.deployed_at)}});
    }
    if (options.json) {
        print_out(to_text(all) + "\n");
    } else if (rows->empty()) {
        print_err("nothing is deployed in this store\n");
    } else {
        print_out(table(lines));
    }
    return exit_completed;
}

}  // namespace pawl::cli
