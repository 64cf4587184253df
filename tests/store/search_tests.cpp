// Searching runs: what a filter finds, page by page, and that the databases use an index for it.
#include "stores.hpp"

#include "store/run_search.hpp"
#include "store/session.hpp"

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(search)

namespace {

std::string ids(connection& c, const run_filter& f) {
    std::string out;
    for (const auto& r : c.list_runs(f).value()) out += r.id + " ";
    return out;
}

/// What the database says it would do for this search: one line for each node of its plan.
std::string plan_of(const std::string& url, const run_filter& filter) {
    auto where = parse_location(url).value();
    session on(std::move(where), {});
    const auto search = search_of(on.kind(), filter);
    const bool sqlite = on.kind() == dialect::sqlite;
    auto plan = on.run([&]() -> store_result<std::string> {
        on.execute("analyze");
        if (!sqlite) on.execute("set enable_seqscan = off");  // at a few thousand rows reading all of them is no bad plan either
        auto& q = on.prepared("plan", [&] { return (sqlite ? "explain query plan " : "explain ") + search.sql; }, search.parameters, sqlite ? "iiit" : "t");
        for (const auto& value : search.values) std::visit([&](const auto& v) { q.bind(v); }, value);
        q.execute();
        std::string lines;
        while (q.next()) lines += q.text(sqlite ? 3 : 0) + "\n";
        return store_result<std::string>{boost::system::in_place_value, lines};
    });
    return plan.value();
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_are_found_by_all_their_tags, kind, every_store) {
    opened<kind> s;
    for (int i = 0; i < 6; ++i) {
        auto r = s.run("r" + std::to_string(i), static_cast<shard_id>(i));
        r.tags = {{"tenant", i % 2 == 0 ? "acme" : "other"}};
        if (i < 3) r.tags["team"] = "night's \"shift\" €";
        BOOST_TEST(s.c->create_run(r).has_value());
    }
    BOOST_TEST(s.c->create_run(s.run("plain")).has_value());
    run_filter f;
    f.tags = {{"tenant", "acme"}};
    BOOST_TEST(ids(*s.c, f) == "r4 r2 r0 ");
    f.tags["team"] = "night's \"shift\" €";
    BOOST_TEST(ids(*s.c, f) == "r2 r0 ");
    f.statuses = {run_status::completed};
    BOOST_TEST(ids(*s.c, f) == "");
    f.statuses = {run_status::pending, run_status::completed};
    BOOST_TEST(ids(*s.c, f) == "r2 r0 ");
    f.tags = {{"tenant", "none"}};
    BOOST_TEST(ids(*s.c, f) == "");
    BOOST_TEST((s.c->load_run("r0").value().tags == tag_map{{"tenant", "acme"}, {"team", "night's \"shift\" €"}}));
    BOOST_TEST(s.c->load_run("plain").value().tags.empty());
    BOOST_TEST((s.c->list_runs({}).value().back().tags.size() == 2u));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_are_found_by_the_beginning_of_their_ids_however_old_they_are, kind, every_store) {
    opened<kind> s;
    for (const auto* id : {"0a-1", "0a-2", "0b", "0a%", "0", "0A-3"}) BOOST_TEST(s.c->create_run(s.run(id)).has_value());
    const auto begins = [&](const std::string& beginning, std::size_t limit = 50) {
        run_filter f;
        f.id_begins = beginning;
        f.limit = limit;
        return ids(*s.c, f);
    };
    BOOST_TEST(begins("0a") == "0a-2 0a-1 0a% ");
    BOOST_TEST(begins("0a", 1) == "0a-2 ");
    BOOST_TEST(begins("0a%") == "0a% ");
    BOOST_TEST(begins("0b") == "0b ");
    BOOST_TEST(begins("0c") == "");
    run_filter f;
    f.id_begins = "0a";
    BOOST_TEST(plan_of(s.at.url, f).find("runs_id") != std::string::npos, plan_of(s.at.url, f));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_that_its_checkpoint_creates_has_its_tags_and_a_child_those_of_its_definition, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->put_definition({"child", "shop", "ship", "1.0.0", "{}", {{"team", "shipping"}}}).has_value());
    BOOST_TEST(s.c->put_definition({"child", "shop", "ship", "1.0.0", "{}", {{"site", "north"}}}).has_value());  // `pawl deploy --tag`
    BOOST_TEST((s.c->get_definition("child").value().tags == tag_map{{"team", "shipping"}, {"site", "north"}}));
    auto k = s.step("r1", 0);
    k.born = s.run("r1");
    k.born->tags = {{"tenant", "acme"}};
    auto child = s.run("c1");
    child.definition = "child";
    auto named = s.run("c2");
    named.definition = "child";
    named.tags = {{"team", "other"}};
    k.births = {child, named};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    BOOST_TEST((s.c->load_run("r1").value().tags == tag_map{{"tenant", "acme"}}));
    BOOST_TEST((s.c->load_run("c1").value().tags == tag_map{{"team", "shipping"}, {"site", "north"}}));
    BOOST_TEST((s.c->load_run("c2").value().tags == tag_map{{"team", "other"}}));
    run_filter f;
    f.tags = {{"team", "shipping"}};
    BOOST_TEST(ids(*s.c, f) == "c1 ");
    // The next page of a search by tags begins behind the run's own time.
    f.after = run_cursor{s.c->load_run("c1").value().created_at, "c1"};
    BOOST_TEST(ids(*s.c, f) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pages_of_a_search_show_every_run_once, kind, every_store) {
    opened<kind> s;
    std::string all;
    for (int i = 0; i < 25; ++i) {
        auto r = s.run("r" + std::to_string(100 + i), static_cast<shard_id>(i % 7));
        r.tags = {{"tenant", "acme"}};
        BOOST_TEST(s.c->create_run(r).has_value());
    }
    for (const bool tagged : {false, true}) {
        run_filter f;
        if (tagged) f.tags = {{"tenant", "acme"}};
        f.limit = 25;
        all = ids(*s.c, f);
        f.limit = 4;
        std::string paged;
        for (auto page = s.c->list_runs(f).value(); !page.empty(); page = s.c->list_runs(f).value()) {
            BOOST_TEST(page.size() <= 4u);
            for (const auto& r : page) paged += r.id + " ";
            f.after = run_cursor{page.back().created_at, page.back().id};
        }
        BOOST_TEST(paged == all);
        BOOST_TEST(std::count(all.begin(), all.end(), ' ') == 25);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(times_bound_a_search_from_included_until_excluded, kind, every_store) {
    opened<kind> s;
    BOOST_TEST(s.c->create_run(s.run("live")).has_value());
    BOOST_TEST(s.c->create_run(s.run("done")).has_value());
    auto end = s.step("done", 0);
    end.status = run_status::faulted;
    BOOST_TEST((s.commit_one(end) == checkpoint_outcome::committed));
    const auto row = s.c->load_run("done").value();
    const auto ms = milliseconds(1);
    run_filter f;
    f.ended = {row.ended_at, *row.ended_at + ms};
    BOOST_TEST(ids(*s.c, f) == "done ");
    f.ended = {std::nullopt, row.ended_at};
    BOOST_TEST(ids(*s.c, f) == "");
    f.ended = {};
    f.updated = {row.updated_at, row.updated_at + ms};
    BOOST_TEST(ids(*s.c, f).find("done") != std::string::npos);
    f.updated = {};
    f.created = {row.created_at + milliseconds(60'000), std::nullopt};
    BOOST_TEST(ids(*s.c, f) == "");
    f.created = {std::nullopt, row.created_at - milliseconds(60'000)};
    BOOST_TEST(ids(*s.c, f) == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_search_uses_an_index, kind, every_store) {
    opened<kind> s;
    std::vector<checkpoint> batch;
    for (int i = 0; i < 3'000; ++i) {
        auto k = s.step("r" + std::to_string(i), 0, static_cast<shard_id>(i % 64));
        k.born = s.run(k.run, k.shard);
        k.born->workflow = "shop/w" + std::to_string(i % 50) + ":1.0.0";
        k.born->agent = i % 100 == 0 ? "desk" : "";
        k.born->agent_key = k.born->agent.empty() ? "" : std::to_string(i);
        k.born->tags = {{"tenant", "t" + std::to_string(i % 300)}, {"team", "a"}};
        k.status = i % 500 == 0 ? run_status::faulted : run_status::waiting;
        batch.push_back(std::move(k));
    }
    for (const auto outcome : s.c->commit(batch).value()) BOOST_REQUIRE((outcome == checkpoint_outcome::committed));
    const auto uses = [&](const run_filter& f, const std::string& index) {
        const auto plan = plan_of(s.at.url, f);
        BOOST_TEST(plan.find(index) != std::string::npos, kind::kind << " does not use " << index << ":\n" << plan);
        BOOST_TEST(plan.find("SCAN r\n") == std::string::npos, plan);
        BOOST_TEST(plan.find("Seq Scan") == std::string::npos, plan);
    };
    run_filter f;
    f.tags = {{"tenant", "t7"}};
    BOOST_TEST(s.c->list_runs(f).value().size() == 10u);
    uses(f, "run_tags_search");
    f.tags["team"] = "a";
    uses(f, "run_tags");
    f = {};
    f.statuses = {run_status::faulted};
    BOOST_TEST(s.c->list_runs(f).value().size() == 6u);
    f.ended.until = s.c->now().value() - milliseconds(60'000);
    uses(f, "run_states_ended");
    f = {};
    f.agent = "desk";
    uses(f, "runs_agent");
    f = {};
    uses(f, "runs_newest");
}

BOOST_AUTO_TEST_SUITE_END()
