// `pawl tools list|show|call`: every function that flows of this project may call.
#include "base/digest.hpp"
#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/toolbox.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace pawl::cli {
namespace {

result<toolbox> toolbox_of(const place_options& place) {
    const auto project = open_project({place.project, {}, place.environment});
    if (project.has_error()) return project.error();
    return open_toolbox(*project);
}

json::object document(const function_description& f) {
    json::object out{{"name", f.name}, {"version", f.version}, {"summary", f.summary}, {"safety", to_string(f.safety)}, {"origin", f.origin}};
    if (f.input_schema) out["input"] = *f.input_schema;
    if (f.output_schema) out["output"] = *f.output_schema;
    return out;
}

result<const runtime::effect_registry::entry*> find_function(const toolbox& tools, const std::string& name) {
    if (const auto* found = tools.effects->find(name)) return found;
    std::vector<std::string> names;
    for (const auto& f : tools.effects->functions()) names.push_back(f.name);
    const auto near = closest(name, names);
    return make_problem(problem_type::configuration, "there is no function `" + name + "`" + (near ? "; did you mean `" + *near + "`?" : "; `pawl tools` lists them"));
}

/// Runs a call outside any run, and waits for its outcome.
runtime::call_outcome call_now(runtime::effect& effect, const std::string& function, json::value arguments) {
    auto request = std::make_shared<runtime::call_request>();
    request->run = new_uuid7();
    request->key = to_base32(sha256(request->run));
    request->digest = sha256_hex(function + to_canonical_text(arguments));
    request->function = function;
    request->arguments = std::move(arguments);
    request->started_at = system_clock_source().now();
    request->task = "call";
    request->assets = std::make_shared<runtime::assets>();
    runtime::staging staged;
    staged.now = request->started_at;
    if (auto outcome = effect.stage(*request, staged)) return std::move(*outcome);
    if (staged.parks) return {make_problem(problem_type::configuration, function + " waits for a human and works inside a run only"), {}, {}};

    struct mailbox {
        std::mutex lock;
        std::condition_variable arrived;
        std::optional<runtime::call_outcome> outcome;
    };
    const auto box = std::make_shared<mailbox>();
    effect.start(
        request,
        [box](runtime::call_outcome outcome) {
            const std::lock_guard hold(box->lock);
            if (!box->outcome) box->outcome = std::move(outcome);
            box->arrived.notify_one();
        },
        [](std::string_view words) { print_err("  " + std::string(words) + "\n"); });
    std::unique_lock hold(box->lock);
    box->arrived.wait(hold, [&] { return box->outcome.has_value(); });
    return std::move(*box->outcome);
}

}  // namespace

int list_tools_command(const tools_options& options) {
    const auto tools = toolbox_of(options.place);
    if (tools.has_error()) return fail(tools.error());
    auto functions = tools->effects->functions();
    std::sort(functions.begin(), functions.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    if (options.json) {
        json::array all;
        for (const auto& f : functions) all.emplace_back(document(f));
        print_out(to_text(all) + "\n");
        return exit_completed;
    }
    std::vector<std::vector<std::string>> rows{{"NAME", "VERSION", "SAFETY", "ORIGIN", "SUMMARY"}};
    for (const auto& f : functions) rows.push_back({f.name, f.version, std::string(to_string(f.safety)), f.origin, f.summary});
    print_out(table(rows));
    return exit_completed;
}

int show_tool_command(const tools_options& options) {
    const auto tools = toolbox_of(options.place);
    if (tools.has_error()) return fail(tools.error());
    const auto found = find_function(*tools, options.name);
    if (found.has_error()) return fail(found.error());
    const auto shown = document((*found)->description);
    print_out((options.json ? to_text(shown) : to_pretty_text(shown)) + "\n");
    return exit_completed;
}

int call_tool_command(const tools_options& options) {
    const auto tools = toolbox_of(options.place);
    if (tools.has_error()) return fail(tools.error());
    const auto found = find_function(*tools, options.name);
    if (found.has_error()) return fail(found.error());
    auto input = read_input(options.input);
    if (input.has_error()) return fail(input.error());
    if (const auto& declared = (*found)->description.input_schema) {
        const auto schema = schema::validator::compile(*declared);
        if (schema.has_value()) {
            const auto violations = schema->validate(*input);
            if (!violations.empty()) return fail(schema::to_problem(violations, "the input of " + options.name));
        }
    }
    const auto outcome = call_now(*(*found)->owner, options.name, std::move(*input));
    if (outcome.value.has_error()) {
        const auto& error = outcome.value.error();
        fail(options.name + " failed: " + error.title + " (" + std::to_string(error.status) + "): " + error.detail);
        return exit_faulted;
    }
    print_out((options.json ? to_text(*outcome.value) : to_pretty_text(*outcome.value)) + "\n");
    return exit_completed;
}

}  // namespace pawl::cli
