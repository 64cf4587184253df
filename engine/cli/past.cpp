#include "cli/past.hpp"

#include "flow/compile.hpp"
#include "run/control.hpp"
#include "run/state_codec.hpp"
#include "runtime/secrets.hpp"

#include <set>
#include <tuple>

namespace pawl::cli {
namespace {

constexpr std::size_t page = 1'000;
constexpr std::size_t most_steps = 200'000;
constexpr std::size_t most_bytes = 1ULL << 30;

problem wrong(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

run::past_step past_of(store::step_row&& row) {
    return {row.seq,        std::move(row.pointer), std::move(row.function), std::move(row.key), std::move(row.digest), static_cast<unsigned>(row.attempt), std::move(row.outcome),
            row.started_at, row.ended_at,           std::move(row.result)};
}

result<std::vector<run::past_step>> history_of(store::connection& from, const std::string& run) {
    std::vector<run::past_step> all;
    std::size_t bytes = 0;
    for (;;) {
        auto rows = from.list_steps(run, all.empty() ? 0 : all.back().seq, page);
        if (rows.has_error()) return to_problem(rows.error());
        for (auto& row : *rows) {
            bytes += row.result.size();
            all.push_back(past_of(std::move(row)));
        }
        if (rows->size() < page) return all;
        if (all.size() > most_steps || bytes > most_bytes) {
            return wrong("the history has more than " + std::to_string(most_steps) + " steps or 1 GiB of results; that much is not gone through again");
        }
    }
}

result<std::vector<run::value_ref>> kept_by(store::connection& from, const store::run_row& row, const std::shared_ptr<const flow::workflow>& workflow, const run::value_ref& input) {
    const auto rows = from.load_blobs(row.shard, row.id);
    if (rows.has_error()) return to_problem(rows.error());
    std::map<std::string, std::string, std::less<>> blobs;
    for (const auto& blob : *rows) blobs.emplace(blob.digest, blob.body);
    auto now = run::decode(row.state, row.id, workflow, input, blobs);
    if (now.has_error()) return now.error();
    return std::move(now->kept_events);
}

/// What has happened since the point, counted by kind.
void tell_repeated(look_back& of, const run::past_run& past) {
    std::map<std::tuple<std::string, std::string, std::string>, std::size_t> calls;
    std::set<std::string> keys;
    std::map<std::string, const flow::task*> by_pointer;
    for (const auto& task : of.workflow->tasks) by_pointer.emplace(task.pointer, &task);
    for (const auto at : of.point.later) {
        const auto& step = past.steps[at];
        const auto task = by_pointer.find(step.pointer);
        if (task == by_pointer.end() || !keys.insert(step.key).second) continue;
        const auto path = run::task_path(*of.workflow, task->second->id);
        if (step.function == "emit") ++calls[{path, "emit", "emits an event"}];
        const auto* call = std::get_if<flow::call_task>(&task->second->body);
        if (call == nullptr || call->safety == effect_safety::pure) continue;
        ++calls[{path, step.function, std::string(to_string(call->safety))}];
        of.needs_consent = of.needs_consent || call->safety == effect_safety::at_most_once;
    }
    for (const auto& [kind, count] : calls) {
        const auto& [path, function, safety] = kind;
        of.repeated += "  " + path + (function == "emit" ? "" : ": " + function) + " (" + safety + ")" + (count > 1 ? ", " + std::to_string(count) + " times" : "") + "\n";
    }
}

}  // namespace

result<std::shared_ptr<const flow::workflow>> historian::definition(const std::string& digest) {
    auto& known = known_[digest];
    if (known) return known;
    const auto stored = in_.connection().get_definition(digest);
    if (stored.has_error()) return to_problem(stored.error());
    auto compiled = flow::compile_bundle(stored->bundle);
    if (compiled.has_error()) return compiled.error();
    known = std::move(*compiled);
    return known;
}

result<look_back> historian::look(const store::run_row& row, const std::string& task) {
    look_back out;
    auto workflow = definition(row.definition);
    if (workflow.has_error()) return workflow.error();
    out.workflow = std::move(*workflow);
    const auto target = run::named_task(*out.workflow, task);
    if (target.has_error()) return target.error();
    out.task = run::task_path(*out.workflow, *target);

    run::past_run past;
    past.id = row.id;
    past.workflow = out.workflow;
    auto input = parse_json(row.input);
    if (input.has_error()) return input.error();
    past.input = run::value_ref::from_text(std::move(*input), row.input);
    past.until = row.updated_at;
    auto steps = history_of(in_.connection(), row.id);
    if (steps.has_error()) return steps.error();
    past.steps = std::move(*steps);
    out.next_step = past.steps.empty() ? 1 : past.steps.back().seq + 1;
    const auto state = parse_json(row.state.empty() ? "null" : row.state);
    const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
        const auto* found = state && state->is_object() ? state->get_object().if_contains(name) : nullptr;
        return found != nullptr && found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
    };
    if (const auto started = number("started")) past.started_at = time_point(milliseconds(*started));
    if (const auto next = number("nextStep"); next && *next != out.next_step) {
        if (*next < out.next_step) return wrong("it changed while it was looked at; ask again");
        return wrong("Steps of the run's history have been pruned, so what it had then cannot be rebuilt.");
    }

    if (state && state->is_object() && state->get_object().contains("kept")) {
        auto kept = kept_by(in_.connection(), row, out.workflow, past.input);
        if (kept.has_error()) return kept.error();
        out.kept_events = std::move(*kept);
    }
    run::surroundings world;
    world.runtime_version = PAWL_VERSION;
    world.secret_placeholder = &runtime::secret_placeholder;
    const json::value some_agent;
    if (!row.agent.empty()) world.agent = &some_agent;
    auto point = run::last_entry(past, *target, world);
    if (point.has_error()) return point.error();
    out.point = std::move(*point);
    tell_repeated(out, past);
    return out;
}

stored_state stored(const run::run_state& state) {
    const auto encoded = run::encode(state);
    stored_state out{encoded.text, {}};
    for (const auto& blob : encoded.blobs) out.blobs.emplace(blob.digest(), blob.text());
    return out;
}

}  // namespace pawl::cli
