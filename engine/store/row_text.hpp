// Many rows as one statement parameter: JSON text that PostgreSQL's json_to_recordset and SQLite's json_each turn into a row source.
// So a batch costs one statement per table, however many rows it has. Plain values; any thread.
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
    /// The JSON arrays, usually one: very large batches are cut so that no parameter grows beyond bounds.
    std::vector<std::string> take();

private:
    void cell();
    dialect kind_;
    std::vector<std::string> full_;
    std::string open_;
    std::size_t rows_ = 0;
    char next_ = 'a';
};

struct column_spec {
    std::string_view name;
    char kind;  ///< 't' text, 'i' 64-bit integer
};

/// "(select ... ) r": a row source with these columns, fed by one parameter `:rows`. At most 26 columns.
std::string rows_source(dialect kind, std::span<const column_spec> columns);

/// One column `shard`, for "these shards".
std::string shards_source(dialect kind);
std::string shard_rows(dialect kind, std::span<const shard_id> shards);

}  // namespace pawl::store
