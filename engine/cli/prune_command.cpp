// `pawl runs prune`: finished runs leave the store.
#include "base/duration.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/workplace.hpp"
#include "store/administration.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t rows_a_round = 500;
constexpr std::size_t most_shown = 1'000;

/// --older-than, else the manifest's `retention.finishedRuns`; nothing when neither says anything.
result<std::optional<milliseconds>> age_of_what_goes(const prune_options& options) {
    if (!options.older_than.empty()) {
        const auto age = parse_duration(options.older_than);
        if (age.has_error()) return make_problem(problem_type::configuration, "--older-than: " + age.error().detail);
        return std::optional(*age);
    }
    if (!options.filter.empty()) return std::optional<milliseconds>();
    const auto project = open_project({options.place.project, {}, options.place.environment});
    if (project.has_error()) return project.error();
    if (!project->retention.finished_runs) {
        return make_problem(problem_type::configuration, "say which finished runs may go: --older-than 30d, or a filter such as --status cancelled (the project's manifest has no `retention.finishedRuns`)");
    }
    return project->retention.finished_runs;
}

result<store::run_filter> what_goes(const prune_options& options, store::connection& connection) {
    const auto age = age_of_what_goes(options);
    if (age.has_error()) return age.error();
    auto filter = read_run_filter(options.filter, connection);
    if (filter.has_error()) return filter.error();
    for (const auto status : filter->statuses) {
        if (!is_final(status)) return make_problem(problem_type::configuration, "only runs that are over can be pruned: completed, faulted and cancelled ones, not " + std::string(to_string(status)) + " ones");
    }
    if (*age) {
        const auto now = connection.now();
        if (now.has_error()) return to_problem(now.error());
        const auto until = *now - **age;
        filter->ended.until = filter->ended.until ? std::min(*filter->ended.until, until) : until;
    }
    return filter;
}

int show(store::administration& admin, const store::run_filter& filter, bool as_json) {
    const auto runs = admin.prunable_runs(filter, most_shown);
    if (runs.has_error()) return fail(to_problem(runs.error()));
    json::array all;
    std::vector<std::vector<std::string>> lines{{"RUN", "WORKFLOW", "STATUS", "ENDED"}};
    for (const auto& run : *runs) {
        const auto ended = run.ended_at ? to_rfc3339(*run.ended_at) : std::string("-");
        lines.push_back({short_id(run.id), run.workflow, std::string(to_string(run.status)), ended});
        all.push_back(json::object{{"id", run.id}, {"workflow", run.workflow}, {"status", to_string(run.status)}, {"endedAt", ended}});
    }
    if (as_json) {
        print_out(to_text(all) + "\n");
    } else if (runs->empty()) {
        print_out("no run would go\n");
    } else {
        print_out(table(lines));
        print_err((runs->size() == most_shown ? "at least " : "") + std::to_string(runs->size()) + (runs->size() == 1 ? " run" : " runs") + " would go; nothing was removed\n");
    }
    return exit_completed;
}

}  // namespace

int prune_runs_command(const prune_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    const auto filter = what_goes(options, (*opened)->connection());
    if (filter.has_error()) return fail(filter.error());
    const auto admin = (*opened)->store().administer();
    if (admin.has_error()) return fail(to_problem(admin.error()));
    if (options.dry_run) return show(**admin, *filter, options.json);
    store::pruned_rows sum;
    bool interrupted = false;
    for (bool more = true; more && !interrupted;) {
        const auto done = (*admin)->prune_runs(*filter, rows_a_round);
        if (done.has_error()) return fail(to_problem(done.error()));
        sum.runs += done->runs;
        sum.steps += done->steps;
        sum.events += done->events;
        sum.approvals += done->approvals;
        more = done->more;
        // Others write meanwhile: a moment for them between two rounds, and a look at the signals.
        interrupted = (*opened)->wait_until([] { return false; }, milliseconds(5), milliseconds(5)) == session::wait_end::interrupted;
    }
    if (options.json) {
        print_out(to_text(json::object{{"runs", sum.runs}, {"steps", sum.steps}, {"events", sum.events}, {"approvals", sum.approvals}}) + "\n");
    } else {
        print_out(std::to_string(sum.runs) + (sum.runs == 1 ? " run" : " runs") + " pruned, with " + std::to_string(sum.steps) + " steps, " + std::to_string(sum.events) + " events and " +
                  std::to_string(sum.approvals) + " approvals\n");
    }
    return interrupted ? fail("interrupted; what is pruned is pruned, and the same command goes on") : exit_completed;
}

}  // namespace pawl::cli
