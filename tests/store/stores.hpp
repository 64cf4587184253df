// The two kinds of stores, as types: BOOST_AUTO_TEST_CASE_TEMPLATE(name, store_kind, every_store) runs a test over both.
#pragma once

#include "store/soci_database.hpp"
#include "support/postgres.hpp"

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace store_tests {

using namespace pawl;
using namespace pawl::store;

/// A new empty directory, gone with the object.
class scratch_directory {
public:
    scratch_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "pawl-store-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

struct sqlite_store {
    static constexpr const char* kind = "sqlite";
    scratch_directory directory;
    std::string url = "sqlite:" + directory.file("sub/store.db");
};

struct postgresql_store {
    static constexpr const char* kind = "postgresql";
    std::string url = test::fresh_postgres_url();
};

using every_store = boost::mpl::list<sqlite_store, postgresql_store>;

/// An opened store with one connection and all shards leased by "me".
template <class Kind>
struct opened {
    Kind at;
    std::shared_ptr<database> db;
    std::unique_ptr<connection> c;
    std::vector<lease> leases;

    explicit opened(open_options options = {}) : db(open_database(at.url, options).value()), c(db->connect().value()) {
        leases = c->acquire_leases("me", {}, db->shard_count(), milliseconds(60'000)).value();
    }
    std::int64_t epoch(shard_id shard) const { return leases.at(shard).epoch; }

    new_run run(const std::string& id, shard_id shard = 0) const {
        new_run r;
        r.id = id;
        r.shard = shard;
        r.definition = "d1";
        r.workflow = "default/hello:1.0.0";
        r.environment = "default";
        r.input = R"({"n":1})";
        return r;
    }

    /// A plain checkpoint of a run at `revision`, with one step.
    checkpoint step(const std::string& id, std::int64_t revision, shard_id shard = 0) const {
        checkpoint k;
        k.shard = shard;
        k.epoch = epoch(shard);
        k.run = id;
        k.expected_revision = revision;
        k.state = R"({"at":)" + std::to_string(revision + 1) + "}";
        step_row s;
        s.seq = revision + 1;
        s.task = "look";
        s.pointer = "/do/0/look";
        s.function = "orders.lookup";
        s.key = "k" + std::to_string(revision);
        s.digest = "d";
        s.outcome = "completed";
        s.started_at = time_point(milliseconds(1'700'000'000'000));
        s.ended_at = time_point(milliseconds(1'700'000'000'123));
        s.result = R"({"ok":true})";
        s.record = "{}";
        k.steps.push_back(s);
        return k;
    }

    checkpoint_outcome commit_one(const checkpoint& k) { return c->commit(std::span(&k, 1)).value().at(0); }
};

inline const std::vector<shard_id> shard_0{0};

/// Text that databases and JSON trip over: NUL, quotes, escapes, controls, UTF-8 of every length, the store's own escape, what SOCI takes for
/// parameters.
inline constexpr char awkward_bytes[] =
    "a\0b\x1a"
    "0\x1a"
    "c\"'\\\n\t\x01\x7f :name ::text $1 ? %s \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xbe \\u0000";
inline const std::string awkward(awkward_bytes, sizeof awkward_bytes - 1);

/// Waits until `done` holds, for at most ten seconds.
template <class Condition>
bool eventually(Condition&& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ::usleep(2000);
    }
    return true;
}

}  // namespace store_tests

BOOST_TEST_DONT_PRINT_LOG_VALUE(pawl::store::store_errc)
BOOST_TEST_DONT_PRINT_LOG_VALUE(pawl::store::checkpoint_outcome)
BOOST_TEST_DONT_PRINT_LOG_VALUE(pawl::store::approval_status)
BOOST_TEST_DONT_PRINT_LOG_VALUE(pawl::run_status)
BOOST_TEST_DONT_PRINT_LOG_VALUE(pawl::time_point)
