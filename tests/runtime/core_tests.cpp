// The core by itself, with a store that the test plays: what it must not believe, and what it must not lose, when shards go and come back and checkpoints are refused.
#include "runtime/core.hpp"

#include "runtime/engine_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>

using namespace pawl;
using namespace pawl::testing;
using store::checkpoint_outcome;

namespace {

using agent_answer = std::function<void(store::store_result<std::optional<store::agent_row>>)>;

struct played_ports final : runtime::core_ports {
    time_point now() override { return time_point(milliseconds(1'000)); }
    void commit(store::checkpoint c) override { commits.push_back(std::move(c)); }
    void beat(store::heartbeat_row) override {}
    void load(std::string run) override { loads.push_back(std::move(run)); }
    void load_agent(std::string, std::string, agent_answer done) override { agent_loads.push_back(std::move(done)); }
    void fetch_inbox() override {}
    void fetch_runnable(std::string) override {}
    void wake_at(time_point) override {}
    std::shared_ptr<const flow::workflow> definition(const std::string&) override { return nullptr; }
    std::function<void(std::function<void()>)> poster() override {
        return [this](std::function<void()> work) { posts.push_back(std::move(work)); };
    }

    std::deque<store::checkpoint> commits;
    std::vector<std::string> loads;
    std::vector<agent_answer> agent_loads;
    std::vector<std::function<void()>> posts;
};

store::agent_row agent(std::int64_t revision) {
    store::agent_row row;
    row.agent = "desk";
    row.key = "k";
    row.revision = revision;
    row.state = R"({"at":)" + std::to_string(revision) + "}";
    row.meta = "{}";
    return row;
}

struct played {
    outside world;
    played_ports ports;
    runtime::engine_options options;
    runtime::core core{ports, scripted_effects(world), options};
    std::shared_ptr<const flow::workflow> waits = workflow_of("  - hear: { listen: { to: { one: { with: { type: go } } } } }\n  - note: { call: t.remember, with: { of: $workflow.id } }\n");

    std::shared_ptr<const flow::workflow> calls = workflow_of("  - work: { call: t.hold }\n  - note: { call: t.remember, with: { of: $workflow.id } }\n");

    /// A new run of the agent, as the store would give it.
    void loaded(const std::string& run, std::int64_t agent_revision = 5) { loaded(run, waits, agent_revision); }
    void loaded(const std::string& run, std::shared_ptr<const flow::workflow> of, std::int64_t agent_revision) {
        runtime::loaded_run l;
        l.row.id = run;
        l.row.agent = "desk";
        l.row.agent_key = "k";
        l.row.input = "null";
        l.workflow = std::move(of);
        l.agent = agent(agent_revision);
        core.loaded(std::move(l));
    }
    void hear(const std::string& run, std::int64_t seq) {
        store::inbox_entry e;
        e.seq = seq;
        e.run = run;
        e.kind = "event";
        e.source = "test";
        e.id = std::to_string(seq);
        e.body = R"({"specversion":"1.0","source":"test","id":")" + e.id + R"(","type":"go"})";
        core.received({e});
    }
    /// The run's call is over.
    void end_work(const std::string& run) {
        world.release(run, "work", 1);
        for (const auto& post : std::exchange(ports.posts, {})) post();
    }
    /// The oldest checkpoint under way.
    store::checkpoint answer(checkpoint_outcome outcome) {
        BOOST_TEST_REQUIRE(!ports.commits.empty());
        auto c = std::move(ports.commits.front());
        ports.commits.pop_front();
        core.committed(c, outcome);
        return c;
    }
    std::size_t times_loaded(const std::string& run) const { return static_cast<std::size_t>(std::count(ports.loads.begin(), ports.loads.end(), run)); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_alone)

BOOST_AUTO_TEST_CASE(a_run_that_was_read_before_its_shard_came_back_is_read_again) {
    played p;
    p.core.own({{0, 1}}, {});
    p.core.wake("r1");
    p.core.disown({{0, 1}});
    p.core.own({{0, 3}}, {});
    p.core.wake("r1");
    p.loaded("r1");  // what the reader had in hand: another engine may have gone on with it
    BOOST_TEST(p.ports.commits.empty());
    BOOST_TEST(p.times_loaded("r1") == 2u);
    p.loaded("r1");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.ports.commits.front().epoch == 3);
}

BOOST_AUTO_TEST_CASE(a_lease_that_was_lost_and_taken_again_is_not_lost_by_the_news_of_the_first) {
    played p;
    p.core.own({{0, 1}}, {});
    p.core.wake("r1");
    p.loaded("r1");
    p.core.own({{0, 2}}, {});  // before anybody had noticed that the first was gone
    BOOST_TEST(p.core.resident_runs() == 0u);
    p.core.disown({{0, 1}});
    BOOST_TEST(p.core.holds({0, 2}));
    p.core.wake("r1");
    p.loaded("r1");
    p.answer(checkpoint_outcome::fenced);  // of the first lease
    BOOST_TEST(p.core.holds({0, 2}));
    BOOST_TEST(p.core.resident_runs() == 1u);
}

BOOST_AUTO_TEST_CASE(a_message_that_was_taken_and_not_applied_comes_again) {
    played p;
    p.core.own({{0, 1}}, {});
    p.hear("r1", 7);
    p.core.disown({{0, 1}});
    p.loaded("r1");
    p.core.own({{0, 3}}, {});
    p.hear("r1", 7);
    p.loaded("r1");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST((p.ports.commits.front().consumed == std::vector<std::int64_t>{7}));
}

BOOST_AUTO_TEST_CASE(a_message_that_waited_for_a_load_may_have_been_taken_by_others_when_the_shard_comes_back) {
    played p;
    p.core.own({{0, 1}}, {});
    p.hear("r1", 7);
    p.core.disown({{0, 1}});  // another engine takes the message
    p.core.own({{0, 3}}, {});
    p.core.wake("r1");
    p.loaded("r1");  // read before it was ours again
    p.loaded("r1");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.ports.commits.front().consumed.empty());
}

BOOST_AUTO_TEST_CASE(a_reset_of_an_agent_is_not_done_under_another_lease_than_it_was_taken_under) {
    played p;
    const auto reset = [&p] {
        store::inbox_entry e;
        e.seq = 7;
        e.kind = "reset";
        e.source = "test";
        e.id = "7";
        e.body = R"({"agent":"desk","agentKey":"k"})";
        p.core.received({e});
    };
    p.core.own({{0, 1}}, {});
    reset();
    p.core.disown({{0, 1}});
    p.core.own({{0, 3}}, {});
    BOOST_TEST_REQUIRE(p.ports.agent_loads.size() == 1u);
    std::exchange(p.ports.agent_loads, {}).front()(std::optional(agent(5)));
    BOOST_TEST(p.ports.commits.empty());
    reset();  // nobody has done it: the inbox brings it again
    BOOST_TEST_REQUIRE(p.ports.agent_loads.size() == 1u);
    p.ports.agent_loads.front()(std::optional(agent(5)));
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.ports.commits.front().epoch == 3);
}

BOOST_AUTO_TEST_CASE(runs_of_an_agent_begin_in_the_order_of_their_messages_whichever_is_read_first) {
    played p;
    p.core.own({{0, 1}}, {});
    for (const auto* run : {"r1", "r2", "r3"}) p.hear(run, run[1]);
    p.loaded("r3");
    p.loaded("r2");
    BOOST_TEST(p.ports.commits.empty());
    p.loaded("r1");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 3u);
    BOOST_TEST(p.ports.commits[0].run == "r1");
    BOOST_TEST(p.ports.commits[1].run == "r2");
    BOOST_TEST(p.ports.commits[2].run == "r3");
}

BOOST_AUTO_TEST_CASE(one_that_cannot_be_read_keeps_no_other_run_of_the_agent_from_beginning) {
    played p;
    p.core.own({{0, 1}}, {});
    for (const auto* run : {"r1", "r2"}) p.hear(run, run[1]);
    p.loaded("r2");
    BOOST_TEST(p.ports.commits.empty());
    p.core.load_failed("r1", make_problem(problem_type::runtime, "torn"));
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.ports.commits[0].run == "r2");
}

BOOST_AUTO_TEST_CASE(a_run_of_an_agent_that_must_be_read_again_keeps_its_place) {
    played p;
    p.options.max_resident_runs = 2;
    p.core.own({{0, 1}}, {});
    for (const auto* run : {"r1", "r2"}) p.hear(run, run[1]);
    p.loaded("r2");
    p.core.own({{0, 2}}, {});  // what was read before is not believed
    for (const auto* run : {"r1", "r2"}) p.hear(run, run[1]);
    p.loaded("r1");
    BOOST_TEST(p.times_loaded("r1") == 2u);
    p.loaded("r1");
    BOOST_TEST(p.times_loaded("r2") == 2u);
    p.loaded("r2");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 2u);
    BOOST_TEST(p.ports.commits[0].run == "r1");
    BOOST_TEST(p.ports.commits[1].run == "r2");
}

BOOST_AUTO_TEST_CASE(messages_behind_a_refused_checkpoint_come_again_in_their_order) {
    played p;
    p.core.own({{0, 1}}, {});
    p.hear("r1", 7);
    p.loaded("r1");
    p.hear("r1", 8);  // waits for the checkpoint that is under way
    BOOST_TEST((p.answer(checkpoint_outcome::conflict).consumed == std::vector<std::int64_t>{7}));
    p.hear("r1", 7);
    p.hear("r1", 8);
    p.loaded("r1");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST((p.ports.commits.front().consumed == std::vector<std::int64_t>{7, 8}));
}

BOOST_AUTO_TEST_CASE(messages_to_a_run_that_could_not_be_read_come_again_before_later_ones) {
    played p;
    p.core.own({{0, 1}}, {});
    p.hear("r1", 7);
    p.core.load_failed("r1", make_problem(problem_type::runtime, "not now"));
    p.hear("r1", 7);  // lies there, and is not tried again and again
    BOOST_TEST(p.times_loaded("r1") == 1u);
    p.hear("r1", 8);
    p.loaded("r1");
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.answer(checkpoint_outcome::committed).consumed.empty());
    p.hear("r1", 7);
    p.hear("r1", 8);
    p.loaded("r1", 6);
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST((p.ports.commits.front().consumed == std::vector<std::int64_t>{7, 8}));
}

BOOST_AUTO_TEST_CASE(what_was_seen_of_an_agent_in_a_refused_checkpoint_is_built_on_by_nobody) {
    played p;
    p.core.own({{0, 1}}, {});
    for (const auto* run : {"r1", "r2"}) p.core.wake(run);
    p.loaded("r1", p.calls, 5);
    BOOST_TEST(p.answer(checkpoint_outcome::committed).agents.at(0).revision == 6);
    p.loaded("r2");
    p.end_work("r1");  // goes on with what r2 has made of the agent
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 2u);
    BOOST_TEST(p.ports.commits.back().agents.at(0).revision == 8);
    p.answer(checkpoint_outcome::conflict);   // r2
    BOOST_TEST(p.ports.agent_loads.empty());  // not yet: the row may still change
    p.answer(checkpoint_outcome::conflict);   // r1, since it builds on r2
    p.loaded("r2", 6);
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.ports.commits.front().agents.at(0).revision == 7);
}

BOOST_AUTO_TEST_CASE(runs_wait_until_an_agent_in_doubt_has_been_read_again) {
    played p;
    p.core.own({{0, 1}}, {});
    for (const auto* run : {"r1", "r2", "r3"}) p.core.wake(run);
    p.loaded("r1", p.calls, 5);
    p.answer(checkpoint_outcome::committed);
    p.loaded("r2");
    p.answer(checkpoint_outcome::conflict);
    p.end_work("r1");
    p.loaded("r3");
    BOOST_TEST(p.ports.commits.empty());
    BOOST_TEST_REQUIRE(p.ports.agent_loads.size() == 1u);
    p.ports.agent_loads.front()(agent(9));
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 2u);
    BOOST_TEST(p.ports.commits[0].agents.at(0).revision == 10);
    BOOST_TEST(p.ports.commits[1].agents.at(0).revision == 11);
}

BOOST_AUTO_TEST_CASE(a_load_that_may_have_read_an_agent_before_its_last_change_is_repeated) {
    played p;
    p.core.own({{0, 1}}, {});
    p.core.wake("r1");
    p.core.wake("r2");
    p.loaded("r1");
    p.answer(checkpoint_outcome::committed);  // revision 6; then r1 waits, and leaves memory
    p.loaded("r2", 5);
    BOOST_TEST(p.ports.commits.empty());
    BOOST_TEST(p.times_loaded("r2") == 2u);
    p.loaded("r2", 6);
    BOOST_TEST_REQUIRE(p.ports.commits.size() == 1u);
    BOOST_TEST(p.ports.commits.front().agents.at(0).revision == 7);
}

BOOST_AUTO_TEST_CASE(a_run_is_subscribed_from_its_first_checkpoint_to_its_end_and_keeps_what_comes_early) {
    played p;
    const auto early = workflow_of("  - work: { call: t.hold }\n  - hear: { listen: { to: { one: { with: { type: go } } } } }\n");
    p.core.own({{0, 1}}, {});
    p.core.wake("r1");
    p.loaded("r1", early, 5);
    const auto first = p.answer(checkpoint_outcome::committed);
    BOOST_TEST(first.subscribed == std::vector<std::string>{"go"}, boost::test_tools::per_element());
    p.hear("r1", 7);
    const auto heard = p.answer(checkpoint_outcome::committed);
    BOOST_TEST(heard.consumed == std::vector<std::int64_t>{7}, boost::test_tools::per_element());
    BOOST_TEST(heard.state.find(R"("listening":[],"kept":[)") != std::string::npos, heard.state);
    BOOST_TEST(heard.subscribed.empty());
    p.end_work("r1");
    const auto last = p.answer(checkpoint_outcome::committed);
    BOOST_TEST((last.status == run_status::completed));
    BOOST_TEST(last.unsubscribed_all);
}

BOOST_AUTO_TEST_CASE(what_a_run_was_subscribed_to_when_it_was_stored_ends_with_its_first_checkpoint_at_the_latest) {
    played p;
    p.core.own({{0, 1}}, {});
    p.core.wake("r1");
    p.loaded("r1", workflow_of("  - over: { set: { x: 1 }, then: end }\n  - hear: { listen: { to: { one: { with: { type: go } } } } }\n"), 5);
    BOOST_TEST(p.answer(checkpoint_outcome::committed).unsubscribed_all);
    p.core.wake("r2");
    p.loaded("r2", workflow_of("  - over: { set: { x: 1 } }\n"), 6);
    BOOST_TEST(!p.answer(checkpoint_outcome::committed).unsubscribed_all);
}

BOOST_AUTO_TEST_CASE(a_run_of_a_version_that_subscribed_only_while_it_listened_is_subscribed_anew_when_it_is_saved) {
    played p;
    const auto two = workflow_of("  - hear: { listen: { to: { one: { with: { type: go } } } } }\n  - more: { listen: { to: { any: [ { with: { type: go } }, { with: { type: on } } ] } } }\n");
    p.core.own({{0, 1}}, {});
    p.core.wake("r1");
    p.loaded("r1", two, 5);
    const auto first = p.answer(checkpoint_outcome::committed);
    BOOST_TEST(first.subscribed == (std::vector<std::string>{"go", "on"}), boost::test_tools::per_element());
    auto state = first.state;
    const std::string marks = R"(,"listening":["go"],"heard":[0])";
    BOOST_TEST_REQUIRE(state.find(marks) != std::string::npos, state);
    state.erase(state.find(marks), marks.size());
    runtime::loaded_run stored;
    stored.row.id = "r2";
    stored.row.input = "null";
    stored.row.status = run_status::waiting;
    stored.row.state = state;
    stored.workflow = two;
    p.core.wake("r2");
    p.core.loaded(std::move(stored));
    BOOST_TEST(p.ports.commits.empty());  // it is as the store has it
    p.core.wake("r2");
    p.hear("r2", 9);
    if (p.ports.commits.empty()) {  // it had left memory
        runtime::loaded_run again;
        again.row.id = "r2";
        again.row.input = "null";
        again.row.status = run_status::waiting;
        again.row.state = state;
        again.workflow = two;
        p.core.loaded(std::move(again));
    }
    const auto saved = p.answer(checkpoint_outcome::committed);
    BOOST_TEST(saved.subscribed == std::vector<std::string>{"on"}, boost::test_tools::per_element());
    BOOST_TEST(saved.unsubscribed.empty());
}

BOOST_AUTO_TEST_CASE(an_event_for_a_run_that_waits_for_its_turn_waits_with_it) {
    outside world;
    played_ports ports;
    runtime::engine_options options;
    auto limits = std::make_shared<runtime::limit_settings>();
    limits->workflows["*"].rules.emplace_back().concurrency = 1;
    options.limits = limits;
    runtime::core core{ports, scripted_effects(world), options};
    const auto loaded = [&](const std::string& run, const std::string& tasks) {
        runtime::loaded_run l;
        l.row.id = run;
        l.row.input = "null";
        l.workflow = workflow_of(tasks);
        core.loaded(std::move(l));
    };
    const auto committed = [&] {
        BOOST_TEST_REQUIRE(!ports.commits.empty());
        const auto c = std::move(ports.commits.front());
        ports.commits.pop_front();
        core.committed(c, checkpoint_outcome::committed);
        return c;
    };
    const std::string works = "  - work: { call: t.hold }\n", hears = "  - hear: { listen: { to: { any: [ { with: { type: go } } ], until: 'length == 2' } } }\n";
    core.own({{0, 1}}, {});
    core.wake("r1");
    loaded("r1", works);
    committed();
    core.wake("r2");
    loaded("r2", hears);
    store::inbox_entry event;
    event.seq = 5;
    event.run = "r2";
    event.kind = "event";
    event.body = R"({"specversion":"1.0","source":"test","id":"1","type":"go"})";
    core.received({event});
    loaded("r2", hears);
    BOOST_TEST(ports.commits.empty());  // neither begun out of turn nor the event consumed
    BOOST_TEST(core.resident_runs() == 1u);
    world.release("r1", "work", 1);
    for (const auto& post : std::exchange(ports.posts, {})) post();
    BOOST_TEST((committed().status == run_status::completed));
    for (const auto& post : std::exchange(ports.posts, {})) post();
    loaded("r2", hears);
    BOOST_TEST(committed().run == "r2");
    const auto loads = ports.loads.size();
    core.received({event});  // the inbox brings it again, and now it is taken: at once, or by loading the run
    BOOST_TEST(ports.commits.size() + ports.loads.size() == loads + 1);
}

BOOST_AUTO_TEST_SUITE_END()
