// `pawl run`: from a flow's file to a followed run.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/follow.hpp"
#include "cli/deployments.hpp"
#include "cli/project.hpp"
#include "cli/remote_files.hpp"
#include "cli/workflow_finder.hpp"
#include "cli/workplace.hpp"
#include "trial/recorder.hpp"

#include <filesystem>

namespace pawl::cli {
namespace {

struct prepared_run {
    agent::manifest project;
    toolbox tools;
    agent_name agent;
    std::shared_ptr<const flow::workflow> workflow;
    json::value input;
    store::tag_map tags;
    std::string store;
    std::shared_ptr<trial::recorder> recorder;  ///< null without --record
};

result<std::string> flow_to_run(const run_options& options, const agent::manifest& project, const agent_name& agent) {
    if (!options.flow.empty()) return {boost::system::in_place_value, options.flow};
    const auto known = project.agents.find(agent.agent);
    if (known != project.agents.end()) {
        if (const auto flow = known->second.on.find("message"); flow != known->second.on.end()) return {boost::system::in_place_value, flow->second};
    }
    return make_problem(problem_type::configuration, agent.agent.empty() ? "name a flow to run, or an agent with --agent NAME/KEY whose `on.message` names one"
                                                                          : "name a flow to run: agent `" + agent.agent + "` has no `on.message` in the manifest");
}

/// A file, or the name of a deployed workflow where there is no such file.
result<std::shared_ptr<const flow::workflow>> workflow_to_run(const std::string& flow, const prepared_run& prepared, const json::value* state_schema) {
    const auto store = store_when_asked(prepared.store);
    std::error_code ec;
    const auto name = parse_workflow_name(flow);
    if (name && !std::filesystem::exists(flow, ec)) return deployed_workflow(store(), *name);
    workflow_finder finder(prepared.project, prepared.tools.effects->functions(), store, read_from_network(prepared.tools));
    return load_flow_to_run(flow, finder.functions(), state_schema, &finder);
}

/// The project's tools; with --record as effects that write down what they answer.
result<void> open_tools(const run_options& options, prepared_run& out) {
    effect_dresser dressed;
    if (!options.record.empty()) {
        const auto secrets = secret_source::load(out.project);
        if (secrets.has_error()) return secrets.error();
        auto opened = trial::recorder::open(options.record, std::make_shared<trial::redaction>(out.project.redact, secrets->values()));
        if (opened.has_error()) return opened.error();
        out.recorder = std::move(*opened);
        dressed = [recorder = out.recorder](std::shared_ptr<runtime::effect> each) { return trial::recorded(std::move(each), recorder); };
    }
    auto tools = open_toolbox(out.project, dressed);
    if (tools.has_error()) return tools.error();
    out.tools = std::move(*tools);
    return {};
}

/// What was recorded, for people; false when the cassette is not whole.
bool tell_recording(const std::string& cassette, const trial::recorder& recorder) {
    const auto sum = recorder.so_far();
    if (sum.failed) {
        (void)fail("the cassette " + cassette + " could not be written to; it lacks answers of this run");
        return false;
    }
    print_err("recorded " + std::to_string(sum.answers) + (sum.answers == 1 ? " answer in " : " answers in ") + cassette +
              (sum.replaced > 0 ? ", " + std::to_string(sum.replaced) + (sum.replaced == 1 ? " value redacted" : " values redacted") : "") + "\n");
    return true;
}

result<prepared_run> prepare(const run_options& options) {
    prepared_run out;
    auto tags = read_tags(options.tags);
    if (tags.has_error()) return tags.error();
    out.tags = std::move(*tags);
    if (!options.agent.empty()) {
        auto name = parse_agent_name(options.agent);
        if (name.has_error()) return name.error();
        out.agent = std::move(*name);
    }
    auto project = open_project({options.place.project, options.flow, options.place.environment});
    if (project.has_error()) return project.error();
    out.project = std::move(*project);
    const auto flow = flow_to_run(options, out.project, out.agent);
    if (flow.has_error()) return flow.error();
    if (auto opened = open_tools(options, out); opened.has_error()) return opened.error();
    const json::value* state_schema = nullptr;
    if (!out.agent.agent.empty()) {
        const auto* settings = out.tools.states->find(out.agent.agent);
        if (settings == nullptr) {
            store::agent_row row;
            row.agent = out.agent.agent;
            return out.tools.states->load(row).error();  // names the closest agent
        }
        if (settings->state_schema) state_schema = &*settings->state_schema;
    }
    const auto url = choose_store(options.place.store, out.project);
    if (url.has_error()) return url.error();
    out.store = *url;
    auto workflow = workflow_to_run(*flow, out, state_schema);
    if (workflow.has_error()) return workflow.error();
    out.workflow = std::move(*workflow);
    auto input = read_input(options.input);
    if (input.has_error()) return input.error();
    out.input = std::move(*input);
    if (out.workflow->input.schema) {
        const auto violations = out.workflow->input.schema->validate(out.input);
        if (!violations.empty()) return schema::to_problem(violations, "The input");
    }
    return out;
}

store::new_run new_run_of(const prepared_run& prepared, int priority) {
    const auto& document = prepared.workflow->document;
    store::new_run run;
    run.id = new_uuid7();
    run.definition = prepared.workflow->digest;
    run.workflow = document.ns + "/" + document.name + ":" + document.version;
    run.agent = prepared.agent.agent;
    run.agent_key = prepared.agent.key;
    run.environment = prepared.project.environment;
    if (!prepared.project.file.empty()) run.project = prepared.project.folder;
    run.input = to_text(prepared.input);
    run.tags = prepared.tags;
    run.priority = priority;
    return run;
}

/// The entry of `limits` whose queue is full, as a sentence; nothing when the run may be submitted.
result<std::optional<std::string>> full_queue(store::connection& store, const prepared_run& prepared) {
    if (!prepared.project.limits) return std::optional<std::string>();
    const auto& document = prepared.workflow->document;
    for (const auto& [pattern, limits] : prepared.project.limits->workflows) {
        if (limits.queue == 0 || !runtime::fits_pattern(pattern, document.ns + "/" + document.name)) continue;
        const auto prefix = pattern.ends_with('*') ? pattern.substr(0, pattern.size() - 1) : pattern + ":";
        const auto pending = store.count_pending(prefix, limits.queue);
        if (pending.has_error()) return to_problem(pending.error());
        if (*pending < limits.queue) continue;
        return std::optional("busy: " + std::to_string(limits.queue) + " runs of " + pattern + " have not begun yet, and `limits.workflows." + pattern +
                             ".queue` in pawl.yaml allows no more; nothing was started, try again later");
    }
    return std::optional<std::string>();
}

}  // namespace

int run_command(const run_options& options) {
    const auto prepared = prepare(options);
    if (prepared.has_error()) return fail(prepared.error());
    const auto opened = session::open(prepared->store, true);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto full = full_queue(in.connection(), *prepared);
    if (full.has_error()) return fail(full.error());
    if (*full) {
        print_err("pawl: " + **full + "\n");
        return exit_busy;
    }
    in.start_engine(prepared->project, prepared->tools);

    auto run = new_run_of(*prepared, options.priority);
    // What `pawl deploy --tag` gave the definition; the engine adds those of the document.
    if (auto known = in.connection().get_definition(run.definition); known.has_value()) run.tags.merge(known->tags);
    if (run.agent.empty()) {
        const auto shard = in.own_any();
        if (shard.has_error()) return fail(shard.error());
        // Where others own every shard (`pawl serve`), one of them drives the run, and this process follows it from the store.
        if (!shard->has_value() && prepared->recorder) return fail("--record needs the run in this process, but others own every shard of this store; use a store of your own: --store sqlite:FILE");
        run.shard = shard->value_or(shard_of(run.id, in.shard_count()));
    } else {
        run.shard = shard_of(run.agent + "/" + run.agent_key, in.shard_count());
        const auto owned = in.own(run.shard);
        if (owned.has_error()) return fail(owned.error());
        if (!*owned && prepared->recorder) return fail("--record needs the run in this process, but another one drives this agent; use a store of your own: --store sqlite:FILE");
    }
    if (prepared->recorder) prepared->recorder->follow(run.id, prepared->input);
    follower follow(in, run.id, run.shard, {options.detach, options.json, nullptr, false, false});
    if (const auto submitted = in.engine().submit(run, *prepared->workflow); submitted.has_error()) return fail(to_problem(submitted.error()));
    if (!options.json) {
        print_err("run " + run.id + "  " + run.workflow + (run.agent.empty() ? "" : "  agent " + run.agent + "/" + run.agent_key) + "\n");
    }
    const auto code = follow.follow();
    in.close();
    if (code.has_error()) return fail(code.error());
    if (prepared->recorder && !tell_recording(options.record, *prepared->recorder)) return exit_wrong;
    return *code;
}

}  // namespace pawl::cli
