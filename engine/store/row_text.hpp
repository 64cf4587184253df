// Rows as a row source of one statement, so that a batch costs one statement per table, however many rows it has. Many rows are one parameter: JSON text
// that PostgreSQL's json_to_recordset and SQLite's json_each take apart. A single row may be given as one parameter for each cell instead: that spares
// the database the JSON, most of what a small commit costs beside its write. Plain values; any thread.
#pragma once

#include "base/clock.hpp"
#include "store/location.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::store {

/// One value of a single row.
struct row_cell {
    std::string text;  ///< not yet in stored form
    std::int64_t number = 0;
    bool is_text = false;
    bool null = false;
};

/// Collects rows; every row gets the same cells in the same order. Texts are brought into stored form (query.hpp).
class row_text {
public:
    explicit row_text(dialect kind) : kind_(kind) {}

    row_text& row();
    row_text& text(std::string_view value);
    row_text& number(std::int64_t value);
    row_text& maybe(std::optional<time_point> value);
    row_text& time(time_point value) { return number(value.time_since_epoch().count()); }

    std::size_t size() const noexcept { return rows_; }
    bool empty() const noexcept { return rows_ == 0; }
    bool is_single() const noexcept { return rows_ == 1; }
    /// The JSON arrays, usually one: very large batches are cut so that no parameter grows beyond bounds.
    std::vector<std::string> take();
    /// The cells of a single row.
    std::vector<row_cell> take_single();

private:
    void open_row();
    void write_first_row();
    void cell();
    void write(std::string_view text);
    void write(std::int64_t number);
    void write_null();

    dialect kind_;
    std::vector<row_cell> first_;  ///< the first row, until a second one comes
    std::vector<std::string> full_;
    std::string open_;
    std::size_t rows_ = 0;
    char next_ = 'a';
};

struct column_spec {
    std::string_view name;
    char kind;  ///< 't' text, 'i' 64-bit integer
};

/// How a statement gets its rows.
struct row_form {
    row_form(dialect kind, bool single = false) : kind(kind), single(single) {}
    dialect kind;
    bool single;  ///< one row: a parameter for each cell
};

/// "(select ... ) r": a row source with these columns, fed by one parameter `:rows`, or by one parameter for each column. At most 26 columns.
std::string rows_source(row_form form, std::span<const column_spec> columns);
/// The letters of a single row's parameters (query.hpp).
std::string parameters_of(std::span<const column_spec> columns);

/// Behind the name of a table: the index to read it by. SQLite chooses by statistics, which a young file does not have, and may read a whole table
/// instead; on PostgreSQL the session's settings forbid that.
std::string indexed_by(dialect kind, std::string_view index);

/// One column `shard`, for "these shards".
std::string shards_source(dialect kind);
std::string shard_rows(dialect kind, std::span<const shard_id> shards);

}  // namespace pawl::store
