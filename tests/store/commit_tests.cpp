#include "stores.hpp"

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(commits)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_checkpoint_writes_everything_it_holds, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 2)).has_value());
    const std::vector<shard_id> shards{2};
    const auto started = s.c->fetch_inbox(shards, 0, 10).value().at(0).seq;
    auto k = s.step("r1", 0, 2);
    k.blobs = {{"b1", "1"}, {"b2", "2"}};
    k.events = {{"e1", "r1", "order.placed", R"({"id":"e1"})"}, {"e2", "", "order.paid", R"({"id":"e2"})"}};
    k.consumed = {started};
    approval_row a;
    a.id = "a1";
    a.run = "r1";
    a.proposal = "{}";
    k.approvals = {a};
    k.agents = {{"support", "ann", 1, 1, R"({"s":1})", "{}", {}}};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    const auto row = s.c->load_run("r1").value();
    BOOST_TEST(row.revision == 1);
    BOOST_TEST((row.status == run_status::running));
    BOOST_TEST(row.state == R"({"at":1})");
    BOOST_TEST(s.c->load_blobs(2, "r1").value().size() == 2u);
    BOOST_TEST(s.c->load_blobs(3, "r1").value().empty());
    BOOST_TEST(s.c->fetch_inbox(shards, 0, 10).value().empty());
    const auto events = s.c->list_events("r1").value();
    BOOST_REQUIRE(events.size() == 2u);
    BOOST_TEST(events[0].id == "e1");
    BOOST_TEST(events[0].type == "order.placed");
    BOOST_TEST(events[0].body == R"({"id":"e1"})");
    BOOST_TEST(events[1].run == "r1");
    BOOST_TEST(s.c->load_approval("a1").value().shard == 2u);
    BOOST_TEST(s.c->load_agent("support", "ann").value()->state == R"({"s":1})");

    auto second = s.step("r1", 1, 2);
    second.dropped_blobs = {"b1"};
    second.blobs = {{"b2", "again"}};  // stored already: nothing to do
    BOOST_TEST((s.commit_one(second) == checkpoint_outcome::committed));
    const auto left = s.c->load_blobs(2, "r1").value();
    BOOST_REQUIRE(left.size() == 1u);
    BOOST_TEST(left[0].body == "2");

    auto end = s.step("r1", 2, 2);
    end.status = run_status::completed;
    end.output = R"({"done":true})";
    end.state = "must go";
    BOOST_TEST((s.commit_one(end) == checkpoint_outcome::committed));
    const auto ended = s.c->load_run("r1").value();
    BOOST_TEST(ended.state.empty());
    BOOST_TEST(ended.output == R"({"done":true})");
    BOOST_TEST(s.c->load_blobs(2, "r1").value().empty());
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().size() == 3u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(checkpoints_of_many_runs_in_one_batch_write_what_each_would_alone, kind, every_store) {
    opened<kind> s;
    using namespace std::string_literals;
    const std::vector<std::string> texts{"plain", "", "quo\"te \\ back\n", "nul \0 inside"s, "\x1a""0", "\xe2\x82\xac and \xf0\x9f\x90\xa2", "{\"a\":[1,null]}"};
    std::vector<checkpoint> batch;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto shard = static_cast<shard_id>(i % 3);
        const auto id = "r" + std::to_string(i);
        BOOST_TEST(s.c->create_run(s.run(id, shard)).has_value());
        auto k = s.step(id, 0, shard);
        k.state = texts[i];
        if (i % 2 == 1) k.due_at = time_point(milliseconds(1'700'000'000'000 + static_cast<std::int64_t>(i)));
        k.steps.at(0).result = texts[i];
        k.blobs = {{"b", texts[i]}};
        k.events = {{"e" + id, "", "t", texts[i]}};
        k.agents = {{"support", id, 1, 1, texts[i], "{}", {}}};
        k.births = {s.run("child-of-" + id, shard)};
        k.births.front().input = texts[i];
        k.posts = {{shard, id, "message", "test", "p" + id, texts[i]}};
        k.consumed = {s.c->fetch_inbox(std::vector<shard_id>{shard}, 0, 100).value().back().seq};
        batch.push_back(std::move(k));
    }
    for (const auto outcome : s.c->commit(batch).value()) BOOST_TEST((outcome == checkpoint_outcome::committed));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto shard = static_cast<shard_id>(i % 3);
        const auto id = "r" + std::to_string(i);
        const auto row = s.c->load_run(id).value();
        BOOST_TEST(row.state == texts[i]);
        BOOST_TEST((row.due_at == batch[i].due_at));
        BOOST_TEST(s.c->list_steps(id, 0, 10).value().at(0).result == texts[i]);
        BOOST_TEST(s.c->load_blobs(shard, id).value().at(0).body == texts[i]);
        BOOST_TEST(s.c->list_events(id).value().at(0).body == texts[i]);
        BOOST_TEST(s.c->load_agent("support", id).value()->state == texts[i]);
        BOOST_TEST(s.c->load_run("child-of-" + id).value().input == texts[i]);
    }
    std::size_t posted = 0;
    for (const auto& entry : s.c->fetch_inbox(std::vector<shard_id>{0, 1, 2}, 0, 100).value()) {
        if (entry.kind != "message") continue;
        BOOST_TEST(entry.body == texts.at(static_cast<std::size_t>(std::stoi(entry.run.substr(1)))));
        ++posted;
    }
    BOOST_TEST(posted == texts.size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_checkpoint_that_does_not_fit_leaves_nothing_in_any_table, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    const std::vector<shard_id> shards{1};
    const auto started = s.c->fetch_inbox(shards, 0, 10).value().at(0).seq;
    auto fits = s.step("r1", 0, 1);
    fits.events = {{"e", "", "t", "{}"}};
    fits.blobs = {{"b", "1"}};
    fits.births = {s.run("child", 1)};
    fits.posts = {{1, "r1", "message", "test", "p", "{}"}};
    fits.consumed = {started};
    fits.subscribed = {"x"};
    auto late = fits;
    late.expected_revision = 5;
    auto fenced = fits;
    fenced.epoch += 1;
    BOOST_TEST((s.commit_one(late) == checkpoint_outcome::conflict));
    BOOST_TEST((s.commit_one(fenced) == checkpoint_outcome::fenced));
    BOOST_TEST(s.c->load_run("r1").value().revision == 0);
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().empty());
    BOOST_TEST(s.c->list_events("r1").value().empty());
    BOOST_TEST(s.c->load_blobs(1, "r1").value().empty());
    BOOST_TEST(!s.c->load_run("child").has_value());
    BOOST_TEST(s.c->fetch_inbox(shards, 0, 10).value().size() == 1u);  // neither consumed nor joined by the post
    BOOST_TEST((s.commit_one(fits) == checkpoint_outcome::committed));
    BOOST_TEST(s.c->load_run("r1").value().revision == 1);
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().size() == 1u);
    BOOST_TEST(s.c->list_events("r1").value().size() == 1u);
    BOOST_TEST(s.c->load_blobs(1, "r1").value().size() == 1u);
    BOOST_TEST(s.c->load_run("child").has_value());
    const auto waiting = s.c->fetch_inbox(shards, 0, 10).value();
    BOOST_REQUIRE(waiting.size() == 1u);
    BOOST_TEST(waiting.front().kind == "message");
}

BOOST_AUTO_TEST_CASE(large_results_are_compressed_by_lz4_where_postgresql_has_it) {
    opened<postgresql_store> s;
    const auto url = s.at.url;
    const bool offered = test::psql(url, "select 'lz4' = any (enumvals) from pg_settings where name = 'default_toast_compression'").starts_with("t");
    if (!offered) return;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    for (int i = 0; i < 10'000; ++i) k.steps.at(0).result += std::to_string(i);
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST(test::psql(url, "select pg_column_compression(result) from pawl.steps").starts_with("lz4"));
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().at(0).result == k.steps.at(0).result);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_checkpoint_of_an_older_or_released_lease_writes_nothing, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    BOOST_TEST(s.c->create_run(s.run("r2", 2)).has_value());
    auto stale = s.step("r1", 0, 1);
    stale.epoch -= 1;
    stale.events = {{"e", "r1", "t", "{}"}};
    const std::vector<checkpoint> batch{stale, s.step("r2", 0, 2)};
    const auto outcomes = s.c->commit(batch).value();
    BOOST_TEST((outcomes[0] == checkpoint_outcome::fenced));
    BOOST_TEST((outcomes[1] == checkpoint_outcome::committed));
    BOOST_TEST(s.c->load_run("r1").value().revision == 0);
    BOOST_TEST(s.c->list_events("r1").value().empty());
    BOOST_TEST(s.c->load_run("r2").value().revision == 1);
    BOOST_TEST(s.c->release_leases("me").has_value());
    BOOST_TEST((s.commit_one(s.step("r1", 0, 1)) == checkpoint_outcome::fenced));
    auto other = s.db->connect().value();
    const auto taken = other->acquire_leases("other", std::vector<shard_id>{1}, 1, milliseconds(60'000)).value();
    BOOST_REQUIRE(taken.size() == 1u);
    BOOST_TEST((s.commit_one(s.step("r1", 0, 1)) == checkpoint_outcome::fenced));
    auto theirs = s.step("r1", 0, 1);
    theirs.epoch = taken[0].epoch;
    BOOST_TEST((other->commit(std::span(&theirs, 1)).value()[0] == checkpoint_outcome::committed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_checkpoint_of_another_revision_is_left_out_and_reported, kind, every_store) {
    opened<kind> s;
    for (const auto* id : {"r1", "r2", "r3"}) BOOST_TEST(s.c->create_run(s.run(id)).has_value());
    auto wrong = s.step("r2", 4);
    wrong.events = {{"e", "r2", "t", "{}"}};
    std::vector<checkpoint> batch{s.step("r1", 0), wrong, s.step("r3", 0), s.step("unknown", 0), s.step("r2", 5)};
    const auto outcomes = s.c->commit(batch).value();
    BOOST_TEST((outcomes[0] == checkpoint_outcome::committed));
    BOOST_TEST((outcomes[1] == checkpoint_outcome::conflict));
    BOOST_TEST((outcomes[2] == checkpoint_outcome::committed));
    BOOST_TEST((outcomes[3] == checkpoint_outcome::conflict));
    BOOST_TEST((outcomes[4] == checkpoint_outcome::conflict));
    BOOST_TEST(s.c->load_run("r1").value().revision == 1);
    BOOST_TEST(s.c->load_run("r2").value().revision == 0);
    BOOST_TEST(s.c->list_steps("r2", 0, 10).value().empty());
    BOOST_TEST(s.c->list_events("r2").value().empty());
    BOOST_TEST((s.commit_one(s.step("r1", 0)) == checkpoint_outcome::conflict));
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(several_checkpoints_of_one_run_fit_one_batch, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    std::vector<checkpoint> batch{s.step("r1", 0), s.step("r1", 1), s.step("r1", 2), s.step("r1", 7)};
    batch[0].blobs = {{"b1", "1"}, {"b2", "2"}};
    batch[1].dropped_blobs = {"b1"};
    batch[2].blobs = {{"b3", "3"}};
    batch[0].agents = {{"support", "ann", 1, 1, "1", "{}", {}}};
    batch[2].agents = {{"support", "ann", 2, 1, "2", "{}", {}}};
    const auto outcomes = s.c->commit(batch).value();
    BOOST_TEST((outcomes[2] == checkpoint_outcome::committed));
    BOOST_TEST((outcomes[3] == checkpoint_outcome::conflict));
    const auto row = s.c->load_run("r1").value();
    BOOST_TEST(row.revision == 3);
    BOOST_TEST(row.state == R"({"at":3})");
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().size() == 3u);
    const auto blobs = s.c->load_blobs(0, "r1").value();
    BOOST_REQUIRE(blobs.size() == 2u);
    BOOST_TEST(blobs[0].digest == "b2");
    BOOST_TEST(s.c->load_agent("support", "ann").value()->revision == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_first_checkpoint_creates_its_run, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("old")).has_value());
    const auto born = [&](const char* id) {
        auto c = s.step(id, 0);
        c.born = s.run(id);
        return c;
    };
    auto at_once = born("done");
    at_once.status = run_status::completed;
    at_once.output = "7";
    // A chain from birth on, a birth of a run that exists, a run that ends where it begins, and an ordinary neighbour.
    std::vector<checkpoint> batch{born("new"), s.step("new", 1), born("old"), at_once};
    const auto outcomes = s.c->commit(batch).value();
    BOOST_TEST((outcomes[0] == checkpoint_outcome::committed));
    BOOST_TEST((outcomes[1] == checkpoint_outcome::committed));
    BOOST_TEST((outcomes[2] == checkpoint_outcome::conflict));
    BOOST_TEST((outcomes[3] == checkpoint_outcome::committed));
    const auto row = s.c->load_run("new").value();
    BOOST_TEST(row.revision == 2);
    BOOST_TEST(row.state == R"({"at":2})");
    BOOST_TEST(s.c->load_run("old").value().revision == 0);
    const auto ended = s.c->load_run("done").value();
    BOOST_TEST((ended.status == run_status::completed));
    BOOST_TEST(ended.output == "7");
    BOOST_TEST(ended.ended_at.has_value());
    // No start message: nobody needs to be told of a run that is already under way.
    BOOST_TEST((s.commit_one(s.step("new", 2)) == checkpoint_outcome::committed));
    BOOST_TEST((s.commit_one(born("new")) == checkpoint_outcome::conflict));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_batch_is_no_work, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->commit({}).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_agent_is_changed_without_a_run_and_never_goes_back, kind, every_store) {
    opened<kind> s;
    checkpoint reset;
    reset.shard = 9;
    reset.epoch = s.epoch(9);
    reset.agents = {{"support", "ann", 1, 1, "{}", "{}", {}}};
    BOOST_TEST((s.commit_one(reset) == checkpoint_outcome::committed));
    BOOST_TEST((s.commit_one(reset) == checkpoint_outcome::conflict));
    std::vector<checkpoint> batch{reset, reset};
    batch[1].agents[0].revision = 2;
    auto outcomes = s.c->commit(batch).value();
    BOOST_TEST((outcomes[0] == checkpoint_outcome::conflict));
    BOOST_TEST((outcomes[1] == checkpoint_outcome::conflict));  // built on the one that does not count
    reset.agents[0].revision = 2;
    BOOST_TEST((s.commit_one(reset) == checkpoint_outcome::committed));
    BOOST_TEST(s.c->load_agent("support", "ann").value()->revision == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_change_of_an_agent_that_builds_on_a_refused_one_is_refused, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 9)).has_value());
    BOOST_TEST(s.c->create_run(s.run("r2", 9)).has_value());
    const auto changing = [&](const char* run, std::int64_t expected, std::int64_t revision) {
        auto k = s.step(run, expected, 9);
        k.agents = {{"support", "ann", revision, 1, "{}", "{}", {}}};
        return k;
    };
    BOOST_TEST((s.commit_one(changing("r1", 0, 1)) == checkpoint_outcome::committed));
    BOOST_TEST((s.commit_one(changing("r1", 0, 2)) == checkpoint_outcome::conflict));  // the run is further on
    BOOST_TEST((s.commit_one(changing("r2", 0, 3)) == checkpoint_outcome::conflict));  // there is no revision 2
    const std::vector gap{changing("r1", 1, 2), changing("r2", 0, 4)};
    const auto outcomes = s.c->commit(gap).value();
    BOOST_TEST((outcomes[0] == checkpoint_outcome::committed));
    BOOST_TEST((outcomes[1] == checkpoint_outcome::conflict));
    BOOST_TEST(s.c->load_agent("support", "ann").value()->revision == 2);
    const std::vector both{changing("r1", 2, 3), changing("r2", 0, 4)};
    for (const auto outcome : s.c->commit(both).value()) BOOST_TEST((outcome == checkpoint_outcome::committed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crash_before_the_commit_leaves_nothing_and_after_it_everything, kind, every_store) {
    struct crash {};
    std::optional<fault_point> at;
    open_options options;
    options.fault_hook = [&](fault_point p) {
        if (at == p) throw crash{};
    };
    opened<kind> s(options);
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    auto k = s.step("r1", 0);
    k.events = {{"e", "r1", "t", "{}"}};
    at = fault_point::before_commit;
    BOOST_CHECK_THROW((void)s.c->commit(std::span(&k, 1)), crash);
    s.c.reset();  // as the kernel closes a dead process's connection
    at.reset();
    s.c = s.db->connect().value();
    BOOST_TEST(s.c->load_run("r1").value().revision == 0);
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().empty());
    at = fault_point::after_commit;
    BOOST_CHECK_THROW((void)s.c->commit(std::span(&k, 1)), crash);
    s.c.reset();
    at.reset();
    s.c = s.db->connect().value();
    BOOST_TEST(s.c->load_run("r1").value().revision == 1);
    BOOST_TEST(s.c->list_steps("r1", 0, 10).value().size() == 1u);
    BOOST_TEST(s.c->list_events("r1").value().size() == 1u);
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::conflict));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_large_batch_is_one_transaction, kind, every_store) {
    opened<kind> s;
    std::vector<checkpoint> batch;
    for (int i = 0; i < 300; ++i) {
        const auto id = "r" + std::to_string(i);
        const auto shard = static_cast<shard_id>(i % 64);
        BOOST_REQUIRE(s.c->create_run(s.run(id, shard)).has_value());
        batch.push_back(s.step(id, 0, shard));
        batch.back().state = std::string(120'000, 'x');  // 36 MB: several statements, still all or nothing
    }
    batch[299].expected_revision = 9;
    const auto outcomes = s.c->commit(batch).value();
    BOOST_TEST(std::count(outcomes.begin(), outcomes.end(), checkpoint_outcome::committed) == 299);
    BOOST_TEST((outcomes[299] == checkpoint_outcome::conflict));
    BOOST_TEST(s.c->load_run("r298").value().state.size() == 120'000u);
}

BOOST_AUTO_TEST_SUITE_END()
