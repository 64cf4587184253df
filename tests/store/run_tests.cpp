#include "stores.hpp"

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(runs)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_definition_is_stored_once_and_read_back, kind, every_store) {
    opened<kind> s;
    const definition_row d{"abc", "default", "hello", "1.0.0", R"({"source":"do: []"})" + awkward};
    BOOST_TEST(s.c->put_definition(d).has_value());
    BOOST_TEST(s.c->put_definition({"abc", "x", "y", "z", "other"}).has_value());
    const auto read = s.c->get_definition("abc").value();
    BOOST_TEST(read.name == "hello");
    BOOST_TEST(read.version == "1.0.0");
    BOOST_TEST(read.bundle == d.bundle);
    BOOST_TEST((s.c->get_definition("none").error().code == store_errc::not_found));
    BOOST_TEST(s.db->kind() == kind::kind);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_that_are_read_together_are_as_each_by_itself, kind, every_store) {
    opened<kind> s;
    auto other = s.run(awkward, 7);
    other.agent = "support";
    other.tags = {{"tier", "gold"}};
    BOOST_TEST(s.c->create_run(s.run("r1", 3)).has_value());
    BOOST_TEST(s.c->create_run(other).has_value());
    BOOST_TEST((s.commit_one(s.step("r1", 0, 3)) == checkpoint_outcome::committed));
    const std::vector beats{heartbeat_row{3, s.epoch(3), "r1", "k1", 1, "1"}};
    BOOST_TEST(s.c->beat(beats).has_value());
    const auto read = s.c->load_runs(std::vector<std::string>{"r1", "none", awkward}).value();
    BOOST_TEST_REQUIRE(read.size() == 2u);
    for (const auto& row : read) {
        const auto alone = s.c->load_run(row.id).value();
        BOOST_TEST(row.shard == (row.id == "r1" ? 3u : 7u));
        BOOST_TEST(row.state == alone.state);
        BOOST_TEST(row.revision == alone.revision);
        BOOST_TEST(row.agent == alone.agent);
        BOOST_TEST((row.tags == alone.tags));
        BOOST_TEST(row.has_heartbeats == (row.id == "r1"));
    }
    BOOST_TEST(s.c->load_runs({}).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_new_run_is_pending_and_tells_its_owner, kind, every_store) {
    opened<kind> s;
    auto r = s.run("r1", 3);
    r.agent = "support";
    r.agent_key = awkward;
    r.project = "/tmp/p";
    BOOST_TEST(s.c->create_run(r).has_value());
    const auto row = s.c->load_run("r1").value();
    BOOST_TEST(row.shard == 3u);
    BOOST_TEST(row.definition == "d1");
    BOOST_TEST(row.workflow == "default/hello:1.0.0");
    BOOST_TEST(row.agent == "support");
    BOOST_TEST(row.agent_key == awkward);
    BOOST_TEST(row.environment == "default");
    BOOST_TEST(row.project == "/tmp/p");
    BOOST_TEST(row.input == R"({"n":1})");
    BOOST_TEST(row.revision == 0);
    BOOST_TEST((row.status == run_status::pending));
    BOOST_TEST(row.state.empty());
    BOOST_TEST(!row.due_at.has_value());
    BOOST_TEST(!row.ended_at.has_value());
    const auto now = s.c->now().value();
    BOOST_TEST((row.created_at <= now && row.created_at > now - milliseconds(60'000)));
    const std::vector<shard_id> shards{1, 3};
    const auto inbox = s.c->fetch_inbox(shards, 0, 10).value();
    BOOST_REQUIRE(inbox.size() == 1u);
    BOOST_TEST(inbox[0].kind == "start");
    BOOST_TEST(inbox[0].run == "r1");
    BOOST_TEST(s.c->runnable_runs(shards, "", 100).value().size() == 1u);
    BOOST_TEST(s.c->runnable_runs(shard_0, "", 100).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_second_run_with_the_same_id_is_refused_whole, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    BOOST_TEST((s.c->create_run(s.run("r1", 5)).error().code == store_errc::duplicate));
    BOOST_TEST((s.c->create_run(s.run("r1")).error().code == store_errc::duplicate));
    const std::vector<shard_id> other{5};
    BOOST_TEST(s.c->fetch_inbox(other, 0, 10).value().empty());
    BOOST_TEST(s.c->load_run("r1").value().shard == 0u);
    BOOST_TEST((s.c->load_run("r2").error().code == store_errc::not_found));
    BOOST_TEST((s.c->create_run(s.run("r3", 64)).error().code == store_errc::refused));
    BOOST_TEST((s.c->create_run(s.run(std::string(3000, 'x'))).error().code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_are_listed_newest_first_and_filtered, kind, every_store) {
    opened<kind> s;
    for (int i = 0; i < 6; ++i) {
        auto r = s.run("r" + std::to_string(i), static_cast<shard_id>(i));
        if (i % 2 == 0) {
            r.agent = "support";
            r.agent_key = i < 3 ? "ann" : "bob";
        }
        if (i == 5) r.workflow = "default/other:2.0.0";
        BOOST_TEST(s.c->create_run(r).has_value());
    }
    auto done = s.step("r1", 0, 1);
    done.status = run_status::completed;
    BOOST_TEST((s.commit_one(done) == checkpoint_outcome::committed));
    const auto ids = [&](const run_filter& f) {
        std::string out;
        for (const auto& r : s.c->list_runs(f).value()) out += r.id + (r.state.empty() ? " " : "(state) ");
        return out;
    };
    run_filter f;
    BOOST_TEST(ids(f) == "r5 r4 r3 r2 r1 r0 ");
    f.limit = 2;
    BOOST_TEST(ids(f) == "r5 r4 ");
    f = {};
    f.statuses = {run_status::completed};
    BOOST_TEST(ids(f) == "r1 ");
    f = {};
    f.agent = "support";
    BOOST_TEST(ids(f) == "r4 r2 r0 ");
    f.agent_key = "ann";
    BOOST_TEST(ids(f) == "r2 r0 ");
    f.statuses = {run_status::pending};
    f.workflow = "default/hello";
    BOOST_TEST(ids(f) == "r2 r0 ");
    f = {};
    f.workflow = "default/o";
    BOOST_TEST(ids(f) == "r5 ");
    f.workflow = "default/o%";
    BOOST_TEST(ids(f) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(timers_come_due_in_order_and_leave_with_the_end, kind, every_store) {
    opened<kind> s;
    const auto at = [](std::int64_t ms) { return time_point(milliseconds(1'800'000'000'000 + ms)); };
    const std::vector<shard_id> shards{0, 1, 2};
    BOOST_TEST(!s.c->next_due(shards).value().has_value());
    for (int i = 0; i < 4; ++i) {
        const auto shard = static_cast<shard_id>(i);
        const auto id = "r" + std::to_string(i);
        BOOST_TEST(s.c->create_run(s.run(id, shard)).has_value());
        auto k = s.step(id, 0, shard);
        k.status = run_status::waiting;
        k.due_at = at(400 - 100 * i);
        BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    }
    BOOST_TEST((s.c->next_due(shards).value() == at(200)));
    const auto due = s.c->due_runs(shards, at(300), 10).value();
    BOOST_REQUIRE(due.size() == 2u);
    BOOST_TEST(due[0].run == "r2");
    BOOST_TEST(due[0].shard == 2u);
    BOOST_TEST((due[0].due_at == at(200)));
    BOOST_TEST(due[1].run == "r1");
    BOOST_TEST(s.c->due_runs(shards, at(900), 1).value().size() == 1u);
    BOOST_TEST(s.c->due_runs(shards, at(199), 10).value().empty());
    BOOST_TEST(s.c->due_runs({}, at(900), 10).value().empty());
    BOOST_TEST(s.c->runnable_runs(shards, "", 100).value().empty());
    auto end = s.step("r2", 1, 2);
    end.status = run_status::faulted;
    end.due_at = at(1);
    end.error = R"({"title":"x"})";
    BOOST_TEST((s.commit_one(end) == checkpoint_outcome::committed));
    BOOST_TEST((s.c->next_due(shards).value() == at(300)));
    const auto row = s.c->load_run("r2").value();
    BOOST_TEST((row.status == run_status::faulted));
    BOOST_TEST(row.state == end.state);  // what it goes on from, should it be retried
    BOOST_TEST(row.error == R"({"title":"x"})");
    BOOST_TEST(row.ended_at.has_value());
    BOOST_TEST(!row.due_at.has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(steps_are_listed_in_pages, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 7)).has_value());
    auto k = s.step("r1", 0, 7);
    k.steps[0].task = awkward;
    k.steps[0].attempt = 3;
    k.steps[0].record = R"({"model":"m"})";
    for (int i = 2; i <= 5; ++i) {
        k.steps.push_back(k.steps[0]);
        k.steps.back().seq = i;
    }
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    const auto first = s.c->list_steps("r1", 0, 3).value();
    BOOST_REQUIRE(first.size() == 3u);
    BOOST_TEST(first[0].task == awkward);
    BOOST_TEST(first[0].pointer == "/do/0/look");
    BOOST_TEST(first[0].function == "orders.lookup");
    BOOST_TEST(first[0].key == "k0");
    BOOST_TEST(first[0].digest == "d");
    BOOST_TEST(first[0].attempt == 3);
    BOOST_TEST(first[0].outcome == "completed");
    BOOST_TEST((first[0].ended_at - first[0].started_at == milliseconds(123)));
    BOOST_TEST(first[0].result == R"({"ok":true})");
    BOOST_TEST(first[0].record == R"({"model":"m"})");
    const auto rest = s.c->list_steps("r1", first.back().seq, 10).value();
    BOOST_REQUIRE(rest.size() == 2u);
    BOOST_TEST(rest[1].seq == 5);
    BOOST_TEST(s.c->list_steps("none", 0, 10).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(texts_of_any_content_and_size_come_back_unchanged, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    std::string big;
    while (big.size() < 5 * 1024 * 1024) big += awkward;
    auto k = s.step("r1", 0);
    k.state = big;
    k.steps[0].result = big;
    k.blobs = {{"b1", big}, {"b2", ""}};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST((s.c->load_run("r1").value().state == big));
    BOOST_TEST((s.c->list_steps("r1", 0, 1).value().at(0).result == big));
    const auto blobs = s.c->load_blobs(0, "r1").value();
    BOOST_REQUIRE(blobs.size() == 2u);
    BOOST_TEST((blobs[0].body == big));
    BOOST_TEST(blobs[1].body == "");
    auto bad = s.step("r1", 1);
    bad.state = "\xff\xc3!";
    BOOST_TEST((s.commit_one(bad) == checkpoint_outcome::committed));
    BOOST_TEST(s.c->load_run("r1").value().state == "\xef\xbf\xbd\xef\xbf\xbd!");
    BOOST_TEST((s.c->load_run("\xff\0'").error().code == store_errc::not_found));
}

BOOST_AUTO_TEST_SUITE_END()
