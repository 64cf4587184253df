// The drivers' own handles behind SOCI: the few things that SOCI has no words for. Same thread rule as the session.
#pragma once

#include <soci/soci.h>
// Includes <sqlite3.h> within namespace sqlite_api.
#include <soci/sqlite3/soci-sqlite3.h>

#include <libpq-fe.h>

namespace pawl::store {

sqlite_api::sqlite3* native_sqlite(soci::session& session);
PGconn* native_postgresql(soci::session& session);

/// What libpq was told instead of a result, as SOCI would throw it.
[[noreturn]] void throw_postgresql(PGconn* connection, const PGresult* outcome);

/// Closes the connection under the session: its statements' destructors then spare one DEALLOCATE round trip each.
void finish_postgresql(soci::session& session);

/// Ends a statement that was not read to its end, and with it SQLite's read snapshot.
void reset_sqlite(soci::statement& statement);

}  // namespace pawl::store
