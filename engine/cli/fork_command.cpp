// `pawl runs fork`: a new run of the definition that an existing one runs, from the beginning, with its input or another one. Nothing is shared with the original:
// other id, other keys, no parent.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/workplace.hpp"
#include "flow/compile.hpp"
#include "schema/validator.hpp"

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
    if (const auto started = start_engine_for(in, *original, options.place); started.has_error()) return fail(started.error());
    if (run->agent.empty()) {
        const auto shard = in.own_any();
        if (shard.has_error()) return fail(shard.error());
        run->shard = shard->value_or(shard_of(run->id, in.shard_count()));
    } else if (const auto owned = in.own(run->shard); owned.has_error()) {
        return fail(owned.error());
    }
    follower follow(in, run->id, run->shard, {options.detach, options.json, nullptr, false, false});
    if (const auto submitted = in.engine().submit(*run, **workflow); submitted.has_error()) return fail(to_problem(submitted.error()));
    if (!options.json) print_err("run " + run->id + "  " + run->workflow + "  forked from " + short_id(original->id) + "\n");
    const auto code = follow.follow();
    in.close();
    if (code.has_error()) return fail(code.error());
    return *code;
}

}  // namespace pawl::cli
