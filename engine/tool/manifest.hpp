// What a plugin says about itself: the manifest of its data symbol, read from the file and checked; its schemas compiled.
// Pure functions and immutable values; any thread.
#pragma once

#include "base/function.hpp"
#include "schema/validator.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::tool {

struct tool_manifest {
    std::string name;     ///< "lookup"
    std::string version;
    std::string summary;
    effect_safety safety = effect_safety::at_most_once;
    json::value input_schema;
    json::value output_schema;
    schema::validator input;
    schema::validator output;
    std::optional<milliseconds> heartbeat_timeout;  ///< how long a call may give no sign of life
};

struct plugin_manifest {
    std::string name;  ///< "orders"
    std::string version;
    std::string summary;
    std::vector<tool_manifest> tools;
    std::vector<std::string> secrets;
    std::optional<schema::validator> config;

    const tool_manifest* find(std::string_view tool) const;
};

/// Error: `configuration` problem that says what is wrong in the manifest, without naming the file.
result<plugin_manifest> parse_manifest(std::string_view text);

struct plugin_file {
    std::string path;    ///< absolute
    std::string sha256;  ///< hex, of the bytes that were read
    plugin_manifest manifest;
};

inline constexpr std::size_t max_plugin_bytes = std::size_t{256} << 20;
inline constexpr std::size_t max_manifest_bytes = std::size_t{4} << 20;

/// Reads and checks a plugin's file; none of its code runs. `sha256`: the digest it must have, hex; empty: any.
/// Error: `configuration` problem that names the file: missing, unreadable, not a library, wrong digest, no plugin symbol, truncated, another ABI, bad manifest.
result<plugin_file> read_plugin_file(const std::string& path, std::string_view sha256 = {});

}  // namespace pawl::tool
