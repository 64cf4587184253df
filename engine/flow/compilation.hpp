// One compilation: the document, what is wrong with it so far, and the workflow under construction. On one thread; seen only within
// this room. Every part of the language has its own compile_*.cpp; the functions they offer each other are in parts.hpp.
#pragma once

#include "flow/compile.hpp"
#include "flow/reporter.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace pawl::flow {

inline constexpr std::size_t most_tasks = 20'000;
inline constexpr std::size_t deepest_function = 16;

/// The tasks of one list: what a flow directive may name.
struct task_scope {
    std::vector<std::string> names;
    std::vector<task_id> ids;
    std::unordered_map<std::string, task_id> by_name;
    bool branches = false;  ///< of a fork: they run concurrently, so none can go to another
};

/// What the compiler knows of a task beside the task.
struct task_note {
    node body;
    bool in_handler = false;  ///< in a `catch.do`, not in the `try`
};

/// An entry of `use.extensions`.
struct extension_note {
    node body;
    std::string extend;  ///< empty when it is not known
    bool applied = false;
};

/// What `run: workflow` names.
struct pinned_workflow {
    std::string version, digest;  ///< the digest of the workflow itself is empty: it is not known before its bundle
};

/// A `$steps.<name>` or `then: <name>` that is looked at when all tasks are known.
struct step_use {
    std::string name;
    std::string pointer;
    std::size_t offset = 0;
};
/// A path under `$context` or `$steps` that some expression reads.
struct data_use {
    std::vector<std::string> path;
    std::string pointer;
    std::size_t offset = 0;
};
struct unresolved_directive {
    node where;
    std::vector<std::string> scope;
    bool branches = false;
};

struct compilation {
    compilation(const compile_options& o, std::shared_ptr<const yaml_document> d, bool is_rebuild)
        : options(o), document(std::move(d)), report(document, o.file), rebuild(is_rebuild) {
        root = {&document->value, ""};
        use = root.at("use");
        out.file = o.file;
    }

    const compile_options& options;
    std::shared_ptr<const yaml_document> document;
    reporter report;
    bool rebuild;  ///< from a bundle: functions and assets are pinned, warnings are of no interest
    node root, use;
    expr::template_mode mode = expr::template_mode::strict;
    workflow out;
    std::vector<task_note> notes;                                  ///< parallel to out.tasks
    std::set<std::string> referenced;                              ///< pointers of the `use` entries that something names
    std::vector<std::string> open_functions;                       ///< functions being compiled in place, outermost first
    std::map<std::string, std::vector<std::string>> unknown_keys;  ///< reported ones, by the pointer of their map
    std::optional<std::set<std::string, std::less<>>> task_names;  ///< for hints; gathered when first asked for
    std::set<std::string> unreferenced_tasks;                      ///< names of tasks in functions that nobody calls
    std::vector<extension_note> extensions;
    std::map<std::string, std::shared_ptr<const yaml_document>> external_functions;  ///< by the name their text is pinned under
    std::set<std::string> failed_externals;                                            ///< reported once
    std::size_t externals_read = 0;
    std::string base;           ///< the file whose references are being resolved; empty: the workflow's own
    bool in_extension = false;  ///< compiling tasks of an extension: `$task` is the task it extends
    std::vector<step_use> step_uses;
    std::vector<data_use> context_uses, step_path_uses;
    bool all_steps_read = false;
    std::vector<unresolved_directive> unresolved;
    std::map<std::string, function_description> pinned_functions;  ///< "name:version" -> what the bundle keeps

    std::map<std::string, pinned_workflow> pinned_workflows;         ///< "namespace/name[:version]" as asked for -> what it is

    task& task_of(task_id id) { return out.tasks[id]; }
    /// What the task does, whatever extensions are around it.
    const decltype(task::body)& body_of(const task& t) const {
        const auto* around = std::get_if<extension_task>(&t.body);
        return around == nullptr || around->extended == no_task ? t.body : body_of(out.tasks[around->extended]);
    }
    /// True when an unknown key of `n` was most likely meant to be `key`: one message is enough.
    bool is_misspelled(const node& n, const std::string& key) const;
    std::set<std::string> names_in_use(std::string_view section) const;
};

}  // namespace pawl::flow
