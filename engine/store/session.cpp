#include "store/session.hpp"

#include "store/native.hpp"
#include "store/schema.hpp"

#include <soci/postgresql/soci-postgresql.h>

#include <filesystem>
#include <thread>

#include <sys/stat.h>

namespace pawl::store {

session::session(location where, session_options options) : where_(std::move(where)), options_(options) {}

session::~session() { close(); }

void session::close() noexcept {
    if (native() != nullptr) finish_postgresql(*soci_);
    forget_statements();
    soci_.reset();
    in_transaction_ = committing_ = false;
}

void session::forget_statements() noexcept {
    queries_.clear();
    native_statements_.clear();
    sqlite_statements_.clear();
    row_types_.clear();
}

PGconn* session::native() noexcept {
    if (!soci_ || kind() != dialect::postgresql) return nullptr;
    return native_postgresql(*soci_);
}

int session::wait_for_lock(void* self, int attempts) {
    auto& me = *static_cast<session*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (attempts == 0) me.waiting_since_ = now;
    if (now - me.waiting_since_ >= me.options_.busy_timeout) return 0;
    // Commits take well under a millisecond: short sleeps share the file more fairly than SQLite's own, which grow to 100 ms.
    std::this_thread::sleep_for(std::chrono::microseconds(std::min(200 * (attempts + 1), 2000)));
    return 1;
}

store_result<void> session::check_file() {
    struct stat facts {};
    const bool there = ::stat(where_.path.c_str(), &facts) == 0;
    if (there && (file_number_ == 0 || (facts.st_dev == file_device_ && facts.st_ino == file_number_))) return {};
    if (!there && file_number_ == 0) return {};  // to be created
    // Going on would write into a file that nobody can find any more, or start an empty store under running work.
    close();
    return store_error{store_errc::refused,
                       "The store " + where_.path + " was removed or replaced while it was in use. Put the file back, or start again."};
}

store_result<void> session::open() {
    if (kind() == dialect::sqlite) {
        if (auto there = check_file(); !there) return there;
    }
    if (soci_) return {};
    ++generation_;
    try {
        if (kind() == dialect::sqlite) {
            open_sqlite();
        } else {
            open_postgresql();
        }
    } catch (...) {
        forget_statements();
        soci_.reset();
        throw;
    }
    return {};
}

namespace {

/// A connection belongs to one thread at a time, so SQLite need not lock within it, nor count the memory of the process under a lock: a tenth of a commit. Takes effect if nobody else in the
/// process has used SQLite before; without effect all is as right.
void configure_sqlite() {
    static const bool once = [] {
        using namespace sqlite_api;
        (void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        return true;
    }();
    (void)once;
}

}  // namespace

void session::open_sqlite() {
    configure_sqlite();
    soci_ = std::make_unique<soci::session>(soci::sqlite3, where_.target);
    sqlite_api::sqlite3_busy_handler(native_sqlite(*soci_), &session::wait_for_lock, this);
    // The switch to WAL does not ask the busy handler when two processes open a new file at the same moment.
    for (const auto until = std::chrono::steady_clock::now() + options_.busy_timeout;;) {
        try {
            execute("pragma journal_mode = wal");
            break;
        } catch (const soci::sqlite3_soci_error& error) {
            if ((error.result() & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= until) throw;
            std::this_thread::sleep_for(milliseconds(2));
        }
    }
    execute(
        "pragma synchronous = full; pragma temp_store = memory; pragma cache_size = -16000; pragma wal_autocheckpoint = 4000;"
        "pragma journal_size_limit = 67108864");
    if (options_.sqlite_max_pages > 0) execute(("pragma max_page_count = " + std::to_string(options_.sqlite_max_pages)).c_str());
    struct stat facts {};
    if (::stat(where_.path.c_str(), &facts) == 0) {
        file_device_ = facts.st_dev;
        file_number_ = facts.st_ino;
    }
}

void session::open_postgresql() {
    soci_ = std::make_unique<soci::session>(soci::postgresql, where_.target);
    // Every statement of the store looks up few rows by key, but fresh tables have no statistics to show it: forbid the plans that read
    // whole tables. JIT would compile such "expensive" plans. A client that stops within a transaction must not lock others out for ever. Large values are compressed by LZ4 where the
    // server has it: PostgreSQL's own way costs it three times as much as all the rest of a step with a result of 64 KB.
    execute(("set client_min_messages = warning; set search_path = \"" + where_.schema +
             "\"; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
             "set jit = off; set plan_cache_mode = force_generic_plan; set idle_in_transaction_session_timeout = '10s'; set lock_timeout = " +
             std::to_string(std::max<std::int64_t>(1, options_.busy_timeout.count())) +
             "; select set_config('default_toast_compression', 'lz4', false) from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)")
                .c_str());
}

query& session::prepared(std::string_view name, const std::function<std::string()>& sql, std::string_view parameters, std::string_view columns) {
    const auto found = queries_.find(name);
    if (found != queries_.end()) return *found->second;
    auto made = std::make_unique<query>(*soci_, sql(), parameters, columns);
    return *queries_.emplace(std::string(name), std::move(made)).first->second;
}

void session::execute(const char* sql) {
    if (kind() == dialect::sqlite) {
        auto* handle = native_sqlite(*soci_);
        const int code = sqlite_api::sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) throw soci::sqlite3_soci_error(sqlite_api::sqlite3_errmsg(handle), code);
        return;
    }
    auto* handle = native();
    const std::unique_ptr<PGresult, decltype(&PQclear)> outcome(PQexec(handle, sql), &PQclear);
    const auto status = PQresultStatus(outcome.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
    throw_postgresql(handle, outcome.get());
}

void session::begin() {
    execute(kind() == dialect::sqlite ? "begin immediate" : "begin");
    in_transaction_ = true;
}

void session::commit() {
    committing_ = true;
    execute("commit");
    committing_ = in_transaction_ = false;
}

native_statement& session::prepared_native(std::string_view name, const std::function<std::string()>& sql) {
    const auto found = native_statements_.find(name);
    if (found != native_statements_.end()) return *found->second;
    auto made = std::make_unique<native_statement>(native(), "pawl_" + std::to_string(native_statements_.size()), sql());
    return *native_statements_.emplace(std::string(name), std::move(made)).first->second;
}

sqlite_statement& session::prepared_sqlite(std::string_view name, const std::function<std::string()>& sql, std::size_t columns) {
    const auto found = sqlite_statements_.find(name);
    if (found != sqlite_statements_.end()) return *found->second;
    auto made = std::make_unique<sqlite_statement>(native_sqlite(*soci_), sql(), columns);
    return *sqlite_statements_.emplace(std::string(name), std::move(made)).first->second;
}

std::uint32_t session::row_type(std::string_view name) {
    if (row_types_.empty()) {
        auto& read = prepared(
            "row types",
            [this] {
                return "select cast(t.typname as text), cast(t.oid as bigint) from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname = '" + where_.schema +
                       "' and t.typname like 'given\\_%'";
            },
            "", "ti");
        read.execute();
        while (read.next()) {
            auto type = read.text(0);
            row_types_[std::move(type)] = static_cast<std::uint32_t>(read.number(1));
        }
    }
    const auto found = row_types_.find(name);
    return found == row_types_.end() ? 0 : found->second;  // the server then says what is wrong
}

int session::execute_and_commit(native_statement& statement) {
    committing_ = true;
    int rows = 0;
    try {
        rows = statement.execute();
    } catch (const soci::soci_error&) {
        // The server's own refusal is a clear answer; only a lost connection leaves the outcome open.
        if (auto* handle = native(); handle != nullptr && PQstatus(handle) == CONNECTION_OK) committing_ = false;
        throw;
    }
    committing_ = false;
    return rows;
}

void session::rollback() noexcept {
    if (!in_transaction_) return;
    in_transaction_ = false;
    for (auto& [name, statement] : queries_) statement->finish();
    try {
        execute("rollback");
    } catch (const soci::soci_error&) {
        // SQLite may have rolled back by itself; on PostgreSQL the connection is gone, and the transaction with it.
    }
}

void session::settle() noexcept {
    for (auto& [name, statement] : queries_) statement->finish();
    rollback();
    // After the rollback: PostgreSQL takes no DEALLOCATE in a failed transaction.
    std::erase_if(queries_, [](const auto& entry) { return entry.second->failed(); });
}

store_error session::recover(const soci::soci_error& error) noexcept {
    auto failure = describe_failure(error, where_, options_.busy_timeout, committing_);
    committing_ = false;
    settle();
    auto* connection = native();
    const bool broken = connection != nullptr && PQstatus(connection) != CONNECTION_OK;
    if (broken && failure.code != store_errc::lost) failure.code = store_errc::lost;
    if (broken || failure.code == store_errc::lost) close();
    return failure;
}

/// Statements fail that do not fit the tables of a newer version.
store_error session::explained(store_error failure) noexcept {
    if (failure.code != store_errc::failed || !soci_) return failure;
    try {
        if (auto newer = superseded()) return *newer;
    } catch (...) {
        close();
    }
    return failure;
}

std::optional<store_error> session::superseded() {
    if (options_.known_schema == 0) return std::nullopt;
    auto newer = newer_schema(*this, options_.known_schema);
    if (newer) close();
    return newer;
}

std::optional<store_error> session::superseded(std::int64_t version) {
    if (options_.known_schema == 0) return std::nullopt;
    auto newer = newer_schema(*this, options_.known_schema, version);
    if (newer) close();
    return newer;
}

const char* session::now_sql() const noexcept {
    // julianday() is exact to 0.05 ms; statement_timestamp() would stand still while a statement waits for a lock.
    return kind() == dialect::sqlite ? "cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer)"
                                     : "cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)";
}

}  // namespace pawl::store
