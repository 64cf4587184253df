#include "runtime/engine_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::testing;
using namespace std::chrono_literals;

namespace {

/// One engine and what is needed to talk to it.
struct process {
    process(const std::shared_ptr<store::database>& db, outside& o, std::string owner, milliseconds ttl = 10s) : database(db) {
        runtime::engine_options options;
        options.owner = std::move(owner);
        options.lease_ttl = ttl;
        options.poll_interval = 50ms;
        options.listener = seen.listener();
        engine = std::make_unique<runtime::engine>(db, scripted_effects(o), std::move(options));
    }
    std::vector<shard_id> own(std::vector<shard_id> wanted = {}, std::size_t most = 4) {
        auto shards = engine->own(std::move(wanted), most);
        BOOST_REQUIRE_MESSAGE(shards.has_value(), (shards.has_error() ? shards.error().detail : std::string()));
        return *shards;
    }
    std::string submit(const flow::workflow& w, const store::new_run& run) {
        auto done = engine->submit(run, w);
        BOOST_REQUIRE_MESSAGE(done.has_value(), (done.has_error() ? done.error().detail : std::string()));
        return run.id;
    }
    store::run_row row(const std::string& run) const { return database->connect().value()->load_run(run).value(); }

    std::shared_ptr<store::database> database;
    watcher seen;
    std::unique_ptr<runtime::engine> engine;
};

template <class Test>
void on_every_store(Test test) {
    for (const auto& [name, url] : fresh_stores()) {
        BOOST_TEST_CONTEXT(name) test(open(url));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(engine)

BOOST_AUTO_TEST_CASE(many_runs_at_once_complete_and_leave_memory) {
    on_every_store([](const auto& db) {
        outside o;
        process p(db, o, "one");
        const auto w = workflow_of("  - a: { call: t.echo, with: { n: '${ .n }' } }\n  - b: { call: t.echo, with: { n: '${ .n + 1 }' } }\n");
        const auto shards = p.own();
        std::vector<std::string> runs;
        for (int i = 0; i < 100; ++i) runs.push_back(p.submit(*w, run_of(*w, shards[static_cast<std::size_t>(i) % shards.size()], "{\"n\":" + std::to_string(i) + "}")));
        for (const auto& run : runs) BOOST_TEST_REQUIRE(p.seen.wait_until_finished(run));
        for (int i = 0; i < 100; ++i) {
            const auto row = p.row(runs[static_cast<std::size_t>(i)]);
            BOOST_TEST((row.status == run_status::completed));
            BOOST_TEST(row.output == "{\"n\":" + std::to_string(i + 1) + "}");
            BOOST_TEST(row.state.empty());
        }
        BOOST_TEST(p.engine->counts().resident_runs == 0u);
        BOOST_TEST(o.starts("a") == 100);
    });
}

BOOST_AUTO_TEST_CASE(a_stopped_engine_leaves_runs_that_the_next_one_ends) {
    on_every_store([](const auto& db) {
        outside o;
        const auto w = workflow_of("  - a: { call: t.hold, with: { x: 1 } }\n  - b: { call: t.echo, with: { got: '${ . }' } }\n");
        std::string run;
        shard_id shard = 0;
        {
            process first(db, o, "first");
            shard = first.own({}, 1).at(0);
            run = first.submit(*w, run_of(*w, shard));
            BOOST_TEST_REQUIRE(o.wait_for_call(run, "a"));
            first.engine->stop();
        }
        process second(db, o, "second");
        BOOST_TEST(second.own({shard}, 1).size() == 1u);
        o.release(run, "a", "late", outside::which::oldest);  // of the first engine: nobody listens
        BOOST_TEST_REQUIRE(o.wait_for_call(run, "a"));
        o.release(run, "a", "yes");
        BOOST_TEST_REQUIRE(second.seen.wait_until_finished(run));
        BOOST_TEST(second.row(run).output == R"({"got":"yes"})");
        const auto keys = o.keys("a");
        BOOST_TEST_REQUIRE(keys.size() == 2u);
        BOOST_TEST(keys[0] == keys[1]);
    });
}

BOOST_AUTO_TEST_CASE(an_engine_that_lost_its_lease_commits_nothing) {
    on_every_store([](const auto& db) {
        outside o;
        const auto w = workflow_of("  - a: { call: t.hold, with: {} }\n");
        process first(db, o, "first", 1s);
        const auto shard = first.own({}, 1).at(0);
        const auto run = first.submit(*w, run_of(*w, shard));
        BOOST_TEST_REQUIRE(o.wait_for_call(run, "a"));
        // Somebody else takes the shard although the first engine lives, as after a pause longer than the lease.
        auto connection = db->connect().value();
        BOOST_REQUIRE(connection->release_leases("first").has_value());
        process second(db, o, "second");
        BOOST_TEST(second.own({shard}, 1).size() == 1u);
        BOOST_TEST(o.wait_for_cancel(o.keys("a").at(0)));  // as soon as the first engine knows
        o.release(run, "a", "from the first");
        BOOST_TEST_REQUIRE(o.wait_for_call(run, "a"));
        o.release(run, "a", "from the second");
        BOOST_TEST_REQUIRE(second.seen.wait_until_finished(run));
        const auto output = second.row(run).output;
        BOOST_TEST((output == "\"from the second\"" || output == "\"from the first\""));
        BOOST_TEST(second.row(run).revision == 2);
    });
}

BOOST_AUTO_TEST_CASE(a_run_that_waits_leaves_memory_and_comes_back_by_time) {
    on_every_store([](const auto& db) {
        outside o;
        process p(db, o, "one");
        const auto w = workflow_of("  - pause: { wait: { milliseconds: 2500 } }\n  - b: { call: t.echo, with: { x: 1 } }\n");
        const auto run = p.submit(*w, run_of(*w, p.own({}, 1).at(0)));
        BOOST_TEST_REQUIRE(p.seen.wait_until_waiting(run));
        BOOST_TEST(p.engine->counts().resident_runs == 0u);
        BOOST_TEST_REQUIRE(p.seen.wait_until_finished(run));
        const auto steps = db->connect().value()->list_steps(run, 0, 10).value();
        BOOST_TEST_REQUIRE(steps.size() == 2u);
        BOOST_TEST(steps[0].function == "wait");
        BOOST_TEST((steps[0].ended_at - steps[0].started_at >= 2500ms));
    });
}

BOOST_AUTO_TEST_CASE(a_parked_call_is_answered_by_a_message_in_a_later_process) {
    on_every_store([](const auto& db) {
        outside o;
        const auto w = workflow_of("  - ask: { call: t.ask, with: {} }\n");
        std::string run;
        shard_id shard = 0;
        {
            process first(db, o, "first");
            shard = first.own({}, 1).at(0);
            run = first.submit(*w, run_of(*w, shard));
            BOOST_TEST_REQUIRE(first.seen.wait_until_waiting(run));
            std::string key;
            for (const auto& e : first.seen.all()) {
                if (e.parked) key = e.key;
            }
            first.engine->stop();
            auto c = db->connect().value();
            const store::inbox_post yes{shard, run, "approval", "human", "decision-1", "{\"key\":\"" + key + "\",\"say\":\"yes\"}"};
            BOOST_TEST(c->post(yes).value());
            BOOST_TEST(!c->post(yes).value());
        }
        process second(db, o, "second");
        second.own({shard}, 1);
        BOOST_TEST_REQUIRE(second.seen.wait_until_finished(run));
        BOOST_TEST(second.row(run).output == "\"yes\"");
        BOOST_TEST(db->connect().value()->fetch_inbox(std::vector<shard_id>{shard}, 0, 10).value().empty());
    });
}

BOOST_AUTO_TEST_CASE(messages_that_nobody_can_take_do_not_keep_others_from_theirs) {
    on_every_store([](const auto& db) {
        outside o;
        process p(db, o, "one");
        const auto w = workflow_of("  - ask: { call: t.ask, with: {} }\n");
        const auto shard = p.own({}, 1).at(0);
        const auto run = p.submit(*w, run_of(*w, shard));
        BOOST_TEST_REQUIRE(p.seen.wait_until_waiting(run));
        std::string key;
        for (const auto& e : p.seen.all()) {
            if (e.parked) key = e.key;
        }
        auto c = db->connect().value();
        auto broken = run_of(*w, shard);
        broken.definition = "nobody knows this one";
        BOOST_TEST_REQUIRE(c->create_run(broken).has_value());
        constexpr int many = 1'100;  // more than one fetch brings
        for (int i = 0; i < many; ++i) {
            const store::inbox_post lost{shard, broken.id, "event", "test", std::to_string(i), R"({"specversion":"1.0","source":"test","id":"1","type":"go"})"};
            BOOST_TEST_REQUIRE(c->post(lost).value());
        }
        BOOST_TEST(c->post({shard, run, "approval", "human", "decision-1", "{\"key\":\"" + key + "\",\"say\":\"yes\"}"}).value());
        BOOST_TEST_REQUIRE(p.seen.wait_until_finished(run));
        BOOST_TEST(c->fetch_inbox(std::vector<shard_id>{shard}, 0, 10'000).value().size() == many + 1u);
    });
}

BOOST_AUTO_TEST_CASE(a_parked_call_that_nobody_answers_expires) {
    on_every_store([](const auto& db) {
        outside o;
        process p(db, o, "one");
        const auto w = workflow_of("  - ask: { call: t.ask, with: { waitMs: 300 } }\n");
        const auto run = p.submit(*w, run_of(*w, p.own({}, 1).at(0)));
        BOOST_TEST_REQUIRE(p.seen.wait_until_finished(run));
        BOOST_TEST((p.row(run).status == run_status::faulted));
        BOOST_TEST(p.row(run).error.find("408") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(cancelling_a_run_cancels_it_wherever_it_stands) {
    on_every_store([](const auto& db) {
        outside o;
        process p(db, o, "one");
        const auto w = workflow_of("  - a: { call: t.hold, with: {} }\n");
        const auto shard = p.own({}, 1).at(0);
        const auto run = p.submit(*w, run_of(*w, shard));
        BOOST_TEST_REQUIRE(o.wait_for_call(run, "a"));
        auto c = db->connect().value();
        BOOST_TEST(c->post({shard, run, "cancel", "operator", run, R"({"by":"me"})"}).value());
        BOOST_TEST_REQUIRE(p.seen.wait_until_finished(run));
        BOOST_TEST((p.row(run).status == run_status::cancelled));
    });
}

BOOST_AUTO_TEST_CASE(agent_state_commits_with_the_step_and_is_seen_by_the_next_run) {
    on_every_store([](const auto& db) {
        outside o;
        process p(db, o, "one");
        const auto w = workflow_of("  - a: { call: t.remember, with: { last: '${ .n }', before: '${ $agent.state.last }' } }\n  - b: { call: t.echo, with: { v: '${ $agent.state }' } }\n");
        const auto shard = p.own({}, 1).at(0);
        for (int n = 1; n <= 3; ++n) {
            const auto run = p.submit(*w, run_of(*w, shard, "{\"n\":" + std::to_string(n) + "}", "desk", "k1"));
            BOOST_TEST_REQUIRE(p.seen.wait_until_finished(run));
        }
        const auto row = db->connect().value()->load_agent("desk", "k1").value();
        BOOST_TEST_REQUIRE(row.has_value());
        BOOST_TEST(row->state == R"({"last":3,"before":2})");
        BOOST_TEST(row->meta.find("\"status\":\"idle\"") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(two_engines_share_one_store_and_each_ends_its_own_runs) {
    on_every_store([](const auto& db) {
        outside o;
        process one(db, o, "one"), two(db, o, "two");
        const auto w = workflow_of("  - a: { call: t.echo, with: { x: 1 } }\n");
        const auto mine = one.own({}, 2), theirs = two.own({}, 2);
        for (const auto shard : mine) BOOST_TEST((std::find(theirs.begin(), theirs.end(), shard) == theirs.end()));
        // Submitted by the one, executed by the other, which hears of it through the store.
        const auto run = one.submit(*w, run_of(*w, theirs.at(0)));
        BOOST_TEST_REQUIRE(two.seen.wait_until_finished(run));
        BOOST_TEST((one.row(run).status == run_status::completed));
    });
}

BOOST_AUTO_TEST_SUITE_END()
