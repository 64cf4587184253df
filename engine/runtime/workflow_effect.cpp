#include "runtime/workflow_effect.hpp"

namespace pawl::runtime {
namespace {

std::string text_of(const json::value& object, std::string_view name) {
    const auto* found = object.is_object() ? object.get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

const json::value& value_of(const json::value& object, std::string_view name) {
    static const json::value none;
    const auto* found = object.is_object() ? object.get_object().if_contains(name) : nullptr;
    return found != nullptr ? *found : none;
}

/// Another one for every try: a retry of a failed child is a new run.
std::string child_of(const call_request& request) { return derived_uuid("child/" + request.run + "/" + std::to_string(request.frame)); }

bool is_awaited(const call_request& request) { return value_of(request.arguments, "await") == json::value(true); }

/// `return: none`
bool is_silent(const call_request& request) { return text_of(request.arguments, "return") == "none"; }

call_outcome failed(problem error) { return {std::move(error), {}, {}}; }

}  // namespace

std::optional<store::inbox_post> end_of_child(const store::new_run& run, run_status status, const std::string& output, const std::string& error) {
    if (run.parent.empty() || run.parent_key.empty()) return std::nullopt;
    std::string body = "{\"key\":" + to_text(json::value(run.parent_key)) + ",\"child\":" + to_text(json::value(run.id)) + ",\"status\":\"" + std::string(to_string(status)) + "\"";
    if (!output.empty()) body += ",\"output\":" + output;
    if (!error.empty()) body += ",\"error\":" + error;
    return store::inbox_post{run.shard, run.parent, "child", run.id, "end", body + "}"};
}

std::vector<function_description> workflow_effect::functions() const {
    return {{"run.workflow", "", "Starts a run of a workflow.", effect_safety::transactional, std::nullopt, std::nullopt, std::string(origin_language)}};
}

std::optional<call_outcome> workflow_effect::stage(const call_request& request, staging& staged) {
    if (request.depth >= deepest_run) {
        return failed(make_problem(problem_type::runtime, "Workflows run each other " + std::to_string(deepest_run) +
                                                              " deep here, which is the limit; is there an end to this recursion?"));
    }
    store::new_run child;
    child.id = child_of(request);
    child.workflow = text_of(request.arguments, "workflow");
    child.definition = text_of(request.arguments, "definition");
    if (child.definition.empty()) child.definition = request.definition;
    child.input = to_text(value_of(request.arguments, "input"));
    const auto awaited = is_awaited(request);
    if (awaited) child.parent_key = request.key;
    json::object record{{"run", child.id}};
    staged.births.push_back(std::move(child));
    staged.parks = awaited;
    if (awaited) return std::nullopt;
    return call_outcome{value_of(request.arguments, "passes"), std::move(record), {}};
}

void workflow_effect::start(std::shared_ptr<const call_request>, completion done, progress_sink) {
    done(failed(make_problem(problem_type::configuration, "A workflow is run by a `run` task only.")));
}

std::optional<call_outcome> workflow_effect::answer(const call_request& request, const external_answer& given, staging&) {
    // A child of an earlier try may end after its call was abandoned, under the same key.
    const auto child = child_of(request);
    if (given.kind != "child" || text_of(given.body, "child") != child) return std::nullopt;
    json::object record{{"run", child}};
    const auto status = text_of(given.body, "status");
    if (status == to_string(run_status::completed)) return call_outcome{is_silent(request) ? json::value() : value_of(given.body, "output"), std::move(record), {}};
    const auto& raised = value_of(given.body, "error");
    problem error = status == to_string(run_status::faulted) && raised.is_object()
                        ? problem_from_json(raised.get_object())
                        : make_problem(problem_type::runtime, "The workflow " + text_of(request.arguments, "workflow") + " (run " + child + ") was cancelled.");
    error.instance.clear();  // of this run it is the task that ran the other
    return call_outcome{std::move(error), std::move(record), {}};
}

void workflow_effect::abandon(const call_request& request, std::string_view reason, staging& staged) {
    if (!is_awaited(request)) return;
    const auto child = child_of(request);
    const auto by = reason == "timeout" ? "the time-out of " : "the end of ";
    staged.posts.push_back({0, child, "cancel", request.run, "abandon/" + child, to_text(json::object{{"by", by + ("run " + request.run)}})});
}

}  // namespace pawl::runtime
