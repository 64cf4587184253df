// The compiled, immutable form of a workflow definition: a table of tasks (task id = position; JSON Pointer = name).
// Built by compile() only; shared by any number of runs and threads.
#pragma once

#include "base/clock.hpp"
#include "base/diagnostic.hpp"
#include "base/function.hpp"
#include "flow/evaluable.hpp"
#include "schema/validator.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace pawl::flow {

using task_id = std::uint32_t;
inline constexpr task_id no_task = 0xffffffff;

/// Where to go after a task (dsl-reference.md, "Flow Directive").
struct flow_directive {
    enum class kind { continue_, exit, end, task } what = kind::continue_;
    task_id target = no_task;  ///< for kind::task: a task of the same scope
};

/// A duration that is known, or computed when needed (object with days...milliseconds, ISO 8601 string, or expression of either).
struct duration_source {
    std::optional<milliseconds> known;
    std::optional<evaluable> computed;  ///< yields an ISO 8601 string or a duration object
};
/// What `computed` yields, as a duration. Error: `validation` problem.
result<milliseconds> duration_from(const json::value& value);

/// `input`, `output` or `export` of a task or workflow.
struct data_filter {
    std::optional<schema::validator> schema;
    std::optional<evaluable> transform;  ///< `from` or `as`
};

struct retry_policy {
    std::optional<evaluable> when;
    std::optional<evaluable> except_when;
    std::optional<duration_source> delay;
    enum class backoff_kind { constant, linear, exponential } backoff = backoff_kind::constant;
    std::optional<duration_source> linear_increment;  ///< linear only; the delay itself when absent
    std::optional<std::uint64_t> attempt_count;       ///< limit.attempt.count: tries in total, the first included
    std::optional<duration_source> attempt_duration;  ///< limit.attempt.duration: deadline of one try
    std::optional<duration_source> total_duration;    ///< limit.duration
    std::optional<duration_source> jitter_from, jitter_to;
};

/// `catch.errors.with`: what a caught error must look like; absent members match anything. Types match by last path segment.
struct error_filter {
    std::optional<std::string> type;
    std::optional<int> status;
    std::optional<std::string> instance, title, details;
};

struct do_task {
    task_id first = no_task;
};
struct set_task {
    evaluable value;
};
struct switch_case {
    std::string name;
    std::optional<evaluable> when;  ///< absent: the default case
    flow_directive then;
};
struct switch_task {
    std::vector<switch_case> cases;
};
struct for_task {
    std::string each, at;  ///< local names, "item" and "index" by default
    evaluable in;
    std::optional<evaluable> while_;  ///< sees `each` and `at`
    task_id first = no_task;
};
struct fork_task {
    bool compete = false;
    std::vector<task_id> branches;
};
struct try_task {
    task_id first = no_task;
    std::optional<error_filter> errors;
    std::string as = "error";  ///< local name in `when`, `except_when`, `retry.*` and `do`
    std::optional<evaluable> when;
    std::optional<evaluable> except_when;
    std::optional<retry_policy> retry;
    task_id handler = no_task;           ///< first task of `catch.do`
    std::optional<flow_directive> then;  ///< `catch.then`
};
/// A task with an extension around it: `before`, the task itself, `after`. `exit` in `before` skips the task: what it leaves with is the output.
struct extension_task {
    std::string name;
    std::optional<evaluable> when;
    task_id before = no_task, extended = no_task, after = no_task;  ///< the first of a list, the task, the first of a list
};
/// An object { type, status, title?, detail?, instance? }; the machine sets `instance` when absent.
struct raise_task {
    evaluable error;
};
struct wait_task {
    duration_source duration;
};
/// The CloudEvent's attributes and data (`emit.event.with`).
struct emit_task {
    evaluable event;
};

/// One attribute that an event must have (`with`).
struct event_attribute {
    std::string name;
    evaluable value;                   ///< `data`: evaluated over the event's data, and when it yields a boolean, that decides; the rest: over the input
    std::optional<evaluable> pattern;  ///< over the attribute: whether all of it matches the regular expression that `value` may be meant as
};
struct event_correlation {
    std::string name;
    evaluable from;                   ///< over the event
    std::optional<evaluable> expect;  ///< over the input; absent: the first value is what the others must be equal to
};
struct event_filter {
    std::string type;  ///< the constant `type` that an event must have; empty: any, or not known before
    std::vector<event_attribute> with;
    std::vector<event_correlation> correlate;
};
/// dsl-reference.md, "Event Consumption Strategy"; how it consumes: run/event_matching.hpp.
struct event_strategy {
    enum class kind { one, all, any } what = kind::one;
    std::vector<event_filter> filters;  ///< any: none takes every event
    std::optional<evaluable> until;     ///< any: over the list of what was consumed so far
    bool endless = false;               ///< `until` never holds: nothing is gathered, for no output will come
    std::shared_ptr<const event_strategy> until_events;  ///< any: its events end the listening and are not part of the output
};
enum class event_form { data, envelope, raw };
struct event_iterator {
    std::string item, at;  ///< local names, "item" and "index" by default
    task_id first = no_task;
    data_filter output, export_;
};
struct listen_task {
    event_strategy to;
    event_form read = event_form::data;
    std::optional<event_iterator> foreach;
};

struct call_task {
    std::string function;                                ///< "http", "ai.chat", "orders.lookup"
    std::string version;                                 ///< pinned; may be empty
    evaluable arguments;                                 ///< `with`; for `http` the URI template of `endpoint` is already an expression on the input
    effect_safety safety = effect_safety::at_most_once;  ///< of the pinned version
    std::optional<milliseconds> heartbeat_timeout = {};  ///< `metadata: { heartbeatTimeout: ... }`: how long a call may give no sign of life
    bool outputs_input = false;                          ///< its output is its input (`await: false`), whatever it yields
};

struct task {
    task_id id = no_task;
    std::string name;
    std::string pointer;       ///< "/do/1/classify"
    task_id parent = no_task;  ///< enclosing task; no_task at top level
    task_id next = no_task;    ///< following task of the same scope
    source_mark mark;
    std::vector<std::string> locals;  ///< local names its expressions may use, outermost first
    std::optional<evaluable> condition;
    data_filter input, output, export_;
    std::optional<duration_source> timeout;
    flow_directive then;
    json::object metadata;
    bool is_extended = false;     ///< stands within the frame of an extension, which carries `if`, `input`, `output`, `export`, `timeout`
    bool output_is_read = false;  ///< some expression reads `$steps.<name>`: keep its last output
    bool brings_secrets = false;  ///< its input is made with `$secrets`, so that its tasks may hand them to calls
    bool sees_secrets = false;    ///< that holds of this task, of one around it, or of the workflow
    std::variant<do_task, set_task, switch_task, for_task, fork_task, try_task, raise_task, wait_task, emit_task, call_task, extension_task, listen_task> body;

    /// False for what the compiler made of one task of the author: such tasks are not told of by themselves.
    bool is_authored() const noexcept { return !is_extended && !name.starts_with('('); }
};

/// What its call is given may hold secrets; data from elsewhere that only looks like one stays data.
inline bool may_give_secrets(const task& t) {
    const auto* call = std::get_if<call_task>(&t.body);
    return call != nullptr && (t.sees_secrets || call->arguments.uses().has(variable::secrets));
}

struct document {
    std::string dsl, ns, name, version, title, summary;
    json::object tags, metadata;
};

/// `schedule`: exactly one of cron, every, after and on. `on` is kept as it is written: the workflow that listens for it is compiled of it (flow/schedule.hpp).
struct schedule {
    std::string cron;
    milliseconds every{0}, after{0};
    json::value on;
    std::string read;
};

/// A `listen` and what it can ever take (flow/listens.hpp).
struct listen_place {
    task_id task = no_task;
    std::set<std::string> types;  ///< of events; only "" when it is any type, or one that is not known before
    bool repeats = false;         ///< a run may begin it more than once, as far as the definition tells
};

struct workflow {
    flow::document document;
    std::optional<schedule> when;
    std::string file;
    json::value definition;  ///< the whole document as JSON, for `$workflow.definition`
    data_filter input, output;
    std::optional<duration_source> timeout;
    std::vector<std::string> secrets;  ///< names declared in `use.secrets`
    std::vector<task> tasks;
    task_id first = no_task;
    std::vector<listen_place> listens;  ///< every `listen`
    std::map<std::string, std::string, std::less<>> assets;  ///< files the definition refers to, pinned: path as written -> text
    std::vector<std::shared_ptr<const workflow>> runs;       ///< definitions that `run: workflow` starts; empty when built from a bundle
    std::vector<std::string> run_digests;                    ///< of the definitions that `run: workflow` starts, each once; not its own
    std::string bundle;                                      ///< canonical JSON text of everything compile() needs to build this again
    std::string digest;                                      ///< hex SHA-256 of bundle
};

}  // namespace pawl::flow
