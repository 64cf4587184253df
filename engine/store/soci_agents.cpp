// Agent instances and approvals.
#include "store/approval_fields.hpp"
#include "store/soci_connection.hpp"

namespace pawl::store {
namespace {

constexpr std::string_view agent_fields = "select agent, key, revision, state_version, state, meta, updated_at from agents";
agent_row agent_of(query& q) {
    return {q.text(0), q.text(1), q.number(2), static_cast<int>(q.number(3)), q.text(4), q.text(5), time_of(q.number(6))};
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

store_result<std::vector<approval_row>> soci_connection::find_approvals(std::string_view beginning, std::size_t limit) {
    return session_.run([&]() -> store_result<std::vector<approval_row>> {
        auto& q = session_.prepared(
            "find approvals", [&] { return std::string(approval_fields) + " where id >= :from and id < :until order by id desc limit :most"; }, "tti", "tittttttttittii");
        // Everything up to the beginning with the last of all characters behind it.
        q.bind(beginning).bind(std::string(beginning) + "\xf4\x8f\xbf\xbf").bind(limit_of(limit)).execute();
        std::vector<approval_row> approvals;
        while (q.next()) approvals.push_back(approval_of(q));
        return approvals;
    });
}

}  // namespace pawl::store
