#include "agent/state.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace pawl::agent {
namespace {

std::string instance_name(const store::agent_row& row) { return row.agent + "/" + row.key; }

std::string reset_advice(const store::agent_row& row) { return "`pawl agents reset " + instance_name(row) + "` begins anew with the initial state."; }

}  // namespace

const agent_settings* agent_states::find(std::string_view agent) const {
    const auto at = agents_.find(agent);
    return at == agents_.end() ? nullptr : &at->second;
}

result<void> agent_states::check(const agent_settings& settings, const store::agent_row& row, const json::value& state, std::string_view remedy) const {
    if (!settings.state_validator) return {};
    const auto violations = settings.state_validator->validate(state);
    if (violations.empty()) return {};
    auto error = schema::to_problem(violations, "The state of agent " + instance_name(row));
    if (!remedy.empty()) error.detail += " " + std::string(remedy);
    return error;
}

result<void> agent_states::load(store::agent_row& row) const {
    const auto* settings = find(row.agent);
    if (settings == nullptr) {
        std::vector<std::string> names;
        for (const auto& [name, agent] : agents_) names.push_back(name);
        const auto near = closest(row.agent, names);
        return make_problem(problem_type::configuration, "The manifest names no agent `" + row.agent + "`" + (near ? "; did you mean `" + *near + "`?" : "."));
    }
    if (row.revision == 0) {
        row.state = to_text(settings->initial);
        row.state_version = settings->state_version;
        row.meta = "{}";
        return {};
    }
    if (row.state_version > settings->state_version) {
        return make_problem(problem_type::configuration, "The state of agent " + instance_name(row) + " has version " + std::to_string(row.state_version) +
                                                             ", but the manifest knows versions up to " + std::to_string(settings->state_version) +
                                                             " only. Run it with the newer project, or " + reset_advice(row));
    }
    auto state = parse_json(row.state);
    if (state.has_error()) return make_problem(problem_type::validation, "The stored state of agent " + instance_name(row) + " is not JSON. " + reset_advice(row));
    auto version = row.state_version;
    while (version < settings->state_version) {
        const auto step = std::find_if(settings->migrations.begin(), settings->migrations.end(), [&](const state_migration& m) { return m.from == version; });
        if (step == settings->migrations.end()) {
            return make_problem(problem_type::configuration, "No migration leads on from version " + std::to_string(version) + " of the state of agent " +
                                                                 instance_name(row) + " to version " + std::to_string(settings->state_version) +
                                                                 "; state one under `migrations` in the manifest, or " + reset_advice(row));
        }
        auto changed = step->change.evaluate_one(*state);
        if (changed.has_error()) {
            return make_problem(problem_type::expression, "The migration of agent " + instance_name(row) + " from version " + std::to_string(step->from) + " to " +
                                                              std::to_string(step->to) + " failed: " + changed.error().message);
        }
        state = std::move(*changed);
        version = step->to;
    }
    if (auto valid = check(*settings, row, *state, reset_advice(row)); valid.has_error()) return valid;
    if (version != row.state_version) {
        row.state = to_text(*state);
        row.state_version = version;
    }
    return {};
}

result<void> agent_states::change(store::agent_row& row, json::value state) const {
    const auto* settings = find(row.agent);
    if (settings == nullptr) return make_problem(problem_type::configuration, "The manifest names no agent `" + row.agent + "`.");
    if (auto valid = check(*settings, row, state, "The state was not changed."); valid.has_error()) return valid;
    auto text = to_text(state);
    if (text.size() > max_state_bytes) {
        return make_problem(problem_type::validation, "The state of agent " + instance_name(row) + " would be " + std::to_string(text.size()) + " bytes long; the limit is " +
                                                          std::to_string(max_state_bytes) + ". Keep large things elsewhere and their address here.");
    }
    row.state = std::move(text);
    return {};
}

}  // namespace pawl::agent
