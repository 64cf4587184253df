#include "cli/command_line.hpp"

#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace pawl::cli {
namespace {

/// What the chosen command will do once the whole command line has been read.
using chosen_command = std::function<int()>;

/// CLI11's footer of a command: an example, and the exit codes.
void example(CLI::App* command, const std::string& text) { command->footer("Example:\n  " + text + "\n\n" + exit_codes_help); }

void add_project(CLI::App* command, place_options& place) {
    command->add_option("--project", place.project, "Folder with pawl.yaml (default: the nearest one upwards)")->type_name("DIR");
    command->add_option("-e,--env", place.environment, "Environment of the manifest (default: PAWL_ENV, else the top level)")->type_name("NAME");
}

void add_place(CLI::App* command, place_options& place) {
    add_project(command, place);
    command->add_option("--store", place.store, "sqlite:PATH or postgresql://... (default: PAWL_STORE, else the manifest's)")->type_name("URL");
}

/// Options of a group stand behind its commands as well as before them: `pawl runs list --json`, `pawl runs --json`.
struct all_options {
    check_options check;
    schema_options schema;
    expr_options expr;
    test_options test;
    record_test_options record_test;
    run_options run;
    deploy_options deploy;
    definitions_options definitions;
    serve_options serve;
    runs_options runs;
    migrate_options migrate;
    prune_options prune;
    control_options control;
    transfer_options transfer;
    approvals_options approvals;
    dead_letters_options dead_letters;
    doctor_options doctor;
    events_options events;
    agents_options agents;
    tools_options tools;
    new_options create;
};

void add_check(CLI::App& app, check_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("check", "Check flows (or a pawl.yaml with all its flows)");
    command->add_option("FLOW", o.flows, "Flow files")->required()->type_name("");
    add_project(command, o.place);
    command->add_flag("--portable", o.portable, "Also flag what only Pawl understands, with the standard's alternative");
    auto* json = command->add_flag("--json", o.json, "Print one JSON document: files with diagnostics (file, line, column, endLine, endColumn, severity, code, message, hint, pointer)");
    command->add_flag("--sarif", o.sarif, "Print a SARIF 2.1.0 log, for code scanning")->excludes(json);
    command->footer("Example:\n  pawl check examples/support-desk/flows/triage.yaml\n  pawl check --sarif flows/*.yaml > pawl.sarif\n\n"
                    "Exit codes: 0 no errors (warnings are possible), 1 a flow has errors, or a file or the project cannot be read.");
    command->callback([&] { chosen = [&o] { return check_command(o); }; });
}

void add_schema(CLI::App& app, schema_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("schema", "Print a JSON Schema of workflows, with the arguments of this project's tools, for editors");
    add_project(command, o.place);
    command->footer("Example:\n  pawl schema > .pawl/workflow.schema.json\n\n"
                    "An editor with yaml-language-server (VS Code, Neovim, Helix ...) uses it for files whose first line is\n"
                    "  # yaml-language-server: $schema=.pawl/workflow.schema.json\n"
                    "with the path relative to the file. Print it again when the project's tools change.\n\n"
                    "Exit codes: 0 printed, 1 the project cannot be read.");
    command->callback([&] { chosen = [&o] { return schema_command(o); }; });
}

void add_expr(CLI::App& app, expr_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("expr", "Evaluate a runtime expression (jq): each output on a line of its own");
    command->add_option("PROGRAM", o.program, "The expression, without ${ }")->required()->type_name("");
    command->add_option("-i,--input", o.input, "JSON, @file, or - for standard input (default: null)")->type_name("JSON");
    command->footer("Example:\n  pawl expr '.items | map(.price) | add' --input '{\"items\":[{\"price\":2},{\"price\":3}]}'\n\n"
                    "Exit codes: 0 evaluated, 1 the expression does not compile, 2 it failed after the outputs before.");
    command->callback([&] { chosen = [&o] { return expr_command(o); }; });
}

void add_record_test(CLI::App* test, record_test_options& o, chosen_command& chosen) {
    auto* command = test->add_subcommand("record", "Write a case from a finished run: input, decisions and events with their times, answers of tools and models, redacted");
    command->add_option("RUN", o.run, "The run's id, or a unique beginning of it")->required()->type_name("");
    command->add_option("-o,--output", o.output, "The case file (default: run-ID.test.yaml)")->type_name("FILE");
    add_place(command, o.place);
    command->footer("The case passes when it is written: what does not come out as it was is left out, and told in the file and here.\n"
                    "The project's `redact` says what it may not hold.\n\nExample:\n  pawl test record 0193f5c2-81d4-7a10 --output refund.test.yaml\n  pawl test refund.test.yaml\n\n"
                    "Exit codes: 0 written, 1 there is no such finished run, or it cannot be written as a case.");
    command->callback([&] { chosen = [&o] { return record_test_command(o); }; });
}

void add_test(CLI::App& app, test_options& o, record_test_options& record, chosen_command& chosen) {
    auto* command = app.add_subcommand("test", "Test flows and agents by cases (*.test.yaml), in virtual time and without any effect");
    command->add_option("PATHS", o.paths, "Case files, or folders that hold some (default: the current folder)")->type_name("");
    auto* filter = command->add_option("--filter", o.filter, "Only cases with this in their name")->type_name("TEXT");
    command->add_option("--case", o.only_case, "Only the case with exactly this name")->type_name("NAME")->excludes(filter);
    command->add_option("--point", o.point, "Of the modes only the point with this name, as a failure tells it")->type_name("POINT");
    command->add_flag("--crash-everywhere", o.crash_everywhere, "Crash before and after every checkpoint in turn: the end must be the same");
    command->add_flag("--duplicates", o.duplicates, "Deliver every message, event, decision and answer twice; each event also under another id");
    command->add_flag("--bad-answers", o.bad_answers, "Spoil each answer in turn: the flow must end as it declares");
    command->add_option("--shuffle", o.shuffle, "Let things happen in 16 other orders, chosen by this seed and those after it")->type_name("SEED");
    command->add_flag("--old-states", o.old_states, "Begin with the agent's state in each of its earlier versions (given.earlier)");
    command->add_flag("--all-modes", o.all_modes, "All of these");
    command->add_option("-j,--jobs", o.jobs, "Files at a time (default: the number of processors)")->type_name("N");
    auto* evaluate = command->add_flag("--evaluate", o.evaluate, "Ask the project's real models for each row of the tables: agreement, latency and tokens per model and prompt version");
    command->add_option("--model", o.model, "With --evaluate: ask this model of the project in every call")->type_name("ALIAS")->needs(evaluate);
    add_project(command, o.place);
    command->add_flag("--json", o.json, "Print one JSON document");
    command->add_option("--junit", o.junit, "Write a JUnit report to this file")->type_name("FILE");
    command->add_flag("--update", o.update, "Keep what is seen as the snapshots of cases with `then: { snapshot: ... }`, and drop those that no case asks for");
    command->add_flag("--ci", o.ci, "A snapshot that is missing fails instead of being written (also with CI=true)");
    command->add_flag("--watch", o.watch, "Test again what a changed file concerns, until Ctrl-C");
    command->add_option("--real-tool", o.real_tool, "Really call this function of the project, whatever the answers say; may be repeated")->type_name("NAME")->allow_extra_args(false);
    command->add_flag("--real-tools", o.real_tools, "Really call every function that the project offers");
    command->add_flag("--coverage", o.coverage, "Tell which tasks, branches, catch handlers and fields of agents' states no case reaches")->group("Coverage");
    command->add_option("--coverage-html", o.coverage_html, "Write a page with the sources, lines marked, to index.html in this folder")->type_name("DIR")->group("Coverage");
    command->add_option("--coverage-json", o.coverage_json, "Write the coverage to this file")->type_name("FILE")->group("Coverage");
    command->add_option("--coverage-min", o.coverage_min, "Exit with 1 when less than this is covered")->type_name("PERCENT")->check(CLI::Range(0.0, 100.0))->group("Coverage");
    command->footer("Examples:\n  pawl test examples/support-desk --all-modes\n  pawl test --coverage --coverage-min 90\n\n"
                    "Exit codes: 0 all cases hold, 1 a file, a case or the command is wrong (a flow that is missing, a name that nothing bears), or --coverage-min is not reached, 2 a case failed.\n"
                    "With --evaluate: 0 evaluated, 1 wrong, no model answered, or agreement is below a threshold of its table.");
    add_record_test(command, record, chosen);
    command->callback([&, command] {
        if (command->get_subcommands().empty()) chosen = [&o] { return test_command(o); };
    });
}

void add_run(CLI::App& app, run_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("run", "Run a flow and follow it to its end");
    command->add_option("FLOW", o.flow, "Flow file, or namespace/name[:version] of a deployed workflow (default: the agent's on.message)")->type_name("");
    command->add_option("-i,--input", o.input, "JSON, @file, or - for standard input (default: {})")->type_name("JSON");
    command->add_option("--agent", o.agent, "Run as a message to this agent instance")->type_name("NAME/KEY");
    command->add_option("--tag", o.tags, "Give the run a tag to search by, beside those of `document.tags`; may be repeated")->type_name("NAME=VALUE");
    command->add_option("--priority", o.priority, "Whose turn it is where `limits` make runs wait: 1 (most urgent) to 5; by default what the workflow says, or 3")
        ->check(CLI::Range(1, 5))
        ->type_name("1..5");
    add_place(command, o.place);
    command->add_flag("--json", o.json, "Print one JSON document with id, status, output or error, and steps");
    command->add_flag("--detach", o.detach, "Leave as soon as the run only waits (exit code 4)");
    command->add_option("--record", o.record, "Append every answer of tools and models to this cassette, redacted, for `answers` of pawl test")->type_name("CASSETTE");
    example(command, "pawl run examples/hello/hello.yaml --input '{\"name\": \"Ada\"}'");
    command->callback([&] { chosen = [&o] { return run_command(o); }; });
}

void add_deploy(CLI::App& app, deploy_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("deploy", "Store flows under their names, so that they can be run by name, and keep their schedules");
    command->add_option("FLOW", o.flows, "Flow files (default: all of the project)")->type_name("");
    command->add_flag("--force", o.force, "Replace a version that is deployed with another content");
    command->add_option("--tag", o.tags, "Give every run of these flows that starts from now on a tag, beside those of `document.tags`; may be repeated")->type_name("NAME=VALUE");
    command->add_option("--remove", o.remove, "Remove all versions of a workflow, and end its schedule")->type_name("NAMESPACE/NAME");
    add_place(command, o.place);
    command->add_flag("--json", o.json, "Print JSON");
    example(command, "pawl deploy flows/order.yaml\n  pawl run shop/order --input '{\"order\": 7}'");
    command->callback([&] { chosen = [&o] { return deploy_command(o); }; });
}

void add_definitions(CLI::App& app, definitions_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("definitions", "List deployed workflows, the current version of each name first");
    add_place(command, o.place);
    command->add_flag("--json", o.json, "Print JSON");
    example(command, "pawl definitions");
    command->callback([&] { chosen = [&o] { return definitions_command(o); }; });
}

void add_serve(CLI::App& app, serve_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("serve", "Drive the runs of a store until SIGTERM: go on after crashes, fire timers and schedules, deliver events");
    command->add_option("--shards", o.shards, "At most so many shards of the store (default: a fair share among all that serve it)")->type_name("N");
    command->add_option("--lease", o.lease, "How long others wait for a process that says nothing (frozen, cut off) before they take over its shards: 1s to 1h (default: 10s)")->type_name("DURATION");
    add_place(command, o.place);
    command->footer("Any number of processes may serve one store; each takes its share, and what one leaves another takes over:\nat once from a process of the same host that has ended, otherwise after its lease.\n\nExample:\n  pawl serve --project examples/support-desk\n\n"
                    "Exit codes: 0 stopped by a signal, 1 the command, the project or the store is wrong.");
    command->callback([&] { chosen = [&o] { return serve_command(o); }; });
}

void add_migrate(CLI::App& group, migrate_options& o, chosen_command& chosen) {
    auto* command = group.add_subcommand("migrate", "Let live runs go on in another deployed version of their workflow");
    command->add_option("ID", o.id, "The run's id, or a unique beginning of it")->type_name("");
    command->add_option("--to", o.to, "A deployed version, or NAMESPACE/NAME[:VERSION]")->required()->type_name("VERSION");
    command->add_option("--workflow", o.workflow, "With --all: the live runs of workflows that begin so: namespace/name:version")->type_name("NAME");
    command->add_flag("--all", o.all, "All live runs of --workflow");
    command->add_flag("--dry-run", o.dry_run, "Only say which runs could be moved, and what keeps the others");
    command->add_option("--by", o.by, "Who moves them (default: the operating system's user)")->type_name("WHO");
    add_place(command, o.place);
    command->add_flag("--json", o.json, "Print JSON");
    example(command, "pawl runs migrate 0193f5c2-81d4-7a10 --to 1.1.0");
    command->callback([&o, &chosen] { chosen = [&o] { return migrate_runs_command(o); }; });
}

void add_prune(CLI::App& group, prune_options& o, chosen_command& chosen) {
    auto* command = group.add_subcommand("prune", "Remove finished runs with their steps, delivered events and approvals");
    add_run_filters(command, o.filter);
    command->add_option("--older-than", o.older_than, "Only runs that ended so long ago, such as 30d (default without a filter: the manifest's retention.finishedRuns)")->type_name("DURATION");
    command->add_flag("--dry-run", o.dry_run, "Only list what would go");
    add_place(command, o.place);
    command->add_flag("--json", o.json, "Print JSON");
    command->footer("A finished run stays while something needs it: live children, messages that wait, events that no sink has taken yet. `pawl serve` prunes by itself what `retention` in\n"
                    "pawl.yaml says.\n\nExample:\n  pawl runs prune --status completed --older-than 30d\n\n" + std::string(exit_codes_help));
    command->callback([&o, &chosen] { chosen = [&o] { return prune_runs_command(o); }; });
}

/// One run by id, or many by filter.
CLI::App* add_control(CLI::App& group, control_options& o, chosen_command& chosen, const char* kind, const char* what, const char* shown) {
    auto* command = group.add_subcommand(kind, what);
    command->add_option("ID", o.id, "The run's id, or a unique beginning of it")->type_name("");
    command->add_flag("--all", o.all, "All runs that the filters below choose, and that it can be done to");
    command->add_flag("--dry-run", o.dry_run, "Only say which runs");
    command->add_option("--by", o.by, "Who does it (default: the operating system's user)")->type_name("WHO");
    command->add_flag("--json", o.json, "Print one JSON document: of many, runs with what became of each; of one that is followed, the run");
    add_run_filters(command, o.filter);
    add_place(command, o.place);
    example(command, std::string(shown) + " 0193f5c2-81d4-7a10\n  " + shown + " --all --workflow shop/orders --since 2h --dry-run");
    command->callback([&o, &chosen, kind] {
        o.kind = kind;
        chosen = [&o] { return control_runs_command(o); };
    });
    return command;
}

void add_control(CLI::App& group, all_options& all, chosen_command& chosen) {
    auto& o = all.control;
    add_control(group, o, chosen, "pause", "Suspend runs: nothing new starts; what is under way may end, and is recorded. It lasts until `pawl runs resume`", "pawl runs pause");
    auto* resume = add_control(group, o, chosen, "resume", "Go on with a run here, paused or not, and follow it; or lift the pause of many", "pawl runs resume");
    resume->add_flag("--detach", o.detach, "One run: leave as soon as it only waits (exit code 4)");
    resume->callback([&o, &all, &chosen] {
        o.kind = "resume";
        chosen = [&o, &all] {
            if (o.all || o.id.empty() || o.dry_run) return control_runs_command(o);
            all.runs.place = o.place;
            all.runs.id = o.id;
            all.runs.by = o.by;
            all.runs.json = o.json;
            all.runs.detach = o.detach;
            return resume_run_command(all.runs);
        };
    });
    add_control(group, o, chosen, "cancel", "End runs as cancelled: their tools are told to stop, their children and approvals end with them", "pawl runs cancel");
    add_control(group, o, chosen, "terminate", "End runs as cancelled at once, also one that cannot be read or driven any more, and the children it waits for", "pawl runs terminate");
    auto* retry = add_control(group, o, chosen, "retry", "Go on with a faulted or cancelled run from the task that failed, as the same run", "pawl runs retry");
    retry->add_option("--from", o.from, "Begin with this task instead: the failed one or one around it (outer/inner)")->type_name("TASK");
    retry->add_flag("--detach", o.detach, "One run: leave as soon as it only waits (exit code 4)");
    auto* rewind = add_control(group, o, chosen, "rewind", "Take a run that is suspended or over back to where it last entered a task, and go on from there as the same run",
                               "pawl runs rewind --to charge");
    rewind->add_option("--to", o.to, "The task (outer/inner when names repeat)")->type_name("TASK");
    rewind->add_flag("--yes", o.yes, "Also when something happens again that must not happen twice (at-most-once)");
    rewind->add_flag("--detach", o.detach, "One run: leave as soon as it only waits (exit code 4)");
    auto* fork = group.add_subcommand("fork", "Start a new run of what a run was started of: from the beginning, with its input or another one, or from a task on");
    fork->add_option("ID", o.id, "The run's id, or a unique beginning of it")->required()->type_name("");
    auto* input = fork->add_option("-i,--input", o.input, "Another input: JSON, or a file (default: the run's own)")->type_name("INPUT");
    fork->add_option("--from", o.from, "Begin where the run last entered this task (outer/inner when names repeat), with all that it had then")->type_name("TASK")->excludes(input);
    fork->add_flag("--detach", o.detach, "Leave as soon as it only waits (exit code 4)");
    fork->add_flag("--json", o.json, "Print JSON");
    add_place(fork, o.place);
    example(fork, "pawl runs fork 0193f5c2-81d4-7a10 --input '{\"order\": \"A-1001\"}'");
    fork->callback([&o, &chosen] { chosen = [&o] { return fork_run_command(o); }; });
}

void add_transfer(CLI::App& group, transfer_options& o, chosen_command& chosen) {
    auto* out = group.add_subcommand("export", "Write runs with definitions, steps, approvals and events to a file (JSON lines)");
    out->add_option("ID", o.id, "The run's id, or a unique beginning of it; or choose runs by the options below")->type_name("");
    out->add_option("-o,--output", o.file, "The file")->required()->type_name("FILE");
    out->add_flag("--move", o.move, "End live runs here, so that they can be imported and go on elsewhere; again after an interruption writes them again");
    add_run_filters(out, o.filter);
    add_place(out, o.place);
    out->add_flag("--json", o.json, "Print JSON");
    example(out, "pawl runs export --workflow shop/order --status completed --output orders.jsonl");
    out->callback([&o, &chosen] { chosen = [&o] { return export_runs_command(o); }; });
    auto* in = group.add_subcommand("import", "Read runs from a file that `pawl runs export` has written; a run that is here already stays as it is");
    in->add_option("FILE", o.file, "The file")->required()->type_name("");
    add_place(in, o.place);
    in->add_flag("--json", o.json, "Print JSON");
    example(in, "pawl runs import orders.jsonl --store sqlite:archive.sqlite");
    in->callback([&o, &chosen] { chosen = [&o] { return import_runs_command(o); }; });
}

void add_runs(CLI::App& app, all_options& all, chosen_command& chosen) {
    auto& o = all.runs;
    auto* group = app.add_subcommand("runs", "List, show and control runs");
    group->require_subcommand(0, 1);
    const auto common = [&](CLI::App* command) {
        add_place(command, o.place);
        command->add_flag("--json", o.json, "Print JSON");
    };
    const auto with_id = [&](const char* name, const char* what, int (*act)(const runs_options&), const char* shown) {
        auto* command = group->add_subcommand(name, what);
        command->add_option("ID", o.id, "The run's id, or a unique beginning of it")->required()->type_name("");
        common(command);
        example(command, shown);
        command->callback([&o, &chosen, act] { chosen = [&o, act] { return act(o); }; });
        return command;
    };
    const auto filters = [&](CLI::App* command) {
        common(command);
        add_run_filters(command, o.filter);
        command->add_option("--after", o.filter.after, "The next page: what comes behind this run, the last one of the page before")->type_name("ID");
        command->add_option("--limit", o.limit, "At most so many, newest first")->type_name("N")->check(CLI::Range(1, 10'000));
        example(command, "pawl runs list --status waiting --status suspended --tag tenant=acme --since 2d");
    };
    filters(group);
    group->callback([&, group] { if (group->get_subcommands().empty()) chosen = [&o] { return list_runs_command(o); }; });
    auto* list = group->add_subcommand("list", "List runs, newest first");
    filters(list);
    list->callback([&] { chosen = [&o] { return list_runs_command(o); }; });
    with_id("show", "Show a run with its steps, events and result", show_run_command, "pawl runs show 0193f5c2-81d4-7a10");
    add_control(*group, all, chosen);
    add_migrate(*group, all.migrate, chosen);
    add_prune(*group, all.prune, chosen);
    add_transfer(*group, all.transfer, chosen);
}

void add_approvals(CLI::App& app, approvals_options& o, chosen_command& chosen) {
    auto* group = app.add_subcommand("approvals", "List what waits for a decision; approve or reject it");
    group->require_subcommand(0, 1);
    const auto listing = [&](CLI::App* command) {
        add_place(command, o.place);
        command->add_flag("--json", o.json, "Print JSON");
        command->add_flag("--all", o.all, "Decided ones too");
        example(command, "pawl approvals list");
    };
    listing(group);
    group->callback([&, group] { if (group->get_subcommands().empty()) chosen = [&o] { return list_approvals_command(o); }; });
    auto* list = group->add_subcommand("list", "List what waits for a decision");
    listing(list);
    list->callback([&] { chosen = [&o] { return list_approvals_command(o); }; });
    for (const bool approve : {true, false}) {
        auto* command = group->add_subcommand(approve ? "approve" : "reject", approve ? "Approve a proposal: its run goes on" : "Reject a proposal: its run goes on with that answer");
        command->add_option("ID", o.id, "The approval's id, or a unique beginning of it")->required()->type_name("");
        command->add_option("--by", o.by, "Who decides (default: the operating system's user)")->type_name("WHO");
        command->add_option("--comment", o.comment, "Why")->type_name("TEXT");
        add_place(command, o.place);
        command->add_flag("--json", o.json, "Print JSON");
        example(command, std::string("pawl approvals ") + (approve ? "approve 3f9c2a1b --comment 'within policy'" : "reject 3f9c2a1b --comment 'too much'"));
        command->callback([&o, &chosen, approve] { chosen = [&o, approve] { return decide_approval_command(o, approve); }; });
    }
}

void add_dead_letters(CLI::App& app, dead_letters_options& o, chosen_command& chosen) {
    auto* group = app.add_subcommand("dead-letters", "List what cannot proceed; try it again, or give it up");
    group->require_subcommand(0, 1);
    const auto common = [&](CLI::App* command, const char* shown) {
        add_place(command, o.place);
        command->add_flag("--json", o.json, "Print JSON");
        command->footer(std::string("checkpoint: the store refuses what a run would write.  run: it cannot be loaded.  event: a sink refuses it for good.\nmessage: it is for a run that does not exist.\n\n"
                                    "Example:\n  ") + shown + "\n\n" + std::string(exit_codes_help));
    };
    const auto listing = [&](CLI::App* command) {
        common(command, "pawl dead-letters list");
        command->add_option("--limit", o.limit, "At most so many, the oldest first")->type_name("N")->check(CLI::Range(1, 10'000));
    };
    listing(group);
    group->callback([&, group] { if (group->get_subcommands().empty()) chosen = [&o] { return list_dead_letters_command(o); }; });
    auto* list = group->add_subcommand("list", "List what cannot proceed");
    listing(list);
    list->callback([&] { chosen = [&o] { return list_dead_letters_command(o); }; });
    const auto with_id = [&](const char* name, const char* what, int (*act)(const dead_letters_options&), const char* shown) {
        auto* command = group->add_subcommand(name, what);
        command->add_option("ID", o.id, "As the list shows it: KIND:NAME, or a unique beginning")->required()->type_name("");
        common(command, shown);
        command->callback([&o, &chosen, act] { chosen = [&o, act] { return act(o); }; });
    };
    with_id("show", "Show one, with the event or message itself", show_dead_letter_command, "pawl dead-letters show event:42");
    with_id("retry", "Deliver an event to every sink again; load a run again", retry_dead_letter_command, "pawl dead-letters retry event:42");
    with_id("discard", "Give up: the event counts as delivered, the message as taken, the run ends as faulted", discard_dead_letter_command, "pawl dead-letters discard message:17");
}

void add_doctor(CLI::App& app, doctor_options& o, chosen_command& chosen) {
    auto* command = app.add_subcommand("doctor", "Examine a store: schema, indexes, durability, leases, orphans, backlogs, runs that nobody drives");
    command->add_flag("--repair", o.repair, "Mend what is safe to mend: free dead leases, remove orphans, make missing indexes");
    add_place(command, o.place);
    command->add_flag("--json", o.json, "Print JSON, with the checks that found nothing too");
    command->footer("Example:\n  pawl doctor --store postgresql://db/pawl\n\nExit codes: 0 healthy (or repaired), 1 something is wrong, or the store cannot be read.");
    command->callback([&] { chosen = [&o] { return doctor_command(o); }; });
}

void add_events(CLI::App& app, events_options& o, chosen_command& chosen) {
    auto* group = app.add_subcommand("events", "Publish an event to the runs that listen; list what a run has emitted");
    group->require_subcommand(1);
    example(group, "pawl events list 0193f5c2-81d4-7a10");
    const auto common = [&](CLI::App* command, const char* shown) {
        add_place(command, o.place);
        command->add_flag("--json", o.json, "Print JSON in one line");
        example(command, shown);
    };
    auto* publish = group->add_subcommand("publish", "Publish one CloudEvent (JSON); `id`, `source`, `time` and `specversion` are filled in when absent");
    publish->add_option("FILE", o.file, "File with the event, or - for standard input (default: -)")->type_name("");
    common(publish, "echo '{\"type\": \"com.example.order.paid.v1\", \"data\": {\"order\": \"A-1001\"}}' | pawl events publish");
    publish->callback([&] { chosen = [&o] { return publish_event_command(o); }; });
    auto* list = group->add_subcommand("list", "List the events that a run has emitted");
    list->add_option("RUN", o.run, "The run's id, or a unique beginning of it")->required()->type_name("");
    common(list, "pawl events list 0193f5c2-81d4-7a10");
    list->callback([&] { chosen = [&o] { return list_events_command(o); }; });
}

void add_agents(CLI::App& app, agents_options& o, chosen_command& chosen) {
    auto* group = app.add_subcommand("agents", "List, show and reset agent instances");
    group->require_subcommand(0, 1);
    const auto common = [&](CLI::App* command, const char* shown) {
        add_place(command, o.place);
        command->add_flag("--json", o.json, "Print JSON");
        example(command, shown);
    };
    common(group, "pawl agents list");
    group->callback([&, group] { if (group->get_subcommands().empty()) chosen = [&o] { return list_agents_command(o); }; });
    auto* list = group->add_subcommand("list", "List agent instances");
    common(list, "pawl agents list");
    list->callback([&] { chosen = [&o] { return list_agents_command(o); }; });
    const auto with_name = [&](const char* name, const char* what, int (*act)(const agents_options&), const char* shown) {
        auto* command = group->add_subcommand(name, what);
        command->add_option("INSTANCE", o.instance, "The agent instance: NAME/KEY")->required()->type_name("");
        common(command, shown);
        command->callback([&o, &chosen, act] { chosen = [&o, act] { return act(o); }; });
    };
    with_name("show", "Show an instance's state and meta", show_agent_command, "pawl agents show desk/T-1001");
    with_name("reset", "Put an instance back to its initial state", reset_agent_command, "pawl agents reset desk/T-1001");
}

void add_tools(CLI::App& app, tools_options& o, chosen_command& chosen) {
    auto* group = app.add_subcommand("tools", "List, show and call the functions that flows may call");
    group->require_subcommand(0, 1);
    const auto common = [&](CLI::App* command, const char* shown) {
        add_project(command, o.place);
        command->add_flag("--json", o.json, "Print JSON in one line");
        example(command, shown);
    };
    common(group, "pawl tools list");
    group->callback([&, group] { if (group->get_subcommands().empty()) chosen = [&o] { return list_tools_command(o); }; });
    auto* list = group->add_subcommand("list", "List functions");
    common(list, "pawl tools list");
    list->callback([&] { chosen = [&o] { return list_tools_command(o); }; });
    auto* show = group->add_subcommand("show", "Show a function with its schemas");
    show->add_option("NAME", o.name, "The function")->required()->type_name("");
    common(show, "pawl tools show orders.lookup");
    show->callback([&] { chosen = [&o] { return show_tool_command(o); }; });
    auto* call = group->add_subcommand("call", "Call a function once, outside any run");
    call->add_option("NAME", o.name, "The function")->required()->type_name("");
    call->add_option("-i,--input", o.input, "JSON, @file, or - for standard input (default: {})")->type_name("JSON");
    common(call, "pawl tools call orders.lookup --input '{\"order\": \"A-1001\"}'");
    call->callback([&] { chosen = [&o] { return call_tool_command(o); }; });
}

void add_new(CLI::App& app, new_options& o, chosen_command& chosen) {
    auto* group = app.add_subcommand("new", "Write a small complete plugin or project to begin with");
    group->require_subcommand(1);
    group->footer("Example:\n  pawl new plugin greeter\n\nExit codes: 0 written, 1 the name does not fit, or a file exists already: then nothing is written.");
    const auto add = [&](const char* kind, const char* what, bool plugin, const char* after) {
        auto* command = group->add_subcommand(kind, what);
        command->add_option("NAME", o.name, "Its name: lower case letters, digits and '-'")->required()->type_name("");
        command->add_option("-o,--output", o.folder, "The folder to write to (default: NAME); files that are there are never touched")->type_name("DIR");
        command->add_flag("--json", o.json, "Print one JSON document: kind, name, folder, files");
        command->footer(std::string("Example:\n  ") + after + "\n\nExit codes: 0 written, 1 the name does not fit, or a file exists already: then nothing is written.");
        command->callback([&o, &chosen, plugin] {
            o.plugin = plugin;
            chosen = [&o] { return new_command(o); };
        });
    };
    add("plugin", "A tool in C++: source, CMake project with find_package(PawlSDK), a flow that calls it, test cases, README", true,
        "pawl new plugin greeter && cd greeter\n  cmake -S . -B build -DCMAKE_PREFIX_PATH=/usr/local && cmake --build build\n  pawl tools list && pawl test");
    add("project", "A project: pawl.yaml, a flow, test cases, README", false, "pawl new project shop && cd shop && pawl test");
}

/// The command as far as it was understood, the innermost one last.
std::vector<const CLI::App*> understood(const CLI::App& app) {
    std::vector<const CLI::App*> path{&app};
    while (!path.back()->get_subcommands().empty()) path.push_back(path.back()->get_subcommands().front());
    return path;
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
    return names;
}

std::vector<std::string> names_of_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

/// What is wrong with the arguments: what nobody knows comes before what is missing.
std::string complaint(const CLI::App& app, const CLI::ParseError& wrong) {
    const auto path = understood(app);
    std::string command;
    for (const auto* part : path) command += (command.empty() ? "" : " ") + part->get_name();
    const auto see = "\n  see: " + command + " --help";
    const auto left = app.remaining(true);
    const bool about_these = dynamic_cast<const CLI::RequiredError*>(&wrong) != nullptr || dynamic_cast<const CLI::ExtrasError*>(&wrong) != nullptr;
    if (left.empty() || !about_these) return wrong.what() + see;
    const auto& unknown = left.front();
    const bool is_option = unknown.starts_with("-");
    const auto known = is_option ? names_of_options(*path.back()) : names_of_commands(*path.back());
    if (known.empty()) return "`" + unknown + "` is one argument too many for `" + command + "`" + see;
    const auto near = closest(unknown, known);
    return "`" + command + "` has no " + (is_option ? "option" : "command") + " `" + unknown + "`" + (near ? "; did you mean `" + *near + "`?" : "") + see;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
    CLI::App app("Pawl runs agent workflows that never slip back: every step that had an effect is locked in before the next one starts.", "pawl");
    app.set_version_flag("--version", std::string("pawl ") + PAWL_VERSION);
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help of every command");
    app.footer(std::string(exit_codes_help) + "\n\nExample:\n  pawl run examples/hello/hello.yaml");
    all_options options;
    chosen_command chosen;
    add_check(app, options.check, chosen);
    add_schema(app, options.schema, chosen);
    add_expr(app, options.expr, chosen);
    add_test(app, options.test, options.record_test, chosen);
    add_run(app, options.run, chosen);
    add_deploy(app, options.deploy, chosen);
    add_definitions(app, options.definitions, chosen);
    add_serve(app, options.serve, chosen);
    add_runs(app, options, chosen);
    add_approvals(app, options.approvals, chosen);
    add_dead_letters(app, options.dead_letters, chosen);
    add_doctor(app, options.doctor, chosen);
    add_events(app, options.events, chosen);
    add_agents(app, options.agents, chosen);
    add_tools(app, options.tools, chosen);
    add_new(app, options.create, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        if (wrong.get_exit_code() == 0) return app.exit(wrong);  // --help, --version
        return fail(complaint(app, wrong));
    }
    return chosen ? chosen() : fail("nothing to do; see: pawl --help");
}

}  // namespace pawl::cli
