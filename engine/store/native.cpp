#include "store/native.hpp"

#include <soci/postgresql/soci-postgresql.h>

// SOCI's libraries hide the type information of their back-end classes, so UBSan's check of these downcasts cannot link.
#define PAWL_UNCHECKED_CAST __attribute__((no_sanitize("vptr")))

namespace pawl::store {

PAWL_UNCHECKED_CAST sqlite_api::sqlite3* native_sqlite(soci::session& session) {
    return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

PAWL_UNCHECKED_CAST PGconn* native_postgresql(soci::session& session) {
    return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

void throw_postgresql(PGconn* connection, const PGresult* outcome) {
    const char* state = PQresultErrorField(outcome, PG_DIAG_SQLSTATE);
    const char* words = outcome != nullptr ? PQresultErrorMessage(outcome) : PQerrorMessage(connection);
    throw soci::postgresql_soci_error(words, state != nullptr ? state : PQstatus(connection) == CONNECTION_OK ? "XX000" : "08006");
}

PAWL_UNCHECKED_CAST void finish_postgresql(soci::session& session) {
    auto* backend = static_cast<soci::postgresql_session_backend*>(session.get_backend());
    PQfinish(backend->conn_);
    backend->conn_ = nullptr;
}

PAWL_UNCHECKED_CAST void reset_sqlite(soci::statement& statement) {
    sqlite_api::sqlite3_reset(static_cast<soci::sqlite3_statement_backend*>(statement.get_backend())->stmt_);
}

}  // namespace pawl::store
