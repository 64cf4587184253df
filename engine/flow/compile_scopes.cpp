// The tasks that hold lists of tasks or choose among them: do, for, fork, switch.
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

surrounding below(compilation& c, task_id id) { return {id, c.task_of(id).locals, false}; }

std::optional<evaluable> compile_collection(compilation& c, const node& in, const std::vector<std::string>& locals) {
    if (in.is_array()) return compile_template(c, in, {site::definition, locals});
    if (!in.is_string()) {
        c.report.error("wrong-type", in, "`in` must be an expression that yields a list, or a list, but is " + std::string(describe(*in.value)),
                       "for example `in: .items`");
        return std::nullopt;
    }
    auto collection = compile_expression(c, in, {site::definition, locals});
    if (collection && collection->constant() != nullptr && !collection->constant()->is_array()) {
        c.report.error("wrong-type", in, "`in` must yield a list, but this is always " + std::string(describe(*collection->constant())),
                       "for example `in: .items`");
    }
    return collection;
}

}  // namespace

std::string compile_local_name(compilation& c, const node& n, std::string_view fallback) {
    if (!n || !expect_string(c, n)) return std::string(fallback);
    const auto name = std::string(n.text());
    if (!is_variable_name(name)) {
        const auto dollar = name.starts_with('$') && is_variable_name(std::string_view(name).substr(1));
        c.report.error("bad-name", n, quoted(name) + " cannot be a variable name: only letters, digits and `_`, not starting with a digit",
                       dollar ? "write " + quoted(name.substr(1)) + " here, and `" + name + "` where it is used" : "");
        return std::string(fallback);
    }
    if (is_reserved_variable(name)) {
        c.report.error("bad-name", n, "the variable `$" + name + "` exists already and would be hidden", "choose another name");
        return std::string(fallback);
    }
    return name;
}

void compile_do(compilation& c, task_id id) {
    const auto first = compile_list(c, c.notes[id].body.at("do"), below(c, id));
    c.task_of(id).body = do_task{first};
}

void compile_for(compilation& c, task_id id) {
    const auto body = c.notes[id].body;
    const auto n = body.at("for");
    if (!expect_object(c, n)) return;
    check_keys(c, n, {"each", "in", "at"});
    auto variable = n.at("each");
    for (const auto* other : {"item", "as", "var"}) {  // reported; the tasks are checked with the name that was meant
        if (!variable && n.at(other).is_string()) variable = n.at(other);
    }
    const auto each = compile_local_name(c, variable, "item");
    const auto at = compile_local_name(c, n.at("at"), "index");
    if (each == at)
        c.report.error("bad-name", n.at("at") ? n.at("at") : n.at("each"), "`each` and `at` are both called " + quoted(each), "give them two names");
    const auto outer = c.task_of(id).locals;
    auto inner = below(c, id);
    inner.locals.insert(inner.locals.end(), {each, at});
    const auto in = require(c, n, "in", "it is the collection to go through, such as `.items`");
    auto collection = in ? compile_collection(c, in, outer) : std::nullopt;
    std::optional<evaluable> goes_on;
    if (const auto condition = body.at("while")) goes_on = compile_condition(c, condition, {site::definition, inner.locals});
    const auto list = require(c, body, "do", "it holds the tasks to perform for each item");
    const auto first = list ? compile_list(c, list, inner) : no_task;
    if (collection) c.task_of(id).body = for_task{each, at, std::move(*collection), std::move(goes_on), first};
}

void compile_fork(compilation& c, task_id id) {
    const auto n = c.notes[id].body.at("fork");
    if (!expect_object(c, n)) return;
    check_keys(c, n, {"branches", "compete"});
    fork_task out;
    if (const auto compete = n.at("compete")) {
        if (compete.value->is_bool()) {
            out.compete = compete.value->get_bool();
        } else {
            c.report.error("wrong-type", compete, "`compete` must be true or false, but is " + std::string(describe(*compete.value)),
                           compete.is_string() ? "write `compete: true` or `compete: false`, without quotes (`yes` and `no` are texts in YAML 1.2)" : "");
        }
    }
    const auto branches = require(c, n, "branches", "it holds the tasks to perform at the same time");
    if (branches) out.branches = compile_branches(c, branches, below(c, id));
    c.task_of(id).body = std::move(out);
}

void compile_switch(compilation& c, task_id id, const task_scope& scope) {
    const auto n = c.notes[id].body.at("switch");
    if (!n.is_array() || n.value->get_array().empty()) {
        c.report.key_error(
            "wrong-type", n,
            std::string("`switch` must be a list of named cases, but is ") + (n.is_array() ? "empty" : std::string(describe(*n.value))),
            "write `- caseName: { when: .x == 1, then: taskName }` for each case");
        return;
    }
    const names_in_scope names{site::definition, c.task_of(id).locals};
    switch_task out;
    const node* fallback = nullptr;
    node fallback_case;
    for (std::size_t i = 0; i < n.value->get_array().size(); ++i) {
        const auto item = n.at(i);
        if (!item.is_object() || item.value->get_object().size() != 1) {
            c.report.error("wrong-type", item, "a case must be one name with `when` and `then` below it",
                           "write `- caseName:` and indent `when` and `then` further");
            continue;
        }
        const auto choice = item.at(item.value->get_object().begin()->key());
        if (choice.is_string()) {
            c.report.key_error("wrong-type", choice, "the case " + quoted(choice.name()) + " must be a map with `then`, and with `when` unless it is the default, but is text",
                               "write `- " + choice.name() + ": { then: " + std::string(choice.text().substr(0, 60)) + " }`");
            continue;
        }
        if (!expect_object(c, choice)) continue;
        check_keys(c, choice, {"when", "then"});
        switch_case made;
        made.name = choice.name();
        if (const auto when = choice.at("when")) {
            made.when = compile_condition(c, when, names);
        } else if (c.is_misspelled(choice, "when")) {
            continue;
        } else if (fallback != nullptr) {
            c.report.key_error("several-defaults", choice,
                               "the cases " + quoted(fallback_case.name()) + " and " + quoted(choice.name()) +
                                   " both have no `when`, but only one can be the default",
                               "add `when` to one of them");
        } else {
            fallback_case = choice;
            fallback = &fallback_case;
        }
        if (const auto then = require(c, choice, "then", "it says which task to go on with")) made.then = compile_directive(c, then, scope);
        out.cases.push_back(std::move(made));
    }
    c.task_of(id).body = std::move(out);
}

}  // namespace pawl::flow
