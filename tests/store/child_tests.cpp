// Runs that a checkpoint starts, messages that it sends, and deployments.
#include "stores.hpp"

using namespace store_tests;

namespace {

template <class Kind>
checkpoint with_child(const opened<Kind>& s, const std::string& parent, const std::string& child) {
    auto k = s.step(parent, 0, 2);
    k.status = run_status::waiting;
    auto born = s.run(child, 2);
    born.parent = parent;
    born.parent_key = awkward;
    born.depth = 3;
    k.births.push_back(born);
    return k;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(children)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_checkpoint_starts_runs_with_it_or_not_at_all, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("p", 2)).has_value());
    auto stale = with_child(s, "p", "never");
    stale.expected_revision = 7;
    BOOST_TEST((s.commit_one(stale) == checkpoint_outcome::conflict));
    auto fenced = with_child(s, "p", "never");
    fenced.epoch += 1;
    BOOST_TEST((s.commit_one(fenced) == checkpoint_outcome::fenced));
    BOOST_TEST((s.c->load_run("never").error().code == store_errc::not_found));

    BOOST_TEST((s.commit_one(with_child(s, "p", "c")) == checkpoint_outcome::committed));
    const auto row = s.c->load_run("c").value();
    BOOST_TEST(row.parent == "p");
    BOOST_TEST(row.parent_key == awkward);
    BOOST_TEST(row.depth == 3);
    BOOST_TEST(row.shard == 2u);
    BOOST_TEST(row.revision == 0);
    BOOST_TEST((row.status == run_status::pending));
    BOOST_TEST(s.c->runnable_runs(std::vector<shard_id>{2}, "", 100).value().size() == 1u);  // the parent waits
    run_filter of_parent;
    of_parent.parent = "p";
    BOOST_TEST(s.c->list_runs(of_parent).value().size() == 1u);
    of_parent.parent = "c";
    BOOST_TEST(s.c->list_runs(of_parent).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_that_exists_is_not_started_again, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("p", 2)).has_value());
    BOOST_TEST(s.c->create_run(s.run("c", 2)).has_value());
    auto done = s.step("c", 0, 2);
    BOOST_TEST((s.commit_one(done) == checkpoint_outcome::committed));
    BOOST_TEST((s.commit_one(with_child(s, "p", "c")) == checkpoint_outcome::committed));
    BOOST_TEST(s.c->load_run("c").value().revision == 1);
    BOOST_TEST(s.c->load_run("c").value().parent == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_checkpoint_sends_messages_once_and_in_order, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r")).has_value());
    const auto before = s.c->fetch_inbox(shard_0, 0, 10).value().size();
    auto k = s.step("r", 0);
    k.posts.push_back({0, "p", "child", "r", "end", awkward});
    k.posts.push_back({1, "q", "cancel", "r", "end", "{}"});
    auto next = s.step("r", 1);
    next.posts.push_back({0, "p", "child", "r", "end", "again"});  // the same (source, id)
    next.posts.push_back({0, "p", "child", "r", "other", "{}"});
    const std::vector<checkpoint> both{k, next};
    for (const auto outcome : s.c->commit(both).value()) BOOST_TEST((outcome == checkpoint_outcome::committed));
    const auto inbox = s.c->fetch_inbox(shard_0, 0, 10).value();
    BOOST_REQUIRE(inbox.size() == before + 2);
    BOOST_TEST(inbox[before].run == "p");
    BOOST_TEST(inbox[before].kind == "child");
    BOOST_TEST(inbox[before].body == awkward);
    BOOST_TEST(inbox[before + 1].id == "other");
    BOOST_TEST(s.c->fetch_inbox(std::vector<shard_id>{1}, 0, 10).value().size() == 1u);
    BOOST_TEST(!s.c->post({0, "p", "child", "r", "end", "third"}).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_version_stands_for_one_definition_unless_it_is_replaced, kind, every_store) {
    opened<kind> s;
    const deployment_row first{"shop", "order", "1.0.0", "d1", "staging", "/p", {}};
    BOOST_TEST(s.c->deploy(first, false).value());
    BOOST_TEST(s.c->deploy(first, false).value());
    auto other = first;
    other.digest = "d2";
    BOOST_TEST(!s.c->deploy(other, false).value());
    BOOST_TEST(s.c->list_deployments("shop", "order").value().at(0).digest == "d1");
    BOOST_TEST(s.c->deploy(other, true).value());
    const auto rows = s.c->list_deployments("shop", "order").value();
    BOOST_REQUIRE(rows.size() == 1u);
    BOOST_TEST(rows[0].digest == "d2");
    BOOST_TEST(rows[0].environment == "staging");
    BOOST_TEST(rows[0].project == "/p");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_version_deployed_last_comes_first, kind, every_store) {
    opened<kind> s;
    for (const auto* version : {"2.0.0", "1.0.0", "3.0.0", "1.0.0"}) BOOST_TEST(s.c->deploy({"shop", "order", version, version, "", "", {}}, false).value());
    BOOST_TEST(s.c->deploy({"shop", "other", "9.0.0", "d", "", "", {}}, false).value());
    const auto rows = s.c->list_deployments("shop", "order").value();
    BOOST_REQUIRE(rows.size() == 3u);
    BOOST_TEST(rows[0].version == "1.0.0");
    BOOST_TEST(rows[1].version == "3.0.0");
    BOOST_TEST(s.c->list_deployments("", "").value().size() == 4u);
    BOOST_TEST(s.c->remove_deployments("shop", "order").value());
    BOOST_TEST(!s.c->remove_deployments("shop", "order").value());
    BOOST_TEST(s.c->list_deployments("", "").value().size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(engines_that_serve_are_counted_and_give_shards_to_each_other, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->serve("me", milliseconds(60'000)).value() == 1u);
    BOOST_TEST(s.c->serve("you", milliseconds(60'000)).value() == 2u);
    BOOST_TEST(s.c->serve("gone", milliseconds(-1)).value() == 3u);
    BOOST_TEST(s.c->serve("me", milliseconds(60'000)).value() == 2u);
    const std::vector<shard_id> some{3, 5};
    BOOST_TEST(s.c->release_shards("you", some).has_value());  // not theirs: nothing happens
    BOOST_TEST(s.c->acquire_leases("you", {}, 64, milliseconds(60'000)).value().empty());
    BOOST_TEST(s.c->release_shards("me", some).has_value());
    const auto taken = s.c->acquire_leases("you", {}, 64, milliseconds(60'000)).value();
    BOOST_REQUIRE(taken.size() == 2u);
    BOOST_TEST(taken[0].shard == 3u);
    BOOST_TEST(taken[0].epoch > s.epoch(3));
    BOOST_TEST(s.c->stop_serving("you").has_value());
    BOOST_TEST(s.c->serve("me", milliseconds(60'000)).value() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
