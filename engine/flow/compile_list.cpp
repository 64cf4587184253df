// Lists of named tasks and the flow directives that lead from one to another.
#include "flow/parts.hpp"
#include "flow/task_kinds.hpp"

#include <algorithm>
#include <map>

namespace pawl::flow {
namespace {

constexpr std::string_view list_form = "tasks are a list: each item is `- name:` with the task indented below its name";

bool is_kind(std::string_view key) {
    return std::any_of(task_kinds.begin(), task_kinds.end(), [&](const task_kind& kind) { return kind.key == key; });
}

/// `- name: load` with the rest of the task beside it. The text that was meant as its name.
std::string name_beside(const json::object& item) {
    if (std::none_of(item.begin(), item.end(), [](const auto& member) { return is_kind(member.key()) || member.key() == "type"; })) return {};
    for (const auto* key : {"name", "id", "task", "step"}) {
        if (const auto* name = item.if_contains(key); name != nullptr && name->is_string()) return std::string(name->get_string());
    }
    return {};
}

/// The one member of a list item; absent (and reported) when the item has another form.
node named_task(compilation& c, const node& item, std::size_t index) {
    if (!item.is_object()) {
        c.report.error("wrong-type", item,
                       "a task must be a name with its definition below it, but this item is " + std::string(describe(*item.value)),
                       item.is_array() ? "to do several tasks in its place, write `- name: { do: [ ... ] }`" : std::string(list_form));
        return {};
    }
    const auto& object = item.value->get_object();
    if (object.size() == 1) return item.at(object.begin()->key());
    if (object.empty()) {
        c.report.error("wrong-type", item, "this list item holds no task", std::string(list_form));
        return {};
    }
    const auto first = item.at(object.begin()->key());
    if (first.value->is_null()) {
        c.report.key_error("indentation", first,
                           "the task " + quoted(first.name()) + " is empty, and its keys stand beside its name instead of below it",
                           "indent the lines after `- " + first.name() + ":` further than the name");
    } else if (const auto name = name_beside(object); !name.empty()) {
        c.report.key_error("several-tasks", first, "the name of a task is the key of its list item, but here it is the value of a key beside the others",
                           "write `- " + name + ":`, and the other keys below it, indented further");
    } else if (is_kind(first.name())) {
        c.report.key_error("several-tasks", first, "this task has no name: its keys stand where the name should be",
                           "write a name, such as `- step" + std::to_string(index + 1) + ":`, and these keys below it, indented further");
    } else {
        c.report.key_error("several-tasks", item.at((object.begin() + 1)->key()),
                           "this list item holds " + std::to_string(object.size()) + " tasks, but each task needs an item of its own",
                           "write `- ` before " + quoted((object.begin() + 1)->key()));
    }
    return {};
}

bool check_name(compilation& c, const node& body, std::map<std::string, node>& seen) {
    const auto name = body.name();
    if (name == "continue" || name == "exit" || name == "end") {
        c.report.key_error("reserved-name", body, "a task cannot be called " + quoted(name) + ", which is a flow directive", "choose another name");
    }
    const auto [first, fresh] = seen.emplace(name, body);
    if (fresh) return true;
    c.report.key_error("duplicate-task", body,
                       "two tasks of this list are called " + quoted(name) + " (the first in line " +
                           std::to_string(c.document->key_mark_of(first->second.pointer).line) +
                           "), so `then` and `$steps` could not tell them apart",
                       "give each task a name of its own");
    return false;
}

/// Adds a task for every good item.
task_scope add_tasks(compilation& c, const node& list, const surrounding& around) {
    task_scope scope;
    std::map<std::string, node> seen;
    for (std::size_t i = 0; i < list.value->get_array().size(); ++i) {
        const auto body = named_task(c, list.at(i), i);
        if (!body) continue;
        if (c.out.tasks.size() >= most_tasks) {
            c.report.key_error("too-many-tasks", body, "the workflow has more than " + std::to_string(most_tasks) + " tasks",
                               "split it, or use a `for` over data");
            break;
        }
        if (!check_name(c, body, seen)) continue;
        const auto id = add_task(c, body.name(), body, around);
        scope.names.push_back(body.name());
        scope.ids.push_back(id);
        scope.by_name.emplace(body.name(), id);
    }
    return scope;
}

std::string map_form(const node& list) {
    const auto* object = list.value->if_object();
    if (object == nullptr || object->empty()) return std::string(list_form);
    const std::string_view first = object->begin()->key();
    if (first.starts_with('-')) return "put a space behind the `-`: `- " + std::string(first.substr(1)) + ":`";
    if (is_kind(first)) return "give the task a name, as an item of a list: `- name:`, and indent " + quoted(first) + " below it";
    return "write `- ` before " + quoted(first) + ", and indent what is below it further";
}

bool expect_list(compilation& c, const node& list) {
    if (!list) return false;
    if (!list.is_array()) {
        c.report.key_error("wrong-type", list, quoted(list.name()) + " must be a list of named tasks, but is " + std::string(describe(*list.value)),
                           map_form(list));
        return false;
    }
    if (list.value->get_array().empty()) {
        c.report.error("empty-list", list, quoted(list.name()) + " holds no task", "add one, or remove the task around it");
        return false;
    }
    return true;
}

}  // namespace

task_id add_task(compilation& c, const std::string& name, const node& body, const surrounding& around) {
    const auto id = static_cast<task_id>(c.out.tasks.size());
    task t;
    t.id = id;
    t.name = name;
    t.pointer = body.pointer;
    t.parent = around.parent;
    t.locals = around.locals;
    t.mark = c.document->key_mark_of(body.pointer);
    c.out.tasks.push_back(std::move(t));
    c.notes.push_back({body, around.in_handler});
    return id;
}

task_id compile_list(compilation& c, const node& list, const surrounding& around) {
    if (!expect_list(c, list)) return no_task;
    const auto scope = add_tasks(c, list, around);
    for (std::size_t i = 0; i + 1 < scope.ids.size(); ++i) c.task_of(scope.ids[i]).next = scope.ids[i + 1];
    for (const auto id : scope.ids) compile_task(c, id, scope);
    check_reachability(c, scope.ids);
    return scope.ids.empty() ? no_task : scope.ids.front();
}

std::vector<task_id> compile_branches(compilation& c, const node& list, const surrounding& around) {
    if (!expect_list(c, list)) return {};
    const auto all = add_tasks(c, list, around);
    task_scope none;
    none.branches = true;
    for (const auto id : all.ids) compile_task(c, id, none);
    return all.ids;
}

flow_directive compile_directive(compilation& c, const node& n, const task_scope& scope) {
    if (!n) return {};
    if (n.is_array()) {
        c.report.error("wrong-type", n, "`then` must be the name of one task, but is a list", "put the tasks into the branches of a `fork`, and lead to that");
        return {};
    }
    if (!expect_string(c, n, "`then: end`")) return {};
    const auto text = n.text();
    if (text == "continue") return {};
    if (text == "exit") return {flow_directive::kind::exit, no_task};
    if (text == "end") return {flow_directive::kind::end, no_task};
    if (const auto found = scope.by_name.find(std::string(text)); found != scope.by_name.end()) return {flow_directive::kind::task, found->second};
    // Whether the task exists elsewhere is known only at the end.
    if (c.unresolved.size() < most_diagnostics) {
        const auto few = std::min<std::size_t>(scope.names.size(), 1000);
        c.unresolved.push_back({n, {scope.names.begin(), scope.names.begin() + static_cast<std::ptrdiff_t>(few)}, scope.branches});
    }
    return {};
}

}  // namespace pawl::flow
