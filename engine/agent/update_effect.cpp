#include "agent/update_effect.hpp"

namespace pawl::agent {
namespace {

runtime::call_outcome failed(problem_type type, std::string detail) { return {make_problem(type, std::move(detail)), {}, {}}; }

json::value input_schema() {
    return json::object{{"type", "object"},
                        {"properties", {{"merge", {{"type", "object"}, {"description", "JSON Merge Patch (RFC 7396): null removes a member"}}},
                                        {"replace", {{"description", "the whole new state"}}}}},
                        {"additionalProperties", false},
                        {"minProperties", 1},
                        {"maxProperties", 1}};
}

}  // namespace

std::vector<function_description> update_effect::functions() const {
    return {{"agent.update", "1.0.0", "Changes the state of the run's agent, checked against its schema.", effect_safety::transactional, input_schema(), std::nullopt, "built-in"}};
}

std::optional<runtime::call_outcome> update_effect::stage(const runtime::call_request& request, runtime::staging& staged) {
    if (staged.agent == nullptr) {
        return failed(problem_type::configuration, "agent.update needs a run that belongs to an agent: start it with --agent NAME/KEY.");
    }
    const auto* arguments = request.arguments.if_object();
    const auto* merge = arguments != nullptr ? arguments->if_contains("merge") : nullptr;
    const auto* replace = arguments != nullptr ? arguments->if_contains("replace") : nullptr;
    if ((merge == nullptr) == (replace == nullptr) || arguments->size() != 1) {
        return failed(problem_type::validation, "agent.update takes either `merge` (an object with what changes) or `replace` (the whole new state), and nothing else.");
    }
    auto& row = staged.agent->row;
    json::value next;
    if (replace != nullptr) {
        next = *replace;
    } else {
        if (!merge->is_object()) return failed(problem_type::validation, "`merge` of agent.update must be an object, but is a " + std::string(type_name(*merge)) + ".");
        auto current = parse_json(row.state);
        if (current.has_error()) return failed(problem_type::validation, "The stored state of agent " + row.agent + "/" + row.key + " is not JSON.");
        next = std::move(*current);
        merge_patch(next, *merge);
    }
    const auto before = row.state;
    if (auto changed = states_->change(row, next); changed.has_error()) return runtime::call_outcome{changed.error(), {}, {}};
    if (row.state != before) staged.agent->changed = true;
    return runtime::call_outcome{std::move(next), {}, {}};
}

void update_effect::start(std::shared_ptr<const runtime::call_request>, runtime::completion done, runtime::progress_sink) {
    done(failed(problem_type::configuration, "agent.update works inside a run only."));
}

}  // namespace pawl::agent
