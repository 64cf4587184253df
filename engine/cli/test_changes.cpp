#include "cli/test_changes.hpp"

#include "cli/commands.hpp"
#include "cli/project.hpp"

#include <algorithm>
#include <filesystem>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

bool is_of(const flow::workflow& w, const std::string& path) {
    std::error_code ec;
    const auto same = [&](const fs::path& named) { return fs::weakly_canonical(named, ec) == fs::path(path); };
    if (same(w.file)) return true;
    const auto folder = fs::path(w.file).parent_path();
    if (std::any_of(w.assets.begin(), w.assets.end(), [&](const auto& asset) { return same(folder / asset.first); })) return true;
    return std::any_of(w.runs.begin(), w.runs.end(), [&](const auto& child) { return is_of(*child, path); });
}

/// What the last tests tell of a file: does a changed path concern it? A flow that was not understood may want any file.
bool concerns(const tested_file& f, const std::string& path) {
    std::error_code ec;
    if (fs::weakly_canonical(f.shown, ec) == fs::path(path)) return true;
    return std::any_of(f.verdicts.begin(), f.verdicts.end(), [&](const trial::verdict& v) { return v.workflow == nullptr || is_of(*v.workflow, path); });
}

}  // namespace

std::string shown(const fs::path& path) {
    std::error_code ec;
    const auto relative = fs::proximate(path, fs::current_path(ec), ec).string();
    return ec || relative.starts_with("..") ? path.string() : relative;
}

bool is_own(const std::string& path, const test_options& options) {
    if (path.ends_with(".test.snapshots.yaml")) return true;
    std::error_code ec;
    for (const auto& each : {options.junit, options.coverage_json, options.coverage_html}) {
        if (!each.empty() && path.starts_with(fs::weakly_canonical(each, ec).string())) return true;
    }
    return false;
}

bool matters(const std::vector<tested_file>& last, const std::string& path) {
    std::error_code ec;
    return fs::exists(path, ec) || std::any_of(last.begin(), last.end(), [&](const tested_file& f) { return concerns(f, path); });
}

std::vector<std::string> affected(const std::vector<tested_file>& last, const std::set<std::string>& changed) {
    std::vector<std::string> out;
    for (const auto& path : changed) {
        std::vector<std::string> of_this;
        for (const auto& f : last) {
            if (concerns(f, path)) of_this.push_back(f.shown);
        }
        const bool case_file = path.ends_with(case_file_suffix);
        if (of_this.empty() && !case_file) return {};
        if (case_file && of_this.empty()) of_this.push_back(shown(path));
        out.insert(out.end(), of_this.begin(), of_this.end());
    }
    return out;
}

}  // namespace pawl::cli
