// A prepared statement of PostgreSQL with its parameters in binary, past SOCI, which knows text only: numbers and rows are neither printed here nor parsed there. Only for the
// statement of a commit, which is most of what a step costs. Belongs to its connection and to that connection's thread.
#pragma once

#include "store/row_text.hpp"

#include <cstdint>
#include <string>
#include <vector>

typedef struct pg_conn PGconn;  // libpq's own name for it

namespace pawl::store {

class native_statement {
public:
    /// `sql` as for query (query.hpp): each parameter `:name` appears once, in order. Throws soci::postgresql_soci_error.
    native_statement(PGconn* connection, std::string name, const std::string& sql);

    native_statement& bind(std::int64_t number);
    /// JSON rows.
    native_statement& bind_json(std::string&& rows);
    /// Rows as an array of a composite type (row_text.hpp), whose number this is.
    native_statement& bind_composites(std::string&& rows, std::uint32_t type);
    /// The cells of a single row, one parameter each.
    native_statement& bind_cells(std::vector<row_cell>&& cells);
    /// Forgets what is bound.
    void clear() noexcept { parameters_.clear(); }

    /// As a transaction of its own, unless one is open. Returns how many rows it had; they are not looked at. Throws soci::postgresql_soci_error; what was bound is gone in any case.
    int execute();

private:
    struct parameter {
        std::string bytes;
        bool null = false;
        bool binary = true;
    };
    PGconn* connection_;
    std::string name_;
    std::vector<parameter> parameters_;
};

/// ":a, :b" becomes "$1, $2".
std::string with_numbered_parameters(const std::string& sql);

}  // namespace pawl::store
