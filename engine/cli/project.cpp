#include "cli/project.hpp"

#include "agent/files.hpp"
#include "cli/console.hpp"

#include <cstdlib>
#include <filesystem>

namespace pawl::cli {

namespace fs = std::filesystem;

std::optional<std::string> environment_variable(std::string_view name) {
    const auto* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> find_project(const std::string& start) {
    std::error_code ec;
    // Absolute first: of a relative path that does not exist, such as the name of a deployed workflow, weakly_canonical() leaves a relative one,
    // whose parents end at the current folder and are called "".
    auto folder = fs::weakly_canonical(fs::absolute(start.empty() ? fs::path(".") : fs::path(start), ec), ec);
    if (!fs::is_directory(folder, ec)) folder = folder.parent_path();
    for (;;) {
        if (fs::is_regular_file(folder / agent::manifest_file_name, ec)) return folder.string();
        if (folder == folder.parent_path()) return std::nullopt;
        folder = folder.parent_path();
    }
}

result<agent::manifest> open_project(const project_choice& choice) {
    auto environment = choice.environment;
    if (environment.empty()) environment = environment_variable("PAWL_ENV").value_or("");
    if (environment.empty()) environment = agent::default_environment;

    std::error_code ec;
    std::optional<std::string> folder;
    if (choice.folder.empty()) {
        folder = find_project(choice.near);
    } else {
        const auto named = fs::weakly_canonical(fs::path(choice.folder), ec);
        if (!fs::is_regular_file(named / agent::manifest_file_name, ec)) {
            return make_problem(problem_type::configuration, "there is no " + (named / agent::manifest_file_name).string() + "; --project names the folder that holds it");
        }
        folder = named.string();
    }
    if (!folder) {
        const auto here = fs::current_path(ec).string();
        auto plain = agent::manifest_without_file(here, environment);
        if (environment != agent::default_environment) {
            return make_problem(problem_type::configuration, "environment `" + environment + "` was asked for, but there is no pawl.yaml that could name it");
        }
        return plain;
    }
    agent::manifest_options options;
    options.file = (fs::path(*folder) / agent::manifest_file_name).string();
    options.folder = *folder;
    options.environment = environment;
    options.variable = environment_variable;
    const auto text = agent::read_text_file(options.file);
    if (text.has_error()) return text.error();
    auto read = agent::read_manifest(*text, options);
    if (!read.value) return make_problem(problem_type::configuration, "the project cannot be used\n" + render_all(read.diagnostics, *text));
    if (!read.diagnostics.empty()) print_err(render_all(read.diagnostics, *text) + "\n");
    return std::move(*read.value);
}

result<std::string> choose_store(const std::string& from_command_line, const agent::manifest& manifest) {
    if (!from_command_line.empty()) {
        if (agent::holds_password(from_command_line)) {
            return make_problem(problem_type::configuration,
                                "the store's URL holds a password, and command lines are visible to every user of the machine; "
                                "leave it out and set PGPASSWORD, use a PostgreSQL service file, or set the whole URL in PAWL_STORE");
        }
        return {boost::system::in_place_value, from_command_line};
    }
    if (auto url = environment_variable("PAWL_STORE"); url && !url->empty()) return {boost::system::in_place_value, std::move(*url)};
    return {boost::system::in_place_value, manifest.store_url};
}

}  // namespace pawl::cli
