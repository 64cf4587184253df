// Agent instances and approvals.
#include "store/soci_connection.hpp"

namespace pawl::store {
namespace {

constexpr std::string_view agent_fields = "select agent, key, revision, state_version, state, meta, updated_at from agents";
constexpr std::string_view approval_fields =
    "select id, shard, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment, created_at, decided_at from "
    "approvals";

agent_row agent_of(query& q) {
    return {q.text(0), q.text(1), q.number(2), static_cast<int>(q.number(3)), q.text(4), q.text(5), time_of(q.number(6))};
}

approval_row approval_of(query& q) {
    approval_row a;
    a.id = q.text(0);
    a.shard = static_cast<shard_id>(q.number(1));
    a.run = q.text(2);
    a.key = q.text(3);
    a.agent = q.text(4);
    a.agent_key = q.text(5);
    a.task = q.text(6);
    a.title = q.text(7);
    a.proposal = q.text(8);
    a.status = approval_status_from(q.text(9)).value_or(approval_status::cancelled);
    a.expires_at = maybe_time_of(q.maybe_number(10));
    a.decided_by = q.text(11);
    a.comment = q.text(12);
    a.created_at = time_of(q.number(13));
    a.decided_at = maybe_time_of(q.maybe_number(14));
    return a;
}

}  // namespace

store_result<std::optional<agent_row>> soci_connection::load_agent(std::string_view agent, std::string_view key) {
    return session_.run([&]() -> store_result<std::optional<agent_row>> {
        auto& q = session_.prepared(
            "load agent", [] { return std::string(agent_fields) + " where agent = :agent and key = :key"; }, "tt", "ttiitti");
        q.bind(agent).bind(key).execute();
        if (!q.next()) return std::optional<agent_row>();
        return std::optional(agent_of(q));
    });
}

store_result<std::vector<agent_row>> soci_connection::list_agents(std::string_view agent, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<agent_row>> {
        const std::string order = " order by updated_at desc, agent, key limit :most";
        auto& q = agent.empty() ? session_.prepared(
                                      "list all agents", [&] { return std::string(agent_fields) + order; }, "i", "ttiitti")
                                : session_.prepared(
                                      "list agents", [&] { return std::string(agent_fields) + " where agent = :agent" + order; }, "ti", "ttiitti");
        if (!agent.empty()) q.bind(agent);
        q.bind(limit_of(limit)).execute();
        std::vector<agent_row> agents;
        while (q.next()) agents.push_back(agent_of(q));
        return agents;
    });
}

store_result<approval_row> soci_connection::load_approval(std::string_view id) {
    return session_.run([&]() -> store_result<approval_row> {
        auto& q = session_.prepared(
            "load approval", [] { return std::string(approval_fields) + " where id = :id"; }, "t", "tittttttttittii");
        q.bind(id).execute();
        if (!q.next()) {
            return store_error{store_errc::not_found, "There is no approval \"" + std::string(id.substr(0, 100)) + "\" in " + session_.where().shown +
                                                          ". List them with `pawl approvals`."};
        }
        return approval_of(q);
    });
}

store_result<std::vector<approval_row>> soci_connection::list_approvals(std::optional<approval_status> status, std::string_view run,
                                                                        std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<approval_row>> {
        std::string where, letters;
        if (!run.empty()) {
            where = " where run = :run";
            letters = "t";
        }
        if (status) {
            where += where.empty() ? " where status = :status" : " and status = :status";
            letters += "t";
        }
        auto& q = session_.prepared(
            "list approvals" + where, [&] { return std::string(approval_fields) + where + " order by created_at desc, id desc limit :most"; },
            letters + "i", "tittttttttittii");
        if (!run.empty()) q.bind(run);
        if (status) q.bind(to_string(*status));
        q.bind(limit_of(limit)).execute();
        std::vector<approval_row> approvals;
        while (q.next()) approvals.push_back(approval_of(q));
        return approvals;
    });
}

}  // namespace pawl::store
