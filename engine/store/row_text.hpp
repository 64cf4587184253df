// Rows as a row source of one statement, so that a batch costs one statement per table, however many rows it has. Many rows are one parameter: JSON text
// that PostgreSQL's json_to_recordset and SQLite's json_each take apart; for the statement of a commit on PostgreSQL (native_statement.hpp) an array of a composite
// type in its binary form, which costs the server a third less; and on SQLite plain cells, bound row by row (sqlite_statement.hpp), for half of what its JSON costs. A single row may
// be given as one parameter for each cell anywhere.
// Plain values; any thread.
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

/// One value of many; its text stands in a buffer that all share.
struct flat_cell {
    enum class kind : unsigned char { text, number, null };
    kind what;
    std::size_t at = 0, size = 0;
    std::int64_t number = 0;
};

enum class row_encoding { json, composites, cells };

/// Collects rows; every row gets the same cells in the same order. Texts are brought into stored form (query.hpp).
class row_text {
public:
    explicit row_text(dialect kind, row_encoding encoding = row_encoding::json) : kind_(kind), encoding_(encoding) {}

    row_text& row();
    row_text& text(std::string_view value);
    row_text& number(std::int64_t value);
    row_text& maybe(std::optional<time_point> value);
    row_text& time(time_point value) { return number(value.time_since_epoch().count()); }

    std::size_t size() const noexcept { return rows_; }
    bool empty() const noexcept { return rows_ == 0; }
    bool is_single() const noexcept { return rows_ == 1; }
    /// Encoded as cells: all of them, row by row, and what their texts lie in.
    std::span<const flat_cell> cells() const noexcept { return cells_; }
    const char* texts() const noexcept { return open_.data(); }
    row_encoding encoding() const noexcept { return encoding_; }
    /// The arrays, usually one: very large batches are cut so that no parameter grows beyond bounds. Composites lack their type: set_composite_type().
    std::vector<std::string> take();
    /// The cells of a single row.
    std::vector<row_cell> take_single();

private:
    void open_row();
    void open_composite();
    void close_composite();
    void close_chunk();
    void write_first_row();
    void cell();
    void composite_cell(std::uint32_t type, std::string_view bytes);
    bool holds_back() const noexcept { return rows_ == 1 && encoding_ != row_encoding::cells; }
    void write(std::string_view text);
    void write(std::int64_t number);
    void write_null();

    dialect kind_;
    row_encoding encoding_;
    std::vector<row_cell> first_;  ///< the first row, until a second one comes
    std::vector<flat_cell> cells_;
    std::vector<std::string> full_;
    std::string open_;
    std::size_t rows_ = 0;
    char next_ = 'a';
    std::size_t row_at_ = 0;        ///< composites: where the open row begins; 0 for none
    std::uint32_t row_cells_ = 0;   ///< composites: its cells so far
    std::uint32_t chunk_rows_ = 0;  ///< composites: rows since the last cut
};

void append_big_endian(std::string& out, std::int64_t number);
/// An array of composites knows the number of its type, which differs from database to database.
void set_composite_type(std::string& rows, std::uint32_t type);

struct column_spec {
    std::string_view name;
    char kind;  ///< 't' text, 'i' 64-bit integer
};

/// How a statement gets its rows.
struct row_form {
    row_form(dialect kind, bool single = false, std::string_view type = {}, std::string_view after = {}) : kind(kind), single(single), type(type), after(after) {}
    dialect kind;
    bool single;             ///< one row: a parameter for each cell
    std::string_view type;   ///< of composites; empty for JSON
    std::string_view after;  ///< single: there is a row only if this source has one
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
