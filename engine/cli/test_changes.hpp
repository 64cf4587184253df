// What a changed file means for cases that were tested before: `pawl test --watch`.
#pragma once

#include "cli/test_reports.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

struct test_options;

constexpr std::string_view case_file_suffix = ".test.yaml";

/// A path as messages name it.
std::string shown(const std::filesystem::path& path);

/// What `pawl test` writes itself is no change. `path`: absolute.
bool is_own(const std::string& path, const test_options& options);

/// A file that came and went, as editors make them, matters to nobody.
bool matters(const std::vector<tested_file>& last, const std::string& path);

/// The case files (as shown) that these changes concern; empty: all, as for a manifest or a schema.
std::vector<std::string> affected(const std::vector<tested_file>& last, const std::set<std::string>& changed);

}  // namespace pawl::cli
