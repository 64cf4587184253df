// A live run goes on in another definition: between two checkpoints, and recorded in its history whether it worked or not.
#include "run/migrate.hpp"
#include "runtime/core.hpp"
#include "runtime/migration.hpp"

namespace pawl::runtime {
namespace {

std::string label_of(const flow::workflow& w) { return w.document.ns + "/" + w.document.name + ":" + w.document.version; }

problem refusal(const flow::workflow& to, const std::vector<run::migration_obstacle>& obstacles) {
    auto out = make_problem(problem_type::validation, "The run cannot be moved to " + label_of(to) + "; it goes on as it was.");
    json::array all;
    for (const auto& each : obstacles) all.push_back(json::object{{"task", each.task}, {"pointer", each.pointer}, {"why", each.why}});
    out.title = "Not Migrated";
    out.extra["obstacles"] = std::move(all);
    return out;
}

}  // namespace

std::string migration_message(std::string_view digest, std::string_view by) { return to_text(json::value(json::object{{"digest", digest}, {"by", by}})); }

std::string migration_target(std::string_view message) {
    const auto body = parse_json(message);
    const auto* digest = body && body->is_object() ? body->get_object().if_contains("digest") : nullptr;
    return digest != nullptr && digest->is_string() ? std::string(digest->get_string()) : std::string();
}

void core::migrate(resident& r, const store::inbox_entry& message) {
    const auto digest = migration_target(message.body);
    const auto target = ports_.definition(digest);
    if (target && target->digest == r.state.workflow->digest) return;  // it is there already: the message came twice
    const auto from = label_of(*r.state.workflow);
    store::step_row step;
    step.seq = r.state.next_step++;
    step.function = migrate_kind;
    step.digest = digest;
    step.started_at = step.ended_at = ports_.now();
    step.record = "{}";
    std::optional<problem> refused;
    if (!target) {
        refused = make_problem(problem_type::configuration, "The definition that the run was to be moved to is not in the store, or cannot be read by this version of pawl.");
    } else if (const auto obstacles = run::migrate(r.state, target); !obstacles.empty()) {
        refused = refusal(*target, obstacles);
    }
    step.outcome = refused ? "faulted" : "completed";
    const auto body = parse_json(message.body);
    const auto* by = body && body->is_object() ? body->get_object().if_contains("by") : nullptr;
    step.result = refused ? to_text(json::value(to_json(*refused)))
                          : to_text(json::value(json::object{{"from", from}, {"to", label_of(*target)}, {"by", by != nullptr ? *by : json::value()}}));
    r.steps.push_back(std::move(step));
    if (!refused) r.moved = store::definition_change{digest, label_of(*target)};
}

}  // namespace pawl::runtime
