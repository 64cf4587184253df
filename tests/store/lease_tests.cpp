#include "stores.hpp"

#include "store/session.hpp"

#include <csignal>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include <sys/wait.h>

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(leases)

namespace {
constexpr milliseconds long_time{60'000};
}

BOOST_AUTO_TEST_CASE_TEMPLATE(leases_are_taken_shared_renewed_and_released, kind, every_store) {
    kind at;
    auto db = open_database(at.url).value();
    auto c = db->connect().value();
    BOOST_TEST(c->list_leases().value().empty());
    const auto mine = c->acquire_leases("me", {}, 40, long_time).value();
    BOOST_TEST(mine.size() == 40u);
    BOOST_TEST(mine[0].epoch == 1);
    const auto theirs = c->acquire_leases("them", {}, 64, long_time).value();
    BOOST_TEST(theirs.size() == 24u);
    BOOST_TEST(c->acquire_leases("third", {}, 64, long_time).value().empty());
    BOOST_TEST(c->acquire_leases("third", std::vector<shard_id>{0, 63}, 64, long_time).value().empty());
    const auto same = c->acquire_leases("me", std::vector<shard_id>{0, 1}, 5, long_time).value();
    BOOST_REQUIRE(same.size() == 2u);
    BOOST_TEST(same[1].epoch == 1);
    BOOST_TEST(c->renew_leases("me", long_time).value().size() == 40u);
    BOOST_TEST(c->renew_leases("nobody", long_time).value().empty());
    const auto rows = c->list_leases().value();
    BOOST_REQUIRE(rows.size() == 64u);
    BOOST_TEST((rows[0].owner == "me" && rows[63].owner == "them"));
    BOOST_TEST((rows[0].expires_at > c->now().value()));
    BOOST_TEST(c->release_leases("me").has_value());
    const auto again = c->acquire_leases("third", std::vector<shard_id>{3}, 64, long_time).value();
    BOOST_REQUIRE(again.size() == 1u);
    BOOST_TEST(again[0].shard == 3u);
    BOOST_TEST(again[0].epoch == 2);
    BOOST_TEST(c->list_leases().value().size() == 25u);
    BOOST_TEST((c->acquire_leases("me", std::vector<shard_id>{64}, 1, long_time).error().code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_expired_lease_may_be_taken_and_its_owner_notices, kind, every_store) {
    kind at;
    auto db = open_database(at.url).value();
    auto c = db->connect().value();
    BOOST_TEST(c->acquire_leases("slow", std::vector<shard_id>{0, 1}, 2, milliseconds(0)).value().size() == 2u);
    const auto taken = c->acquire_leases("fast", std::vector<shard_id>{0}, 1, long_time).value();
    BOOST_REQUIRE(taken.size() == 1u);
    BOOST_TEST(taken[0].epoch == 2);
    // Expired but taken by nobody: still its own.
    const auto held = c->renew_leases("slow", long_time).value();
    BOOST_REQUIRE(held.size() == 1u);
    BOOST_TEST(held[0].shard == 1u);
    BOOST_TEST(held[0].epoch == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_lease_of_a_dead_process_is_free_at_once, kind, every_store) {
    kind at;
    auto db = open_database(at.url).value();
    auto c = db->connect().value();
    int pipe_ends[2];
    BOOST_REQUIRE(::pipe(pipe_ends) == 0);
    const auto child = ::fork();
    if (child == 0) {
        const auto me = this_process_as_owner();
        [[maybe_unused]] const auto written = ::write(pipe_ends[1], me.data(), me.size());
        ::pause();
        ::_exit(0);
    }
    char text[512];
    const auto length = ::read(pipe_ends[0], text, sizeof text);
    BOOST_REQUIRE(length > 0);
    const std::string owner(text, static_cast<std::size_t>(length));
    BOOST_TEST(c->acquire_leases(owner, std::vector<shard_id>{0}, 1, long_time).value().size() == 1u);
    BOOST_TEST(!owner_is_dead(owner));
    BOOST_TEST(c->acquire_leases("me", std::vector<shard_id>{0}, 1, long_time).value().empty());
    ::kill(child, SIGKILL);
    BOOST_TEST(eventually([&] { return owner_is_dead(owner); }));  // even before anybody has waited for it
    const auto taken = c->acquire_leases("me", std::vector<shard_id>{0}, 1, long_time).value();
    BOOST_REQUIRE(taken.size() == 1u);
    BOOST_TEST(taken[0].epoch == 2);
    ::waitpid(child, nullptr, 0);
    BOOST_TEST(owner_is_dead(owner));
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
}

namespace {

/// Holds the row of shard 5 until it goes, in a session of its own.
class holder {
public:
    explicit holder(const std::string& url) : session_(parse_location(url).value(), {}) {
        BOOST_REQUIRE(session_.run([&]() -> store_result<void> {
            session_.execute("begin; select 1 from leases where shard = 5 for update");
            return {};
        }).has_value());
    }

private:
    session session_;
};

/// How many sessions of the database wait for a lock.
std::string waiting_sessions(const std::string& url) {
    return test::psql(url, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
}

/// The shards whose rows nobody has locked.
std::string free_rows(const std::string& url) {
    return test::psql(url, "select string_agg(cast(shard as text), ' ' order by shard) from (select shard from pawl.leases where shard < 10 for update skip locked) f");
}

}  // namespace

// The rows lie in the opposite order, and whoever locks them as they lie would hold 9 to 6 while it waits for 5: and somebody who takes them in ascending order then waits for it.
BOOST_AUTO_TEST_CASE(leases_are_locked_in_the_order_of_their_shards) {
    postgresql_store at;
    auto db = open_database(at.url).value();
    const std::vector<shard_id> wanted{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const auto taken = db->connect().value()->acquire_leases("me", wanted, wanted.size(), long_time).value();
    BOOST_TEST(taken.size() == wanted.size());
    const std::vector<std::pair<const char*, std::function<std::size_t(connection&)>>> all{
        {"renew", [](connection& c) { return c.renew_leases("me", long_time).value().size(); }},
        {"release some", [&](connection& c) { return c.release_shards("me", std::vector<shard_id>{9, 6, 5, 2}).has_value() ? 10u : 0u; }},
        {"claim", [&](connection& c) { return c.acquire_leases("me", wanted, 10, long_time).value().size(); }},
        {"release", [](connection& c) { return c.release_leases("me").has_value() ? 10u : 0u; }},
    };
    for (const auto& [name, act] : all) {
        BOOST_TEST_INFO_SCOPE(name);
        for (int shard = 9; shard >= 0; --shard) test::psql(at.url, "update pawl.leases set epoch = epoch where shard = " + std::to_string(shard));
        auto c = db->connect().value();
        auto held = std::make_unique<holder>(at.url);
        auto done = std::async(std::launch::async, [&] { return act(*c); });
        BOOST_TEST(eventually([&] { return waiting_sessions(at.url) == "1"; }));
        BOOST_TEST(free_rows(at.url).ends_with("6 7 8 9"), free_rows(at.url));
        held.reset();
        BOOST_TEST(done.get() == 10u);
    }
}

BOOST_AUTO_TEST_CASE(only_processes_of_this_host_are_ever_called_dead) {
    const auto me = this_process_as_owner();
    BOOST_TEST(!owner_is_dead(me));
    BOOST_TEST(!owner_is_dead(""));
    BOOST_TEST(!owner_is_dead("me"));
    BOOST_TEST(!owner_is_dead("pawl/other-boot/pid:[1]/1/1"));
    const auto last = me.rfind('/');
    BOOST_TEST(owner_is_dead(me.substr(0, last) + "/1"));  // our pid, another start time
    const auto pid = me.rfind('/', last - 1);
    BOOST_TEST(owner_is_dead(me.substr(0, pid) + "/4194303/1"));
    BOOST_TEST(!owner_is_dead(me.substr(0, pid) + "/x/1"));
    BOOST_TEST(!owner_is_dead(me.substr(0, pid) + "/-1/1"));
    BOOST_TEST(!owner_is_dead(me.substr(0, pid)));
}

/// Whoever locks leases does so in ascending order of shard, however the rows lie in the table: else a renewal and a commit could wait for each other.
BOOST_AUTO_TEST_CASE(leases_are_renewed_and_released_in_the_order_in_which_commits_lock_them) {
    postgresql_store at;
    auto db = open_database(at.url).value();
    auto c = db->connect().value();
    BOOST_TEST(c->acquire_leases("me", std::vector<shard_id>{3, 5}, 2, long_time).value().size() == 2u);
    session one(parse_location(at.url).value(), {}), two(parse_location(at.url).value(), {});
    const auto run = [](session& on, const char* sql) {
        return on.run([&]() -> store_result<void> {
            on.execute(sql);
            return {};
        });
    };
    BOOST_TEST(run(one, "with gone as (delete from leases where shard = 3 returning *) insert into leases select * from gone").has_value());
    BOOST_TEST_REQUIRE(test::psql(at.url, "select a.ctid > b.ctid from pawl.leases a, pawl.leases b where a.shard = 3 and b.shard = 5").starts_with("t"));
    for (const bool release : {false, true}) {
        store_result<void> held = {}, free = {};
        std::optional<std::thread> locker;
        held = one.run([&]() -> store_result<void> {
            one.begin();
            one.execute("select 1 from leases where shard = 3 for share");
            locker.emplace([&] { release ? (void)c->release_leases("me") : (void)c->renew_leases("me", long_time); });
            BOOST_TEST(eventually([&] { return test::psql(at.url, "select count(*) from pg_locks where not granted").starts_with("1"); }));
            free = run(two, "select 1 from leases where shard = 5 for share nowait");
            one.commit();
            return {};
        });
        locker->join();
        BOOST_TEST(held.has_value());
        BOOST_TEST(free.has_value(), (release ? "release" : "renewal"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
