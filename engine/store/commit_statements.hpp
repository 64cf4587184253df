// The SQL of a commit: a statement for each table, alone in a transaction of several (SQLite) or as parts of one (PostgreSQL). Pure; any thread.
#pragma once

#include "store/batch.hpp"

namespace pawl::store {

struct table_statement {
    std::string_view name;
    row_text batch_rows::*rows;
    std::span<const column_spec> columns;
    std::string (*sql)(row_form form, const std::string& now);  ///< fed by the rows
    bool counted;  ///< it must affect as many rows as it was given; if not, a revision is not the expected one
    std::string_view row_type = {};  ///< PostgreSQL: the composite type of these columns, of tables that ordinary steps touch; the others get JSON
};

/// In the order of execution. Run states come first: their count tells of conflicts before more is written.
std::span<const table_statement> table_statements();

/// New runs and their states, but for those whose id exists. Fed by add_unstarted_run()'s rows among others.
std::string insert_runs(row_form form, const std::string& now);
std::string insert_tags(row_form form, const std::string& now);  ///< fed by add_tags()
std::string insert_run_states(row_form form, const std::string& now);

/// PostgreSQL: everything as one native statement with one data-modifying CTE for each touched table. Parameters: the leases as rows and their count;
/// then for each table its rows and, when counted, their number; `single`: leases and tables have one row each. It fails with a division by zero when a count is not met, and then nothing is written.
std::string statement_for_all(std::span<const table_statement* const> touched, bool single, const std::string& now);

/// The same for one row in each table, when nothing but the first is counted: each part asks whether the one before it found its row, which spares the counting, a tenth of what a step of a single
/// run takes. Parameters: the lease, then each table's row. It has one row; none when the lease or the first part does not fit, and then nothing is written.
std::string statement_for_one(std::span<const table_statement* const> touched, const std::string& now);
bool is_chain(std::span<const table_statement* const> touched);

/// Columns of the leases' rows, and their composite type.
inline constexpr std::array<column_spec, 2> lease_columns{{{"shard", 'i'}, {"epoch", 'i'}}};
inline constexpr std::string_view lease_row_type = "given_lease";

}  // namespace pawl::store
