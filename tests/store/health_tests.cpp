// `pawl doctor`'s checks: each finds the damage that is planted for it, mends it when that is safe, and finds nothing then.
#include "stores.hpp"

#include "store/administration.hpp"
#include "store/session.hpp"

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(store_health)

namespace {

template <class Kind>
struct patient : opened<Kind> {
    std::unique_ptr<administration> admin = this->db->administer().value();

    void plant(const std::string& sql) {
        session on(parse_location(this->at.url).value(), {});
        const auto done = on.run([&]() -> store_result<void> {
            on.execute(sql.c_str());
            return {};
        });
        BOOST_TEST(done.has_value(), (done.has_value() ? "" : done.error().detail));
    }
    health_finding check(const std::string& name, bool repair = false) {
        const auto all = admin->examine(repair, this->c->now().value()).value();
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.check == name; });
        BOOST_TEST_REQUIRE((found != all.end()), name);
        return *found;
    }
    /// Found, repaired, gone.
    void is_mended(const std::string& name) {
        BOOST_TEST_CONTEXT(Kind::kind << ", " << name) {
            const auto sick = check(name);
            BOOST_TEST((sick.state == health::warning || sick.state == health::error));
            BOOST_TEST(sick.repairable);
            BOOST_TEST(!sick.repaired);
            BOOST_TEST(check(name, true).repaired);
            BOOST_TEST((check(name).state == health::good));
        }
    }
    void is_found(const std::string& name, health state) {
        BOOST_TEST_CONTEXT(Kind::kind << ", " << name) {
            const auto sick = check(name);
            BOOST_TEST((sick.state == state));
            BOOST_TEST(sick.count >= 1);
            BOOST_TEST(!sick.hint.empty());
            BOOST_TEST(!check(name, true).repaired);
        }
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_store_in_use_is_healthy, kind, every_store) {
    patient<kind> s;
    BOOST_TEST(s.c->put_definition({"d1", "default", "hello", "1.0.0", "{}", {}}).has_value());
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    k.blobs = {{"b", "1"}};
    k.subscribed = {"t"};
    k.events = {{"e", "r1", "t", "{}"}};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    for (const auto& f : s.admin->examine(true, s.c->now().value()).value()) {
        if (f.check.starts_with("setting-")) continue;  // a test's own cluster has fsync off
        BOOST_TEST((f.state == health::good), f.check << ": " << f.what);
        BOOST_TEST(!f.repaired, f.check);
    }
    BOOST_TEST(s.c->load_blobs(1, "r1").value().size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(orphans_are_found_and_removed, kind, every_store) {
    patient<kind> s;
    BOOST_TEST(s.c->create_run(s.run("live", 1)).has_value());
    auto k = s.step("live", 0, 1);
    k.blobs = {{"b", "1"}};
    k.subscribed = {"t"};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    s.plant("insert into blobs (shard, run, digest, body) values (1, 'nobody', 'd', '1')");
    s.is_mended("orphan-blobs");
    s.plant("insert into subscriptions (shard, run, type) values (1, 'nobody', 't')");
    s.is_mended("orphan-subscriptions");
    s.plant("insert into run_tags (shard, run, name, value, created_at) values (1, 'nobody', 'a', 'b', 1)");
    s.is_mended("orphan-tags");
    s.plant("insert into approvals (shard, id, run, key, agent, agent_key, task, title, proposal, status, decided_by, comment, created_at)"
            " values (1, 'a1', 'nobody', '', '', '', '', '', '{}', 'pending', '', '', 1)");
    s.is_mended("orphan-approvals");
    BOOST_TEST((s.c->load_approval("a1").value().status == approval_status::cancelled));
    s.plant("insert into steps (shard, run, seq, task, pointer, function, key, digest, attempt, outcome, started_at, ended_at, result, record)"
            " values (1, 'nobody', 1, '', '', '', '', '', 1, '', 1, 1, '', '')");
    s.is_found("orphan-steps", health::note);
    BOOST_TEST(s.c->load_blobs(1, "live").value().size() == 1u);
    const published_event event{"/x", "1", "t", "{}"};
    BOOST_TEST(s.c->publish(std::span(&event, 1)).value().size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_removed_by_hand_is_found, kind, every_store) {
    patient<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    BOOST_TEST(s.c->create_run(s.run("r2", 1)).has_value());
    BOOST_TEST(s.c->put_definition({"d1", "default", "hello", "1.0.0", "{}", {}}).has_value());
    BOOST_TEST(s.c->create_run(s.run("r3", 1)).has_value());
    s.plant("delete from run_states where run = 'r1'");
    s.is_found("runs-without-state", health::error);
    s.plant("delete from runs where id = 'r2'");
    s.is_found("states-without-run", health::error);
    s.plant("delete from definitions where digest = 'd1'");
    s.is_found("missing-definitions", health::error);
    s.plant("delete from leases where shard = 5");
    s.is_found("lease-rows", health::error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(engines_and_leases_of_the_dead_are_found_and_freed, kind, every_store) {
    patient<kind> s;
    s.plant("update leases set owner = 'elsewhere', expires_at = 1 where shard = 3");
    s.is_mended("expired-leases");
    s.plant("insert into engines (owner, expires_at) values ('elsewhere', 1)");
    s.is_mended("gone-engines");
    // A process of this host with an id that no process has.
    auto dead = this_process_as_owner();
    dead.replace(dead.rfind('/', dead.rfind('/') - 1), std::string::npos, "/4194999/1");
    BOOST_TEST_REQUIRE(owner_is_dead(dead));
    s.plant("update leases set owner = '" + dead + "' where shard = 4");
    s.is_mended("dead-owners");
    BOOST_TEST(s.c->renew_leases("me", milliseconds(60'000)).value().size() == 62u);  // the others keep theirs
}

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_that_nobody_drives_and_backlogs_are_found, kind, every_store) {
    patient<kind> s;
    BOOST_TEST(s.c->create_run(s.run("late", 1)).has_value());
    s.plant("update run_states set due_at = 1, status = 'waiting' where run = 'late'");
    s.is_found("late-runs", health::warning);
    BOOST_TEST((s.check("unowned-runs").state == health::good));
    s.plant("update leases set owner = '', expires_at = 0 where shard = 1");
    s.is_found("unowned-runs", health::warning);
    BOOST_TEST((s.check("late-runs").state == health::good));
    s.plant("update inbox set received_at = 1");
    s.is_found("inbox-backlog", health::warning);
    s.plant("insert into outbox (shard, run, id, type, body, created_at) values (1, 'late', 'e', 't', '{}', 1)");
    s.is_found("outbox-backlog", health::warning);
    s.plant("update run_states set ended_at = 1, status = 'completed' where run = 'late'");
    s.is_mended("timers-of-ended-runs");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_missing_index_is_made_again, kind, every_store) {
    patient<kind> s;
    s.plant("drop index run_tags_search; drop index inbox_once");
    BOOST_TEST(s.check("indexes").count == 2);
    s.is_mended("indexes");
    BOOST_TEST(s.c->post({1, "r", "cancel", "x", "1", "{}"}).value());
    BOOST_TEST(!s.c->post({1, "r", "cancel", "x", "1", "{}"}).value());
}

BOOST_AUTO_TEST_CASE(an_invalid_index_and_settings_that_lose_steps_are_found_on_postgresql) {
    patient<postgresql_store> s;
    s.plant("update pg_index set indisvalid = false where indexrelid = 'runs_newest'::regclass");
    s.is_found("index-validity", health::error);
    const auto name = s.at.url.substr(s.at.url.rfind('/') + 1);
    s.plant("alter database \"" + name.substr(0, name.find('?')) + "\" set synchronous_commit = off");
    patient<postgresql_store> fresh;
    BOOST_TEST((fresh.check("setting-synchronous_commit").state == health::good));
    s.admin = open_database(s.at.url).value()->administer().value();
    s.is_found("setting-synchronous_commit", health::error);
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_found_on_sqlite) {
    patient<sqlite_store> s;
    BOOST_TEST((s.check("integrity").state == health::good));
    s.plant("create table planted (x integer); insert into planted values (null); pragma writable_schema = on;"
            " update sqlite_master set sql = 'CREATE TABLE planted (x integer not null)' where name = 'planted'; pragma writable_schema = off");
    s.admin = open_database(s.at.url).value()->administer().value();
    s.is_found("integrity", health::error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(clocks_that_are_apart_are_found, kind, every_store) {
    patient<kind> s;
    const auto all = s.admin->examine(false, s.c->now().value() - milliseconds(90'000)).value();
    const auto clock = std::find_if(all.begin(), all.end(), [](const auto& f) { return f.check == "clock"; });
    BOOST_TEST_REQUIRE((clock != all.end()));
    BOOST_TEST((clock->state == health::warning));
    BOOST_TEST(clock->count > 80'000);
}

BOOST_AUTO_TEST_SUITE_END()
