// What the cases covered, for people and programs. Pure; any thread.
#pragma once

#include "base/json.hpp"
#include "trial/coverage.hpp"

#include <string>

namespace pawl::cli {

/// A row per file, the sum, and every place that nothing reached as file:line:column.
std::string coverage_text(const trial::coverage& c);
/// { percent, covered, total, kinds: { task: {..}, .. }, files: [ { file, percent, .., places: [ { kind, name, line, column, times, lack? } ] } ] }
json::value coverage_json(const trial::coverage& c);
/// One page that needs nothing else: the sums, and each file with its lines marked.
std::string coverage_html(const trial::coverage& c);

}  // namespace pawl::cli
