#include "cli/plugins.hpp"

#include "cli/project.hpp"
#include "tool/tool_effect.hpp"

#include <filesystem>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

fs::path program_folder() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec).parent_path();
}

tool::log_sink into(std::shared_ptr<const observe::logger> log) {
    return [log = std::move(log)](tool::log_level level, std::string_view plugin, std::string_view line) {
        log->write(observe::log_level_from(tool::to_string(level)).value_or(observe::log_level::info), "tool-log", {{"plugin", plugin}, {"message", line}});
    };
}

}  // namespace

std::vector<std::string> plugin_folders(const std::string& project_folder) {
    std::vector<std::string> out;
    const auto listed = environment_variable("PAWL_PLUGIN_PATH").value_or("");
    for (std::size_t from = 0; from < listed.size();) {
        const auto end = std::min(listed.find(':', from), listed.size());
        if (end > from) out.push_back(listed.substr(from, end - from));
        from = end + 1;
    }
    out.push_back((fs::path(project_folder) / "plugins").string());
    out.push_back((program_folder() / ".." / "plugins").lexically_normal().string());
    out.push_back((program_folder() / ".." / "lib" / "pawl" / "plugins").lexically_normal().string());
    return out;
}

namespace {

/// The libraries that `tools` lists. With `missing`, one that cannot be read is noted there and left out; without, it is the error.
result<std::vector<tool::plugin_settings>> allowed_plugins(const agent::manifest& project, std::vector<problem>* missing) {
    const auto folders = plugin_folders(project.folder);
    std::vector<tool::plugin_settings> out;
    for (const auto& tool : project.tools) {
        auto path = tool::locate_plugin(tool.plugin, folders);
        if (path.has_error()) {
            if (missing == nullptr) return path.error();
            missing->push_back(path.error());
            continue;
        }
        tool::plugin_settings settings{std::move(*path), tool.sha256, tool.isolated, tool.config, tool.heartbeat_timeout};
        if (missing != nullptr) {
            if (const auto alone = tool::plugin_registry::open(std::span(&settings, 1)); alone.has_error()) {
                missing->push_back(alone.error());
                continue;
            }
        }
        out.push_back(std::move(settings));
    }
    return out;
}

}  // namespace

result<std::shared_ptr<runtime::effect>> open_plugins(const agent::manifest& project, boost::asio::io_context& network,
                                                      std::shared_ptr<const secret_source> secrets, std::shared_ptr<const observe::logger> log,
                                                      std::vector<problem>* missing) {
    const auto allowed = allowed_plugins(project, missing);
    if (allowed.has_error()) return allowed.error();
    auto registry = tool::plugin_registry::open(*allowed);
    if (registry.has_error()) return registry.error();
    tool::tool_effect_options options;
    options.hosts.host_program = (program_folder() / "pawl-tool-host").string();
    options.log = into(std::move(log));
    options.secret = [secrets = std::move(secrets)](std::string_view name) { return secrets->declared(name); };
    auto opened = tool::tool_effect::open(network, std::move(*registry), std::move(options));
    if (opened.has_error()) return opened.error();
    return std::shared_ptr<runtime::effect>(std::move(*opened));
}

}  // namespace pawl::cli
