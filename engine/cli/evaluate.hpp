// `pawl test --evaluate`: the rows of tables against the models that the project configures, with counts, agreement, latency and tokens per model and prompt version.
// Everything but the models stays scripted, and time virtual. Main thread; asks several models at a time.
#pragma once

#include "cli/commands.hpp"
#include "cli/test_reports.hpp"
#include "trial/judge.hpp"

#include <map>

namespace pawl::cli {

/// How one row went with the model.
struct row_outcome {
    const trial::test_case* of = nullptr;
    std::string trouble;             ///< the row could not be played
    json::value actual;              ///< what is held against `expect`; null when there is none
    std::string error;               ///< the model's error, or the run's; empty: none
    std::string model, prompt_version;
    std::size_t calls = 0;                ///< of models
    bool answered = false;                ///< some model did, with whatever
    std::vector<std::int64_t> latencies;  ///< ms, of each call that a model answered
    std::map<std::string, std::int64_t> tokens;
    std::map<std::string, bool> fields;   ///< members of `expect`, or "" for the whole: do they agree?
    bool agrees() const;
};

/// What one table gave with one model and one version of the prompt.
struct table_result {
    const tested_file* file = nullptr;
    std::shared_ptr<const trial::evaluation_table> table;
    std::string model, prompt_version;
    std::vector<const row_outcome*> rows;

    std::size_t agreed() const;
    double agreement() const;
    /// Rows that could not be played: their flow or their case is wrong.
    std::size_t unplayed() const;
    /// What is below its threshold, a sentence each.
    std::vector<std::string> shortfalls() const;
};

/// Error: the project or the model that is asked for cannot be used.
result<std::vector<row_outcome>> evaluate_rows(const tested_file& f, const agent::manifest& project, const test_options& options);

std::vector<table_result> group_rows(const std::vector<std::pair<const tested_file*, std::vector<row_outcome>>>& all);
std::string evaluation_text(const std::vector<table_result>& all, double seconds);
json::value evaluation_json(const std::vector<table_result>& all, double seconds);

/// The value at `percent` of a sorted list (nearest rank); 0 when it is empty.
std::int64_t percentile(const std::vector<std::int64_t>& sorted, int percent);

}  // namespace pawl::cli
