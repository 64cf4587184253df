// run: the processes a task can run (dsl-reference.md, "Run"): one of workflow, shell, script, container.
#include "flow/parts.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

constexpr std::array<std::string_view, 4> processes{"container", "script", "shell", "workflow"};

/// The one process of the task, after reporting none or several.
node process_of(compilation& c, const node& run) {
    node found;
    for (const auto key : processes) {
        const auto process = run.at(key);
        if (!process) continue;
        if (found) {
            c.report.key_error("several-kinds", process, "`run` has both " + quoted(found.name()) + " and " + quoted(key) + ", but runs one process",
                               "make two tasks of it");
            return {};
        }
        found = process;
    }
    if (!found && !c.is_misspelled(run, "workflow"))
        c.report.key_error("no-kind", run, "`run` does not say what to run", "add one of `container`, `script`, `shell`, `workflow`");
    return found;
}

}  // namespace

void compile_run(compilation& c, task_id id) {
    const auto run = c.notes[id].body.at("run");
    if (!expect_object(c, run)) return;
    check_keys(c, run, {"container", "script", "shell", "workflow", "await", "return"});
    const auto process = process_of(c, run);
    if (!process) return;
    if (process.name() == "shell" || process.name() == "script") return compile_process(c, id, run, process);
    if (process.name() == "container") {
        c.report.key_error("unsupported", process,
                           "`run: container` is part of the workflow language but this version of pawl does not run it: it drives no container runtime",
                           "start the container with `run: shell`, for example `command: docker run --rm image`");
        return;
    }
    compile_run_workflow(c, id, run);
}

}  // namespace pawl::flow
