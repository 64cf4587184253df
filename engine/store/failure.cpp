#include "store/failure.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>

namespace pawl::store {
namespace {

std::string capitalised(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

/// The driver's own words: its first line only (DETAIL lines quote rows), without SOCI's prefix and without secrets.
std::string driver_words(const soci::soci_error& error, const location& where) {
    std::string text = error.get_error_message();
    for (const std::string_view marker : {"FATAL:  ", "ERROR:  ", "PANIC:  ", "Connection failed. ", "loadOne: ", "loadRS: ", "prepare: "}) {
        const auto at = text.find(marker);
        if (at != std::string::npos) {
            text.erase(0, at + marker.size());
            break;
        }
    }
    if (const auto at = text.find("the database.\n"); at != std::string::npos) text.erase(0, at + 14);
    text.erase(std::min(text.find('\n'), text.size()));
    for (const auto& secret : where.secrets) {
        for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) text.replace(at, secret.size(), "***");
    }
    if (text.size() > 300) text.resize(300);
    return text;
}

store_error locked(const location& where, milliseconds busy_timeout) {
    return {store_errc::busy, capitalised(where.shown) + " was locked by somebody else for longer than " + to_human(busy_timeout) +
                                  "; nothing was written. Try again, or find the process that holds the lock."};
}

store_error lost(const location& where, const std::string& why, bool committing) {
    return {store_errc::lost, "The connection to " + where.shown + " is lost (" + why + ")" +
                                  (committing ? "; whether the last transaction was committed is not known." : "; nothing was written.")};
}

store_error of_sqlite(int extended, const location& where, milliseconds busy_timeout, const std::string& words, bool committing) {
    const auto name = capitalised(where.shown);
    switch (extended & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return locked(where, busy_timeout);
        case SQLITE_FULL:
            return {store_errc::full, name + " cannot grow: the disk or the quota is full. Free some space; nothing is lost."};
        case SQLITE_IOERR:
            return {store_errc::lost, "Reading or writing " + where.shown + " failed (" + words + "): check the disk" +
                                          (committing ? "; whether the last transaction was committed is not known." : ".")};
        case SQLITE_NOTADB:
            return {store_errc::refused, name + " is not an SQLite database. Name another file, or move this one away."};
        case SQLITE_CORRUPT:
            return {store_errc::refused, name + " is damaged (" + words + "). Restore it from a backup."};
        case SQLITE_READONLY:
            return {store_errc::refused, name + " is read-only. Make the file and its directory writable for this user."};
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return {store_errc::refused, name + " cannot be opened. Check that the directory exists and is writable for this user."};
        case SQLITE_TOOBIG:
            return {store_errc::failed, "A value is too large for " + where.shown + " (1 GB)."};
        default:
            return {store_errc::failed, name + " answered an error: " + words + "."};
    }
}

/// libpq gives no SQLSTATE for a failed connect: the sentence decides. Without "FATAL" it is the network's.
store_error of_connect(const std::string& text, const location& where, const std::string& words) {
    const auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
    if (has("too many clients") || has("remaining connection slots") || has("too many connections")) {
        return {store_errc::busy, capitalised(where.shown) + " has no free connection (" + words + "). Try again, or raise max_connections."};
    }
    if (has("starting up") || has("shutting down") || has("recovery mode") || has("not accept") || has("not yet accept"))
        return lost(where, words, false);
    if (has("FATAL") || has("no password supplied") || has("certificate") || has("SSL") || has("authentication method")) {
        return {store_errc::refused,
                capitalised(where.shown) + " refuses the connection: " + words + ". Check user, password and database in the store URL."};
    }
    return {store_errc::lost,
            capitalised(where.shown) + " cannot be reached: " + words + ". Check that the server runs and that host and port are right."};
}

store_error of_postgresql(std::string_view state, const location& where, milliseconds busy_timeout, const std::string& words, bool committing) {
    const auto name = capitalised(where.shown);
    const auto is = [&](auto... codes) { return (state.starts_with(codes) || ...); };
    if (is("08", "57P", "25P03", "25006")) return lost(where, words, committing);
    if (is("53100")) return {store_errc::full, name + ": the server's disk is full. Free some space there; nothing is lost."};
    if (is("53")) return {store_errc::busy, name + " is short of resources (" + words + "); nothing was written. Try again."};
    if (is("55P03", "40", "57014")) return locked(where, busy_timeout);
    if (is("28", "3D000", "42501")) {
        return {store_errc::refused, name + " refuses: " + words + ". Check user, rights and database in the store URL."};
    }
    if (is("42P01", "3F000", "42703"))
        return {store_errc::refused, name + ": schema \"" + where.schema + "\" does not hold Pawl's tables any more (" + words + ")."};
    if (is("58", "XX")) return {store_errc::lost, name + " reports a fault of its own: " + words + "."};
    return {store_errc::failed, name + " answered an error: " + words + " (SQLSTATE " + std::string(state) + ")."};
}

}  // namespace

store_error describe_failure(const soci::soci_error& error, const location& where, milliseconds busy_timeout, bool committing) {
    const auto words = driver_words(error, where);
    if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
        return of_sqlite(sqlite->result(), where, busy_timeout, words, committing);
    }
    if (const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
        return of_postgresql(postgresql->sqlstate(), where, busy_timeout, words, committing);
    }
    if (where.kind == dialect::postgresql && error.get_error_message().starts_with("Cannot establish connection")) {
        return of_connect(error.get_error_message(), where, words);
    }
    return {store_errc::failed, capitalised(where.shown) + ": " + words + "."};
}

}  // namespace pawl::store
