// One prepared statement with the variables it is bound to, over SOCI. Belongs to its session and to that session's thread.
//
// Why not SOCI's streams: variables bound with use() must outlive the statement, vectors are re-sent with old values on PostgreSQL, and a
// SELECT that is not read to its end keeps SQLite's read snapshot open. Here the query owns its variables and finish() ends the snapshot.
#pragma once

#include "store/row_text.hpp"

#include <soci/soci.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::store {

/// PostgreSQL's text cannot hold NUL and SQLite's JSON cuts at it: NUL is stored as U+001A '0', U+001A as U+001A '1'. Invalid UTF-8 becomes U+FFFD.
std::string to_stored(std::string_view text);
std::string from_stored(std::string text);
/// Whether the stored form of a text may differ from it.
bool needs_care(std::string_view text);

class query {
public:
    /// One letter for each parameter and column: 't' text, 'i' 64-bit integer. Each parameter appears once in `sql`, in order. Throws soci_error.
    query(soci::session& session, const std::string& sql, std::string_view parameters, std::string_view columns);
    query(const query&) = delete;
    query& operator=(const query&) = delete;

    /// Sets the next parameter; execute() starts over.
    query& bind(std::string_view text);
    query& bind(std::int64_t number);
    /// JSON rows (row_text.hpp): already in stored form.
    query& bind_rows(std::string&& rows);
    /// The cells of a single row, one parameter each.
    query& bind_cells(std::vector<row_cell>&& cells);

    query& execute();  ///< throws soci_error
    bool next();       ///< the next row; false at the end, with the statement finished
    std::string text(std::size_t column);
    std::int64_t number(std::size_t column) const { return columns_[column].number; }
    std::optional<std::int64_t> maybe_number(std::size_t column) const;
    std::int64_t affected() { return statement_.get_affected_rows(); }

    /// True after execute() threw: SOCI then still holds its copies of the parameters, and another execute() would leak them. To be destroyed.
    bool failed() const noexcept { return failed_; }

    /// Ends a statement that was not read to its end. No-op otherwise.
    void finish() noexcept;

private:
    struct variable {
        std::string text;
        long long number = 0;
        soci::indicator state = soci::i_ok;
    };
    // Before the statement: SOCI's bindings point into them until it is destroyed.
    std::deque<variable> parameters_;
    std::deque<variable> columns_;
    std::size_t bound_ = 0;
    bool reading_ = false;
    bool failed_ = false;
    bool sqlite_;
    soci::statement statement_;
};

}  // namespace pawl::store
