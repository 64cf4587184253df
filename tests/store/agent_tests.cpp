#include "stores.hpp"

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(agents_and_approvals)

BOOST_AUTO_TEST_CASE_TEMPLATE(agents_are_inserted_updated_and_listed, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(!s.c->load_agent("support", "ann").value().has_value());
    const auto put = [&](const char* agent, const std::string& key, std::int64_t revision, const char* state) {
        checkpoint k;
        k.shard = shard_of(std::string(agent) + "/" + key, s.db->shard_count());
        k.epoch = s.epoch(k.shard);
        k.agents = {{agent, key, revision, 2, state, R"({"status":"idle"})", {}}};
        BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    };
    put("support", "ann", 1, "1");
    put("support", awkward, 1, "2");
    put("billing", "ann", 1, "3");
    const auto before = s.c->load_agent("support", "ann").value()->updated_at;
    const auto newest = s.c->load_agent("billing", "ann").value()->updated_at;
    BOOST_TEST(eventually([&] { return s.c->now().value() > newest; }));
    put("support", "ann", 2, "4");
    const auto ann = s.c->load_agent("support", "ann").value().value();
    BOOST_TEST(ann.revision == 2);
    BOOST_TEST(ann.state == "4");
    BOOST_TEST(ann.state_version == 2);
    BOOST_TEST(ann.meta == R"({"status":"idle"})");
    BOOST_TEST((ann.updated_at > before));
    BOOST_TEST(s.c->load_agent("support", awkward).value()->state == "2");
    const auto all = s.c->list_agents("", 10).value();
    BOOST_REQUIRE(all.size() == 3u);
    BOOST_TEST(all[0].state == "4");
    BOOST_TEST(s.c->list_agents("support", 10).value().size() == 2u);
    BOOST_TEST(s.c->list_agents("support", 1).value().size() == 1u);
    BOOST_TEST(s.c->list_agents("nobody", 1).value().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(approvals_are_inserted_decided_and_listed, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 2)).has_value());
    auto k = s.step("r1", 0, 2);
    for (int i = 1; i <= 3; ++i) {
        approval_row a;
        a.id = "a" + std::to_string(i);
        a.run = i == 3 ? "r2" : "r1";
        a.key = "key";
        a.agent = "support";
        a.agent_key = "ann";
        a.task = "ask";
        a.title = awkward;
        a.proposal = R"({"amount":5})";
        a.created_at = time_point(milliseconds(1'700'000'000'000 + i));
        if (i == 2) a.expires_at = time_point(milliseconds(1'700'000'100'000));
        k.approvals.push_back(a);
    }
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    auto a2 = s.c->load_approval("a2").value();
    BOOST_TEST(a2.shard == 2u);
    BOOST_TEST(a2.run == "r1");
    BOOST_TEST(a2.key == "key");
    BOOST_TEST(a2.agent == "support");
    BOOST_TEST(a2.agent_key == "ann");
    BOOST_TEST(a2.task == "ask");
    BOOST_TEST(a2.title == awkward);
    BOOST_TEST(a2.proposal == R"({"amount":5})");
    BOOST_TEST((a2.status == approval_status::pending));
    BOOST_TEST((a2.expires_at == time_point(milliseconds(1'700'000'100'000))));
    BOOST_TEST((a2.created_at == time_point(milliseconds(1'700'000'000'002))));
    BOOST_TEST(!a2.decided_at.has_value());
    a2.status = approval_status::approved;
    a2.decided_by = "ann";
    a2.comment = "fine: " + awkward;
    a2.decided_at = time_point(milliseconds(1'700'000'050'000));
    auto decided = s.step("r1", 1, 2);
    decided.approvals = {a2};
    BOOST_TEST((s.commit_one(decided) == checkpoint_outcome::committed));
    const auto read = s.c->load_approval("a2").value();
    BOOST_TEST((read.status == approval_status::approved));
    BOOST_TEST(read.decided_by == "ann");
    BOOST_TEST(read.comment == a2.comment);
    BOOST_TEST((read.decided_at == a2.decided_at));
    const auto ids = [&](std::optional<approval_status> status, std::string_view run, std::size_t limit = 10) {
        std::string out;
        for (const auto& a : s.c->list_approvals(status, run, limit).value()) out += a.id + " ";
        return out;
    };
    BOOST_TEST(ids({}, "") == "a3 a2 a1 ");
    BOOST_TEST(ids({}, "", 1) == "a3 ");
    BOOST_TEST(ids(approval_status::pending, "") == "a3 a1 ");
    BOOST_TEST(ids({}, "r1") == "a2 a1 ");
    BOOST_TEST(ids(approval_status::approved, "r1") == "a2 ");
    BOOST_TEST(ids(approval_status::expired, "") == "");
    const auto begins = [&](std::string_view beginning, std::size_t limit = 10) {
        std::string out;
        for (const auto& a : s.c->find_approvals(beginning, limit).value()) out += a.id + " ";
        return out;
    };
    BOOST_TEST(begins("a") == "a3 a2 a1 ");
    BOOST_TEST(begins("a", 2) == "a3 a2 ");
    BOOST_TEST(begins("a2") == "a2 ");
    BOOST_TEST(begins("b") == "");
    const auto missing = s.c->load_approval("a9").error();
    BOOST_TEST((missing.code == store_errc::not_found));
    BOOST_TEST(missing.detail.find("a9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_words_of_approval_status_read_back) {
    for (int i = 0; i < 5; ++i) {
        const auto status = static_cast<approval_status>(i);
        BOOST_TEST((approval_status_from(to_string(status)) == status));
    }
    BOOST_TEST(!approval_status_from("maybe").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
