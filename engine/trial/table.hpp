// Evaluation data: a table of inputs with what is expected of them. Each row is a case of its own. Rows stand in the case, or in a file beside it:
//
//   CSV     (RFC 4180) a line of names, then a row a line: `name`, `input.FIELD.FIELD`, `expect.FIELD`; texts, but for columns whose name ends in `:json`
//   JSONL   one object a line: { "name"?, "input"?, "expect" }
//
// Pure but for the file; one thread.
#pragma once

#include "base/json.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::trial {

/// What all rows of a table share.
struct evaluation_table {
    std::string name;      ///< of the case
    std::string pointer;   ///< of `table`
    std::string task;      ///< whose last result is held against `expect`; empty: the run's output
    std::optional<double> agreement;                  ///< least share of rows that agree, with --evaluate
    std::map<std::string, double, std::less<>> fields;  ///< the same of one member of `expect`
};

struct table_row {
    std::shared_ptr<const evaluation_table> table;
    std::string name;
    std::string place;     ///< "row 3", "rows.csv, line 4"
    std::string pointer;   ///< into the case file: the row, or `file`
    json::value input;     ///< merged into the case's; null: nothing
    json::value expect;
};

/// The rows of a file that ends in .csv or .jsonl, without table and pointer. Error: `configuration` problem with file and line.
result<std::vector<table_row>> load_rows(const std::string& file);
result<std::vector<table_row>> parse_rows(std::string_view text, const std::string& file);

}  // namespace pawl::trial
