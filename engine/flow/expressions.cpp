// Compiles runtime expressions and documents with embedded ones.
#include "flow/check_variables.hpp"
#include "flow/evaluable_code.hpp"
#include "flow/shapes.hpp"

#include <algorithm>
#include <set>

namespace pawl::flow {
namespace {

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

/// The names of all tasks, as far as the form of the document tells.
void gather_task_names(const json::value& value, std::set<std::string, std::less<>>& into) {
    if (const auto* array = value.if_array()) {
        for (const auto& item : *array) {
            if (const auto* object = item.if_object(); object != nullptr && object->size() == 1 && object->begin()->value().is_object()) into.emplace(object->begin()->key());
            gather_task_names(item, into);
        }
    } else if (const auto* object = value.if_object()) {
        for (const auto& member : *object) gather_task_names(member.value(), into);
    }
}

bool is_task_name(compilation& c, std::string_view name) {
    if (!c.task_names) gather_task_names(c.document->value, c.task_names.emplace());
    return c.task_names->contains(name);
}

/// `load.total` and `$load.total` for the output of the task `load`.
std::string task_hint(compilation& c, std::string_view program, const expr::compile_error& error) {
    constexpr std::string_view function = "unknown function `", variable = "unknown variable `$";
    const auto start = error.message.starts_with(function) ? function.size() : error.message.starts_with(variable) ? variable.size() : 0;
    if (start == 0 || error.offset >= program.size()) return {};
    const auto name = std::string_view(error.message).substr(start, error.message.find_first_of("/`", start) - start);
    return is_variable_name(name) && is_task_name(c, name) ? "the output of the task " + quoted(name) + " is `$steps." + std::string(name) + "`" : std::string{};
}

/// `${{ .name }}`, as in GitHub Actions.
bool has_two_braces(std::string_view text, std::size_t at) {
    const auto start = text.rfind("${{", at);
    const auto end = text.find("}}", at);
    return start != std::string_view::npos && end != std::string_view::npos && text.substr(start, end - start).find(':') == std::string_view::npos;
}

/// The hint for an error at `error.offset` of the text of a value that stands at `mark`.
std::string hint_in_text(compilation& c, std::string_view text, const expr::compile_error& error, const source_mark& mark) {
    if (has_two_braces(text, error.offset)) return "expressions have one brace: `${ ... }`";
    if (auto hint = task_hint(c, text, error); !hint.empty()) return hint;
    if (error.message.find("is not closed") != std::string::npos) {
        const auto line = c.document->line(mark.line);
        if (const auto comment = line.find(" #", std::min(mark.column, line.size())); comment != std::string_view::npos)
            return "` #` starts a comment in YAML, so the rest of the line does not count: put quotes around the whole value";
    }
    return {};
}

std::string expression_hint(const expr::compile_error& error, std::string_view text) {
    if (!error.hint.empty()) {
        auto hint = error.hint;
        constexpr std::string_view ours = " $__now";  // what `now` reads; no author needs to know it
        if (const auto at = hint.find(ours); at != std::string::npos) hint.erase(at, ours.size());
        // Of an outer local that an inner one hides, only the mangled name is there.
        for (auto at = hint.find('\''); at != std::string::npos && hint.starts_with("known variables"); at = hint.find('\'')) {
            const auto start = hint.rfind(' ', at), end = std::min(hint.find(' ', at), hint.size());
            hint.erase(start, end - start);
        }
        return hint;
    }
    if (text.find("${") != std::string_view::npos) return "write either a bare expression or one `${ ... }` around all of it";
    return {};
}

/// `Bearer $secrets.token`: a variable within a text is not replaced. Only names that no other language has.
std::string_view variable_within(const compilation& c, std::string_view text) {
    if (text.find("${") != std::string_view::npos) return {};
    const auto word_from = [&](std::size_t at) { return text.substr(at, std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$", at), text.size()) - at); };
    for (const std::string_view start : {"$secrets.", "$context.", "$workflow.input."}) {
        const auto at = text.find(start);
        if (at == std::string_view::npos) continue;
        const auto word = word_from(at);
        const auto name = word.substr(start.size());
        if (start == "$secrets." && std::find(c.out.secrets.begin(), c.out.secrets.end(), name) == c.out.secrets.end()) continue;
        if (!name.empty()) return word;
    }
    return {};
}

bool looks_like_expression(std::string_view text, std::span<const std::string> variables) {
    if (text.size() < 2 || text.find_first_of(" \t\n/,") != std::string_view::npos) return false;
    const auto letter = [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_'; };
    if (text.front() == '$') {
        const auto name = text.substr(1, text.find_first_of(".[|", 1) - 1);
        return std::find(variables.begin(), variables.end(), name) != variables.end();
    }
    return text.front() == '.' && letter(text[1]);
}

/// A text such as `.customer` where only `${ }` counts is most likely a slip.
void warn_of_literal_expressions(compilation& c, const json::value& value, const std::string& pointer, const std::vector<origin>& origins,
                                 std::span<const std::string> names) {
    if (const auto* text = value.if_string()) {
        if (const auto variable = variable_within(c, *text); !variable.empty() && variable.size() < text->size()) {
            c.report.at(severity::warning, "literal-expression", locate(origins, pointer).pointer, text->find(variable), variable.size(),
                        quoted(variable) + " is taken as text here, not as an expression", "write `${ " + std::string(variable) + " }` for its value");
            return;
        }
        if (!looks_like_expression(*text, names)) return;
        c.report.at(severity::warning, "literal-expression", locate(origins, pointer).pointer, 0, text->size(),
                    quoted(*text) + " is taken as text here, not as an expression", "write `${ " + std::string(*text) + " }` for its value");
    } else if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) warn_of_literal_expressions(c, member, pointer + "/" + pointer_token(key), origins, names);
    } else if (const auto* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i)
            warn_of_literal_expressions(c, (*array)[i], pointer + "/" + std::to_string(i), origins, names);
    }
}

std::shared_ptr<evaluable::compiled> new_code(compilation& c, std::variant<expr::program, expr::value_template> code, std::vector<origin> origins,
                                              std::size_t offset) {
    auto out = std::make_shared<evaluable::compiled>(
        evaluable::compiled{std::move(code), c.document, c.out.file, std::move(origins), offset, {}, {}, {}, {}});
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
    if (const auto* object = value.if_object())
        return std::any_of(object->begin(), object->end(), [](const auto& member) { return holds_expression(member.value()); });
    if (const auto* array = value.if_array())
        return std::any_of(array->begin(), array->end(), [](const auto& item) { return holds_expression(item); });
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
        auto error = program.error();
        error.offset += offset;
        auto hint = hint_in_text(c, n.text(), error, c.document->mark_of(n.pointer));
        if (hint.empty()) hint = expression_hint(error, text);
        c.report.at(severity::error, "expression", n.pointer, error.offset, error.length, error.message, std::move(hint));
        return std::nullopt;
    }
    auto code = new_code(c, *program, {{"", n.pointer, false}}, offset);
    check_variables(c, scope, {*program, n.pointer, offset, false}, *code);
    code->constant = program->analyse().constant;
    return evaluable(code);
}

namespace {

/// `.a = 1` makes an object, and all but false and null is true.
void warn_of_certain_truth(compilation& c, const node& n, const evaluable& condition) {
    using kind = expr::shape::kind;
    const auto what = shape_of(condition).what;
    if (what == kind::unknown || what == kind::boolean || what == kind::null) return;
    const auto text = n.text();
    const auto equals = text.find('=');
    const bool assigns = equals != std::string_view::npos && what == kind::object && text.substr(equals, 2) != "==" &&
                         (equals == 0 || std::string_view("!<>|").find(text[equals - 1]) == std::string_view::npos);
    constexpr std::string_view names[] = {"", "", "", "a number", "a text", "a list", "an object"};
    c.report.warning("constant-condition", n,
                     quoted(n.name()) + " yields " + std::string(names[static_cast<std::size_t>(what)]) +
                         ", and all but false and null counts as true, so it always holds",
                     assigns ? "`=` assigns; write `==` to compare" : "compare it with something, such as `> 0`");
}

}  // namespace

std::optional<evaluable> compile_condition(compilation& c, const node& n, const names_in_scope& scope) {
    if (n && n.value->is_bool()) {
        c.report.error("wrong-type", n, quoted(n.name()) + " must be an expression, but is the constant " + to_text(*n.value),
                       "remove it, or put quotes around it");
        return std::nullopt;
    }
    auto condition = compile_expression(c, n, scope);
    if (condition && condition->constant() != nullptr && !c.rebuild) {
        const auto& value = *condition->constant();
        const bool holds = !value.is_null() && !(value.is_bool() && !value.get_bool());
        c.report.warning("constant-condition", n, quoted(n.name()) + " reads no data, so it is always " + (holds ? "true" : "false"),
                         holds ? "remove it" : "read the input, such as `.status == \"open\"`");
    } else if (condition && !c.rebuild) {
        warn_of_certain_truth(c, n, *condition);
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
            const auto* text = place.opaque ? nullptr : c.document->find(place.pointer);
            std::string hint;
            if (text != nullptr && text->is_string() && !c.report.is_full()) hint = hint_in_text(c, text->get_string(), each.error, c.document->mark_of(place.pointer));
            if (hint.empty()) hint = expression_hint(each.error, {});
            c.report.at(severity::error, "expression", place.pointer, place.opaque ? 0 : each.error.offset, each.error.length, each.error.message, std::move(hint));
        }
        return std::nullopt;
    }
    if (c.mode == expr::template_mode::strict && !c.rebuild) warn_of_literal_expressions(c, value, "", origins, names);
    auto code = new_code(c, *made, std::move(origins), 0);
    for (const auto& part : made->parts()) {
        const auto place = locate(code->origins, part.pointer);
        check_variables(c, scope, {part.code, place.pointer, part.offset, place.opaque}, *code);
    }
    if (made->is_constant()) code->constant = made->source();
    return evaluable(code);
}

}  // namespace pawl::flow
