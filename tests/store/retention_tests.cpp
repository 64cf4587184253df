// Retention: what goes, what stays because somebody needs it, and that a round is bounded.
#include "stores.hpp"

#include "store/administration.hpp"

#include <thread>

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(retention_rounds)

namespace {

/// Everything that is over is old enough: its time is before "now" by then.
retention nothing_kept() {
    const milliseconds none(-60'000);
    return {none, none, none, none, none};
}

template <class Kind>
struct kept : opened<Kind> {
    std::unique_ptr<administration> admin = this->db->administer().value();
    prune_position position;

    pruned_rows prune_all(const retention& keep, std::size_t most = 1'000) {
        pruned_rows sum;
        for (int round = 0; round < 1'000; ++round) {
            const auto done = admin->prune(keep, position, most).value();
            sum.runs += done.runs, sum.steps += done.steps, sum.events += done.events, sum.messages += done.messages, sum.approvals += done.approvals;
            if (!done.more) return sum;
        }
        BOOST_FAIL("pruning does not come to an end");
        return sum;
    }
    void consume_all() {
        std::vector<shard_id> shards;
        for (shard_id i = 0; i < 64; ++i) shards.push_back(i);
        for (const auto& entry : this->c->fetch_inbox(shards, 0, 10'000).value()) {
            checkpoint k;
            k.shard = entry.shard;
            k.epoch = this->epoch(entry.shard);
            k.consumed = {entry.seq};
            BOOST_TEST((this->commit_one(k) == checkpoint_outcome::committed));
        }
    }
    void finish(const std::string& id, std::int64_t revision, shard_id shard = 0) {
        auto k = this->step(id, revision, shard);
        k.status = run_status::completed;
        k.state.clear();
        k.output = "1";
        BOOST_TEST((this->commit_one(k) == checkpoint_outcome::committed));
    }
    bool exists(const std::string& id) { return this->c->load_run(id).has_value(); }
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_finished_run_goes_with_all_its_rows_and_a_live_one_stays, kind, every_store) {
    kept<kind> s;
    for (const auto* id : {"done", "live"}) {
        auto r = s.run(id, 3);
        r.tags = {{"tenant", "acme"}};
        BOOST_TEST(s.c->create_run(r).has_value());
        auto k = s.step(id, 0, 3);
        k.blobs = {{std::string("b-") + id, "1"}};
        k.subscribed = {"paid"};
        approval_row a;
        a.id = std::string("a-") + id;
        a.shard = 3;
        a.run = id;
        a.status = approval_status::approved;
        a.decided_at = time_point(milliseconds(1));
        k.approvals = {a};
        k.events = {{std::string("e-") + id, id, "t", "{}"}};
        BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    }
    auto last = s.step("done", 1, 3);
    last.status = run_status::completed;
    last.unsubscribed_all = true;
    BOOST_TEST((s.commit_one(last) == checkpoint_outcome::committed));
    retention runs_only;
    runs_only.finished_runs = milliseconds(-60'000);
    // Its start message is not consumed and its event not delivered yet.
    BOOST_TEST(s.prune_all(runs_only).total() == 0u);
    s.consume_all();
    BOOST_TEST(s.prune_all(runs_only).total() == 0u);
    const auto events = s.c->undelivered(std::vector<shard_id>{3}, 0, 10).value();
    BOOST_TEST(events.size() == 2u);
    for (const auto& e : events) BOOST_TEST(s.c->mark_delivered(std::span(&e.seq, 1)).has_value());
    runs_only.finished_runs = milliseconds(60'000);
    BOOST_TEST(s.prune_all(runs_only).total() == 0u);  // too young
    runs_only.finished_runs = milliseconds(-60'000);
    const auto gone = s.prune_all(runs_only);
    BOOST_TEST(gone.runs == 1u);
    BOOST_TEST(gone.steps == 2u);
    BOOST_TEST(gone.events == 1u);
    BOOST_TEST(gone.approvals == 1u);
    BOOST_TEST(!s.exists("done"));
    BOOST_TEST(s.c->list_steps("done", 0, 10).value().empty());
    BOOST_TEST(s.c->list_events("done").value().empty());
    BOOST_TEST(s.c->load_approval("a-done").has_error());
    BOOST_TEST(s.exists("live"));
    BOOST_TEST(s.c->load_blobs(3, "live").value().size() == 1u);
    BOOST_TEST(s.c->list_steps("live", 0, 10).value().size() == 1u);
    BOOST_TEST(s.c->load_approval("a-live").has_value());
    run_filter tagged;
    tagged.tags = {{"tenant", "acme"}};
    BOOST_TEST(s.c->list_runs(tagged).value().size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_finished_parent_stays_for_its_live_child_and_a_child_until_its_parent_has_heard_of_its_end, kind, every_store) {
    kept<kind> s;
    BOOST_TEST(s.c->create_run(s.run("parent", 1)).has_value());
    auto birth = s.step("parent", 0, 1);
    auto child = s.run("child", 2);
    child.parent = "parent";
    child.parent_key = "k";
    birth.births = {child};
    BOOST_TEST((s.commit_one(birth) == checkpoint_outcome::committed));
    s.consume_all();
    s.finish("parent", 1, 1);
    retention runs_only;
    runs_only.finished_runs = milliseconds(-60'000);
    BOOST_TEST(s.prune_all(runs_only).runs == 0u);
    auto end = s.step("child", 0, 2);
    end.status = run_status::completed;
    end.posts = {{1, "parent", "child", "child", "end", "{}"}};
    BOOST_TEST((s.commit_one(end) == checkpoint_outcome::committed));
    BOOST_TEST(s.prune_all(runs_only).runs == 0u);  // the message waits: for the one, from the other
    s.consume_all();
    BOOST_TEST(s.prune_all(runs_only).runs == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_history_of_a_live_run_is_pruned_step_by_step_and_the_run_goes_on, kind, every_store) {
    kept<kind> s;
    for (int i = 0; i < 120; ++i) BOOST_TEST(s.c->create_run(s.run("other" + std::to_string(i), 1)).has_value());
    BOOST_TEST(s.c->create_run(s.run("live", 2)).has_value());
    auto k = s.step("live", 0, 2);
    for (int i = 2; i <= 700; ++i) {
        k.steps.push_back(k.steps[0]);
        k.steps.back().seq = i;
        if (i > 650) k.steps.back().ended_at = s.c->now().value() + milliseconds(3'600'000);
    }
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    retention history;
    history.live_history = milliseconds(60'000);
    const auto first = s.admin->prune(history, s.position, 50).value();
    BOOST_TEST(first.steps <= 50u);
    BOOST_TEST(s.prune_all(history, 50).steps + first.steps == 650u);
    BOOST_TEST(s.c->list_steps("live", 0, 1).value().at(0).seq == 651);
    auto next = s.step("live", 1, 2);
    next.steps[0].seq = 701;
    BOOST_TEST((s.commit_one(next) == checkpoint_outcome::committed));
    BOOST_TEST(s.prune_all(history).total() == 1u);  // that step's time is long ago; then nothing
    BOOST_TEST(s.prune_all(history).total() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_is_recognised_as_long_as_documented_and_not_for_ever, kind, every_store) {
    kept<kind> s;
    BOOST_TEST(s.c->post({4, "r", "approval", "cli", "1", "{}"}).value());
    retention messages;
    messages.consumed_messages = milliseconds(-60'000);
    BOOST_TEST(s.prune_all(messages).total() == 0u);  // waiting ones are never pruned
    s.consume_all();
    messages.consumed_messages = milliseconds(3'600'000);
    BOOST_TEST(s.prune_all(messages).total() == 0u);
    BOOST_TEST(!s.c->post({4, "r", "approval", "cli", "1", "{}"}).value());
    messages.consumed_messages = milliseconds(-60'000);
    BOOST_TEST(s.prune_all(messages).messages == 1u);
    BOOST_TEST(s.c->post({4, "r", "approval", "cli", "1", "{}"}).value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_event_stays_recognised_while_a_sink_that_is_down_makes_it_come_again, kind, every_store) {
    kept<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    k.subscribed = {"t"};
    k.events = {{"e1", "r1", "t", "{}"}};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    const published_event event{"/x", "e1", "t", "{}"};
    BOOST_TEST(s.c->publish(std::span(&event, 1)).value().size() == 1u);
    s.consume_all();
    retention messages;
    messages.consumed_messages = milliseconds(-60'000);
    s.prune_all(messages);
    BOOST_TEST(s.c->publish(std::span(&event, 1)).value().empty());
    const auto waiting = s.c->undelivered(std::vector<shard_id>{1}, 0, 10).value();
    BOOST_TEST(s.c->mark_delivered(std::span(&waiting.at(0).seq, 1)).has_value());
    BOOST_TEST(s.prune_all(messages).messages == 1u);
    retention events;
    events.delivered_events = milliseconds(3'600'000);
    BOOST_TEST(s.prune_all(events).events == 0u);
    events.delivered_events = milliseconds(-60'000);
    BOOST_TEST(s.prune_all(events).events == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(decided_approvals_go_and_pending_ones_stay, kind, every_store) {
    kept<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    for (const auto status : {approval_status::pending, approval_status::approved, approval_status::expired}) {
        approval_row a;
        a.id = std::string(to_string(status));
        a.shard = 1;
        a.run = "r1";
        a.status = status;
        if (status == approval_status::approved) a.decided_at = s.c->now().value();
        k.approvals.push_back(a);
    }
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    retention approvals;
    approvals.ended_approvals = milliseconds(3'600'000);
    BOOST_TEST(s.prune_all(approvals).total() == 0u);
    approvals.ended_approvals = milliseconds(-60'000);
    BOOST_TEST(s.prune_all(approvals).approvals == 2u);
    BOOST_TEST(s.c->load_approval("pending").has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_round_is_bounded_also_for_a_run_with_a_long_history, kind, every_store) {
    kept<kind> s;
    BOOST_TEST(s.c->create_run(s.run("long", 1)).has_value());
    auto k = s.step("long", 0, 1);
    for (int i = 2; i <= 500; ++i) {
        k.steps.push_back(k.steps[0]);
        k.steps.back().seq = i;
    }
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    s.consume_all();
    auto end = s.step("long", 1, 1);
    end.steps.clear();
    end.status = run_status::cancelled;
    BOOST_TEST((s.commit_one(end) == checkpoint_outcome::committed));
    run_filter all;
    BOOST_TEST(s.admin->prunable_runs(all, 10).value().size() == 1u);
    std::size_t rounds = 0;
    for (bool more = true; more; ++rounds) {
        const auto done = s.admin->prune_runs(all, 100).value();
        BOOST_TEST(done.steps <= 100u);
        more = done.more;
    }
    BOOST_TEST(rounds >= 5u);
    BOOST_TEST(!s.exists("long"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pruning_beside_an_engine_disturbs_none_of_its_checkpoints, kind, every_store) {
    kept<kind> s;
    for (int i = 0; i < 200; ++i) {
        auto k = s.step("old" + std::to_string(i), 0, 1);
        k.born = s.run(k.run, 1);
        k.status = run_status::completed;
        BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    }
    std::atomic<std::size_t> gone = 0;
    std::jthread janitor([&] {
        prune_position position;
        for (int i = 0; i < 400 && gone < 200; ++i) {
            const auto done = s.admin->prune(nothing_kept(), position, 20);
            if (done) gone += done->runs;
        }
    });
    auto born = s.step("busy", 0, 1);
    born.born = s.run("busy", 1);
    BOOST_TEST((s.commit_one(born) == checkpoint_outcome::committed));
    for (std::int64_t i = 1; i < 200; ++i) BOOST_TEST((s.commit_one(s.step("busy", i, 1)) == checkpoint_outcome::committed));
    janitor.join();
    BOOST_TEST(gone == 200u);
    BOOST_TEST(s.c->load_run("busy").value().revision == 200);
}

BOOST_AUTO_TEST_SUITE_END()
