// Walks the YAML tree of a manifest: takes members out with their type checked, and reports each mistake at its place.
// Used by one thread while one manifest is read.
#pragma once

#include "agent/manifest.hpp"
#include "flow/yaml.hpp"

#include <initializer_list>

namespace pawl::agent {

class manifest_reader {
public:
    manifest_reader(const flow::yaml_document& document, const manifest_options& options) : document_(document), options_(options) {}

    std::vector<diagnostic> diagnostics;

    void error(std::string_view pointer, std::string code, std::string message, std::string hint = {}, std::size_t offset = 0);
    void error_at_key(std::string_view pointer, std::string code, std::string message, std::string hint = {});
    void warning_at_key(std::string_view pointer, std::string code, std::string message, std::string hint = {});

    /// The value as an object whose keys are all in `known`; null after an error. `what` names it: "the manifest", "agent `desk`".
    const json::object* object(const json::value& value, const std::string& pointer, std::string_view what, std::initializer_list<std::string_view> known);
    /// As an object with free keys.
    const json::object* map(const json::value& value, const std::string& pointer, std::string_view what);
    const json::array* list(const json::value& value, const std::string& pointer, std::string_view what);

    /// A string member; empty when absent or wrong (then reported).
    std::string text(const json::object& of, const std::string& pointer, std::string_view key, bool required = false);
    /// The same with `${NAME}` replaced by environment variables.
    std::string expanded(const json::object& of, const std::string& pointer, std::string_view key);
    std::string expand(std::string value, std::string_view pointer);
    /// The same as an absolute path.
    std::string path(const json::object& of, const std::string& pointer, std::string_view key);
    std::string absolute(std::string_view relative) const;
    /// A whole number from 1 on.
    int version(const json::object& of, const std::string& pointer, std::string_view key, int fallback);
    /// The member as one of `words`; the first when absent.
    std::string one_of(const json::object& of, const std::string& pointer, std::string_view key, std::initializer_list<std::string_view> words);

    const manifest_options& options() const noexcept { return options_; }

private:
    void report(severity level, source_mark mark, std::string_view pointer, std::string code, std::string message, std::string hint);

    const flow::yaml_document& document_;
    const manifest_options& options_;
};

inline std::string child(const std::string& pointer, std::string_view key) { return pointer + "/" + pawl::pointer_token(key); }

}  // namespace pawl::agent
