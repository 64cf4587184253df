// The plugins of a project: an allow-list of files, read and checked without running any of their code. Immutable once open; any thread.
#pragma once

#include "tool/manifest.hpp"

#include <map>
#include <span>

namespace pawl::tool {

/// One line of the allow-list.
struct plugin_settings {
    std::string path;
    std::string sha256;      ///< hex; empty: any
    bool isolated = true;
    json::object config;
    std::optional<milliseconds> heartbeat_timeout = {};  ///< of each of its tools, in place of what they say themselves
};

/// The file of a plugin: a path (anything with a '/') as it is, a name as NAME.so in the first of `folders` that has it.
/// Error: `configuration` problem that says where it was looked for.
result<std::string> locate_plugin(std::string_view name_or_path, std::span<const std::string> folders);

class plugin_registry {
public:
    /// Error: the first plugin that cannot be used, is listed twice, or is given a configuration that it does not take.
    static result<plugin_registry> open(std::span<const plugin_settings> allowed);

    struct entry {
        plugin_file file;
        plugin_settings settings;
    };
    const std::vector<entry>& plugins() const noexcept { return plugins_; }

    struct found {
        std::size_t plugin = 0;  ///< index into plugins()
        const tool_manifest* tool = nullptr;
    };
    /// By "PLUGIN.TOOL".
    const found* find(std::string_view function) const;
    std::vector<function_description> functions() const;

private:
    std::vector<entry> plugins_;
    std::map<std::string, found, std::less<>> by_function_;
};

}  // namespace pawl::tool
