#include "stores.hpp"

#include "store/location.hpp"

#include <fstream>
#include <thread>

#include <sys/stat.h>

using namespace store_tests;

namespace {

const std::string secret = "s3cr3t/p@ss";

store_error open_error(const std::string& url, const open_options& options = {}) {
    auto opened = open_database(url, options);
    BOOST_REQUIRE(opened.has_error());
    BOOST_TEST_MESSAGE(opened.error().detail);
    BOOST_TEST(opened.error().detail.find("s3cr3t") == std::string::npos);
    BOOST_TEST(opened.error().detail.find("throw-away") == std::string::npos);
    return opened.error();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    BOOST_REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(a_url_that_names_no_store_is_refused) {
    for (const auto* url :
         {"", "x", "sqlite:", "sqlite::memory:", "sqlite://host/x", "sqlite:a\"b", "mysql://u:s3cr3t@h/d", "postgresql://u:s3cr3t%zz@h/d",
          "postgresql://u:s3cr3t@h/d?nonsense=1", "postgresql://u:s3cr3t@h/d?schema=A'b", "postgresql://u:s3cr3t/@h:x/d"}) {
        BOOST_TEST((open_error(url).code == store_errc::refused), url);
    }
    BOOST_TEST((open_error(std::string("sqlite:a\0b", 10)).code == store_errc::refused));
    BOOST_TEST((open_error("sqlite:" + std::string(5000, 'x')).code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE(passwords_are_taken_out_of_urls) {
    BOOST_TEST(redact_url("postgresql://u:pw@h:5432/d") == "postgresql://u:***@h:5432/d");
    BOOST_TEST(redact_url("postgresql://u:p/w?@@h/d?x=1") == "postgresql://u:***@h/d?x=1");
    BOOST_TEST(redact_url("postgresql://h/d?user=u&password=pw&x=1") == "postgresql://h/d?user=u&password=***&x=1");
    BOOST_TEST(redact_url("postgresql://h/d?sslpassword=pw") == "postgresql://h/d?sslpassword=***");
    BOOST_TEST(redact_url("postgresql://h:5432/d") == "postgresql://h:5432/d");
    BOOST_TEST(redact_url("sqlite:a.db") == "sqlite:a.db");
}

BOOST_AUTO_TEST_CASE(a_url_survives_the_libraries_with_every_character_in_it) {
    const auto where = parse_location("postgresql://u:a%20b%22%27%3D%5C@h1:1,h2:2/d%20b?schema=staging&application_name=x%20y").value();
    BOOST_TEST(where.schema == "staging");
    BOOST_TEST(where.secrets.at(0) == "a b\"'=\\");
    BOOST_TEST(where.target.find_first_of(" \"'") == std::string::npos);
    BOOST_TEST(where.target.find("dbname=d%20b") != std::string::npos);
    BOOST_TEST(where.target.find("host=h1%2Ch2") != std::string::npos);
    BOOST_TEST(where.target.find("schema") == std::string::npos);
    BOOST_TEST(where.shown.find("a b") == std::string::npos);
    BOOST_TEST(parse_location("postgres://h/d?connect_timeout=3").value().target.find("connect_timeout=3") != std::string::npos);
    BOOST_TEST(parse_location("sqlite:///a/../b.db").value().path == "/b.db");
}

BOOST_AUTO_TEST_CASE(a_path_with_spaces_and_equals_signs_is_a_path) {
    const scratch_directory directory;
    const auto path = directory.file("a b  c=d/x y .db");
    BOOST_TEST(open_database("sqlite:" + path).has_value());
    BOOST_TEST(std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_store_is_refused_and_left_alone) {
    const scratch_directory directory;
    const auto garbage = directory.file("garbage.db");
    std::ofstream(garbage) << std::string(10'000, 'g');
    BOOST_TEST((open_error("sqlite:" + garbage).code == store_errc::refused));
    BOOST_TEST(std::filesystem::file_size(garbage) == 10'000u);
    BOOST_TEST((open_error("sqlite:" + directory.file(".")).code == store_errc::refused));
    BOOST_TEST((open_error("sqlite:" + garbage + "/x.db").code == store_errc::refused));
    BOOST_TEST((open_error("sqlite:/proc/pawl/x.db").code == store_errc::refused));
    BOOST_TEST((open_error("sqlite:/proc/x.db").code == store_errc::refused));
    const auto foreign = directory.file("foreign.db");
    BOOST_REQUIRE(std::system(("sqlite3 '" + foreign + "' 'create table t (x)'").c_str()) == 0);
    BOOST_TEST((open_error("sqlite:" + foreign).code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE(a_file_without_write_permission_is_refused) {
    if (::geteuid() == 0) {
        BOOST_TEST_MESSAGE("skipped: root may write everywhere");
        return;
    }
    const scratch_directory directory;
    const auto path = directory.file("x.db");
    BOOST_TEST(open_database("sqlite:" + path).has_value());
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    BOOST_TEST((open_error("sqlite:" + path).code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_store_that_does_not_exist_is_made_only_when_asked_for, kind, every_store) {
    kind at;
    open_options look;
    look.create = false;
    BOOST_TEST((open_error(at.url, look).code == store_errc::not_found));
    BOOST_TEST((open_error(at.url, look).code == store_errc::not_found));  // the first look left nothing behind
    BOOST_TEST(open_database(at.url).has_value());
    BOOST_TEST(open_database(at.url, look).has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_no_store_to_look_at) {
    const scratch_directory directory;
    open_options look;
    look.create = false;
    std::ofstream(directory.file("empty.db")).flush();
    const auto error = open_error("sqlite:" + directory.file("empty.db"), look);
    BOOST_TEST((error.code == store_errc::not_found));
    BOOST_TEST(error.detail.find("empty") != std::string::npos);
    BOOST_TEST((open_error("sqlite:" + directory.file("sub/none.db"), look).code == store_errc::not_found));
    BOOST_TEST(!std::filesystem::exists(directory.file("sub")));
}

BOOST_AUTO_TEST_CASE(only_the_owner_may_read_a_new_store) {
    const auto mask = ::umask(0);
    const opened<sqlite_store> s;
    ::umask(mask);
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    const std::filesystem::path file(s.at.url.substr(7));
    for (const auto& path : {file, std::filesystem::path(file.string() + "-wal"), std::filesystem::path(file.string() + "-shm"), file.parent_path()}) {
        BOOST_TEST(((std::filesystem::status(path).permissions() & others) == std::filesystem::perms::none), path.string());
    }
}

BOOST_AUTO_TEST_CASE(a_store_that_vanishes_is_an_error_and_not_a_new_empty_one) {
    opened<sqlite_store> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    const auto path = s.at.url.substr(7);
    std::filesystem::rename(path, path + ".away");
    BOOST_TEST((s.c->create_run(s.run("r2")).error().code == store_errc::refused));
    BOOST_TEST(!std::filesystem::exists(path));
    std::filesystem::rename(path + ".away", path);
    BOOST_TEST(s.c->load_run("r1").has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_newer_schema_is_refused_with_both_versions, kind, every_store) {
    kind at;
    open_options newer;
    newer.later_migrations = {{built_in_migrations().back().version + 1, "alter table runs add column note text not null default ''"}};
    BOOST_TEST(open_database(at.url, newer).has_value());
    const auto error = open_error(at.url);
    BOOST_TEST((error.code == store_errc::newer_schema));
    BOOST_TEST(error.detail.find("version " + std::to_string(built_in_migrations().back().version + 1)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_opened_before_a_newer_version_came_commits_nothing_and_takes_no_lease_after_it, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    BOOST_TEST((s.commit_one(s.step("r1", 0)) == checkpoint_outcome::committed));
    open_options newer;
    newer.later_migrations = {{built_in_migrations().back().version + 1, "alter table runs add column note text not null default ''"}};
    const auto next = open_database(s.at.url, newer).value();
    const auto is_told = [](const auto& answer) { return answer.has_error() && answer.error().code == store_errc::newer_schema; };
    const auto next_step = s.step("r1", 1);
    BOOST_TEST(is_told(s.c->commit({&next_step, 1})));
    BOOST_TEST(is_told(s.c->renew_leases("me", milliseconds(1'000))));
    BOOST_TEST(is_told(s.c->acquire_leases("me", {}, 64, milliseconds(1'000))));
    BOOST_TEST(is_told(s.c->serve("me", milliseconds(1'000))));
    BOOST_TEST(is_told(s.db->connect()));
    const auto c = next->connect().value();
    BOOST_TEST(c->load_run("r1").value().revision == 1);
    BOOST_TEST(c->list_leases().value().empty());
    const auto taken = c->acquire_leases("the newer", {}, 64, milliseconds(60'000)).value();
    BOOST_TEST(taken.size() == next->shard_count());
    BOOST_TEST(taken.front().epoch > s.leases.front().epoch);
    BOOST_TEST(is_told(s.c->commit({&next_step, 1})));
    auto mine = next_step;
    mine.epoch = taken.front().epoch;
    BOOST_TEST((c->commit({&mine, 1}).value().front() == checkpoint_outcome::committed));
}

BOOST_AUTO_TEST_CASE(a_locked_store_is_busy_and_works_afterwards) {
    open_options impatient;
    impatient.busy_timeout = milliseconds(50);
    opened<sqlite_store> s(impatient);
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    std::unique_ptr<connection> locker;
    {
        open_options holding;
        std::optional<store_error> seen;
        holding.fault_hook = [&](fault_point p) {
            if (p != fault_point::before_commit) return;
            // The other connection holds the write lock now.
            auto denied = s.c->create_run(s.run("r2"));
            if (denied.has_error()) seen = denied.error();
            BOOST_TEST(s.c->load_run("r1").has_value());  // readers are not kept out
        };
        auto other = open_database(s.at.url, holding).value();
        auto c = other->connect().value();
        const auto k = s.step("r1", 0);
        BOOST_TEST((c->commit(std::span(&k, 1)).value()[0] == checkpoint_outcome::committed));
        BOOST_REQUIRE(seen.has_value());
        BOOST_TEST((seen->code == store_errc::busy));
        BOOST_TEST(is_transient(*seen));
    }
    BOOST_TEST(s.c->create_run(s.run("r2")).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_reported_and_what_was_stored_stays) {
    open_options small;
    small.sqlite_max_pages = 200;
    opened<sqlite_store> s(small);
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    auto k = s.step("r1", 0);
    k.state = std::string(2'000'000, 'x');
    const auto full = s.c->commit(std::span(&k, 1)).error();
    BOOST_TEST((full.code == store_errc::full));
    BOOST_TEST(s.c->load_run("r1").value().revision == 0);
    k.state = "{}";
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
}

BOOST_AUTO_TEST_CASE(postgresql_refusals_are_told_apart_from_losses) {
    const auto url = test::fresh_postgres_url();
    const auto colon = url.find(':', url.find("://") + 3);
    if (colon == std::string::npos || colon > url.find('@')) {
        BOOST_TEST_MESSAGE("skipped: the given server's URL has no password");
        return;
    }
    const auto password = url.substr(colon, url.find('@') - colon);
    BOOST_TEST((open_error(replaced(url, password, ":s3cr3t")).code == store_errc::refused));
    BOOST_TEST((open_error(replaced(url, "/pawl_test_", "/no_such_")).code == store_errc::refused));
    const auto host = url.substr(url.find('@'), url.find('/', url.find('@')) - url.find('@'));
    const auto gone = open_error(replaced(url, host, "@127.0.0.1:1"));
    BOOST_TEST((gone.code == store_errc::lost));
    BOOST_TEST(gone.detail.find("127.0.0.1:1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_connection_comes_back_after_the_server_ended_it) {
    opened<postgresql_store> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    BOOST_TEST((s.commit_one(s.step("r1", 0)) == checkpoint_outcome::committed));
    auto bell = s.db->listen().value();
    test::psql(s.at.url, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
    const auto k = s.step("r1", 1);
    const auto lost = s.c->commit(std::span(&k, 1)).error();
    BOOST_TEST((lost.code == store_errc::lost));
    BOOST_TEST_MESSAGE(lost.detail);
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST((bell->wait(milliseconds(10'000)).error().code == store_errc::lost));
    BOOST_TEST(!bell->wait(milliseconds(0)).value());
    BOOST_TEST(s.c->post({0, "", "reset", "x", "1", "{}"}).value());
    BOOST_TEST(bell->wait(milliseconds(10'000)).value());
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_in_the_middle_of_a_commit_leaves_all_or_nothing) {
    std::string url;
    bool armed = false;
    open_options options;
    options.fault_hook = [&](fault_point p) {
        if (p != fault_point::before_commit || !armed) return;
        armed = false;
        test::psql(url, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
    };
    opened<postgresql_store> s(options);
    url = s.at.url;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    armed = true;
    const auto k = s.step("r1", 0);
    const auto lost = s.c->commit(std::span(&k, 1)).error();
    BOOST_TEST((lost.code == store_errc::lost));
    BOOST_TEST(lost.detail.find("not known") != std::string::npos);
    BOOST_TEST(s.c->load_run("r1").value().revision == 0);
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
}

BOOST_AUTO_TEST_CASE(a_locked_row_on_postgresql_is_busy) {
    open_options impatient;
    impatient.busy_timeout = milliseconds(50);
    opened<postgresql_store> s(impatient);
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    std::optional<store_error> seen;
    open_options holding;
    holding.fault_hook = [&](fault_point p) {
        if (p != fault_point::before_commit) return;
        // A change of the lease waits for the commit under way.
        auto denied = s.c->renew_leases("me", milliseconds(1'000));
        if (denied.has_error()) seen = denied.error();
    };
    auto other = open_database(s.at.url, holding).value()->connect().value();
    // A stale checkpoint in the batch makes the commit a transaction of several statements, which holds its locks at the hook.
    std::vector<checkpoint> batch{s.step("r1", 0), s.step("r1", 0)};
    batch[1].run = "other";
    batch[1].epoch -= 1;
    BOOST_TEST((other->commit(batch).value()[0] == checkpoint_outcome::committed));
    BOOST_REQUIRE(seen.has_value());
    BOOST_TEST((seen->code == store_errc::busy));
}

BOOST_AUTO_TEST_CASE(a_restarted_server_is_found_again) {
    test::postgres_cluster cluster;
    const auto url = cluster.fresh_url();
    auto db = open_database(url).value();
    auto c = db->connect().value();
    BOOST_TEST(c->now().has_value());
    cluster.stop();
    BOOST_TEST((c->now().error().code == store_errc::lost));
    const auto down = c->now().error();
    BOOST_TEST((down.code == store_errc::lost));
    BOOST_TEST(is_transient(down));
    cluster.start();
    BOOST_TEST(c->now().has_value());
}

BOOST_AUTO_TEST_CASE(tables_that_are_gone_are_refused_and_not_made_anew) {
    opened<postgresql_store> s;
    test::psql(s.at.url, "drop schema pawl cascade");
    BOOST_TEST((s.c->create_run(s.run("r1")).error().code == store_errc::refused));
}

BOOST_AUTO_TEST_SUITE_END()
