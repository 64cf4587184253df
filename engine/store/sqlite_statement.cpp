#include "store/sqlite_statement.hpp"

namespace pawl::store {

using namespace sqlite_api;

sqlite_statement::sqlite_statement(sqlite3* connection, const std::string& sql, std::size_t columns) : connection_(connection) {
    check(sqlite3_prepare_v3(connection_, sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
    for (std::size_t i = 0; i < columns; ++i) parameters_.push_back(sqlite3_bind_parameter_index(statement_, (":" + std::string(1, static_cast<char>('a' + i))).c_str()));
    now_ = sqlite3_bind_parameter_index(statement_, ":now");
}

sqlite_statement::~sqlite_statement() { sqlite3_finalize(statement_); }

void sqlite_statement::check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE) throw soci::sqlite3_soci_error(sqlite3_errmsg(connection_), code);
}

/// Texts are not copied: they outlive the execution.
void sqlite_statement::bind(int parameter, const flat_cell& cell, const char* texts) {
    switch (cell.what) {
        case flat_cell::kind::text: return check(sqlite3_bind_text(statement_, parameter, texts + cell.at, static_cast<int>(cell.size), nullptr));
        case flat_cell::kind::number: return check(sqlite3_bind_int64(statement_, parameter, cell.number));
        case flat_cell::kind::null: return check(sqlite3_bind_null(statement_, parameter));
    }
}

std::int64_t sqlite_statement::execute(const row_text& rows, std::int64_t now) {
    if (now_ != 0) check(sqlite3_bind_int64(statement_, now_, now));
    std::int64_t affected = 0;
    const auto cells = rows.cells();
    for (std::size_t at = 0; at + parameters_.size() <= cells.size(); at += parameters_.size()) {
        for (std::size_t i = 0; i < parameters_.size(); ++i) bind(parameters_[i], cells[at + i], rows.texts());
        const auto done = sqlite3_step(statement_);
        if (done == SQLITE_DONE) affected += sqlite3_changes(connection_);
        const auto ended = sqlite3_reset(statement_);
        check(done == SQLITE_DONE ? ended : done);
    }
    sqlite3_clear_bindings(statement_);
    return affected;
}

}  // namespace pawl::store
