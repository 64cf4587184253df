// Dead letters in the store: one list of what cannot proceed, until it proceeds or is given up.
#include "stores.hpp"

#include "store/administration.hpp"

using namespace store_tests;

BOOST_AUTO_TEST_SUITE(dead_letters)

namespace {

template <class Kind>
struct stuck : opened<Kind> {
    std::unique_ptr<administration> admin = this->db->administer().value();

    std::string listed() {
        std::string out;
        for (const auto& letter : admin->list_dead_letters(100).value()) out += letter.id() + (letter.times > 1 ? "x" + std::to_string(letter.times) : "") + " ";
        return out;
    }
    dead_letter only() { return admin->list_dead_letters(100).value().at(0); }
    void note(const std::string& kind, const std::string& run, std::int64_t revision) {
        BOOST_TEST(this->c->note_dead_letter({kind, run, 1, run, revision, "Why " + run, {}, {}, 1}).has_value());
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_is_listed_until_it_goes_on, kind, every_store) {
    stuck<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    BOOST_TEST(s.listed() == "");
    s.note("run", "r1", 0);
    s.note("run", "r1", 0);
    s.note("checkpoint", "r1", 0);
    s.note("run", "gone", 3);
    const auto both = s.listed();
    BOOST_TEST((both == "checkpoint:r1 run:r1x2 " || both == "run:r1x2 checkpoint:r1 "), both);
    BOOST_TEST(s.only().why == "Why r1");
    BOOST_TEST((s.commit_one(s.step("r1", 0, 1)) == checkpoint_outcome::committed));
    BOOST_TEST(s.listed() == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_that_is_given_up_ends_and_an_engine_that_holds_it_cannot_write_it_any_more, kind, every_store) {
    stuck<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    k.subscribed = {"t"};
    k.blobs = {{"b", "1"}};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    s.note("checkpoint", "r1", 1);
    const auto letter = s.only();
    BOOST_TEST(s.admin->discard_dead_letter(letter).value());
    const auto row = s.c->load_run("r1").value();
    BOOST_TEST((row.status == run_status::faulted));
    BOOST_TEST(row.error.find("Why r1") != std::string::npos);
    BOOST_TEST(row.state.empty());
    BOOST_TEST(s.c->load_blobs(1, "r1").value().empty());
    BOOST_TEST((s.commit_one(s.step("r1", 1, 1)) == checkpoint_outcome::conflict));
    BOOST_TEST(!s.admin->discard_dead_letter(letter).value());
    BOOST_TEST(s.listed() == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_that_went_on_is_not_given_up_for_what_was_before, kind, every_store) {
    stuck<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    s.note("run", "r1", 0);
    const auto letter = s.only();
    BOOST_TEST((s.commit_one(s.step("r1", 0, 1)) == checkpoint_outcome::committed));
    BOOST_TEST(!s.admin->discard_dead_letter(letter).value());
    BOOST_TEST((s.c->load_run("r1").value().status == run_status::running));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_for_nobody_is_listed_and_can_be_discarded, kind, every_store) {
    stuck<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    BOOST_TEST(s.c->post({2, "nobody", "approval", "cli", "1", R"({"a":1})"}).value());
    BOOST_TEST(s.c->post({2, "", "reset", "cli", "2", "{}"}).value());
    BOOST_TEST_REQUIRE(s.admin->list_dead_letters(10).value().size() == 1u);
    const auto letter = s.only();
    BOOST_TEST(letter.kind == "message");
    BOOST_TEST(letter.run == "nobody");
    BOOST_TEST(s.admin->dead_letter_body(letter).value() == R"({"a":1})");
    BOOST_TEST(!s.admin->retry_dead_letter(letter).value());
    BOOST_TEST(s.admin->discard_dead_letter(letter).value());
    BOOST_TEST(s.listed() == "");
    BOOST_TEST(!s.c->post({2, "nobody", "approval", "cli", "1", "{}"}).value());  // still recognised
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refused_event_is_delivered_again_or_discarded_and_kept_from_pruning_until_then, kind, every_store) {
    stuck<kind> s;
    BOOST_TEST(s.c->create_run(s.run("r1", 1)).has_value());
    auto k = s.step("r1", 0, 1);
    k.events = {{"e1", "r1", "t", R"({"id":"e1"})"}};
    BOOST_TEST((s.commit_one(k) == checkpoint_outcome::committed));
    const std::vector<shard_id> shards{1};
    const auto event = s.c->undelivered(shards, 0, 10).value().at(0);
    const auto refuse = [&] {
        BOOST_TEST(s.c->note_dead_letter({"event", std::to_string(event.seq), event.shard, event.run, 0, "The sink refuses it.", {}, {}, 1}).has_value());
        BOOST_TEST(s.c->mark_delivered(std::span(&event.seq, 1)).has_value());
    };
    refuse();
    BOOST_TEST(s.c->undelivered(shards, 0, 10).value().empty());
    const auto letter = s.only();
    BOOST_TEST(letter.id() == "event:" + std::to_string(event.seq));
    BOOST_TEST(s.admin->dead_letter_body(letter).value() == R"({"id":"e1"})");
    retention events;
    events.delivered_events = milliseconds(-60'000);
    prune_position position;
    BOOST_TEST(s.admin->prune(events, position, 10).value().events == 0u);
    BOOST_TEST(s.admin->retry_dead_letter(letter).value());
    BOOST_TEST(s.listed() == "");
    BOOST_TEST(s.c->undelivered(shards, 0, 10).value().size() == 1u);
    refuse();
    BOOST_TEST(s.admin->discard_dead_letter(s.only()).value());
    BOOST_TEST(s.c->undelivered(shards, 0, 10).value().empty());
    BOOST_TEST(s.admin->prune(events, position, 10).value().events == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
