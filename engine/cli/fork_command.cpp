// `pawl runs fork`: a new run of the definition that an existing one runs, from the beginning, with its input or another one; or from where that one last entered a task,
// with a copy of what it had then. Nothing is shared with the original: other id, other keys, no parent.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/past.hpp"
#include "cli/workplace.hpp"
#include "flow/compile.hpp"
#include "run/control.hpp"
#include "runtime/secrets.hpp"
#include "schema/validator.hpp"
#include "store/administration.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

/// The tag that leads from a fork to its original.
constexpr const char* origin_tag = "forkedFrom";

result<store::new_run> forked(const store::run_row& original, const flow::workflow& workflow, const std::string& given) {
    store::new_run made = original;
    made.id = new_uuid7();
    made.parent.clear();
    made.parent_key.clear();
    made.depth = 0;
    made.tags.insert_or_assign(origin_tag, original.id);
    if (made.tags.size() > store::most_tags) made.tags.erase(origin_tag);
    if (given.empty()) return made;
    const auto input = read_input(given);
    if (input.has_error()) return input.error();
    if (workflow.input.schema) {
        const auto violations = workflow.input.schema->validate(*input);
        if (!violations.empty()) return schema::to_problem(violations, "The input");
    }
    made.input = to_text(*input);
    return made;
}

/// The copy, as a row: it stands before the task, and whoever drives it goes on from there.
result<store::transferred_run> copy_of(session& in, const store::new_run& made, look_back past) {
    const auto now = in.connection().now();
    if (now.has_error()) return to_problem(now.error());
    run::surroundings world;
    world.now = *now;
    world.budget = 0;  // nothing is entered here
    run::run_state state;
    state.id = made.id;
    state.workflow = past.workflow;
    state.status = run_status::cancelled;
    state.next_step = 2;  // the first says where it comes from
    state.kept_events = std::move(past.kept_events);  // they came for whoever stands there, and nobody has taken them
    (void)run::rewind(state, std::move(past.point.state), past.point.at, world);
    state.revivals = state.key_generation = 0;
    auto text = stored(state);
    store::transferred_run copy;
    static_cast<store::new_run&>(copy.run) = made;
    copy.run.revision = 1;
    copy.run.status = run_status::running;
    copy.run.due_at = state.due_at();
    copy.run.created_at = copy.run.updated_at = *now;
    copy.run.state = std::move(text.text);
    for (auto& [digest, body] : text.blobs) copy.blobs.push_back({digest, std::move(body)});
    for (auto& type : run::subscriptions(state)) copy.subscriptions.push_back(type);
    return copy;
}

/// What stands for a secret in data carries the id of the run that read it.
bool holds_secret(const store::transferred_run& copy, const std::string& original, const flow::workflow& workflow) {
    return std::any_of(workflow.secrets.begin(), workflow.secrets.end(), [&](const std::string& name) {
        const auto stands_for_it = runtime::secret_placeholder(original, name);
        const auto has = [&](const std::string& text) { return text.find(stands_for_it) != std::string::npos; };
        return has(copy.run.state) || std::any_of(copy.blobs.begin(), copy.blobs.end(), [&](const auto& blob) { return has(blob.body); });
    });
}

result<void> store_copy(session& in, const store::transferred_run& copy, const std::string& original, const std::string& task, std::int64_t after) {
    const auto admin = in.store().administer();
    if (admin.has_error()) return to_problem(admin.error());
    store::step_row origin;
    origin.seq = 1;
    origin.function = run::fork_kind;
    origin.key = copy.run.id;
    origin.outcome = "completed";
    origin.started_at = origin.ended_at = copy.run.created_at;
    origin.result = to_text(json::value(json::object{{"from", original}, {"task", task}, {"after", after}}));
    origin.record = "{}";
    // First, so that a run without it never goes on: by itself it is nothing that anybody finds.
    if (const auto written = (*admin)->import_steps(copy.run.shard, copy.run.id, {&origin, 1}); written.has_error()) return to_problem(written.error());
    if (const auto written = (*admin)->import_run(copy); written.has_error()) return to_problem(written.error());
    if (const auto woken = in.connection().post({copy.run.shard, copy.run.id, "start", "fork", copy.run.id, "{}"}); woken.has_error()) return to_problem(woken.error());
    return {};
}

}  // namespace

int fork_run_command(const control_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto original = find_run(in.connection(), options.id);
    if (original.has_error()) return fail(original.error());
    const auto stored = in.connection().get_definition(original->definition);
    if (stored.has_error()) return fail(to_problem(stored.error()));
    const auto workflow = flow::compile_bundle(stored->bundle);
    if (workflow.has_error()) return fail(workflow.error());
    auto run = forked(*original, **workflow, options.input);
    if (run.has_error()) return fail(run.error());
    std::optional<look_back> past;
    if (!options.from.empty()) {
        auto found = historian(in).look(*original, options.from);
        if (found.has_error()) return fail("run " + original->id + " cannot be forked from there: " + found.error().detail);
        past = std::move(*found);
    }
    if (const auto started = start_engine_for(in, *original, options.place); started.has_error()) return fail(started.error());
    if (run->agent.empty()) {
        const auto shard = in.own_any();
        if (shard.has_error()) return fail(shard.error());
        run->shard = shard->value_or(shard_of(run->id, in.shard_count()));
    } else if (const auto owned = in.own(run->shard); owned.has_error()) {
        return fail(owned.error());
    }
    follower follow(in, run->id, run->shard, {options.detach, options.json, nullptr, false, false});
    if (past) {
        const auto task = past->task;
        const auto after = past->point.after;
        const auto copy = copy_of(in, *run, std::move(*past));
        if (copy.has_error()) return fail(copy.error());
        if (holds_secret(*copy, original->id, **workflow)) return fail("run " + original->id + " cannot be forked from there: its data held a secret then, which only this run may use; rewind it instead");
        if (const auto done = store_copy(in, *copy, original->id, task, after); done.has_error()) return fail(done.error());
    } else if (const auto submitted = in.engine().submit(*run, **workflow); submitted.has_error()) {
        return fail(to_problem(submitted.error()));
    }
    if (!options.json) print_err("run " + run->id + "  " + run->workflow + "  forked from " + short_id(original->id) + (options.from.empty() ? "" : ", before " + options.from) + "\n");
    const auto code = follow.follow();
    in.close();
    if (code.has_error()) return fail(code.error());
    return *code;
}

}  // namespace pawl::cli
