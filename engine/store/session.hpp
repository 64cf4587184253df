// One SOCI session to one store: opens it lazily, keeps its prepared statements, classifies its failures and reconnects after a loss.
// Belongs to one thread at a time. Only functions under run() may touch the database.
#pragma once

#include "store/failure.hpp"
#include "store/native_statement.hpp"
#include "store/query.hpp"
#include "store/row_text.hpp"
#include "store/sqlite_statement.hpp"

#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <type_traits>

namespace pawl::store {

struct session_options {
    milliseconds busy_timeout{5'000};
    std::int64_t sqlite_max_pages = 0;  ///< 0: no quota
    int known_schema = 0;               ///< a store of a later version is refused, whenever it becomes one; 0: any is taken
};

class session {
public:
    session(location where, session_options options);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    const location& where() const noexcept { return where_; }
    dialect kind() const noexcept { return where_.kind; }

    /// Runs `body` on an open session. What SOCI throws becomes a store_error; a transaction that `body` left open is rolled back.
    template <class Body>
    std::invoke_result_t<Body&> run(Body&& body) {
        try {
            const auto before = generation_;
            if (auto opened = open(); !opened) return opened.error();
            if (generation_ != before) {
                if (auto newer = superseded()) return *newer;
            }
            auto outcome = body();
            settle();
            return outcome;
        } catch (const soci::soci_error& error) {
            return explained(recover(error));
        } catch (const std::bad_alloc&) {
            return recover(soci::soci_error("out of memory"));
        }
    }

    /// The statement called `name`, prepared on first use from what `sql` returns. Throws soci_error.
    query& prepared(std::string_view name, const std::function<std::string()>& sql, std::string_view parameters, std::string_view columns);

    /// The same on PostgreSQL, past SOCI.
    native_statement& prepared_native(std::string_view name, const std::function<std::string()>& sql);
    /// The same on SQLite; a row has so many columns.
    sqlite_statement& prepared_sqlite(std::string_view name, const std::function<std::string()>& sql, std::size_t columns);
    /// The number of a composite type of ours. Throws soci_error.
    std::uint32_t row_type(std::string_view name);

    /// Under run(): the store has become one of a newer version, and the session is closed. Throws soci_error.
    std::optional<store_error> superseded();
    /// The same, of a version that was read already.
    std::optional<store_error> superseded(std::int64_t version);
    int known_schema() const noexcept { return options_.known_schema; }

    /// Several statements without parameters or results. Throws soci_error.
    void execute(const char* sql);

    /// SQLite: takes the write lock at once (no later upgrade that could fail). Throws soci_error.
    void begin();
    void commit();
    int execute_and_commit(native_statement& statement);  ///< returns its number of rows; it is a transaction of its own
    void rollback() noexcept;

    /// SQL for the database's time in milliseconds, constant within a statement.
    const char* now_sql() const noexcept;

    /// PostgreSQL only, null when closed: for LISTEN.
    PGconn* native() noexcept;
    /// Counts the connections this session opened: another number, another connection.
    std::uint64_t generation() const noexcept { return generation_; }
    void close() noexcept;

private:
    store_result<void> open();
    void open_sqlite();
    void open_postgresql();
    store_result<void> check_file();
    void forget_statements() noexcept;
    void settle() noexcept;
    store_error recover(const soci::soci_error& error) noexcept;
    store_error explained(store_error failure) noexcept;

    location where_;
    session_options options_;
    std::unique_ptr<soci::session> soci_;
    std::map<std::string, std::unique_ptr<query>, std::less<>> queries_;
    std::map<std::string, std::unique_ptr<native_statement>, std::less<>> native_statements_;
    std::map<std::string, std::unique_ptr<sqlite_statement>, std::less<>> sqlite_statements_;
    std::map<std::string, std::uint32_t, std::less<>> row_types_;
    std::chrono::steady_clock::time_point waiting_since_{};  ///< SQLite's busy handler
    std::uint64_t generation_ = 0;
    bool in_transaction_ = false;
    bool committing_ = false;
    std::uint64_t file_device_ = 0, file_number_ = 0;  ///< of the SQLite file when it was opened

    static int wait_for_lock(void* self, int attempts);
};

}  // namespace pawl::store
