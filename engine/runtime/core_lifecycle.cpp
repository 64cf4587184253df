// Lifecycle events of a run as CloudEvents in its outbox (dsl-reference.md, "Lifecycle Events"): ids, names, times and outcomes, never content.
#include "runtime/core.hpp"
#include "runtime/lifecycle_type.hpp"

namespace pawl::runtime {
namespace {

/// "startedAt", "correlation-completed" -> "completedAt".
std::string time_name(std::string_view phase) {
    const auto word = phase.substr(phase.rfind('-') + 1);
    return std::string(word) + "At";
}

}  // namespace

store::outbox_row core::lifecycle_row(const resident& r, const run::lifecycle_event& told) const {
    const auto& w = *r.state.workflow;
    const auto phase = run::to_string(told.phase);
    const bool of_workflow = told.task == flow::no_task;
    const auto type = std::string(lifecycle_type_prefix) + (of_workflow ? "workflow." : "task.") + std::string(phase) + ".v1";
    const auto name = w.document.name + "-" + r.state.id + "." + w.document.ns;
    json::object data;
    if (of_workflow) {
        data["name"] = name;
        if (told.phase == run::lifecycle_phase::started) {
            data["definition"] = json::object{{"name", w.document.name}, {"namespace", w.document.ns}, {"version", w.document.version}};
        }
    } else {
        data["workflow"] = name;
        data["task"] = w.tasks[told.task].pointer;
    }
    data[time_name(phase)] = to_rfc3339(told.at);
    if (told.error) {
        // Without `detail`, which may quote data.
        data["error"] = json::object{{"type", told.error->type}, {"title", told.error->title}, {"status", told.error->status}, {"instance", told.error->instance}};
    }
    const json::object event{{"specversion", "1.0"},
                             {"id", told.id},
                             {"source", "/workflows/" + w.document.ns + "/" + w.document.name + "/runs/" + r.state.id},
                             {"subject", r.state.id},
                             {"type", type},
                             {"time", to_rfc3339(told.at)},
                             {"datacontenttype", "application/json"},
                             {"data", std::move(data)}};
    return {told.id, r.state.id, type, to_text(json::value(event))};
}

}  // namespace pawl::runtime
