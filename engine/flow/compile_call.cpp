// call: built-in protocols, the workflow's own functions, and the default catalog (dsl-reference.md, "Call").
#include "flow/functions.hpp"
#include "flow/parts.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

constexpr std::array<std::string_view, 3> protocols_to_come{"a2a", "asyncapi", "grpc"};

/// Built in, but not there in a project without models.
constexpr std::array<std::string_view, 3> model_functions{"ai.chat", "ai.embed", "ai.run"};

void pin(compilation& c, const function_description& function) { c.pinned_functions.emplace(function.name + ":" + function.version, function); }

void report_unknown(compilation& c, const node& call, const function_reference& asked) {
    const auto versions = versions_of(c.options.functions, asked.name);
    if (!versions.empty()) {
        std::string known;
        for (std::size_t i = 0; i < versions.size() && i < 5; ++i) known += (i > 0 ? ", " : "") + versions[i];
        c.report.error("unknown-version", call, quoted(asked.name) + " has no version " + asked.version, "there is " + known);
        return;
    }
    if (find_function(c.options.functions, {asked.name, {}, {}}) != nullptr) {
        c.report.error("unknown-version", call, quoted(asked.name) + " has no versions to choose from", "write `call: " + asked.name + "`");
        return;
    }
    if (is_section_broken(c, "functions")) return;
    if (std::find(model_functions.begin(), model_functions.end(), asked.name) != model_functions.end()) {
        c.report.error("unknown-function", call, quoted(asked.name) + " asks a model, but this project names none", "name one below `models` in pawl.yaml");
        return;
    }
    std::vector<std::string> candidates{"http", "openapi", "mcp"};
    candidates.insert(candidates.end(), model_functions.begin(), model_functions.end());
    for (const auto& name : c.names_in_use("functions")) candidates.push_back(name);
    for (const auto& each : c.options.functions) candidates.push_back(each.name);
    auto hint = c.report.did_you_mean(asked.name, candidates);
    if (hint.empty()) hint = "`pawl tools list` shows what can be called; the workflow's own functions stand in `use.functions`";
    c.report.error("unknown-function", call, "there is no function or tool called " + quoted(asked.name), std::move(hint));
}

/// What the catalog `default` holds is each runtime's own affair.
void warn_not_portable(compilation& c, const node& call, const function_reference& asked, const function_description& function) {
    const bool built_in = function.origin.empty() || function.origin == "built-in";
    std::string message = quoted(asked.name) + (built_in ? " is built into pawl" : " is a tool of a pawl plugin");
    message += asked.catalog.empty() ? ", and other runtimes look for that name in `use.functions` only" : "; the catalog `default` of other runtimes does not hold it";
    auto hint = asked.name == "agent.update" ? std::string("`export` to `$context` is the standard's way to keep data")
                : asked.name == "log"        ? std::string("`emit` an event instead")
                                             : "describe it in `use.functions` (as `call: http` or `call: openapi`), or publish it in a catalog of `use.catalogs`";
    c.report.warning("not-portable", call, std::move(message), std::move(hint));
}

/// What `metadata: { heartbeatTimeout: ... }` of the task allows: a constant duration, or nothing.
std::optional<milliseconds> declared_heartbeat_timeout(compilation& c, task_id id, const function_description& function) {
    const auto metadata = c.notes[id].body.at("metadata");
    const auto declared = metadata.is_object() ? metadata.at("heartbeatTimeout") : node{};
    if (!declared) return std::nullopt;
    if (!c.rebuild && (function.origin.empty() || function.origin == "built-in")) {
        c.report.warning("no-effect", declared, "`heartbeatTimeout` does nothing here: " + quoted(function.name) + " is built in and gives no signs of life",
                         "`timeout` limits how long any task may take");
    }
    const auto length = compile_duration(c, declared, {});
    if (!length) return std::nullopt;
    if (length->known && length->known->count() > 0) return length->known;
    c.report.error("bad-duration", declared, "`heartbeatTimeout` must be a duration of its own, longer than nothing", "write for example PT30S or `{ seconds: 30 }`");
    return std::nullopt;
}

std::optional<evaluable> arguments_of(compilation& c, task_id id, const node& call, const node& with, const function_description& function) {
    // What commits with the checkpoint is stored: such functions get no secrets.
    const names_in_scope names{site::definition, c.task_of(id).locals, function.safety != effect_safety::transactional};
    if (with) return compile_template(c, with, names);
    return compile_template(c, json::object(), {{"", call.pointer, true}}, names);
}

void compile_http_call(compilation& c, task_id id, const node& call, const node& with) {
    if (!with) {
        c.report.key_error("missing-key", call, "`call: http` needs `with`: the method and the endpoint",
                           "write `with: { method: get, endpoint: https://... }`");
        return;
    }
    function_description http;
    http.name = "http";
    if (const auto* known = find_function(c.options.functions, {"http", {}, {}})) http = *known;
    auto request = compose_http(c, with);
    auto arguments = compile_template(c, request.value, std::move(request.origins), {site::definition, c.task_of(id).locals, true});
    pin(c, http);
    if (arguments) c.task_of(id).body = call_task{http.name, http.version, std::move(*arguments), safety_of_http(with, http.safety)};
}

void compile_catalog_call(compilation& c, task_id id, const node& call, const node& with) {
    const auto asked = parse_reference(call.text());
    if (const auto catalog = asked.catalog.empty() ? node{} : c.use.at("catalogs").at(asked.catalog)) {
        if (const auto function = function_of_catalog(c, call, catalog)) compile_function_call(c, id, function);
        return;
    }
    if (!asked.catalog.empty() && asked.catalog != "default") {
        if (is_section_broken(c, "catalogs")) return;
        c.report.error("unknown-name", call, "there is no catalog " + quoted(asked.catalog) + " in `use.catalogs`",
                       "pawl's own tools are in the catalog `default`: write `call: " + asked.name + "`");
        return;
    }
    const auto* function = find_function(c.options.functions, asked);
    if (function == nullptr) return report_unknown(c, call, asked);
    if (c.options.portable) warn_not_portable(c, call, asked, *function);
    if (with) pin_assets(c, with);
    auto arguments = arguments_of(c, id, call, with, *function);
    if (!c.rebuild) check_arguments(c, call, with, *function, arguments ? &*arguments : nullptr);
    pin(c, *function);
    const auto silence = declared_heartbeat_timeout(c, id, *function);
    if (arguments) c.task_of(id).body = call_task{function->name, function->version, std::move(*arguments), function->safety, silence};
}

}  // namespace

void compile_call(compilation& c, task_id id) {
    const auto body = c.notes[id].body;
    const auto call = body.at("call");
    auto with = body.at("with");
    if (call.is_object()) {
        const auto& object = call.value->get_object();
        const auto name = object.empty() ? std::string("http") : std::string(object.begin()->key());
        c.report.key_error("wrong-type", call, "`call` must be the name of what is called, but is a map",
                           "write `call: " + name + "`, and the arguments below `with:` beside it");
        return;
    }
    if (!expect_string(c, call, "`call: http`")) return;
    if ((!with || with.value->is_null()) && c.is_misspelled(body, "with")) return;
    if (with && with.value->is_null()) with = {};
    if (with && !expect_object(c, with)) return;
    if (const auto own = c.use.at("functions").at(call.text())) return compile_function_call(c, id, own);
    if (call.text() == "openapi") return compile_openapi_call(c, id, call, with);
    if (call.text() == "http") return compile_http_call(c, id, call, with);
    if (call.text() == "mcp") return compile_mcp_call(c, id, call, with);
    if (std::find(protocols_to_come.begin(), protocols_to_come.end(), call.text()) != protocols_to_come.end())
        return unsupported(c, call, "`call: " + std::string(call.text()) + "`");
    if (is_reference(call.text())) {
        if (const auto function = function_by_reference(c, call)) compile_function_call(c, id, function);
        return;
    }
    compile_catalog_call(c, id, call, with);
}

void compile_function_call(compilation& c, task_id id, const node& function) {
    const auto name = function.name();
    const auto call = c.notes[id].body.at("call");
    c.referenced.insert(function.pointer);
    if (std::find(c.open_functions.begin(), c.open_functions.end(), function.pointer) != c.open_functions.end()) {
        c.report.error("endless-function", call, "the function " + quoted(name) + " calls itself, so it would never end",
                       "use a `for`, or `then` to go back to an earlier task");
        return;
    }
    if (c.open_functions.size() >= deepest_function || c.out.tasks.size() + 2 > most_tasks) {
        c.report.error("too-deep", call,
                       "functions call each other more than " + std::to_string(deepest_function) + " deep, or make more than " +
                           std::to_string(most_tasks) + " tasks, at " + quoted(name),
                       "write fewer, larger functions");
        return;
    }
    surrounding around{id, c.task_of(id).locals, false};
    task_id first = no_task;
    if (const auto with = c.notes[id].body.at("with"); with.is_object()) {
        // What a function gets is its input (DSL: "with: the parameters to call the function with").
        first = add_task(c, "(arguments)", with, around);  // no author can write that name
        if (auto value = compile_template(c, with, {site::definition, around.locals, true})) c.task_of(first).body = set_task{std::move(*value)};
    }
    // A function sees its input, not the variables of whoever calls it.
    for (auto& local : around.locals) local = "'" + local;
    const auto task = add_task(c, name, function, around);
    if (first == no_task) {
        first = task;
    } else {
        c.task_of(first).next = task;
    }
    c.open_functions.push_back(function.pointer);
    // References in a file are relative to that file.
    const auto base = std::exchange(c.base, c.external_functions.contains(name) ? name : std::string());
    compile_task(c, task, {});
    c.base = base;
    c.open_functions.pop_back();
    c.task_of(id).body = do_task{first};
}

}  // namespace pawl::flow
