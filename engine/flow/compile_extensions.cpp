// use.extensions (dsl-reference.md, "Extension"): woven into the task table when the workflow is compiled, so that what extensions do is as
// durable as everything else. An extended task becomes a frame around itself: it keeps the name, `if`, `input`, `output`, `export`, `timeout`
// and `then`; within it run `before`, the body of the task, and `after`.
#include "flow/parts.hpp"
#include "flow/task_kinds.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

bool is_extended_by(std::string_view extend, std::string_view kind) {
    return extend == "all" || extend == kind || (extend == "composite" && (kind == "do" || kind == "fork"));
}

/// The one member of a list item: the extension under its name.
node named_extension(compilation& c, const node& item) {
    if (item.is_object() && item.value->get_object().size() == 1) {
        const auto body = item.at(item.value->get_object().begin()->key());
        return expect_object(c, body) ? body : node{};
    }
    c.report.error("wrong-type", item, "an extension must be one name with `extend`, `when`, `before` and `after` below it",
                   "write `- extensionName:` and indent its keys further");
    return {};
}

void check_extend(compilation& c, const node& body, extension_note& into) {
    const auto extend = require(c, body, "extend", "it is the kind of task to extend, or `all`");
    if (!extend || !expect_string(c, extend, "`extend: call`")) return;
    if (std::find(extendable_kinds.begin(), extendable_kinds.end(), extend.text()) != extendable_kinds.end()) {
        into.extend = std::string(extend.text());
        return;
    }
    const std::vector<std::string> known(extendable_kinds.begin(), extendable_kinds.end());
    const auto is_composite = extend.text() == "do" || extend.text() == "fork";
    auto hint = is_composite ? std::string("write `composite`: it stands for `do` and `fork`") : c.report.did_you_mean(extend.text(), known);
    if (hint.empty()) hint = "write `call`, `composite`, `emit`, `for`, `listen`, `raise`, `run`, `set`, `switch`, `try`, `wait` or `all`";
    c.report.error("bad-value", extend, quoted(extend.text()) + " is not a kind of task that can be extended", std::move(hint));
}

/// An extension sees its own data, not the variables of the task it extends.
surrounding around_extension(const compilation& c, task_id id) {
    surrounding around{id, id == no_task ? std::vector<std::string>{} : c.out.tasks[id].locals, false};
    for (auto& local : around.locals) local = "'" + local;
    return around;
}

extension_task compile_extension(compilation& c, task_id id, const node& body) {
    const auto around = around_extension(c, id);
    extension_task out;
    out.name = body.name();
    c.in_extension = true;
    if (const auto when = body.at("when")) out.when = compile_condition(c, when, {site::definition, around.locals});
    if (const auto before = body.at("before")) out.before = compile_list(c, before, around);
    if (const auto after = body.at("after")) out.after = compile_list(c, after, around);
    c.in_extension = false;
    return out;
}

/// Puts the extension around the task; the id of the task within.
task_id extend(compilation& c, task_id id, const node& body) {
    if (c.out.tasks.size() >= most_tasks) {
        c.report.key_error("too-many-tasks", body, "with its extensions the workflow has more than " + std::to_string(most_tasks) + " tasks",
                           "extend fewer kinds of tasks, or split the workflow");
        return id;
    }
    auto made = compile_extension(c, id, body);
    made.extended = add_task(c, c.task_of(id).name, c.notes[id].body, {id, c.task_of(id).locals, false});
    auto& within = c.task_of(made.extended);
    within.is_extended = true;
    within.then = c.task_of(id).then;
    c.task_of(id).body = std::move(made);
    return within.id;
}

}  // namespace

void check_extensions(compilation& c) {
    const auto all = c.use.at("extensions");
    if (!all || all.value->is_null()) return;
    if (!all.is_array()) {
        c.report.key_error("wrong-type", all, "`extensions` must be a list of named extensions, but is " + std::string(describe(*all.value)),
                           "write `- extensionName:` with `extend`, `before` and `after` below it");
        return;
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < all.value->get_array().size(); ++i) {
        const auto body = named_extension(c, all.at(i));
        if (!body) continue;
        if (!names.insert(body.name()).second) {
            c.report.key_error("duplicate-name", body, "two extensions are called " + quoted(body.name()), "give each a name of its own");
        }
        check_keys(c, body, {"extend", "when", "before", "after"});
        extension_note note{body, {}, false};
        check_extend(c, body, note);
        if (!body.at("before") && !body.at("after") && !c.unknown_keys.contains(body.pointer)) {
            c.report.key_warning("no-effect", body, "the extension " + quoted(body.name()) + " does nothing: it has neither `before` nor `after`",
                                 "write the tasks to run before or after the extended ones");
        }
        c.extensions.push_back(std::move(note));
    }
}

task_id weave_extensions(compilation& c, task_id id, std::string_view kind) {
    if (c.in_extension) return id;  // tasks of extensions are not extended
    for (auto& each : c.extensions) {
        if (!is_extended_by(each.extend, kind)) continue;
        each.applied = true;
        id = extend(c, id, each.body);
    }
    return id;
}

void check_unapplied_extensions(compilation& c) {
    if (c.rebuild) return;
    for (const auto& each : c.extensions) {
        if (each.applied) continue;
        const auto size = c.out.tasks.size();
        compile_extension(c, no_task, each.body);
        for (auto t = size; t < c.out.tasks.size(); ++t) c.unreferenced_tasks.insert(c.out.tasks[t].name);
        c.out.tasks.resize(size);
        c.notes.resize(size);
        if (each.extend.empty()) continue;
        c.report.key_warning("no-effect", each.body,
                             "the extension " + quoted(each.body.name()) + " extends nothing: the workflow has no task of the kind " + quoted(each.extend),
                             "remove it, or change `extend`");
    }
}

}  // namespace pawl::flow
