// `pawl new plugin|project NAME`: a small complete folder to begin with. Nothing that is there already is touched.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/starters.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// What both a plugin and the namespace and name of a workflow may be called.
result<void> check_name(const std::string& name) {
    const bool fits = !name.empty() && name.size() <= 63 && is_lower(name.front()) && name.back() != '-' &&
                      std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '-'; });
    if (fits) return {};
    return make_problem(problem_type::configuration, "`" + name + "` is no name for it: use lower case letters, digits and '-', beginning with a letter, at most 63 characters, such as `greeter`");
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto found = std::min(text.find(what, at), text.size());
        out.append(text, at, found - at);
        if (found < text.size()) out += with;
        at = found + what.size();
    }
    return out;
}

/// What the placeholders stand for (starters.hpp).
std::string filled_in(std::string_view text, const std::string& name) {
    auto identifier = name;
    std::replace(identifier.begin(), identifier.end(), '-', '_');
    return replaced(replaced(text, "@IDENTIFIER@", identifier), "@NAME@", name);
}

result<void> write_new(const fs::path& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    if (out.good()) return {};
    return make_problem(problem_type::configuration, file.string() + " cannot be written: " + std::strerror(errno));
}

}  // namespace

int new_command(const new_options& options) {
    if (const auto fits = check_name(options.name); fits.has_error()) return fail(fits.error());
    const fs::path folder = options.folder.empty() ? fs::path(options.name) : fs::path(options.folder);
    const auto files = options.plugin ? plugin_starter() : project_starter();
    std::error_code ec;
    if (fs::exists(folder, ec) && !fs::is_directory(folder, ec)) return fail(folder.string() + " exists and is no folder; name another one with --output");
    std::vector<std::pair<fs::path, std::string>> all;
    for (const auto& file : files) {
        all.emplace_back(folder / filled_in(file.path, options.name), filled_in(file.text, options.name));
        if (fs::exists(fs::symlink_status(all.back().first, ec))) return fail(all.back().first.string() + " exists already, and nothing was written; name another folder with --output");
    }
    json::array written;
    for (const auto& [path, text] : all) {
        fs::create_directories(path.parent_path(), ec);
        if (ec) return fail("the folder " + path.parent_path().string() + " cannot be made: " + ec.message());
        if (const auto done = write_new(path, text); done.has_error()) return fail(done.error());
        if (!options.json) print_out(path.string() + "\n");
        written.emplace_back(path.string());
    }
    if (options.json) {
        print_out(to_text(json::object{{"kind", options.plugin ? "plugin" : "project"}, {"name", options.name}, {"folder", folder.string()}, {"files", std::move(written)}}) + "\n");
    } else {
        print_err("what to do next stands in " + (folder / "README.md").string() + "\n");
    }
    return exit_completed;
}

}  // namespace pawl::cli
