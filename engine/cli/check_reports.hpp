// What `pawl check` found, for programs: as one JSON document, or as a SARIF 2.1.0 log. Pure; any thread.
#pragma once

#include "base/diagnostic.hpp"
#include "base/json.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pawl::cli {

struct checked_file {
    std::string file;      ///< as shown
    std::string source;    ///< its text; empty when it cannot be read
    std::string workflow;  ///< "namespace/name:version"; empty for other files and for flows with errors
    std::size_t tasks = 0;
    std::vector<diagnostic> diagnostics;
};

/// { ok, errors, warnings, files: [ { file, ok, workflow?, tasks?, diagnostics: [ { file, line, column, endLine, endColumn, severity, code, message, hint?, pointer? } ] } ] }
/// Lines and columns count from 1, columns in bytes as in the text form; the end is the column after the last. No line when no place is known.
json::value json_report(std::span<const checked_file> files);

/// One run; every known code is a rule; columns count code points.
json::value sarif_report(std::span<const checked_file> files);

}  // namespace pawl::cli
