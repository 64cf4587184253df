#include "ai/prompt.hpp"

#include "base/digest.hpp"
#include "expr/template.hpp"

namespace pawl::ai {
namespace {

constexpr std::size_t version_digits = 12;
constexpr std::size_t longest_version = 64;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
    return quoted ? text.substr(1, text.size() - 2) : text;
}

struct parts {
    std::string_view body;
    std::string version;
};

/// A file may open with `---`, lines `name: value`, `---`; only `version` means something here.
parts split(std::string_view file) {
    parts out{file, sha256_hex(file).substr(0, version_digits)};
    auto rest = file;
    std::string_view version;
    for (bool first = true; !rest.empty(); first = false) {
        const auto end = rest.find('\n');
        const auto line = trimmed(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (first) {
            if (line != "---") return out;
        } else if (line == "---") {
            out.body = rest;
            if (!version.empty()) out.version = version;
            return out;
        } else if (line.starts_with("version:")) {
            version = unquoted(trimmed(line.substr(8))).substr(0, longest_version);
        }
    }
    return out;  // never closed: all of it is text
}

std::size_t line_of(std::string_view file, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::count(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(std::min(offset, file.size())), '\n'));
}

result<prompt_text> fill_in(std::string_view file, const std::string& path, const json::value& values) {
    const auto [body, version] = split(file);
    const auto start = static_cast<std::size_t>(body.data() - file.data());
    const auto at = [&](std::size_t offset) { return path + ", line " + std::to_string(line_of(file, start + offset)) + ": "; };
    const auto compiled = expr::value_template::compile(json::value(body), {});
    if (compiled.has_error()) {
        const auto errors = compiled.error();
        const auto& first = errors.front().error;
        return make_problem(problem_type::configuration, at(first.offset) + first.message + (first.hint.empty() ? "" : " (" + first.hint + ")"));
    }
    const auto text = compiled->evaluate(values);
    if (text.has_error()) return make_problem(problem_type::expression, at(text.error().error.offset) + text.error().error.message);
    return prompt_text{text->is_string() ? std::string(text->get_string()) : to_text(*text), version};
}

}  // namespace

result<prompt_text> resolve_prompt(const json::value& source, const runtime::assets& assets, std::string_view what) {
    if (const auto* text = source.if_string()) return prompt_text{std::string(*text), ""};
    const auto* object = source.if_object();
    const auto* file = object == nullptr ? nullptr : object->if_contains("file");
    if (file == nullptr || !file->is_string()) {
        return make_problem(problem_type::validation, "`" + std::string(what) + "` must be a string, or an object with `file` and, if you like, `values`.");
    }
    const std::string path(file->get_string());
    const auto pinned = assets.find(path);
    if (pinned == assets.end()) {
        return make_problem(problem_type::configuration, "The prompt file `" + path + "` is not part of this workflow's definition: `file` under `" + std::string(what) +
                                                             "` must be written as a constant in the call, so that its text is pinned when the workflow is compiled.");
    }
    const auto* values = object->if_contains("values");
    return fill_in(pinned->second, path, values == nullptr ? json::value(json::object()) : *values);
}

std::string prompt_version(const std::optional<prompt_text>& system, const std::optional<prompt_text>& prompt) {
    std::string out;
    for (const auto* each : {&system, &prompt}) {
        if (*each && !(*each)->version.empty()) out += (out.empty() ? "" : "+") + (*each)->version;
    }
    if (!out.empty()) return out;
    return sha256_hex((system ? system->text : "") + "\n" + (prompt ? prompt->text : "")).substr(0, version_digits);
}

}  // namespace pawl::ai
