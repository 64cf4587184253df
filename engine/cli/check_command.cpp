// `pawl check`, `pawl schema` and `pawl expr`: what needs no store.
#include "cli/check_reports.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/remote_files.hpp"
#include "cli/toolbox.hpp"
#include "cli/workflow_finder.hpp"
#include "flow/language_schema.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace pawl::cli {
namespace {

struct checked_project {
    std::vector<problem> missing;  ///< tools of the manifest that could not be opened
    agent::manifest manifest;
    toolbox tools;
    std::shared_ptr<workflow_finder> finder;
};

result<checked_project> project_of(const std::string& path, const place_options& place) {
    auto manifest = open_project({place.project, path, place.environment});
    if (manifest.has_error()) return manifest.error();
    std::vector<problem> missing;
    auto tools = open_toolbox(*manifest, {}, &missing);
    if (tools.has_error()) return tools.error();
    const auto url = choose_store({}, *manifest);
    auto finder = std::make_shared<workflow_finder>(*manifest, tools->effects->functions(), url.has_value() ? store_when_asked(*url) : nullptr, read_from_network(*tools));
    return checked_project{std::move(missing), std::move(*manifest), std::move(*tools), std::move(finder)};
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

diagnostic problem_of(const std::string& file, const problem& error) {
    diagnostic d;
    d.code = "project";
    d.file = file;
    d.message = error.detail.empty() ? error.title : error.detail;
    return d;
}

/// What a flow calls may be one of the tools that could not be opened: that mistake is not the flow's.
void leave_open(std::vector<diagnostic>& all) {
    for (auto& d : all) {
        if (d.code != "unknown-function" && d.code != "unknown-version") continue;
        d.level = severity::warning;
        d.hint = "a plugin of this project is missing (see above), so it is not known whether it offers this";
    }
}

checked_file check_flow(const std::string& path, const checked_project& project, bool portable) {
    const auto loaded = load_flow(path, project.tools.effects->functions(), state_schema_for(project.manifest, path), portable, project.finder.get());
    checked_file out;
    out.file = path;
    if (loaded.has_error()) {
        out.diagnostics.push_back(problem_of(path, loaded.error()));
        return out;
    }
    out.file = loaded->shown;
    out.source = loaded->source;
    out.diagnostics = loaded->compiled.diagnostics;
    if (!project.missing.empty()) leave_open(out.diagnostics);
    if (const auto& made = loaded->compiled.compiled) {
        out.workflow = made->document.ns + "/" + made->document.name + ":" + made->document.version;
        out.tasks = made->tasks.size();
    }
    return out;
}

/// Checks what was named; a project is opened once, however many of its flows are.
class checker {
public:
    explicit checker(const check_options& options) : options_(options) {}

    void check(const std::string& path) {
        std::error_code ec;
        if (!std::filesystem::exists(path, ec)) return refuse(path, make_problem(problem_type::configuration, "there is no file " + path));
        const auto folder = options_.place.project.empty() ? find_project(path).value_or("") : options_.place.project;
        auto at = projects_.find(folder);
        if (at == projects_.end()) {
            at = projects_.emplace(folder, project_of(path, options_.place)).first;
            if (at->second.has_error()) return refuse(path, at->second.error());
            tell_missing(path, *at->second);
        }
        if (at->second.has_error()) return refuse(path, make_problem(problem_type::configuration, "not checked, because its project has a mistake"));
        if (std::filesystem::path(path).filename() != agent::manifest_file_name) return add(check_flow(path, *at->second, options_.portable));
        if (at->second->missing.empty()) {
            checked_file manifest;
            manifest.file = path;
            add(std::move(manifest));
        }
        for (const auto& flow : flows_of(at->second->manifest)) add(check_flow(flow, *at->second, options_.portable));
    }

    const std::vector<checked_file>& files() const noexcept { return files_; }

private:
    /// A flow that several agents start is checked once.
    void add(checked_file file) {
        const auto same = [&](const checked_file& f) { return f.file == file.file; };
        if (std::none_of(files_.begin(), files_.end(), same)) files_.push_back(std::move(file));
    }
    /// Of each tool that cannot be opened, once for the project; its flows are checked all the same.
    void tell_missing(const std::string& path, const checked_project& project) {
        if (project.missing.empty()) return;
        checked_file manifest;
        manifest.file = std::filesystem::path(path).filename() == agent::manifest_file_name ? path : project.manifest.file;
        for (const auto& each : project.missing) manifest.diagnostics.push_back(problem_of(manifest.file, each));
        add(std::move(manifest));
    }
    void refuse(const std::string& path, const problem& why) {
        checked_file file;
        file.file = path;
        file.diagnostics.push_back(problem_of(path, why));
        add(std::move(file));
    }

    const check_options& options_;
    std::map<std::string, result<checked_project>> projects_;  // by folder of the manifest
    std::vector<checked_file> files_;
};

void print_checked(const checked_file& file) {
    for (const auto& d : file.diagnostics) {
        if (d.code == "project") {
            fail(d.message);
        } else {
            print_err(render(d, file.source) + "\n");
        }
    }
    if (has_errors(file.diagnostics)) return;
    if (file.workflow.empty() && !file.diagnostics.empty()) return;  // it calls what nobody can say anything of
    if (file.workflow.empty()) return print_out(file.file + ": ok\n");
    print_out(file.file + ": ok (" + file.workflow + ", " + std::to_string(file.tasks) + " tasks)\n");
}

}  // namespace

int check_command(const check_options& options) {
    checker all(options);
    for (const auto& path : options.flows) all.check(path);
    const auto& files = all.files();
    if (options.json) {
        print_out(to_pretty_text(json_report(files)) + "\n");
    } else if (options.sarif) {
        print_out(to_pretty_text(sarif_report(files)) + "\n");
    } else {
        for (const auto& file : files) print_checked(file);
    }
    const bool good = std::none_of(files.begin(), files.end(), [](const checked_file& f) { return has_errors(f.diagnostics); });
    return good ? exit_completed : exit_wrong;
}

int schema_command(const schema_options& options) {
    const auto project = project_of(".", options.place);
    if (project.has_error()) return fail(project.error());
    if (!project->missing.empty()) return fail(project->missing.front());
    print_out(to_pretty_text(flow::language_schema(project->tools.effects->functions())) + "\n");
    return exit_completed;
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
