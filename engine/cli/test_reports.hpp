// What `pawl test` found, for people and programs. Pure; any thread.
#pragma once

#include "base/diagnostic.hpp"
#include "trial/judge.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

/// One case file and what became of it.
struct tested_file {
    std::string shown;                             ///< path as shown
    std::string source;
    std::vector<diagnostic> diagnostics;           ///< why it could not be tested
    std::string trouble;                           ///< the same, when no place is known: its project cannot be opened
    std::shared_ptr<const trial::case_file> file;  ///< null when it could not be tested
    std::vector<trial::verdict> verdicts;          ///< of the chosen cases
    std::string options;                           ///< of the command, that another run of these cases needs: " --env staging"; for the shell
    trial::coverage covered;                       ///< when it was asked for
    std::vector<std::string> obsolete;             ///< snapshots that no case asks for
    std::size_t snapshots_written = 0;
    double seconds = 0;

    bool usable() const noexcept { return file != nullptr && trouble.empty(); }
};

struct test_totals {
    std::size_t files = 0, unusable = 0, cases = 0, failed = 0, histories = 0;
    std::size_t wrong = 0;  ///< cases that could not be tested as they are written; not among `failed`
};
/// What each mode played in all cases together, and why it played nothing in some.
struct mode_total {
    std::string mode;
    std::size_t points = 0, cases = 0, orders = 0;
    std::size_t one_order = 0;  ///< cases in which everything came in the same order: there --shuffle proves little
    std::vector<std::pair<std::string, std::size_t>> none;  ///< why not -> in how many cases
};
std::vector<mode_total> mode_totals(const std::vector<tested_file>& all);

/// As one word of a shell's command line.
std::string quoted_for_shell(const std::string& text);

test_totals totals_of(const std::vector<tested_file>& all);

/// A line per case; what failed with file, line, expected and actual.
std::string text_report(const std::vector<tested_file>& all, double seconds);
/// { ok, files, unusable, cases, failed, wrong, histories, seconds, modes: [ { mode, points, cases } ], results: [ { file, error?, cases: [
///   { name, line, ok, wrong?, seconds, histories, checkpoints, modes: [ { mode, points, detail?, none? } ], notes, findings: [..] } ] } ] }
json::value json_report(const std::vector<tested_file>& all, double seconds);
/// JUnit XML: a suite per file, a test case per case.
std::string junit_report(const std::vector<tested_file>& all);

}  // namespace pawl::cli
