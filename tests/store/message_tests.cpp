#include "stores.hpp"

#include <thread>

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE_TEMPLATE(messages_come_in_order_and_once, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->post({4, "r1", "approval", "cli", "1", R"({"a":1})" + awkward}).value());
    BOOST_TEST(s.c->post({5, "", "reset", "cli", "2", "{}"}).value());
    BOOST_TEST(!s.c->post({4, "r9", "approval", "cli", "1", "other"}).value());
    BOOST_TEST(s.c->post({4, "r2", "cancel", "api", "1", "{}"}).value());
    BOOST_TEST((s.c->post({64, "r2", "cancel", "api", "2", "{}"}).error().code == store_errc::refused));
    const std::vector<shard_id> shards{4, 5};
    const auto all = s.c->fetch_inbox(shards, 0, 10).value();
    BOOST_REQUIRE(all.size() == 3u);
    BOOST_TEST((all[0].seq < all[1].seq && all[1].seq < all[2].seq));
    BOOST_TEST(all[0].shard == 4u);
    BOOST_TEST(all[0].run == "r1");
    BOOST_TEST(all[0].kind == "approval");
    BOOST_TEST(all[0].source == "cli");
    BOOST_TEST(all[0].id == "1");
    BOOST_TEST(all[0].body == R"({"a":1})" + awkward);
    BOOST_TEST((all[0].received_at <= s.c->now().value()));
    BOOST_TEST(all[1].run == "");
    BOOST_TEST(s.c->fetch_inbox(shards, all[0].seq, 10).value().size() == 2u);
    BOOST_TEST(s.c->fetch_inbox(shards, 0, 1).value().size() == 1u);
    BOOST_TEST(s.c->fetch_inbox(std::vector<shard_id>{5}, 0, 10).value().size() == 1u);
    checkpoint consume;
    consume.shard = 4;
    consume.epoch = s.epoch(4);
    consume.consumed = {all[0].seq};
    BOOST_TEST((s.commit_one(consume) == checkpoint_outcome::committed));
    BOOST_TEST(s.c->fetch_inbox(shards, 0, 10).value().size() == 2u);
    BOOST_TEST(!s.c->post({4, "r1", "approval", "cli", "1", "{}"}).value());  // consumed, not forgotten
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reader_that_pages_misses_no_message_of_concurrent_posters, kind, every_store) {
    opened<kind> s;
    constexpr int posters = 4, each = 50;
    std::vector<std::jthread> threads;
    std::atomic<int> failures = 0;
    for (int p = 0; p < posters; ++p) {
        threads.emplace_back([&, p] {
            auto c = s.db->connect();
            for (int i = 0; i < each; ++i) {
                const auto posted = c ? (*c)->post({static_cast<shard_id>(p), "", "reset", "p" + std::to_string(p), std::to_string(i), "{}"})
                                      : store_result<bool>(c.error());
                if (!posted || !*posted) ++failures;
            }
        });
    }
    const std::vector<shard_id> shards{0, 1, 2, 3};
    std::int64_t last = 0;
    int seen = 0;
    BOOST_TEST(eventually([&] {
        for (const auto& e : s.c->fetch_inbox(shards, last, 7).value()) {
            last = e.seq;
            ++seen;
        }
        return seen + failures == posters * each;
    }));
    BOOST_TEST(failures == 0);
    BOOST_TEST(seen == posters * each);
}

namespace {

std::vector<std::string> woken(connection& c, std::vector<published_event> events) {
    std::vector<std::string> runs;
    for (const auto& each : c.publish(events).value()) runs.push_back(each.run);
    return runs;
}

using names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(an_event_reaches_the_subscribed_runs_in_order_and_once, kind, every_store) {
    opened<kind> s;
    const std::vector<std::pair<std::string, std::vector<std::string>>> wishes{{"a", {"paid", "sent"}}, {"b", {"paid"}}, {"all", {""}}, {"none", {}}};
    shard_id shard = 0;
    for (const auto& [run, types] : wishes) {
        BOOST_TEST(s.c->create_run(s.run(run, ++shard)).has_value());
        auto k = s.step(run, 0, shard);
        k.subscribed = types;
        BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    }
    BOOST_TEST(woken(*s.c, {{"/shop", "1", "paid", R"({"n":1})"}, {"/shop", "2", "sent", "{}"}}) == (names{"a", "all", "b"}));
    BOOST_TEST(woken(*s.c, {{"/shop", "1", "paid", "{}"}}).empty());
    BOOST_TEST(woken(*s.c, {{"/other", "1", "paid", "{}"}}) == (names{"a", "all", "b"}));
    BOOST_TEST(woken(*s.c, {{"/shop", "3", "lost", "{}"}}) == (names{"all"}));
    BOOST_TEST(woken(*s.c, {}).empty());
    names seen;
    for (const auto& entry : s.c->fetch_inbox(std::vector<shard_id>{1}, 0, 10).value()) {
        if (entry.kind != "event") continue;  // "start"
        seen.push_back(entry.source + " " + entry.id);
        if (seen.size() == 1) BOOST_TEST(entry.body == R"({"n":1})");
    }
    BOOST_TEST(seen == (names{"/shop 1 a", "/shop 2 a", "/other 1 a"}));
    BOOST_TEST((s.c->publish(std::vector<published_event>{{std::string(1'001, 's'), "1", "t", "{}"}}).error().code == store_errc::refused));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(subscriptions_change_with_checkpoints_and_end_with_the_run, kind, every_store) {
    opened<kind> s;
    for (const auto* run : {"r1", "r2"}) {
        BOOST_TEST(s.c->create_run(s.run(run, 1)).has_value());
        auto k = s.step(run, 0, 1);
        k.subscribed = {"paid", "sent"};
        BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    }
    // One batch: dropped, taken up again, and something new; the last word counts.
    std::vector<checkpoint> chain{s.step("r1", 1, 1), s.step("r1", 2, 1)};
    chain[0].unsubscribed = {"paid", "sent"};
    chain[1].subscribed = {"paid", "late"};
    for (const auto outcome : s.c->commit(chain).value()) BOOST_TEST((outcome == checkpoint_outcome::committed));
    BOOST_TEST(woken(*s.c, {{"/x", "1", "sent", "{}"}}) == (names{"r2"}));
    BOOST_TEST(woken(*s.c, {{"/x", "2", "paid", "{}"}}) == (names{"r1", "r2"}));
    BOOST_TEST(woken(*s.c, {{"/x", "3", "late", "{}"}}) == (names{"r1"}));
    // A checkpoint that does not count changes nothing.
    auto stale = s.step("r1", 1, 1);
    stale.unsubscribed = {"paid"};
    BOOST_TEST((s.commit_one(stale) == checkpoint_outcome::conflict));
    BOOST_TEST(woken(*s.c, {{"/x", "4", "paid", "{}"}}) == (names{"r1", "r2"}));
    auto last = s.step("r1", 3, 1);
    last.status = run_status::completed;
    last.state.clear();
    last.unsubscribed_all = true;
    BOOST_TEST((s.commit_one(last) == checkpoint_outcome::committed));
    BOOST_TEST(woken(*s.c, {{"/x", "5", "paid", "{}"}, {"/x", "6", "late", "{}"}}) == (names{"r2"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_is_sent_events_from_its_birth_on_before_anybody_has_looked_at_it, kind, every_store) {
    opened<kind> s;
    auto parent = s.run("parent", 1);
    parent.subscribed = {"paid"};
    BOOST_TEST(s.c->create_run(parent).has_value());
    BOOST_TEST(woken(*s.c, {{"/x", "1", "paid", "{}"}}) == (names{"parent"}));
    auto child = s.run("child", 1);
    child.subscribed = {"paid", "sent"};
    auto k = s.step("parent", 0, 1);
    k.births = {child};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST(woken(*s.c, {{"/x", "2", "paid", "{}"}}) == (names{"child", "parent"}));
    BOOST_TEST(woken(*s.c, {{"/x", "3", "sent", "{}"}}) == (names{"child"}));
    auto last = s.step("child", 0, 1);
    last.status = run_status::completed;
    last.state.clear();
    last.unsubscribed_all = true;
    BOOST_TEST((s.commit_one(last) == checkpoint_outcome::committed));
    // Born again, as its parent may say once more: it is over, and stays so.
    auto again = s.step("parent", 1, 1);
    again.births = {child};
    BOOST_TEST((s.commit_one(again) == checkpoint_outcome::committed));
    BOOST_TEST(woken(*s.c, {{"/x", "4", "paid", "{}"}}) == (names{"parent"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(events_wait_in_order_until_delivered, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    for (int i = 0; i < 5; ++i) k.events.push_back({"e" + std::to_string(i), "r1", "t", awkward});
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    const std::vector<shard_id> shards{0, 1};
    const auto waiting = s.c->undelivered(shards, 0, 3).value();
    BOOST_REQUIRE(waiting.size() == 3u);
    BOOST_TEST(waiting[0].id == "e0");
    BOOST_TEST(waiting[2].id == "e2");
    BOOST_TEST(waiting[0].body == awkward);
    const auto next = s.c->undelivered(shards, waiting[2].seq, 10).value();
    BOOST_REQUIRE(next.size() == 2u);
    BOOST_TEST(next[0].id == "e3");
    const std::vector<std::int64_t> seqs{waiting[0].seq, waiting[2].seq};
    BOOST_TEST(s.c->mark_delivered(seqs).has_value());
    BOOST_TEST(s.c->mark_delivered({}).has_value());
    const auto left = s.c->undelivered(shards, 0, 10).value();
    BOOST_REQUIRE(left.size() == 3u);
    BOOST_TEST(left[0].id == "e1");
    BOOST_TEST(s.c->undelivered(shard_0, 0, 10).value().empty());
    BOOST_TEST(s.c->list_events("r1").value().size() == 5u);
    BOOST_TEST(s.c->list_events("r2").value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_doorbell_rings_for_posts_of_others_and_not_for_checkpoints, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1")).has_value());
    auto bell = s.db->listen().value();
    BOOST_TEST(!bell->wait(milliseconds(0)).value());
    auto elsewhere = open_database(s.at.url).value()->connect().value();  // as another process would
    BOOST_TEST(elsewhere->post({0, "", "reset", "x", "1", "{}"}).value());
    BOOST_TEST(bell->wait(milliseconds(10'000)).value());
    BOOST_TEST(elsewhere->create_run(s.run("r2")).has_value());
    BOOST_TEST(bell->wait(milliseconds(10'000)).value());
    BOOST_TEST((s.commit_one(s.step("r1", 0)) == checkpoint_outcome::committed));
    BOOST_TEST(!elsewhere->post({0, "", "reset", "x", "1", "{}"}).value());
    BOOST_TEST(!bell->wait(milliseconds(60)).value());
    BOOST_TEST(s.c->post({0, "", "reset", "x", "2", "{}"}).value());
    BOOST_TEST(bell->wait(milliseconds(10'000)).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_doorbell_is_woken_from_another_thread, kind, every_store) {
    opened<kind> s;
    auto bell = s.db->listen().value();
    bell->wake();
    BOOST_TEST(!bell->wait(milliseconds(60'000)).value());  // the next wait, when none runs
    std::jthread waker([&] { bell->wake(); });
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(!bell->wait(milliseconds(60'000)).value());
    BOOST_TEST((std::chrono::steady_clock::now() - began < std::chrono::seconds(30)));
}

BOOST_AUTO_TEST_SUITE_END()
