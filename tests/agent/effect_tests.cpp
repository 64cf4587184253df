#include "agent/approval_effect.hpp"
#include "agent/log_effect.hpp"
#include "agent/update_effect.hpp"
#include "schema/validator.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::agent;

namespace {

const time_point start_of_call = parse_rfc3339("2026-11-23T12:00:00Z").value();

json::value parsed(std::string_view text) { return parse_json(text).value(); }

std::shared_ptr<const agent_states> states() {
    agent_settings desk;
    desk.name = "desk";
    desk.state_version = 3;
    desk.initial = parsed(R"({"status":"new"})");
    desk.state_schema = parsed(R"({"type":"object","required":["status"],"properties":{"status":{"enum":["new","open","closed"]},"facts":{"type":"object"}}})");
    desk.state_validator = schema::validator::compile(*desk.state_schema).value();
    desk.migrations.push_back({1, 2, expr::program::compile("{status: .state}").value()});
    desk.migrations.push_back({2, 3, expr::program::compile(". + {facts: {}}").value()});
    return std::make_shared<agent_states>(std::map<std::string, agent_settings, std::less<>>{{"desk", std::move(desk)}});
}

runtime::agent_view instance(std::string state, int version = 3, std::int64_t revision = 4) {
    store::agent_row row;
    row.agent = "desk";
    row.key = "T-1";
    row.state = std::move(state);
    row.state_version = version;
    row.revision = revision;
    return {row, false};
}

runtime::call_request request(std::string function, std::string_view arguments) {
    runtime::call_request r;
    r.run = "run-1";
    r.key = "key-1";
    r.function = std::move(function);
    r.arguments = parsed(arguments);
    r.started_at = start_of_call;
    r.task = "ask";
    r.agent = "desk";
    r.agent_key = "T-1";
    return r;
}

struct scene {
    runtime::agent_view view = instance(R"({"status":"open","facts":{"a":1}})");
    runtime::staging staged;
    scene() {
        staged.now = start_of_call;
        staged.agent = &view;
    }
    json::value meta() const { return parsed(view.row.meta); }
};

std::string detail_of(const std::optional<runtime::call_outcome>& outcome) {
    BOOST_TEST_REQUIRE(outcome.has_value());
    BOOST_TEST_REQUIRE(outcome->value.has_error());
    return std::string(type_name_of(outcome->value.error().type)) + ": " + outcome->value.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_effects)

BOOST_AUTO_TEST_CASE(update_merges_and_replaces_and_gives_the_new_state) {
    scene s;
    update_effect update(states());
    const auto merged = update.stage(request("agent.update", R"({"merge":{"facts":{"a":null,"b":2},"status":"closed"}})"), s.staged);
    BOOST_TEST(to_text(merged.value().value.value()) == R"({"status":"closed","facts":{"b":2}})");
    BOOST_TEST(s.view.row.state == R"({"status":"closed","facts":{"b":2}})");
    BOOST_TEST(s.view.changed);
    const auto replaced = update.stage(request("agent.update", R"({"replace":{"status":"new"}})"), s.staged);
    BOOST_TEST(s.view.row.state == R"({"status":"new"})");
    BOOST_TEST(replaced.value().value.has_value());
}

BOOST_AUTO_TEST_CASE(update_refuses_a_state_against_its_schema_and_changes_nothing) {
    scene s;
    update_effect update(states());
    const auto before = s.view.row.state;
    const auto why = detail_of(update.stage(request("agent.update", R"({"merge":{"status":"lost"}})"), s.staged));
    BOOST_TEST(why.starts_with("validation: "));
    BOOST_TEST(why.find("/status") != std::string::npos);
    BOOST_TEST(s.view.row.state == before);
    BOOST_TEST(!s.view.changed);
    const auto big = json::object{{"replace", {{"status", "new"}, {"facts", {{"x", std::string(2 * 1024 * 1024, 'x')}}}}}};
    BOOST_TEST(detail_of(update.stage(request("agent.update", to_text(big)), s.staged)).find("the limit is") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(update_needs_an_agent_and_one_of_its_two_arguments) {
    scene s;
    update_effect update(states());
    for (const auto* bad : {"{}", "[]", "1", R"({"merge":1})", R"({"merge":{},"replace":{}})", R"({"merge":{},"x":1})"}) {
        BOOST_TEST(detail_of(update.stage(request("agent.update", bad), s.staged)).starts_with("validation: "), bad);
    }
    s.staged.agent = nullptr;
    BOOST_TEST(detail_of(update.stage(request("agent.update", R"({"merge":{}})"), s.staged)).find("--agent NAME/KEY") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_new_instance_begins_with_the_initial_state_and_an_old_one_is_migrated) {
    const auto all = states();
    auto fresh = instance("{}", 1, 0).row;
    BOOST_TEST(all->load(fresh).has_value());
    BOOST_TEST(fresh.state == R"({"status":"new"})");
    BOOST_TEST(fresh.state_version == 3);
    auto old = instance(R"({"state":"open"})", 1).row;
    BOOST_TEST(all->load(old).has_value());
    BOOST_TEST(old.state == R"({"status":"open","facts":{}})");
    BOOST_TEST(old.state_version == 3);
}

BOOST_AUTO_TEST_CASE(states_that_cannot_be_used_say_what_to_do) {
    const auto all = states();
    auto newer = instance(R"({"status":"open"})", 9).row;
    const auto refused = all->load(newer);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("version 9") != std::string::npos);
    BOOST_TEST(refused.error().detail.find("pawl agents reset desk/T-1") != std::string::npos);
    auto broken = instance(R"({"status":"gone"})").row;
    const auto invalid = all->load(broken);
    BOOST_TEST_REQUIRE(invalid.has_error());
    BOOST_TEST(invalid.error().detail.find("pawl agents reset desk/T-1") != std::string::npos);
    auto unknown = instance("{}").row;
    unknown.agent = "desc";
    const auto missing = all->load(unknown);
    BOOST_TEST_REQUIRE(missing.has_error());
    BOOST_TEST(missing.error().detail.find("did you mean `desk`?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_approval_is_stored_with_its_proposal_and_parks_the_call) {
    scene s;
    approval_effect approval;
    const auto outcome = approval.stage(request("approval.request", R"({"title":"Refund 10 EUR?","proposal":{"amount":10},"expires":"PT24H"})"), s.staged);
    BOOST_TEST(!outcome.has_value());
    BOOST_TEST(s.staged.parks);
    BOOST_TEST((s.staged.wake_at == start_of_call + std::chrono::hours(24)));
    BOOST_TEST_REQUIRE(s.staged.approvals.size() == 1u);
    const auto& row = s.staged.approvals.front();
    BOOST_TEST(row.id == approval_id("key-1"));
    BOOST_TEST(row.title == "Refund 10 EUR?");
    BOOST_TEST(row.proposal == R"({"amount":10})");
    BOOST_TEST((row.status == store::approval_status::pending));
    BOOST_TEST(to_text(s.meta()) == R"({"pendingAction":{"approval":")" + row.id + R"(","task":"ask","title":"Refund 10 EUR?"}})");
    BOOST_TEST(s.view.changed);
}

BOOST_AUTO_TEST_CASE(both_decisions_are_outputs_and_settle_the_row) {
    for (const bool approved : {true, false}) {
        scene s;
        approval_effect approval;
        const auto asked = request("approval.request", R"({"title":"Refund?","proposal":{"amount":10},"expires":"2026-11-24T12:00:00Z"})");
        approval.stage(asked, s.staged);
        auto row = s.staged.approvals.front();
        s.staged.approvals.clear();
        const auto post = decision_message(row, {"key-1", approved, "eva", "fine"});
        BOOST_TEST(post.id == row.id);
        const auto outcome = approval.answer(asked, {post.kind, parsed(post.body), start_of_call + std::chrono::hours(1)}, s.staged);
        const std::string word = approved ? "approved" : "rejected";
        BOOST_TEST(to_text(outcome.value().value.value()) == R"({"status":")" + word + R"(","by":"eva","comment":"fine","id":")" + row.id + R"(","proposal":{"amount":10}})");
        BOOST_TEST_REQUIRE(s.staged.approvals.size() == 1u);
        BOOST_TEST(to_string(s.staged.approvals.front().status) == word);
        BOOST_TEST(s.staged.approvals.front().decided_by == "eva");
        BOOST_TEST(to_text(s.meta()) == "{}");
    }
}

BOOST_AUTO_TEST_CASE(an_approval_expires_as_a_timeout_and_a_late_decision_does_not_count) {
    for (const bool late_decision : {true, false}) {
        scene s;
        approval_effect approval;
        const auto asked = request("approval.request", R"({"title":"Refund?","expires":"PT1H"})");
        approval.stage(asked, s.staged);
        s.staged.approvals.clear();
        s.staged.now = start_of_call + std::chrono::minutes(59);
        BOOST_TEST(!approval.answer(asked, {"due", nullptr, s.staged.now}, s.staged).has_value());
        BOOST_TEST((s.staged.wake_at == start_of_call + std::chrono::hours(1)));
        s.staged.now = start_of_call + std::chrono::minutes(61);
        const runtime::external_answer decision{"approval", parsed(R"({"key":"key-1","decision":"approved","by":"eva"})"), s.staged.now};
        const auto outcome = approval.answer(asked, late_decision ? decision : runtime::external_answer{"due", nullptr, s.staged.now}, s.staged);
        BOOST_TEST(detail_of(outcome).starts_with("timeout: "));
        BOOST_TEST(outcome->value.error().status == 408);
        BOOST_TEST(to_string(s.staged.approvals.at(0).status) == "expired");
    }
}

BOOST_AUTO_TEST_CASE(nonsense_answers_are_ignored_and_nonsense_questions_refused) {
    scene s;
    approval_effect approval;
    const auto asked = request("approval.request", R"({"title":"Refund?"})");
    approval.stage(asked, s.staged);
    for (const auto* body : {"null", "{}", R"({"decision":"maybe"})", R"({"decision":1})"}) {
        BOOST_TEST(!approval.answer(asked, {"approval", parsed(body), start_of_call}, s.staged).has_value(), body);
    }
    for (const auto* bad : {"[]", "{}", R"({"title":""})", R"({"title":1})", R"({"title":"x","expires":"24h"})", R"({"title":"x","expires":5})", R"({"title":"x","titel":"y"})"}) {
        BOOST_TEST(detail_of(approval.stage(request("approval.request", bad), s.staged)).starts_with("validation: "), bad);
    }
}

BOOST_AUTO_TEST_CASE(an_abandoned_approval_is_cancelled_and_leaves_another_ones_pending_action_alone) {
    scene s;
    approval_effect approval;
    const auto asked = request("approval.request", R"({"title":"Refund?"})");
    approval.stage(asked, s.staged);
    s.view.row.meta = R"({"pendingAction":{"approval":"another"}})";
    s.staged.approvals.clear();
    approval.abandon(asked, "cancelled", s.staged);
    BOOST_TEST(to_string(s.staged.approvals.at(0).status) == "cancelled");
    BOOST_TEST(s.view.row.meta == R"({"pendingAction":{"approval":"another"}})");
}

BOOST_AUTO_TEST_CASE(log_hands_over_what_the_author_named) {
    std::string seen;
    log_effect log([&](std::string_view level, std::string_view message, json::object fields) { seen = std::string(level) + " " + std::string(message) + " " + to_text(fields); });
    runtime::staging staged;
    BOOST_TEST(log.stage(request("log", R"({"message":"hello","fields":{"n":1}})"), staged).value().value.has_value());
    BOOST_TEST(seen == R"(info hello {"run":"run-1","task":"ask","agent":"desk/T-1","fields":{"n":1}})");
    for (const auto* bad : {"1", "{}", R"({"message":1})", R"({"message":"x","level":"loud"})", R"({"message":"x","fields":[]})"}) {
        BOOST_TEST(detail_of(log.stage(request("log", bad), staged)).starts_with("validation: "), bad);
    }
}

BOOST_AUTO_TEST_CASE(the_declared_schemas_accept_what_the_functions_accept) {
    update_effect update(states());
    approval_effect approval;
    log_effect log([](std::string_view, std::string_view, json::object) {});
    const auto accepts = [](const runtime::effect& e, std::string_view text) {
        const auto schema = schema::validator::compile(e.functions().at(0).input_schema.value());
        BOOST_TEST_REQUIRE(schema.has_value());
        return schema->is_valid(parsed(text));
    };
    BOOST_TEST(accepts(update, R"({"merge":{"a":1}})"));
    BOOST_TEST(!accepts(update, R"({"merge":{},"replace":1})"));
    BOOST_TEST(accepts(approval, R"({"title":"x","proposal":[1],"expires":"PT1H"})"));
    BOOST_TEST(!accepts(approval, R"({"proposal":1})"));
    BOOST_TEST(accepts(log, R"({"message":"x","level":"warning","fields":{}})"));
    BOOST_TEST(!accepts(log, R"({"message":"x","level":"loud"})"));
}

BOOST_AUTO_TEST_SUITE_END()
