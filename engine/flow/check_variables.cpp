#include "flow/check_variables.hpp"

#include "expr/shape.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

constexpr auto bit(variable v) { return 1u << static_cast<unsigned>(v); }
constexpr auto everywhere = bit(variable::secrets) | bit(variable::workflow) | bit(variable::runtime) | bit(variable::agent) | bit(variable::now);
constexpr auto in_tasks = everywhere | bit(variable::context) | bit(variable::task) | bit(variable::steps);
constexpr auto in_bodies = in_tasks | bit(variable::input) | bit(variable::authorization);

/// dsl.md, "Runtime expression arguments", the table of availability.
unsigned available_at(site where) {
    switch (where) {
        case site::workflow_input:
            return everywhere;
        case site::workflow_output:
            return everywhere | bit(variable::context) | bit(variable::steps);
        case site::task_entry:
            return in_tasks;
        case site::definition:
        case site::output_as:
            return in_bodies;
        case site::export_as:
            return in_bodies | bit(variable::output);
    }
    return 0;
}

std::string_view name_of(site where) {
    switch (where) {
        case site::workflow_input:
            return "the workflow's `input.from`";
        case site::workflow_output:
            return "the workflow's `output.as`";
        case site::task_entry:
            return "`if` and `input.from`";
        case site::definition:
            return "the body of a task";
        case site::output_as:
            return "`output.as`";
        case site::export_as:
            return "`export.as`";
    }
    return "";
}

std::string where_available(variable v, site where) {
    if (v == variable::input && where == site::workflow_output)
        return "`.` is the output of the last task here; what the workflow was given is `$workflow.input`";
    switch (v) {
        case variable::output:
            return "only `export.as` sees it; in `output.as` the output is `.`";
        case variable::input:
            return "the input is `.` here";
        case variable::context:
            return "there is no context before the first task";
        case variable::steps:
            return "no task has run yet";
        case variable::task:
            return "it belongs to a task";
        case variable::authorization:
            return "it belongs to the body of a call";
        default:
            return "";
    }
}

/// The members that the language gives the descriptors.
std::vector<std::string> members_of(variable v) {
    switch (v) {
        case variable::task:
            return {"name", "reference", "definition", "input", "output", "startedAt"};
        case variable::workflow:
            return {"id", "definition", "input", "startedAt"};
        case variable::runtime:
            return {"name", "version", "metadata"};
        case variable::authorization:
            return {"scheme", "parameter"};
        case variable::agent:
            return {"key", "state", "version", "meta"};
        default:
            return {};
    }
}

class use_checker {
public:
    use_checker(compilation& c, const names_in_scope& scope, evaluable::compiled& into) : c_(c), scope_(scope), into_(into) {}

    void check(const part_view& part) {
        const auto& facts = part.code.analyse();
        for (const auto& use : facts.variables) check_use(part, use);
        if (!c_.rebuild) check_types(part);
        if (facts.may_yield_many && !part.opaque) {
            const auto text = part.code.text();
            const auto start = std::min(text.find_first_not_of(" \t\r\n"), text.size());
            const auto length = text.find_last_not_of(" \t\r\n") + 1 - start;
            warn(part, start, length, "several-outputs",
                 "this expression can yield several values, but exactly one is expected; more than one is an error when it runs",
                 "collect them with `[ ... ]`, or take the first with `first(...)`");
        }
    }

private:
    using variable_use = expr::analysis::variable_use;

    void warn(const part_view& part, std::size_t offset, std::size_t length, std::string code, std::string message, std::string hint) {
        if (c_.rebuild) return;
        c_.report.at(severity::warning, std::move(code), part.pointer, part.opaque ? 0 : part.offset + offset, length, std::move(message),
                     std::move(hint));
    }
    void check_types(const part_view& part) {
        for (auto& each : expr::clashes_of(part.code)) {
            c_.report.at(severity::error, "type-clash", part.pointer, part.opaque ? 0 : part.offset + each.offset, part.opaque ? 1 : each.length,
                         "this always fails: " + each.message, std::move(each.hint));
        }
    }
    void fail(const part_view& part, const variable_use& use, std::string code, std::string message, std::string hint) {
        c_.report.at(severity::error, std::move(code), part.pointer, part.opaque ? 0 : part.offset + use.offset, use.variable.size() + 1,
                     std::move(message), std::move(hint));
    }

    void check_use(const part_view& part, const variable_use& use) {
        const auto fixed = fixed_variable_names();
        const auto found = std::find(fixed.begin(), fixed.end(), use.variable);
        if (found == fixed.end()) {
            into_.uses.locals = true;
            return;
        }
        const auto v = static_cast<variable>(found - fixed.begin());
        into_.uses.add(v);
        if ((available_at(scope_.where) & bit(v)) == 0) {
            return fail(part, use, "unavailable-variable", "`$" + use.variable + "` is not available in " + std::string(name_of(scope_.where)),
                        where_available(v, scope_.where));
        }
        if (v == variable::steps) check_steps(part, use);
        if (v == variable::context && !use.path.empty()) c_.context_uses.push_back({use.path, part.pointer, part.opaque ? 0 : part.offset + use.offset});
        if (v == variable::secrets) check_secrets(part, use);
        if (v == variable::agent) check_agent(part, use);
        if (c_.options.portable && (v == variable::steps || v == variable::agent)) {
            warn(part, use.offset, use.variable.size() + 1, "not-portable",
                 "`$" + use.variable + "` exists only in pawl; other runtimes refuse this workflow",
                 v == variable::steps ? "`export` the value to `$context`" : "use `$runtime.metadata.agent`");
        }
        if (use.path.empty() || (v == variable::task && c_.in_extension)) return;  // there, `$task` has the keys of the extended task too
        const auto members = members_of(v);
        if (!members.empty() && std::find(members.begin(), members.end(), use.path.front()) == members.end()) {
            warn(part, use.offset, use.variable.size() + 2 + use.path.front().size(), "unknown-member",
                 "`$" + use.variable + "` has no " + quoted(use.path.front()) + ", so this is always null", hint_for(use.path.front(), members));
        }
    }

    std::string hint_for(std::string_view word, const std::vector<std::string>& names) const {
        auto hint = c_.report.did_you_mean(word, names);
        if (!hint.empty() || names.empty()) return hint;
        hint = "it has ";
        for (std::size_t i = 0; i < names.size() && i < 10; ++i) hint += (i > 0 ? ", " : "") + quoted(names[i]);
        return hint + (names.size() > 10 ? ", ..." : "");
    }

    void check_steps(const part_view& part, const variable_use& use) {
        if (use.path.empty()) {
            c_.all_steps_read = true;
            into_.steps.emplace_back("*");
            return;
        }
        into_.steps.push_back(use.path.front());
        if (use.path.size() > 1) c_.step_path_uses.push_back({use.path, part.pointer, part.opaque ? 0 : part.offset + use.offset});
        c_.step_uses.push_back({use.path.front(), part.pointer, part.opaque ? 0 : part.offset + use.offset});
    }

    void check_secrets(const part_view& part, const variable_use& use) {
        if (use.path.empty() || std::find(c_.out.secrets.begin(), c_.out.secrets.end(), use.path.front()) != c_.out.secrets.end()) {
            if (scope_.takes_secrets) return;
            return warn(
                part, use.offset, use.variable.size() + 1, "misplaced-secret",
                "secrets go to calls only, and what is made of one here would be kept: this fails with an `authorization` error (403) when it runs",
                "read it in `with` of the call that needs it, or in `input.from` of the tasks around that call");
        }
        if (is_section_broken(c_, "secrets")) return;
        auto hint = c_.report.did_you_mean(use.path.front(), c_.out.secrets);
        if (hint.empty()) hint = "declare it: `use: { secrets: [ " + use.path.front() + " ] }`";
        fail(part, use, "undeclared-secret",
             "the secret " + quoted(use.path.front()) + " is not declared in `use.secrets`, so the workflow may not read it", std::move(hint));
    }

    /// `$agent.state.a.b` against the state's schema, as far as its `properties` tell.
    void check_agent(const part_view& part, const variable_use& use) {
        if (c_.options.agent_state_schema == nullptr || use.path.size() < 2 || use.path.front() != "state") return;
        const auto* schema = c_.options.agent_state_schema;
        std::string parent = "$agent.state";
        for (std::size_t i = 1; i < use.path.size(); ++i) {
            const auto* object = schema->if_object();
            const auto* properties = object != nullptr ? object->if_contains("properties") : nullptr;
            if (properties == nullptr || !properties->is_object() || object->contains("$ref") || object->contains("allOf") ||
                object->contains("anyOf"))
                return;
            schema = properties->get_object().if_contains(use.path[i]);
            if (schema == nullptr) {
                std::vector<std::string> names;
                for (const auto& member : properties->get_object()) names.emplace_back(member.key());
                warn(part, use.offset, 1, "unknown-state", "the agent's state schema has no " + quoted(use.path[i]) + " in `" + parent + "`",
                     hint_for(use.path[i], names));
                return;
            }
            parent += "." + use.path[i];
        }
    }

    compilation& c_;
    const names_in_scope& scope_;
    evaluable::compiled& into_;
};

}  // namespace

void check_variables(compilation& c, const names_in_scope& scope, const part_view& part, evaluable::compiled& into) {
    use_checker(c, scope, into).check(part);
}

}  // namespace pawl::flow
