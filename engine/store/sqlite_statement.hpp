// A prepared statement of SQLite that is executed once for each of many rows, past SOCI, which copies every value. Within one process a statement for each row is cheaper than taking JSON apart.
// Belongs to its connection and to that connection's thread.
#pragma once

#include "store/native.hpp"
#include "store/row_text.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::store {

class sqlite_statement {
public:
    /// `sql` has one parameter for each column of a row, ":a", ":b"..., and may have ":now". Throws soci::sqlite3_soci_error.
    sqlite_statement(sqlite_api::sqlite3* connection, const std::string& sql, std::size_t columns);
    sqlite_statement(const sqlite_statement&) = delete;
    sqlite_statement& operator=(const sqlite_statement&) = delete;
    ~sqlite_statement();

    /// How many rows of the table were touched. Throws soci::sqlite3_soci_error; then some rows may have been executed, for the transaction to roll back.
    std::int64_t execute(const row_text& rows, std::int64_t now);

private:
    void bind(int parameter, const flat_cell& cell, const char* texts);
    void check(int code) const;

    sqlite_api::sqlite3* connection_;
    sqlite_api::sqlite3_stmt* statement_ = nullptr;
    std::vector<int> parameters_;  ///< of the columns
    int now_ = 0;
};

}  // namespace pawl::store
