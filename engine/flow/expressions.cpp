// Compiles runtime expressions and documents with embedded ones, and checks the variables they read.
#include "flow/evaluable_code.hpp"
#include "flow/parts.hpp"

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
        case site::workflow_input: return everywhere;
        case site::workflow_output: return everywhere | bit(variable::context) | bit(variable::steps);
        case site::task_entry: return in_tasks;
        case site::definition:
        case site::output_as: return in_bodies;
        case site::export_as: return in_bodies | bit(variable::output);
    }
    return 0;
}

std::string_view name_of(site where) {
    switch (where) {
        case site::workflow_input: return "the workflow's `input.from`";
        case site::workflow_output: return "the workflow's `output.as`";
        case site::task_entry: return "`if` and `input.from`";
        case site::definition: return "the body of a task";
        case site::output_as: return "`output.as`";
        case site::export_as: return "`export.as`";
    }
    return "";
}

std::string where_available(variable v) {
    switch (v) {
        case variable::output: return "only `export.as` sees it; in `output.as` the output is `.`";
        case variable::input: return "the input is `.` here";
        case variable::context: return "there is no context before the first task";
        case variable::steps: return "no task has run yet";
        case variable::task: return "it belongs to a task";
        case variable::authorization: return "it belongs to the body of a call";
        default: return "";
    }
}

/// The members that the language gives the descriptors.
std::vector<std::string> members_of(variable v) {
    switch (v) {
        case variable::task: return {"name", "reference", "definition", "input", "output", "startedAt"};
        case variable::workflow: return {"id", "definition", "input", "startedAt"};
        case variable::runtime: return {"name", "version", "metadata"};
        case variable::authorization: return {"scheme", "parameter"};
        case variable::agent: return {"key", "state", "version", "meta"};
        default: return {};
    }
}

/// The fixed names and the locals; an outer local that an inner one hides gets a name no program can write.
std::vector<std::string> names_for(const names_in_scope& scope) {
    const auto fixed = fixed_variable_names();
    std::vector<std::string> names(fixed.begin(), fixed.end());
    for (auto local = scope.locals.begin(); local != scope.locals.end(); ++local) {
        const bool hidden = std::find(local + 1, scope.locals.end(), *local) != scope.locals.end();
        names.push_back(hidden ? *local + "'" + std::to_string(names.size()) : *local);
    }
    return names;
}

/// One expression within a compiled value.
struct part_view {
    const expr::analysis& facts;
    std::string pointer;     ///< in the definition
    std::size_t offset = 0;  ///< of its text
    bool opaque = false;
};

class use_checker {
public:
    use_checker(compilation& c, const names_in_scope& scope, evaluable::compiled& into) : c_(c), scope_(scope), into_(into) {}

    void check(const part_view& part) {
        for (const auto& use : part.facts.variables) check_use(part, use);
        if (part.facts.may_yield_many && !part.opaque) {
            warn(part, 0, 1, "several-outputs", "this expression can yield several values, but exactly one is expected; more than one is an error when it runs",
                 "collect them with `[ ... ]`, or take the first with `first(...)`");
        }
    }

private:
    using variable_use = expr::analysis::variable_use;

    void warn(const part_view& part, std::size_t offset, std::size_t length, std::string code, std::string message, std::string hint) {
        if (c_.rebuild) return;
        c_.report.at(severity::warning, std::move(code), part.pointer, part.opaque ? 0 : part.offset + offset, length, std::move(message), std::move(hint));
    }
    void fail(const part_view& part, const variable_use& use, std::string code, std::string message, std::string hint) {
        c_.report.at(severity::error, std::move(code), part.pointer, part.opaque ? 0 : part.offset + use.offset, use.variable.size() + 1, std::move(message), std::move(hint));
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
            return fail(part, use, "unavailable-variable", "`$" + use.variable + "` is not available in " + std::string(name_of(scope_.where)), where_available(v));
        }
        if (v == variable::steps) check_steps(part, use);
        if (v == variable::secrets) check_secrets(part, use);
        if (v == variable::agent) check_agent(part, use);
        if (c_.options.portable && (v == variable::steps || v == variable::agent)) {
            warn(part, use.offset, use.variable.size() + 1, "not-portable", "`$" + use.variable + "` exists only in pawl; other runtimes refuse this workflow",
                 v == variable::steps ? "`export` the value to `$context`" : "use `$runtime.metadata.agent`");
        }
        if (use.path.empty()) return;
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
        c_.step_uses.push_back({use.path.front(), part.pointer, part.opaque ? 0 : part.offset + use.offset});
    }

    void check_secrets(const part_view& part, const variable_use& use) {
        if (use.path.empty() || std::find(c_.out.secrets.begin(), c_.out.secrets.end(), use.path.front()) != c_.out.secrets.end()) return;
        auto hint = c_.report.did_you_mean(use.path.front(), c_.out.secrets);
        if (hint.empty()) hint = "declare it: `use: { secrets: [ " + use.path.front() + " ] }`";
        fail(part, use, "undeclared-secret", "the secret " + quoted(use.path.front()) + " is not declared in `use.secrets`, so the workflow may not read it", std::move(hint));
    }

    /// `$agent.state.a.b` against the state's schema, as far as its `properties` tell.
    void check_agent(const part_view& part, const variable_use& use) {
        if (c_.options.agent_state_schema == nullptr || use.path.size() < 2 || use.path.front() != "state") return;
        const auto* schema = c_.options.agent_state_schema;
        std::string parent = "$agent.state";
        for (std::size_t i = 1; i < use.path.size(); ++i) {
            const auto* object = schema->if_object();
            const auto* properties = object != nullptr ? object->if_contains("properties") : nullptr;
            if (properties == nullptr || !properties->is_object() || object->contains("$ref") || object->contains("allOf") || object->contains("anyOf")) return;
            schema = properties->get_object().if_contains(use.path[i]);
            if (schema == nullptr) {
                std::vector<std::string> names;
                for (const auto& member : properties->get_object()) names.emplace_back(member.key());
                warn(part, use.offset, 1, "unknown-state", "the agent's state schema has no " + quoted(use.path[i]) + " in `" + parent + "`", hint_for(use.path[i], names));
                return;
            }
            parent += "." + use.path[i];
        }
    }

    compilation& c_;
    const names_in_scope& scope_;
    evaluable::compiled& into_;
};

std::string expression_hint(const compilation& c, const expr::compile_error& error, std::string_view text) {
    if (!error.hint.empty()) return error.hint;
    if (text.find("${") != std::string_view::npos) return "write either a bare expression or one `${ ... }` around all of it";
    (void)c;
    return {};
}

bool looks_like_expression(std::string_view text) {
    if (text.size() < 2 || text.find_first_of(" \t\n/,") != std::string_view::npos) return false;
    const auto letter = [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_'; };
    if (text.front() == '$') {
        const auto fixed = fixed_variable_names();
        const auto name = text.substr(1, text.find_first_of(".[|", 1) - 1);
        return std::any_of(fixed.begin(), fixed.end(), [&](const std::string& each) { return each == name; }) || name == "error" || name == "item";
    }
    return text.front() == '.' && letter(text[1]);
}

/// A text such as `.customer` where only `${ }` counts is most likely a slip.
void warn_of_literal_expressions(compilation& c, const json::value& value, const std::string& pointer, const std::vector<origin>& origins) {
    if (const auto* text = value.if_string()) {
        if (!looks_like_expression(*text)) return;
        c.report.at(severity::warning, "literal-expression", locate(origins, pointer).pointer, 0, text->size(), quoted(*text) + " is taken as text here, not as an expression",
                    "write `${ " + std::string(*text) + " }` for its value");
    } else if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) warn_of_literal_expressions(c, member, pointer + "/" + pointer_token(key), origins);
    } else if (const auto* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) warn_of_literal_expressions(c, (*array)[i], pointer + "/" + std::to_string(i), origins);
    }
}

std::shared_ptr<evaluable::compiled> new_code(compilation& c, std::variant<expr::program, expr::value_template> code, std::vector<origin> origins, std::size_t offset) {
    auto out = std::make_shared<evaluable::compiled>(evaluable::compiled{std::move(code), c.document, c.out.file, std::move(origins), offset, {}, {}, {}, {}});
    const auto place = locate(out->origins, "");
    out->mark = c.document->mark_of(place.pointer, place.opaque ? 0 : offset);
    return out;
}

}  // namespace

bool is_variable_name(std::string_view name) {
    const auto letter = [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_'; };
    if (name.empty() || name.size() > 100 || !letter(name.front())) return false;
    return std::all_of(name.begin(), name.end(), [&](char ch) { return letter(ch) || (ch >= '0' && ch <= '9'); });
}

bool is_reserved_variable(std::string_view name) {
    const auto fixed = fixed_variable_names();
    return std::find(fixed.begin(), fixed.end(), name) != fixed.end() || name == "__loc__" || name == "ENV";
}

bool holds_expression(const json::value& value) {
    if (const auto* text = value.if_string()) return text->find("${") != json::string::npos;
    if (const auto* object = value.if_object()) return std::any_of(object->begin(), object->end(), [](const auto& member) { return holds_expression(member.value()); });
    if (const auto* array = value.if_array()) return std::any_of(array->begin(), array->end(), [](const auto& item) { return holds_expression(item); });
    return false;
}

std::optional<evaluable> compile_expression(compilation& c, const node& n, const names_in_scope& scope) {
    if (!expect_string(c, n, "`" + n.name() + ": .status == \"open\"`")) return std::nullopt;
    const auto whole = expr::whole_expression(n.text());
    const auto text = whole ? whole->text : n.text();
    const auto offset = whole ? whole->offset : 0;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        c.report.error("empty-expression", n, quoted(n.name()) + " holds no expression", "write one such as `.status`, or remove the key");
        return std::nullopt;
    }
    const auto names = names_for(scope);
    auto program = expr::program::compile(text, names);
    if (program.has_error()) {
        const auto& error = program.error();
        c.report.at(severity::error, "expression", n.pointer, offset + error.offset, error.length, error.message, expression_hint(c, error, text));
        return std::nullopt;
    }
    auto code = new_code(c, *program, {{"", n.pointer, false}}, offset);
    const auto& facts = program->analyse();
    use_checker(c, scope, *code).check({facts, n.pointer, offset, false});
    code->constant = facts.constant;
    return evaluable(code);
}

std::optional<evaluable> compile_condition(compilation& c, const node& n, const names_in_scope& scope) {
    if (n && n.value->is_bool()) {
        c.report.error("wrong-type", n, quoted(n.name()) + " must be an expression, but is the constant " + to_text(*n.value), "remove it, or put quotes around it");
        return std::nullopt;
    }
    auto condition = compile_expression(c, n, scope);
    if (condition && condition->constant() != nullptr && !c.rebuild) {
        const auto& value = *condition->constant();
        const bool holds = !value.is_null() && !(value.is_bool() && !value.get_bool());
        c.report.warning("constant-condition", n, quoted(n.name()) + " reads no data, so it is always " + (holds ? "true" : "false"), holds ? "remove it" : "read the input, such as `.status == \"open\"`");
    }
    return condition;
}

std::optional<evaluable> compile_template(compilation& c, const node& n, const names_in_scope& scope) {
    if (!n) return std::nullopt;
    return compile_template(c, *n.value, {{"", n.pointer, false}}, scope);
}

std::optional<evaluable> compile_template(compilation& c, const json::value& value, std::vector<origin> origins, const names_in_scope& scope) {
    const auto names = names_for(scope);
    auto made = expr::value_template::compile(value, names, c.mode);
    if (made.has_error()) {
        for (const auto& each : made.error()) {
            const auto place = locate(origins, each.pointer);
            c.report.at(severity::error, "expression", place.pointer, place.opaque ? 0 : each.error.offset, each.error.length, each.error.message, each.error.hint);
        }
        return std::nullopt;
    }
    if (c.mode == expr::template_mode::strict && !c.rebuild) warn_of_literal_expressions(c, value, "", origins);
    auto code = new_code(c, *made, std::move(origins), 0);
    use_checker checker(c, scope, *code);
    for (const auto& part : made->parts()) {
        const auto place = locate(code->origins, part.pointer);
        checker.check({part.code.analyse(), place.pointer, part.offset, place.opaque});
    }
    if (made->is_constant()) code->constant = made->source();
    return evaluable(code);
}

}  // namespace pawl::flow
