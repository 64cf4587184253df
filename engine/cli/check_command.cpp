// `pawl check` and `pawl expr`: what needs no store.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/toolbox.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace pawl::cli {
namespace {

struct checked_project {
    agent::manifest manifest;
    toolbox tools;
};

result<checked_project> project_of(const std::string& path, const place_options& place) {
    auto manifest = open_project({place.project, path, place.environment});
    if (manifest.has_error()) return manifest.error();
    auto tools = open_toolbox(*manifest);
    if (tools.has_error()) return tools.error();
    return checked_project{std::move(*manifest), std::move(*tools)};
}

/// The state schema of the agent whose message starts this very flow, so that `$agent.state` paths can be checked.
const json::value* state_schema_for(const agent::manifest& manifest, const std::string& flow) {
    std::error_code ec;
    const auto path = std::filesystem::weakly_canonical(flow, ec).string();
    for (const auto& [name, agent] : manifest.agents) {
        for (const auto& [what, file] : agent.on) {
            if (file == path && agent.state_schema) return &*agent.state_schema;
        }
    }
    return nullptr;
}

bool check_flow(const std::string& path, const checked_project& project) {
    const auto loaded = load_flow(path, project.tools.effects->functions(), state_schema_for(project.manifest, path));
    if (loaded.has_error()) {
        fail(loaded.error());
        return false;
    }
    const auto& result = loaded->compiled;
    if (!result.diagnostics.empty()) print_err(render_all(result.diagnostics, loaded->source) + "\n");
    if (!result.compiled) return false;
    const auto& document = result.compiled->document;
    print_out(path + ": ok (" + document.ns + "/" + document.name + ":" + document.version + ", " + std::to_string(result.compiled->tasks.size()) + " tasks)\n");
    return true;
}

}  // namespace

int check_command(const check_options& options) {
    bool good = true;
    std::map<std::string, result<checked_project>> projects;  // by folder of the manifest: checked once, however many flows it has
    for (const auto& path : options.flows) {
        std::error_code ec;
        const auto is_manifest = std::filesystem::path(path).filename() == agent::manifest_file_name;
        if (!std::filesystem::exists(path, ec)) {
            good = false;
            fail("there is no file " + path);
            continue;
        }
        const auto folder = options.place.project.empty() ? find_project(path).value_or("") : options.place.project;
        auto at = projects.find(folder);
        if (at == projects.end()) {
            at = projects.emplace(folder, project_of(path, options.place)).first;
            if (at->second.has_error()) fail(at->second.error());
        }
        if (at->second.has_error()) {
            good = false;
            continue;
        }
        if (!is_manifest) {
            good = check_flow(path, *at->second) && good;
            continue;
        }
        print_out(path + ": ok\n");
        for (const auto& [name, agent] : at->second->manifest.agents) {
            for (const auto& [what, flow] : agent.on) good = check_flow(flow, *at->second) && good;
        }
    }
    return good ? exit_completed : exit_wrong;
}

int expr_command(const expr_options& options) {
    const auto program = expr::program::compile(options.program);
    if (program.has_error()) {
        const auto& why = program.error();
        diagnostic d;
        d.file = "<expression>";
        const auto before = std::string_view(options.program).substr(0, why.offset);
        d.mark.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
        d.mark.column = before.size() - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1) + 1;
        d.length = std::max<std::size_t>(1, why.length);
        d.message = why.message;
        d.hint = why.hint;
        print_err(render(d, options.program) + "\n");
        return exit_wrong;
    }
    const auto input = options.input.empty() ? result<json::value>(json::value(nullptr)) : read_input(options.input);
    if (input.has_error()) return fail(input.error());
    auto evaluation = program->evaluate(*input);
    for (;;) {
        const auto next = evaluation.next();
        if (next.has_error()) {
            print_err("pawl: " + next.error().message + "\n");
            return exit_faulted;
        }
        if (!*next) return exit_completed;
        print_out(to_text(**next) + "\n");
    }
}

}  // namespace pawl::cli
