// Secrets of one environment: names come from the manifest, values from environment variables or from a file beside the store that is not in version control:
// `.pawl/secrets.env`, or `.pawl/secrets.NAME.env` for environment NAME, which replaces the former instead of adding to it.
// Immutable after loading; any thread may ask.
#pragma once

#include "agent/manifest.hpp"

#include <map>
#include <optional>
#include <string>

namespace pawl::cli {

/// NAME=value lines; blank lines, `# comments`, `export ` and quotes around a value are understood. Error: `configuration` problem with the line.
result<std::map<std::string, std::string, std::less<>>> parse_secrets_file(std::string_view text, const std::string& file);

class secret_source {
public:
    static result<secret_source> load(const agent::manifest& manifest);

    /// The value of a secret the manifest lists; an environment variable wins over the file.
    std::optional<std::string> declared(std::string_view name) const;
    /// Of a secret that the engine itself needs (a model's token), listed or not.
    std::optional<std::string> any(std::string_view name) const;
    /// Every value known of listed names, for redaction.
    std::vector<std::string> values() const;

private:
    std::vector<std::string> names_;
    std::map<std::string, std::string, std::less<>> file_;
};

}  // namespace pawl::cli
