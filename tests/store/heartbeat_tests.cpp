#include "stores.hpp"

#include <map>

using namespace store_tests;

namespace {

heartbeat_row beat_of(const std::string& run, const std::string& key, std::string detail, shard_id shard, std::int64_t epoch, int attempt = 1) {
    return {shard, epoch, run, key, attempt, std::move(detail)};
}

std::map<std::string, std::string> details_of(connection& c, shard_id shard, const std::string& run) {
    std::map<std::string, std::string> out;
    for (const auto& row : c.load_heartbeats(shard, run).value()) out[row.key] = row.detail;
    return out;
}
using details = std::map<std::string, std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(heartbeats)

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_detail_of_a_call_is_kept, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 2)).has_value());
    BOOST_TEST(!s.c->load_run("r1").value().has_heartbeats);
    BOOST_TEST(s.c->beat({}).has_value());
    const std::vector first{beat_of("r1", "k1", R"({"at":1})", 2, s.epoch(2)), beat_of("r1", "k2", "\"x\\u0000\"", 2, s.epoch(2)), beat_of("r2", "k1", "7", 3, s.epoch(3))};
    BOOST_TEST(s.c->beat(first).has_value());
    const std::vector second{beat_of("r1", "k1", R"({"at":2})", 2, s.epoch(2), 3)};
    BOOST_TEST(s.c->beat(second).has_value());
    BOOST_TEST(s.c->load_run("r1").value().has_heartbeats);
    BOOST_TEST((details_of(*s.c, 2, "r1") == details{{"k1", R"({"at":2})"}, {"k2", "\"x\\u0000\""}}));
    BOOST_TEST(details_of(*s.c, 3, "r2").size() == 1u);
    for (const auto& row : s.c->load_heartbeats(2, "r1").value()) BOOST_TEST(row.attempt == (row.key == "k1" ? 3 : 1));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_beat_of_a_lost_lease_changes_nothing, kind, every_store) {
    opened<kind> s;
    const std::vector ours{beat_of("r1", "k1", "1", 2, s.epoch(2))};
    BOOST_TEST(s.c->beat(ours).has_value());
    const std::vector stale{beat_of("r1", "k1", "2", 2, s.epoch(2) - 1), beat_of("r2", "k1", "3", 3, s.epoch(3))};
    BOOST_TEST(s.c->beat(stale).has_value());
    BOOST_TEST(details_of(*s.c, 2, "r1").at("k1") == "1");
    BOOST_TEST(details_of(*s.c, 3, "r2").at("k1") == "3");
    BOOST_TEST(s.c->release_leases("me").has_value());
    const std::vector released{beat_of("r1", "k1", "4", 2, s.epoch(2))};
    BOOST_TEST(s.c->beat(released).has_value());
    BOOST_TEST(details_of(*s.c, 2, "r1").at("k1") == "1");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(details_go_with_the_checkpoint_that_settles_their_call, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 2)).has_value());
    const std::vector all{beat_of("r1", "k1", "1", 2, s.epoch(2)), beat_of("r1", "k2", "2", 2, s.epoch(2)), beat_of("r1", "k3", "3", 2, s.epoch(2)),
                          beat_of("r2", "k1", "4", 2, s.epoch(2))};
    BOOST_TEST(s.c->beat(all).has_value());
    auto k = s.step("r1", 0, 2);
    k.settled = {"k1", "k1"};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST((details_of(*s.c, 2, "r1") == details{{"k2", "2"}, {"k3", "3"}}));
    auto fenced = s.step("r1", 1, 2);
    fenced.epoch -= 1;
    fenced.settled = {"k2"};
    BOOST_TEST((s.commit_one(fenced) == checkpoint_outcome::fenced));
    BOOST_TEST(details_of(*s.c, 2, "r1").size() == 2u);
    auto end = s.step("r1", 1, 2);
    end.status = run_status::completed;
    end.settled = {""};
    BOOST_TEST((s.commit_one(end) == checkpoint_outcome::committed));
    BOOST_TEST(details_of(*s.c, 2, "r1").empty());
    BOOST_TEST(details_of(*s.c, 2, "r2").size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
