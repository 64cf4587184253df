// What can only be told when every task is known: targets of `then`, and names under `$steps`.
#include "flow/parts.hpp"

#include <algorithm>
#include <unordered_map>

namespace pawl::flow {
namespace {

void report_directive(compilation& c, const unresolved_directive& each, const std::unordered_map<std::string, task_id>& tasks) {
    const auto name = std::string(each.where.text());
    const auto elsewhere = tasks.find(name);
    if (each.branches) {
        c.report.error("bad-target", each.where,
                       quoted(name) + " cannot follow here: the branches of a `fork` run at the same time, so none can go on at another task",
                       "use `continue`, `exit` or `end`, or put a `do` with several tasks into the branch");
    } else if (elsewhere != tasks.end()) {
        c.report.error("bad-target", each.where,
                       "the task " + quoted(name) + " (line " + std::to_string(c.task_of(elsewhere->second).mark.line) +
                           ") is in another list; `then` may only lead to a task of its own list",
                       "use `exit` to leave this list, and let the task around it go on with `then`");
    } else {
        auto candidates = each.scope;
        candidates.insert(candidates.end(), {"continue", "exit", "end"});
        auto hint = c.report.did_you_mean(name, candidates);
        if (hint.empty()) hint = "name a task of the same list, or use `continue`, `exit` or `end`";
        c.report.error("unknown-task", each.where, "`then` leads to " + quoted(name) + ", but no task is called so", std::move(hint));
    }
}

}  // namespace

void check_references(compilation& c) {
    std::unordered_map<std::string, task_id> tasks;
    std::vector<std::string> names;
    for (const auto& t : c.out.tasks) {
        if (tasks.emplace(t.name, t.id).second) names.push_back(t.name);
    }
    for (const auto& each : c.unresolved) report_directive(c, each, tasks);
    std::set<std::string> read;
    for (const auto& use : c.step_uses) {
        read.insert(use.name);
        if (tasks.contains(use.name) || c.unreferenced_tasks.contains(use.name)) continue;
        auto hint = c.report.did_you_mean(use.name, names);
        c.report.at(severity::error, "unknown-task", use.pointer, use.offset, 7 + use.name.size(),
                    "`$steps." + use.name + "` reads the output of a task that does not exist", std::move(hint));
    }
    for (auto& t : c.out.tasks) t.output_is_read = !t.is_extended && (c.all_steps_read || read.contains(t.name));
}

}  // namespace pawl::flow
