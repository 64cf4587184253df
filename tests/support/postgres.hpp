// A throw-away PostgreSQL for tests: databases that exist only for one test program.
//
// With PAWL_TEST_POSTGRES set (the URL of a server whose user may create databases) databases are made there and dropped at exit. Without it
// the first call starts a cluster in a temporary directory: loopback and a socket in that directory only, a free port, password authentication over
// TCP, no fsync. It ends and its directory goes when the program ends, however it ends. Any thread; throws std::runtime_error with a sentence when
// there is no PostgreSQL to start.
#pragma once

#include <memory>
#include <string>

namespace pawl::test {

/// The URL of a new, empty database.
std::string fresh_postgres_url();

/// Runs SQL with psql on the database of `url` and returns what it prints (unaligned, tuples only). Throws when psql fails.
std::string psql(const std::string& url, const std::string& sql);

/// A cluster of one's own, for tests that stop the server. One thread.
class postgres_cluster {
public:
    postgres_cluster();
    postgres_cluster(const postgres_cluster&) = delete;
    postgres_cluster& operator=(const postgres_cluster&) = delete;
    ~postgres_cluster();

    std::string fresh_url();
    void stop();   ///< at once, as a crash would
    void start();  ///< again, on the same port

    /// A streaming standby of this server with a port of its own. From now on a commit waits until the standby has it, so that a promotion loses nothing.
    void add_standby();
    /// The standby becomes the server; this one is to be stopped before.
    void promote_standby();
    /// The database of fresh_url() at whichever of the two takes writes.
    std::string with_standby(const std::string& url) const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace pawl::test
