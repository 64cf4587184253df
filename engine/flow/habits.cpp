#include "flow/habits.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

constexpr std::string_view tasks_hint = "the tasks stand under `do`, a list of `- name:` items";
constexpr std::string_view use_hint = "belongs below `use:`";
constexpr std::string_view document_hint = "belongs below `document:`, indented";
constexpr std::string_view schedule_hint = "write `schedule: { on: { one: { with: { type: com.example.order.placed.v1 } } } }`";
constexpr std::string_view endpoint_hint = "write `endpoint: https://...` or `endpoint: { uri: https://... }`";
constexpr std::string_view secured_hint = "it belongs to the endpoint: `endpoint: { uri: https://..., authentication: ... }`";
constexpr std::string_view beside_run_hint = "belongs below `run`, beside `shell`, `script` or `workflow`";
constexpr std::string_view limit_hint = "write `limit: { attempt: { count: 3 } }`";
constexpr std::string_view event_hint = "write `event: { with: { type: com.example.order.placed.v1, data: ... } }`";
constexpr std::string_view error_hint = "write `error: { type: https://example.com/errors/out-of-stock, status: 400 }`";
constexpr std::string_view filter_hint = "write `errors: { with: { type: ..., status: ... } }`";
constexpr std::string_view schema_hint = "a JSON Schema stands under `schema: { document: ... }`";
constexpr std::string_view to_hint = "belongs below `to`";
constexpr std::string_view transport_hint = "write `transport: { http: { endpoint: https://... } }` or `transport: { stdio: { command: ... } }`";
constexpr std::string_view tool_hint = "write `method: tools/call` and `parameters: { name: ..., arguments: { ... } }`";
constexpr std::string_view order_hint = "the tasks of a list run one after the other; `fork` runs tasks at the same time";
constexpr std::string_view retry_hint = "put the task into a `try`, whose `catch` has a `retry`";
constexpr std::string_view name_hint = "the key of the list item is the name of the task: `- name:`";
constexpr std::string_view keep_hint = "`output: { as: ... }` shapes what the task hands on, `export: { as: ... }` keeps it in `$context`";
constexpr std::string_view wait_hint = "write the duration itself: `wait: PT5S` or `wait: { seconds: 5 }`";
constexpr std::string_view note_hint = "write a comment (`# ...`), or put it below `metadata`";

constexpr habit habits[] = {
    // the whole workflow
    {"steps", "/", "do", tasks_hint},
    {"tasks", "/", "do", tasks_hint},
    {"states", "/", "do", tasks_hint},
    {"jobs", "/", "do", tasks_hint},
    {"stages", "/", "do", tasks_hint},
    {"actions", "/", "do", tasks_hint},
    {"nodes", "/", "do", tasks_hint},
    {"on", "/", "schedule", schedule_hint},
    {"trigger", "/", "schedule", schedule_hint},
    {"triggers", "/", "schedule", schedule_hint},
    {"cron", "/", "schedule", "write `schedule: { cron: '0 8 * * *' }`"},
    {"every", "/", "schedule", "write `schedule: { every: { hours: 1 } }`"},
    {"functions", "/", "", use_hint},
    {"retries", "/", "", use_hint},
    {"errors", "/", "", use_hint},
    {"secrets", "/", "", use_hint},
    {"timeouts", "/", "", use_hint},
    {"authentications", "/", "", use_hint},
    {"extensions", "/", "", use_hint},
    {"catalogs", "/", "", use_hint},
    {"dsl", "/", "document", document_hint},
    {"namespace", "/", "document", document_hint},
    {"name", "/", "document", document_hint},
    {"version", "/", "document", document_hint},
    {"title", "/", "document", document_hint},
    {"summary", "/", "document", document_hint},
    {"tags", "/", "document", document_hint},
    {"metadata", "/", "document", document_hint},
    {"id", "/", "", "the name of the workflow is `name` below `document:`"},
    {"description", "/", "", "write `summary: ...` below `document:`"},
    {"env", "/", "", "what a run needs is its input (`$workflow.input`); secrets are named in `use.secrets`"},
    {"environment", "/", "", "what a run needs is its input (`$workflow.input`); secrets are named in `use.secrets`"},
    {"variables", "/", "", "a first task with `set`, and `export: { as: . }`, puts values into `$context`"},
    {"vars", "/", "", "a first task with `set`, and `export: { as: . }`, puts values into `$context`"},
    {"description", "document", "summary", "write `summary`"},
    {"id", "document", "name", "write `name`"},
    {"labels", "document", "tags", "write `tags`"},
    // what every task may have
    {"args", "task", "with", "the arguments of a call stand under `with`"},
    {"arguments", "task", "with", "the arguments of a call stand under `with`"},
    {"params", "task", "with", "the arguments of a call stand under `with`"},
    {"parameters", "task", "with", "the arguments of a call stand under `with`"},
    {"inputs", "task", "with", "the arguments of a call stand under `with`"},
    {"next", "task", "then", "write `then`"},
    {"goto", "task", "then", "write `then`"},
    {"transition", "task", "then", "write `then`"},
    {"when", "task", "if", "write `if`"},
    {"condition", "task", "if", "write `if`"},
    {"retry", "task", "", retry_hint},
    {"retries", "task", "", retry_hint},
    {"onError", "task", "", "put the task into a `try`, whose `catch` says what to do"},
    {"on_error", "task", "", "put the task into a `try`, whose `catch` says what to do"},
    {"on-error", "task", "", "put the task into a `try`, whose `catch` says what to do"},
    {"dependsOn", "task", "", order_hint},
    {"depends_on", "task", "", order_hint},
    {"needs", "task", "", order_hint},
    {"name", "task", "", name_hint},
    {"id", "task", "", name_hint},
    {"type", "task", "", "what a task does is a key of its own: `call`, `set`, `switch`, ..."},
    {"description", "task", "", note_hint},
    {"comment", "task", "", note_hint},
    {"result", "task", "", keep_hint},
    {"store", "task", "", keep_hint},
    {"register", "task", "", keep_hint},
    {"saveAs", "task", "", keep_hint},
    {"as", "task", "", keep_hint},
    {"else", "task", "", "a `switch` has a case without `when` for everything else"},
    {"await", "task", "", "it stands below `run`"},
    {"return", "task", "", "it stands below `run`"},
    {"authentication", "task", "", "it belongs to the endpoint: `with: { endpoint: { uri: https://..., authentication: ... } }`"},
    // transformations
    {"as", "input", "from", "`input` is transformed by `from`; `as` belongs to `output` and `export`"},
    {"from", "output", "as", "`output` is transformed by `as`; `from` belongs to `input`"},
    {"from", "export", "as", "`export` is transformed by `as`"},
    {"type", "input", "schema", schema_hint},
    {"properties", "input", "schema", schema_hint},
    {"required", "input", "schema", schema_hint},
    {"type", "output", "schema", schema_hint},
    {"properties", "output", "schema", schema_hint},
    {"required", "output", "schema", schema_hint},
    // scopes
    {"do", "for", "do", "`do` stands beside `for`, at the same indentation", true},
    {"while", "for", "while", "`while` stands beside `for`, at the same indentation", true},
    {"item", "for", "each", "write `each: item`: the name of the variable that holds the item"},
    {"as", "for", "each", "write `each: item`: the name of the variable that holds the item"},
    {"var", "for", "each", "write `each: item`: the name of the variable that holds the item"},
    {"of", "for", "in", "write `in`"},
    {"items", "for", "in", "write `in`"},
    {"over", "for", "in", "write `in`"},
    {"list", "for", "in", "write `in`"},
    {"collection", "for", "in", "write `in`"},
    {"index", "for", "at", "write `at: index`: the name of the variable that holds the position"},
    {"tasks", "fork", "branches", "write `branches`"},
    {"do", "fork", "branches", "write `branches`"},
    {"race", "fork", "compete", "write `compete: true`"},
    {"if", "", "when", "write `when`"},
    {"condition", "", "when", "write `when`"},
    {"goto", "", "then", "write `then`"},
    {"next", "", "then", "write `then`"},
    {"default", "switch", "", "a case without `when` is the default: `- default: { then: taskName }`"},
    {"else", "", "", "a case without `when` is the default of a `switch`"},
    {"errors", "try", "catch", "write it below `catch`"},
    {"error", "catch", "errors", filter_hint},
    {"type", "catch", "errors", filter_hint},
    {"status", "catch", "errors", filter_hint},
    {"with", "catch", "errors", filter_hint},
    {"tasks", "catch", "do", tasks_hint},
    {"steps", "catch", "do", tasks_hint},
    {"except-when", "", "exceptWhen", "write `exceptWhen`"},
    {"maxAttempts", "", "limit", limit_hint},
    {"max_attempts", "", "limit", limit_hint},
    {"maxRetries", "", "limit", limit_hint},
    {"attempts", "", "limit", limit_hint},
    {"count", "retry", "limit", limit_hint},
    {"times", "retry", "limit", limit_hint},
    {"max", "retry", "limit", limit_hint},
    {"interval", "retry", "delay", "write `delay`"},
    {"default", "retry", "", "retries are named in `use.retries` and referred to by `retry: name`"},
    // single tasks
    {"for", "wait", "", wait_hint},
    {"duration", "wait", "", wait_hint},
    {"time", "wait", "", wait_hint},
    {"duration", "timeout", "after", "write `after`"},
    {"in", "timeout", "after", "write `after`"},
    {"type", "emit", "event", event_hint},
    {"data", "emit", "event", event_hint},
    {"source", "emit", "event", event_hint},
    {"subject", "emit", "event", event_hint},
    {"with", "emit", "event", event_hint},
    {"type", "raise", "error", error_hint},
    {"status", "raise", "error", error_hint},
    {"title", "raise", "error", error_hint},
    {"detail", "raise", "error", error_hint},
    {"message", "raise", "error", error_hint},
    {"message", "error", "detail", "write `detail`"},
    {"description", "error", "detail", "write `detail`"},
    {"code", "error", "status", "write `status`"},
    {"one", "listen", "to", to_hint},
    {"any", "listen", "to", to_hint},
    {"all", "listen", "to", to_hint},
    {"until", "listen", "to", to_hint},
    {"type", "listen", "to", "write `to: { one: { with: { type: com.example.order.placed.v1 } } }`"},
    {"event", "listen", "to", "write `to: { one: { with: { type: com.example.order.placed.v1 } } }`"},
    {"type", "to", "one", "write `one: { with: { type: com.example.order.placed.v1 } }`"},
    {"with", "to", "one", "write `one: { with: { type: com.example.order.placed.v1 } }`"},
    // calls
    {"uri", "with", "endpoint", endpoint_hint},
    {"url", "with", "endpoint", endpoint_hint},
    {"json", "with", "body", "write `body`"},
    {"data", "with", "body", "write `body`"},
    {"payload", "with", "body", "write `body`"},
    {"params", "with", "query", "write `query`"},
    {"parameters", "with", "query", "write `query`"},
    {"authentication", "with", "endpoint", secured_hint},
    {"auth", "with", "endpoint", secured_hint},
    {"timeout", "with", "timeout", "`timeout` stands beside `call`: `timeout: { after: { seconds: 30 } }`", true},
    {"server", "with", "transport", transport_hint},
    {"url", "with", "transport", transport_hint},
    {"uri", "with", "transport", transport_hint},
    {"endpoint", "with", "transport", transport_hint},
    {"command", "with", "transport", transport_hint},
    {"tool", "with", "parameters", tool_hint},
    {"name", "with", "parameters", tool_hint},
    {"arguments", "with", "parameters", tool_hint},
    {"url", "endpoint", "uri", "write `uri`"},
    {"auth", "endpoint", "authentication", "write `authentication`"},
    // processes
    {"command", "run", "shell", "write `shell: { command: ... }`"},
    {"code", "run", "script", "write `script: { language: python, code: ... }`"},
    {"return", "shell", "return", beside_run_hint, true},
    {"await", "shell", "await", beside_run_hint, true},
    {"return", "script", "return", beside_run_hint, true},
    {"await", "script", "await", beside_run_hint, true},
    {"return", "workflow", "return", beside_run_hint, true},
    {"await", "workflow", "await", beside_run_hint, true},
    {"cmd", "shell", "command", "write `command`"},
    {"script", "shell", "command", "write `command`"},
    {"run", "shell", "command", "write `command`"},
    {"args", "", "arguments", "write `arguments`"},
    {"env", "", "environment", "write `environment`"},
    {"file", "script", "source", "write `source: { endpoint: scripts/clean.py }`"},
    {"with", "workflow", "input", "write `input`"},
    {"args", "workflow", "input", "write `input`"},
};

constexpr std::string_view call_hint = "protocols are called: write `call: http`, and its settings below `with:`";
constexpr std::string_view loop_hint = "write `for: { each: item, in: .items }`, and the tasks below `do:` beside it";
constexpr std::string_view shell_hint = "write `run: { shell: { command: ... } }`";
constexpr std::string_view choice_hint = "write `switch:` with a list of cases, each `- caseName: { when: .x == 1, then: taskName }`";
constexpr std::string_view tool_call_hint = "write `call: name`, and its arguments below `with:`";

constexpr habit kinds[] = {
    {"http", "", "", call_hint},
    {"https", "", "", call_hint},
    {"openapi", "", "", "protocols are called: write `call: openapi`, and its settings below `with:`"},
    {"mcp", "", "", "protocols are called: write `call: mcp`, and its settings below `with:`"},
    {"grpc", "", "", "protocols are called: write `call: grpc`, and its settings below `with:`"},
    {"function", "", "", tool_call_hint},
    {"functionRef", "", "", tool_call_hint},
    {"tool", "", "", tool_call_hint},
    {"action", "", "", tool_call_hint},
    {"uses", "", "", tool_call_hint},
    {"invoke", "", "", tool_call_hint},
    {"parallel", "", "", "write `fork: { branches: [ ... ] }`"},
    {"concurrent", "", "", "write `fork: { branches: [ ... ] }`"},
    {"branches", "", "", "write `fork: { branches: [ ... ] }`"},
    {"loop", "", "", loop_hint},
    {"foreach", "", "", loop_hint},
    {"forEach", "", "", loop_hint},
    {"while", "", "", "write `for` with `in`, `while` and `do` beside it, or lead back to an earlier task with `then`"},
    {"repeat", "", "", loop_hint},
    {"sleep", "", "", "write `wait: PT5S` or `wait: { seconds: 5 }`"},
    {"delay", "", "", "write `wait: PT5S` or `wait: { seconds: 5 }`"},
    {"pause", "", "", "write `wait: PT5S` or `wait: { seconds: 5 }`"},
    {"shell", "", "", shell_hint},
    {"command", "", "", shell_hint},
    {"exec", "", "", shell_hint},
    {"bash", "", "", shell_hint},
    {"script", "", "", "write `run: { script: { language: python, code: ... } }`"},
    {"python", "", "", "write `run: { script: { language: python, code: ... } }`"},
    {"workflow", "", "", "write `run: { workflow: { namespace: ..., name: ... } }`"},
    {"subflow", "", "", "write `run: { workflow: { namespace: ..., name: ... } }`"},
    {"steps", "", "", "write `do`, a list of `- name:` items"},
    {"tasks", "", "", "write `do`, a list of `- name:` items"},
    {"choice", "", "", choice_hint},
    {"choose", "", "", choice_hint},
    {"branch", "", "", choice_hint},
    {"cases", "", "", choice_hint},
    {"throw", "", "", "write `raise: { error: { type: ..., status: 400 } }`"},
    {"error", "", "", "write `raise: { error: { type: ..., status: 400 } }`"},
    {"publish", "", "", "write `emit: { event: { with: { type: ..., data: ... } } }`"},
    {"event", "", "", "write `emit: { event: { with: { type: ..., data: ... } } }`"},
    {"assign", "", "", "write `set`"},
    {"let", "", "", "write `set`"},
    {"vars", "", "", "write `set`"},
    {"variables", "", "", "write `set`"},
};

/// The text as it can stand in a map in one line.
std::string as_scalar(std::string_view text) {
    if (text.size() > 60 || text.find('\n') != std::string_view::npos) return "...";
    const bool plain = !text.empty() && text.find_first_of(",[]{}#:\"'`|>&*!%@") == std::string_view::npos && text.front() != ' ' &&
                       text.back() != ' ' && text.front() != '-';
    if (plain) return std::string(text);
    if (text.find('\'') != std::string_view::npos) return "...";
    return "'" + std::string(text) + "'";
}

struct long_form {
    std::string_view key;
    char what;                ///< s: text, a: a list, n: a number, b: true or false
    std::string_view before;  ///< the hint is `before` text `after`
    std::string_view after;
};
constexpr long_form long_forms[] = {
    {"input", 's', "write `input: { from: ", " }`"},
    {"output", 's', "write `output: { as: ", " }`"},
    {"export", 's', "write `export: { as: ", " }`"},
    {"run", 's', "write `run: { shell: { command: ", " } }`"},
    {"shell", 's', "write `shell: { command: ", " }`"},
    {"script", 's', "write `script: { language: python, code: ", " }`"},
    {"workflow", 's', "write `workflow: { namespace: ..., name: ", " }`"},
    {"raise", 's', "write `raise: { error: { type: https://example.com/errors/failed, status: 500, detail: ", " } }`"},
    {"listen", 's', "write `listen: { to: { one: { with: { type: ", " } } } }`"},
    {"to", 's', "write `to: { one: { with: { type: ", " } } }`"},
    {"one", 's', "write `one: { with: { type: ", " } }`"},
    {"emit", 's', "write `emit: { event: { with: { type: ", " } } }`"},
    {"event", 's', "write `event: { with: { type: ", " } }`"},
    {"document", 's', "write `document: { endpoint: ", " }`"},
    {"resource", 's', "write `resource: { endpoint: ", " }`"},
    {"for", 's', "write `for: { each: item, in: .items }`, and the tasks below `do:` beside it", ""},
    {"schedule", 's', "write for example `schedule: { cron: '0 8 * * *' }` or `schedule: { every: { hours: 1 } }`", ""},
    {"errors", 's', "write `errors: { with: { type: ", " } }`"},
    {"basic", 's', "write `basic: { use: ", " }` with the name of a secret, or `basic: { username: ..., password: ... }`"},
    {"bearer", 's', "write `bearer: { token: ", " }`"},
    {"retry", 'n', "write `retry: { delay: { seconds: 1 }, limit: { attempt: { count: ", " } } }`"},
    {"limit", 'n', "write `limit: { attempt: { count: ", " } }`"},
    {"attempt", 'n', "write `attempt: { count: ", " }`"},
    {"jitter", 'b', "write `jitter: { from: { seconds: 0 }, to: { seconds: 1 } }`", ""},
    {"retry", 'b', "write `retry: { delay: { seconds: 1 }, limit: { attempt: { count: 3 } } }`", ""},
    {"catch", 'a', "the tasks stand under `do`: write `catch: { do: [ ... ] }`", ""},
    {"fork", 'a', "the tasks stand under `branches`: write `fork: { branches: [ ... ] }`", ""},
    {"errors", 'a', "one filter for all: write `errors: { with: { type: ..., status: ... } }`", ""},
    {"schedule", 'a', "write one of them without `- `, such as `schedule: { cron: '0 8 * * *' }`", ""},
    {"tags", 'a', "tags have values: write `name: value` lines", ""},
    {"use", 'a', "write `functions:`, `retries:`, `secrets:` and so on below it, without `- `", ""},
    {"document", 'a', "write `dsl:`, `namespace:`, `name:` and `version:` below it, without `- `", ""},
};
constexpr std::string_view sections[] = {"functions", "retries", "errors", "timeouts", "authentications", "catalogs"};

}  // namespace

const habit* habit_of(std::string_view key, std::string_view within, std::span<const std::string_view> allowed) noexcept {
    for (const auto& each : habits) {
        if (each.key != key || !(each.within.empty() ? within != "/" && within != "task" : each.within == within)) continue;
        if (each.meant.empty() || each.beside || std::find(allowed.begin(), allowed.end(), each.meant) != allowed.end()) return &each;
    }
    return nullptr;
}

const habit* habit_of_kind(std::string_view key) noexcept {
    const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](const habit& each) { return each.key == key; });
    return found == std::end(kinds) ? nullptr : found;
}

std::string long_form_of(const node& n) {
    const auto name = n.name();
    const auto& value = *n.value;
    if (value.is_null()) return "write its keys below it, indented";
    const char what = value.is_string() ? 's' : value.is_array() ? 'a' : value.is_bool() ? 'b' : 'n';
    const bool in_use = n.pointer == "/use/" + name;
    if (what == 'a' && in_use && std::find(std::begin(sections), std::end(sections), name) != std::end(sections))
        return "write each as `name:` with its keys below it, without `- `";
    if (n.pointer.starts_with("/use/timeouts/"))
        return "write `" + name + ": { after: " + iso_duration_meant(what == 's' ? value.get_string() : std::string_view{}) + " }`";
    if (n.pointer == "/document" && what == 's') return {};
    for (const auto& each : long_forms) {
        if (each.key != name || each.what != what) continue;
        if (each.after.empty()) return std::string(each.before);
        return std::string(each.before) + (what == 's' ? as_scalar(value.get_string()) : to_text(value)) + std::string(each.after);
    }
    return {};
}

}  // namespace pawl::flow
