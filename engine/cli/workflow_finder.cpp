#include "cli/workflow_finder.hpp"

#include "agent/files.hpp"
#include "cli/documents.hpp"
#include "cli/open_store.hpp"
#include "flow/semantic_version.hpp"
#include "flow/yaml.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 2'000;

bool is_flow_file(const fs::path& path) {
    const auto ending = path.extension();
    return (ending == ".yaml" || ending == ".yml" || ending == ".json") && path.filename() != agent::manifest_file_name;
}

template <class Iterator>
void collect(const fs::path& folder, std::set<std::string>& into) {
    std::error_code ec;
    for (Iterator at(folder, fs::directory_options::skip_permission_denied, ec), end; !ec && at != end && into.size() < most_files; at.increment(ec)) {
        std::error_code ignored;
        if (at->is_regular_file(ignored) && is_flow_file(at->path())) into.insert(fs::weakly_canonical(at->path(), ignored).string());
    }
}

std::string text_at(const json::value& document, std::string_view key) {
    const auto* found = document.get_object().if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

/// What the file says it is; nothing for files that are no workflows.
named_workflow read_name(const std::string& path) {
    named_workflow out{path, {}, {}, {}};
    const auto text = agent::read_text_file(path);
    if (text.has_error() || text->find("document") == std::string::npos) return out;
    const auto read = flow::read_yaml(*text, path);
    if (read.has_error() || !read->value.is_object()) return out;
    const auto* document = read->value.get_object().if_contains("document");
    if (document == nullptr || !document->is_object()) return out;
    out.ns = text_at(*document, "namespace");
    out.name = text_at(*document, "name");
    out.version = text_at(*document, "version");
    return out;
}

bool is_newer(const std::string& a, const std::string& b) {
    const auto x = flow::parse_semantic_version(a), y = flow::parse_semantic_version(b);
    return x && y ? *x > *y : x.has_value();
}

}  // namespace

std::optional<workflow_name> parse_workflow_name(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos || slash == 0 || text.find('/', slash + 1) != std::string::npos) return std::nullopt;
    const auto colon = text.find(':', slash);
    workflow_name out{text.substr(0, slash), text.substr(slash + 1, colon == std::string::npos ? colon : colon - slash - 1),
                      colon == std::string::npos ? std::string() : text.substr(colon + 1)};
    const auto is_label = [](const std::string& s) {
        return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char ch) { return std::isalnum(ch) != 0 || ch == '-'; });
    };
    if (!is_label(out.ns) || !is_label(out.name)) return std::nullopt;
    return out;
}

std::vector<std::string> flows_of(const agent::manifest& project) {
    std::set<std::string> out;
    if (!project.file.empty()) {
        for (const auto* folder : {"workflows", "flows"}) collect<fs::recursive_directory_iterator>(fs::path(project.folder) / folder, out);
    }
    for (const auto& [name, agent] : project.agents) {
        for (const auto& [what, flow] : agent.on) out.insert(flow);
    }
    return {out.begin(), out.end()};
}

workflow_finder::workflow_finder(const agent::manifest& project, std::vector<function_description> functions, std::function<store::connection*()> store, read_url from_network)
    : project_flows_(flows_of(project)), functions_(std::move(functions)), store_(std::move(store)), from_network_(std::move(from_network)) {}

const std::vector<named_workflow>& workflow_finder::candidates(const std::string& folder) {
    const auto known = by_folder_.find(folder);
    if (known != by_folder_.end()) return known->second;
    std::set<std::string> files(project_flows_.begin(), project_flows_.end());
    collect<fs::directory_iterator>(folder, files);
    std::vector<named_workflow> all;
    for (const auto& path : files) {
        auto at = read_.find(path);
        if (at == read_.end()) at = read_.emplace(path, read_name(path)).first;
        if (!at->second.name.empty()) all.push_back(at->second);
    }
    return by_folder_.emplace(folder, std::move(all)).first->second;
}

flow::found_workflow workflow_finder::compile(const named_workflow& chosen) {
    if (const auto done = compiled_.find(chosen.path); done != compiled_.end()) return done->second;
    flow::found_workflow out;
    if (std::find(open_.begin(), open_.end(), chosen.path) != open_.end()) {
        out.why = "it runs this workflow in turn; a circle of workflows cannot be pinned, only a workflow that runs itself";
        return out;
    }
    const auto loaded = load_flow(chosen.path, functions_, nullptr, false, this);
    if (loaded.has_error()) {
        out.why = loaded.error().detail;
    } else if (const auto& made = loaded->compiled.compiled) {
        out = {made->document.version, made->digest, made, {}, {}};
    } else {
        const auto& all = loaded->compiled.diagnostics;
        const auto first = std::find_if(all.begin(), all.end(), [](const diagnostic& d) { return d.level == severity::error; });
        out.why = loaded->shown + " has mistakes, the first in line " + std::to_string(first->mark.line) + ": " + first->message;
    }
    return compiled_.emplace(chosen.path, std::move(out)).first->second;
}

flow::found_workflow workflow_finder::find(const std::string& from, std::string_view ns, std::string_view name, std::string_view version) {
    flow::found_workflow out;
    const named_workflow* best = nullptr;
    for (const auto& each : candidates(fs::path(from).parent_path().string())) {
        out.similar.push_back(each.ns + "/" + each.name + (version.empty() ? "" : ":" + each.version));
        if (each.ns != ns || each.name != name || (!version.empty() && each.version != version)) continue;
        if (best == nullptr || is_newer(each.version, best->version)) best = &each;
    }
    if (best != nullptr) {
        const auto chosen = *best;
        open_.push_back(from);
        auto found = compile(chosen);
        open_.pop_back();
        return found;
    }
    auto* store = store_ ? store_() : nullptr;
    if (store == nullptr) return out;
    const auto rows = store->list_deployments("", "");
    if (rows.has_error()) return out;
    for (const auto& row : *rows) {
        out.similar.push_back(row.ns + "/" + row.name + (version.empty() ? "" : ":" + row.version));
        if (row.ns == ns && row.name == name && (version.empty() || row.version == version)) return {row.version, row.digest, nullptr, {}, {}};
    }
    return out;
}

std::function<store::connection*()> store_when_asked(std::string url) {
    struct opened {
        bool asked = false;
        std::shared_ptr<store::database> database;
        std::unique_ptr<store::connection> connection;
    };
    return [url = std::move(url), held = std::make_shared<opened>()]() -> store::connection* {
        if (!std::exchange(held->asked, true)) {
            if (auto database = open_store(url, false); database.has_value()) {
                held->database = std::move(*database);
                if (auto connection = held->database->connect(); connection.has_value()) held->connection = std::move(*connection);
            }
        }
        return held->connection.get();
    };
}

}  // namespace pawl::cli
