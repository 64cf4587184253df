// What the parts of the compiler offer each other. Every function reports what is wrong and returns what it could make; nothing is thrown.
#pragma once

#include "flow/compilation.hpp"
#include "flow/origin.hpp"

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::flow {

// shape.cpp: the form of maps, lists and texts
bool expect_object(compilation& c, const node& n);
bool expect_string(compilation& c, const node& n, std::string_view example = {});
/// Which map it is, for messages and hints about its keys.
struct key_place {
    std::string within;                                    ///< for habits.hpp
    std::string where;                                     ///< "in `with`"
    std::function<std::string(std::string_view)> hint;     ///< about one key; empty texts and no function: the usual hints
    std::string otherwise;                                 ///< the hint when nothing is known of a key; empty: what is allowed
};
/// Reports each key that is not of the language; keys that have one cause (they belong to another place) together.
bool check_keys(compilation& c, const node& n, std::span<const std::string_view> allowed, const key_place& place);
bool check_keys(compilation& c, const node& n, std::span<const std::string_view> allowed);
bool check_keys(compilation& c, const node& n, std::initializer_list<std::string_view> allowed);
/// The member, or an error at the key of `n` that it is missing.
node require(compilation& c, const node& n, std::string_view key, std::string_view why);
void unsupported(compilation& c, const node& where, std::string_view feature);
/// True when a mistake in `use` was reported that hides what the section defines: its names are not known then.
bool is_section_broken(const compilation& c, std::string_view section);
/// The entry `name` of `use.<section>`; an error at `where` when there is none.
node named(compilation& c, const node& where, std::string_view section);

// expressions.cpp: places that yield a value (dsl.md, "Runtime expression arguments", tells who sees what)
enum class site { workflow_input, workflow_output, task_entry, definition, output_as, export_as };
struct names_in_scope {
    site where = site::definition;
    std::vector<std::string> locals;
    bool takes_secrets = false;  ///< what it yields goes to calls, and so may hold secrets
};
/// `if, when, exceptWhen, while, in, from, as`: bare jq, or one `${ }`.
std::optional<evaluable> compile_expression(compilation& c, const node& n, const names_in_scope& names);
std::optional<evaluable> compile_condition(compilation& c, const node& n, const names_in_scope& names);
/// Anything else: a document in which only `${ }` counts (in strict mode).
std::optional<evaluable> compile_template(compilation& c, const node& n, const names_in_scope& names);
std::optional<evaluable> compile_template(compilation& c, const json::value& value, std::vector<origin> origins, const names_in_scope& names);
bool is_variable_name(std::string_view name);
bool is_reserved_variable(std::string_view name);
/// True when some string in it holds an expression.
bool holds_expression(const json::value& value);

// durations.cpp
std::optional<duration_source> compile_duration(compilation& c, const node& n, const names_in_scope& names);
/// `timeout` of a task or the workflow: a name or an object.
std::optional<duration_source> compile_timeout(compilation& c, const node& n, const names_in_scope& names);

// compile_data.cpp: input, output, export, schema
data_filter compile_filter(compilation& c, const node& n, std::string_view transform_key, site where, const std::vector<std::string>& locals);

// foreign.cpp
/// True, and reported, when the file is no workflow but something else that authors confuse with one.
bool is_another_language(compilation& c);

// compile_document.cpp
void compile_document(compilation& c);
void compile_evaluate(compilation& c);

// compile_schedule.cpp
void compile_schedule(compilation& c);

// compile_use.cpp
void check_use(compilation& c);
void check_unreferenced(compilation& c);

// compile_list.cpp and compile_task.cpp
struct surrounding {
    task_id parent = no_task;
    std::vector<std::string> locals;
    bool in_handler = false;
};
/// The first task of the list.
task_id compile_list(compilation& c, const node& list, const surrounding& around);
std::vector<task_id> compile_branches(compilation& c, const node& list, const surrounding& around);
task_id add_task(compilation& c, const std::string& name, const node& body, const surrounding& around);
void compile_task(compilation& c, task_id id, const task_scope& scope);
flow_directive compile_directive(compilation& c, const node& n, const task_scope& scope);
void check_references(compilation& c);

// One function per kind of task: each fills the body.
void compile_set(compilation& c, task_id id);
void compile_do(compilation& c, task_id id);
void compile_wait(compilation& c, task_id id);
void compile_emit(compilation& c, task_id id);
void compile_raise(compilation& c, task_id id);
std::optional<evaluable> compile_error(compilation& c, const node& n, const names_in_scope& names);
void compile_fork(compilation& c, task_id id);
void compile_for(compilation& c, task_id id);
void compile_switch(compilation& c, task_id id, const task_scope& scope);
void compile_try(compilation& c, task_id id, const task_scope& scope);
std::optional<retry_policy> compile_retry(compilation& c, const node& n, const std::vector<std::string>& locals);
void compile_call(compilation& c, task_id id);
void compile_run(compilation& c, task_id id);
void compile_listen(compilation& c, task_id id);
/// `listen.to` and `schedule.on`.
std::optional<event_strategy> compile_event_strategy(compilation& c, const node& n, const names_in_scope& names);
/// `listen.read` and `schedule.read`.
event_form compile_event_form(compilation& c, const node& n);
/// The name of a variable that a task introduces (`each`, `at`, `item`), or the fallback.
std::string compile_local_name(compilation& c, const node& n, std::string_view fallback);
void compile_run_workflow(compilation& c, task_id id, const node& run);

// compile_process.cpp: `run: shell` and `run: script`, and what other tasks that start processes share with them
void compile_process(compilation& c, task_id id, const node& run, const node& process);
void check_process_environment(compilation& c, const node& n);
void check_process_arguments(compilation& c, const node& arguments);
/// What `metadata: { safety: ... }` of the task promises of its effect.
effect_safety declared_safety(compilation& c, task_id id, effect_safety otherwise);

// compile_extensions.cpp
void check_extensions(compilation& c);
/// Puts the extensions that apply around the task; the id of the task that does the work.
task_id weave_extensions(compilation& c, task_id id, std::string_view kind);
void check_unapplied_extensions(compilation& c);

// calls
/// A document that the compiler put together from the author's parts.
struct composed {
    json::value value;
    std::vector<origin> origins;
};
/// `output` and `redirect` of calls over HTTP.
void check_http_settings(compilation& c, const node& with, std::string_view what);
composed compose_http(compilation& c, const node& with);
effect_safety safety_of_http(const node& with, effect_safety fallback);
void compile_mcp_call(compilation& c, task_id id, const node& call, const node& with);
void pin_assets(compilation& c, const node& with);
/// `compiled`: the arguments, when they could be compiled: what their expressions construct is checked too.
void check_arguments(compilation& c, const node& call, const node& with, const function_description& function, const evaluable* compiled);
/// The text of an expression on the input that expands `{name}` in a URI; nothing when there is no `{`, or an error was reported.
std::optional<std::string> expand_uri_template(compilation& c, const node& uri);
/// The task that `call: name` stands for, compiled in place below task `id`.
void compile_function_call(compilation& c, task_id id, const node& function);

// compile_authentication.cpp
/// False when the scheme cannot be used; reports why.
bool check_authentication(compilation& c, const node& n);
/// The policy that `authentication` says or names; absent after an error.
node authentication_policy(compilation& c, const node& n);
/// The same as a value for call arguments: a name is replaced by what it names, a secret by the expression that reads it.
void compose_authentication(compilation& c, const node& n, json::value& into, const std::string& prefix, std::vector<origin>& origins);

// external.cpp: what a definition refers to outside of itself
struct external_text {
    std::string name;  ///< the path or URL it is pinned under, in workflow::assets
    std::string text;
};
/// Reads what `endpoint` (a URI, or { uri, authentication }) leads to, relative to the file that `endpoint` stands in, and pins it.
/// `what` opens the sentence when it cannot be read: "the schema". Nothing after an error.
std::optional<external_text> read_external(compilation& c, const node& endpoint, std::string_view what);
/// `reference` seen from the file `base`: an absolute URL, or a path from the workflow's folder. Web addresses of GitHub and GitLab become those of the raw file.
std::string resolve_reference(std::string_view base, std::string_view reference);
/// True for `call: https://...`, `call: ./functions/x.yaml`: a function by its place.
bool is_reference(std::string_view call);
/// The task in the file that `call` leads to, as an entry of `use.functions`; absent after an error.
node function_by_reference(compilation& c, const node& call);
/// The same for `name:version@catalog` with a catalog of `use.catalogs`.
node function_of_catalog(compilation& c, const node& call, const node& catalog);
void check_catalogs(compilation& c);

// compile_openapi.cpp
void compile_openapi_call(compilation& c, task_id id, const node& call, const node& with);

// checks over whole lists and the whole workflow
void check_reachability(compilation& c, std::span<const task_id> list);
void check_repeated_effects(compilation& c);
/// Paths under `$context` and `$steps`, and exports that lose or race.
void check_data(compilation& c);

// mark_secrets.cpp
/// Which tasks may hand secrets to calls, once all tasks are known.
void mark_secrets(compilation& c);

// compile.cpp
compile_result compile_with(std::string_view yaml, const compile_options& options, bool rebuild);

// bundle.cpp
void make_bundle(compilation& c);

}  // namespace pawl::flow
