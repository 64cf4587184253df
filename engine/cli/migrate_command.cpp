// `pawl runs migrate`: live runs go on in another deployed version of their workflow.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/deployments.hpp"
#include "cli/exit_code.hpp"
#include "cli/workplace.hpp"
#include "run/migrate.hpp"
#include "run/state_codec.hpp"
#include "runtime/migration.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t most_runs = 10'000;
constexpr milliseconds patience{30'000};

/// The deployed workflow that `--to` means for a run: a version of its own workflow, or NAMESPACE/NAME[:VERSION].
result<std::shared_ptr<const flow::workflow>> target_of(session& in, const store::run_row& row, const std::string& to) {
    auto name = parse_workflow_name(to);
    if (!name) {
        name = parse_workflow_name(row.workflow.substr(0, row.workflow.rfind(':')));
        if (!name) return make_problem(problem_type::configuration, "run " + row.id + " has no workflow of the form namespace/name");
        name->version = to;
    }
    return deployed_workflow(&in.connection(), *name);
}

result<std::vector<store::run_row>> chosen_runs(session& in, const migrate_options& options) {
    if (!options.id.empty()) {
        auto row = find_run(in.connection(), options.id);
        if (row.has_error()) return row.error();
        if (is_final(row->status)) return make_problem(problem_type::configuration, "run " + row->id + " is over already: " + std::string(to_string(row->status)));
        return std::vector{std::move(*row)};
    }
    if (options.workflow.empty() || !options.all) {
        return make_problem(problem_type::configuration, "name a run, or all live runs of a workflow with --workflow NAMESPACE/NAME[:VERSION] --all");
    }
    std::vector<store::run_row> live;
    for (const auto status : {run_status::pending, run_status::running, run_status::waiting, run_status::suspended}) {
        store::run_filter filter;
        filter.statuses = {status};
        filter.workflow = options.workflow;
        filter.limit = most_runs;
        auto rows = in.connection().list_runs(filter);
        if (rows.has_error()) return to_problem(rows.error());
        if (rows->size() == most_runs) print_err("only the newest " + std::to_string(most_runs) + " of the " + std::string(to_string(status)) + " runs are looked at; run this again for the others\n");
        std::move(rows->begin(), rows->end(), std::back_inserter(live));
    }
    return live;
}

std::string in_words(const std::vector<run::migration_obstacle>& obstacles) {
    std::string out;
    for (const auto& each : obstacles) out += "\n  " + each.pointer + ": " + each.why;
    return out;
}

/// What would become of the run, without touching it. Nothing: it can be moved.
result<std::vector<run::migration_obstacle>> look_ahead(session& in, const store::run_row& listed, const std::shared_ptr<const flow::workflow>& to) {
    auto& store = in.connection();
    const auto row = store.load_run(listed.id);
    if (row.has_error()) return to_problem(row.error());
    if (row->state.empty()) return std::vector<run::migration_obstacle>();  // not begun
    const auto definition = store.get_definition(row->definition);
    if (definition.has_error()) return to_problem(definition.error());
    auto now = flow::compile_bundle(definition->bundle);
    if (now.has_error()) return now.error();
    std::map<std::string, std::string, std::less<>> blobs;
    auto stored = store.load_blobs(row->shard, row->id);
    if (stored.has_error()) return to_problem(stored.error());
    for (auto& blob : *stored) blobs.emplace(std::move(blob.digest), std::move(blob.body));
    auto input = parse_json(row->input);
    if (input.has_error()) return input.error();
    auto state = run::decode(row->state, row->id, *now, run::value_ref(std::move(*input)), blobs);
    if (state.has_error()) return state.error();
    return run::migrate(*state, to);
}

/// The engine's answer: nothing when the run has moved, else why not.
result<void> move_run(session& in, const store::run_row& row, const flow::workflow& to, const std::string& by) {
    auto& store = in.connection();
    std::int64_t last_step = 0;
    for (auto steps = store.list_steps(row.id, 0, most_runs); steps.has_value() && !steps->empty(); steps = store.list_steps(row.id, last_step, most_runs)) last_step = steps->back().seq;
    const store::inbox_post message{row.shard, row.id, std::string(runtime::migrate_kind), "cli", new_uuid7(), runtime::migration_message(to.digest, by)};
    if (const auto posted = store.post(message); posted.has_error()) return to_problem(posted.error());
    if (const auto owned = in.own(row.shard); owned.has_error()) return owned.error();
    std::optional<result<void>> answer;
    const auto end = in.wait_until(
        [&] {
            const auto now = store.load_run(row.id);
            if (now.has_value() && now->definition == to.digest) answer = result<void>();
            if (!answer && now.has_value() && is_final(now->status)) answer = make_problem(problem_type::configuration, "it ended before it could be moved");
            const auto steps = store.list_steps(row.id, last_step, 100);
            for (const auto& step : steps.has_value() ? *steps : std::vector<store::step_row>()) {
                if (step.function != runtime::migrate_kind || step.outcome == "completed") continue;
                const auto why = parse_json(step.result);
                answer = why && why->is_object() ? problem_from_json(why->get_object()) : make_problem(problem_type::runtime, "it was refused");
            }
            // The process that drove the run may end before it has seen the message.
            if (!answer && !in.owns(row.shard)) (void)in.own(row.shard);
            return answer.has_value();
        },
        milliseconds(200), patience);
    if (end == session::wait_end::done) return *answer;
    return make_problem(problem_type::timeout, "the process that drives it has not answered; the request is stored and will be applied");
}

}  // namespace

int migrate_runs_command(const migrate_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto rows = chosen_runs(in, options);
    if (rows.has_error()) return fail(rows.error());
    if (rows->empty()) return fail("no live run of " + options.workflow);
    if (!options.dry_run) {
        if (const auto started = start_engine_for(in, rows->front(), options.place); started.has_error()) return fail(started.error());
    }
    const auto by = who_decides(options.by);
    json::array all;
    std::size_t moved = 0, refused = 0;
    const auto tell = [&](const store::run_row& row, std::string_view outcome, const std::string& why, const std::string& words) {
        ++(outcome == "refused" ? refused : moved);
        if (!options.json) return outcome == "refused" ? print_err("run " + row.id + " " + words + "\n") : print_out("run " + row.id + " " + words + "\n");
        json::object one{{"id", row.id}, {"workflow", row.workflow}, {"outcome", outcome}};
        if (!why.empty()) one["why"] = why;
        all.push_back(std::move(one));
    };
    for (const auto& row : *rows) {
        const auto to = target_of(in, row, options.to);
        if (to.has_error()) return fail(to.error());
        const auto label = (*to)->document.ns + "/" + (*to)->document.name + ":" + (*to)->document.version;
        const auto obstacles = look_ahead(in, row, *to);
        if (obstacles.has_error()) {  // of this run: it may be gone, or unreadable
            tell(row, "refused", obstacles.error().detail, "cannot be moved to " + label + ": " + obstacles.error().detail);
            continue;
        }
        if (!obstacles->empty()) {
            const auto why = in_words(*obstacles);
            tell(row, "refused", why.substr(why.find_first_not_of("\n ")), "cannot be moved to " + label + "; it goes on as it is:" + why);
            continue;
        }
        if (!options.dry_run && row.definition != (*to)->digest) {
            // Between the look and the move the run may have gone on: the engine decides.
            if (const auto done = move_run(in, row, **to, by); done.has_error()) {
                tell(row, "refused", done.error().detail, "was not moved to " + label + ": " + done.error().detail);
                continue;
            }
        }
        tell(row, options.dry_run ? "would" : "done", {}, (options.dry_run ? "can be moved to " : "goes on as ") + label);
    }
    in.close();
    if (options.json) {
        print_out(to_text(json::object{{"runs", std::move(all)}, {"done", options.dry_run ? 0 : moved}, {"refused", refused}}) + "\n");
    } else if (rows->size() > 1) {
        print_err(std::to_string(moved) + (options.dry_run ? " can be moved, " : " moved, ") + std::to_string(refused) + " not\n");
    }
    return refused == 0 ? exit_completed : exit_wrong;
}

}  // namespace pawl::cli
