#include "tool/plugin_registry.hpp"

#include <filesystem>

namespace pawl::tool {

result<std::string> locate_plugin(std::string_view name_or_path, std::span<const std::string> folders) {
    if (name_or_path.find('/') != std::string_view::npos) return result<std::string>(boost::system::in_place_value, name_or_path);
    std::string looked;
    for (const auto& folder : folders) {
        const auto path = std::filesystem::path(folder) / (std::string(name_or_path) + ".so");
        std::error_code ignored;
        if (std::filesystem::exists(path, ignored)) return result<std::string>(boost::system::in_place_value, path.string());
        looked += (looked.empty() ? "" : ", ") + folder;
    }
    return make_problem(problem_type::configuration, "There is no plugin `" + std::string(name_or_path) + "`: no " + std::string(name_or_path) + ".so in " +
                                                         (looked.empty() ? "any folder (none is known)" : looked) + ".");
}

result<plugin_registry> plugin_registry::open(std::span<const plugin_settings> allowed) {
    plugin_registry made;
    for (const auto& each : allowed) {
        auto file = read_plugin_file(each.path, each.sha256);
        if (!file) return file.error();
        for (const auto& other : made.plugins_) {
            if (other.file.manifest.name != file->manifest.name) continue;
            return make_problem(problem_type::configuration, "Two plugins are called `" + file->manifest.name + "`: " + other.file.path + " and " + file->path +
                                                                 "; list one of them.");
        }
        if (file->manifest.config) {
            if (const auto wrong = file->manifest.config->validate(each.config); !wrong.empty()) {
                auto why = schema::to_problem(wrong, "the configuration of the plugin `" + file->manifest.name + "`");
                return make_problem(problem_type::configuration, std::move(why.detail));
            }
        }
        made.plugins_.push_back({std::move(*file), each});
    }
    for (std::size_t i = 0; i < made.plugins_.size(); ++i) {
        const auto& manifest = made.plugins_[i].file.manifest;
        for (const auto& tool : manifest.tools) made.by_function_.emplace(manifest.name + "." + tool.name, found{i, &tool});
    }
    return made;
}

const plugin_registry::found* plugin_registry::find(std::string_view function) const {
    const auto at = by_function_.find(function);
    return at == by_function_.end() ? nullptr : &at->second;
}

std::vector<function_description> plugin_registry::functions() const {
    std::vector<function_description> all;
    for (const auto& [name, each] : by_function_) {
        const auto& t = *each.tool;
        const auto& plugin = plugins_[each.plugin];
        const auto silence = plugin.settings.heartbeat_timeout ? plugin.settings.heartbeat_timeout : t.heartbeat_timeout;
        all.push_back({name, t.version, t.summary, t.safety, t.input_schema, t.output_schema, plugin.file.path, true, silence});
    }
    return all;
}

}  // namespace pawl::tool
