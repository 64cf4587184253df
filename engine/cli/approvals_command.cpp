// `pawl approvals list|approve|reject`.
#include "agent/approval_effect.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/workplace.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t most_listed = 1'000;

json::object document(const store::approval_row& row) {
    json::object out{{"id", row.id}, {"run", row.run}, {"task", row.task}, {"title", row.title}, {"status", store::to_string(row.status)}, {"createdAt", to_rfc3339(row.created_at)}};
    if (!row.agent.empty()) out["agent"] = row.agent + "/" + row.agent_key;
    const auto proposal = parse_json(row.proposal);
    out["proposal"] = proposal.has_value() ? *proposal : json::value(nullptr);
    if (row.expires_at) out["expiresAt"] = to_rfc3339(*row.expires_at);
    if (!row.decided_by.empty()) out["by"] = row.decided_by;
    if (!row.comment.empty()) out["comment"] = row.comment;
    if (row.decided_at) out["decidedAt"] = to_rfc3339(*row.decided_at);
    return out;
}

/// Why the approval cannot be decided any more.
std::string settled_message(const store::approval_row& row) {
    const auto when = row.decided_at ? " at " + to_rfc3339(*row.decided_at) : std::string();
    switch (row.status) {
        case store::approval_status::approved:
        case store::approval_status::rejected:
            return "approval " + short_id(row.id) + " was already decided: " + std::string(store::to_string(row.status)) + " by " + (row.decided_by.empty() ? "somebody" : row.decided_by) + when;
        case store::approval_status::expired: return "approval " + short_id(row.id) + " expired" + when + "; nobody had decided by then";
        case store::approval_status::cancelled: return "approval " + short_id(row.id) + " was withdrawn" + when + ": its run went on without it";
        case store::approval_status::pending: break;
    }
    return {};
}

}  // namespace

int list_approvals_command(const approvals_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& connection = (*opened)->connection();
    const auto status = options.all ? std::nullopt : std::optional(store::approval_status::pending);
    const auto rows = connection.list_approvals(status, "", most_listed);
    if (rows.has_error()) return fail(to_problem(rows.error()));
    if (options.json) {
        json::array all;
        for (const auto& row : *rows) all.emplace_back(document(row));
        print_out(to_text(all) + "\n");
        return exit_completed;
    }
    std::vector<std::vector<std::string>> lines{{"APPROVAL", "STATUS", "RUN", "AGENT", "EXPIRES", "TITLE", "PROPOSAL"}};
    for (const auto& row : *rows) {
        lines.push_back({short_id(row.id), std::string(store::to_string(row.status)), short_id(row.run), row.agent.empty() ? "-" : row.agent + "/" + row.agent_key,
                         row.expires_at ? to_rfc3339(*row.expires_at) : "never", shortened(row.title, 50), shortened(row.proposal, 80)});
    }
    print_out(rows->empty() ? (options.all ? "no approvals\n" : "nothing waits for a decision\n") : table(lines));
    return exit_completed;
}

int decide_approval_command(const approvals_options& options, bool approve) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto row = find_approval(in.connection(), options.id);
    if (row.has_error()) return fail(row.error());
    if (row->status != store::approval_status::pending) return fail(settled_message(*row));
    const auto now = in.connection().now();
    if (now.has_value() && row->expires_at && *row->expires_at <= *now) return fail("approval " + short_id(row->id) + " expired at " + to_rfc3339(*row->expires_at));
    const auto run = in.connection().load_run(row->run);
    if (run.has_error()) return fail(to_problem(run.error()));
    // The engine first: a project that cannot be opened must not leave a decision that nobody can act on.
    if (const auto started = start_engine_for(in, *run, options.place); started.has_error()) return fail(started.error());
    const agent::approval_decision decision{row->key, approve, who_decides(options.by), options.comment};
    const auto posted = in.connection().post(agent::decision_message(*row, decision));
    if (posted.has_error()) return fail(to_problem(posted.error()));
    if (!*posted && !options.json) print_err("somebody else has just decided; waiting to see how\n");

    std::optional<store::approval_row> settled;
    follow_options how;
    how.detach = true;
    how.leave_to_owner = true;
    how.json = options.json;
    how.quiet_result = true;
    how.applied = [&] {
        auto current = in.connection().load_approval(row->id);
        if (current.has_value() && current->status != store::approval_status::pending) settled = std::move(*current);
        return settled.has_value();
    };
    if (!options.json && *posted) print_err(std::string(approve ? "approved " : "rejected ") + short_id(row->id) + ": " + shortened(row->title, 120) + "\n");
    follower follow(in, run->id, run->shard, how);
    const auto code = follow.follow();
    if (!settled) (void)how.applied();
    in.close();
    if (code.has_error()) return fail(code.error());
    if (!settled) return fail("the decision is stored and will be applied when run " + short_id(run->id) + " goes on: pawl runs resume " + short_id(run->id));
    const auto wanted = approve ? store::approval_status::approved : store::approval_status::rejected;
    if (!*posted || settled->status != wanted) return fail(settled_message(*settled));
    if (options.json) print_out(to_text(document(*settled)) + "\n");
    return exit_completed;
}

}  // namespace pawl::cli
