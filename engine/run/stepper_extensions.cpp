// The frame of an extension: `before`, the extended task, `after` (dsl-reference.md, "Extension"). What `before` and `after` output is not the
// data of the flow: the extended task gets its own input, and its output goes on, unless `exit` in `before` puts another in its place.
#include "run/stepper.hpp"

namespace pawl::run {
namespace {

/// A directive as a frame keeps it: no task can be called like a directive.
value_ref kept(const flow::workflow& w, const flow::flow_directive& then) {
    using kind = flow::flow_directive::kind;
    switch (then.what) {
        case kind::exit:
            return value_ref(json::value("exit"));
        case kind::end:
            return value_ref(json::value("end"));
        case kind::task:
            return value_ref(json::value(w.tasks[then.target].name));
        case kind::continue_:
            break;
    }
    return value_ref(json::value("continue"));
}

/// The pointer of the list that the task stands in: "/do" of "/do/1/load".
std::string_view list_of(const flow::task& task) {
    const auto item = std::string_view(task.pointer).substr(0, task.pointer.rfind('/'));
    return item.substr(0, item.rfind('/'));
}

/// `kept` as a directive of the list in which the extended task stands.
flow::flow_directive directive_from(const flow::workflow& w, flow::task_id extension, const json::value& kept) {
    using kind = flow::flow_directive::kind;
    const std::string_view text = kept.is_string() ? std::string_view(kept.get_string()) : std::string_view("continue");
    if (text == "continue") return {};
    if (text == "exit") return {kind::exit, flow::no_task};
    if (text == "end") return {kind::end, flow::no_task};
    const auto* of_list = &w.tasks[extension];
    while (of_list->is_extended) of_list = &w.tasks[of_list->parent];
    const auto list = list_of(*of_list);
    for (const auto& task : w.tasks) {
        if (task.parent == of_list->parent && !task.is_extended && task.name == text && list_of(task) == list) return {kind::task, task.id};
    }
    return {};
}

}  // namespace

void stepper::begin(frame_id id, const flow::extension_task& task) {
    auto* f = s_.find(id);
    f->index = stage_before;
    if (task.when) {
        const auto applies = scope(s_, world_, f).of_extension().test(*task.when, *f->input);
        if (!applies) return fail(id, applies.error());
        if (!*applies) f->index = stage_passed_by;
    }
    if (f->index == stage_before && task.before == flow::no_task) f->index = stage_extended;
    s_.ready.push_back({id, f->index == stage_before ? task.before : task.extended, f->input});
}

void stepper::leave_extended(frame_id id, const flow::flow_directive& then, value_ref output) {
    auto* f = s_.find(id);
    const auto& task = std::get<flow::extension_task>(s_.task_of(*f).body);
    if (f->index == stage_passed_by || task.after == flow::no_task) return complete(id, std::move(output), &then);
    f->index = stage_after;
    f->results = {output, kept(*s_.workflow, then)};
    s_.ready.push_back({id, task.after, std::move(output)});
}

void stepper::leave_extension(frame_id id, const flow::flow_directive& then, value_ref output) {
    auto* f = s_.find(id);
    const auto& task = std::get<flow::extension_task>(s_.task_of(*f).body);
    if (f->index == stage_after) {
        const auto goes_on = directive_from(*s_.workflow, f->task, **f->results.at(1));
        return complete(id, *f->results.at(0), &goes_on);
    }
    // "using this, we indicate to the workflow we want to exit the extended task, thus just returning what we injected"
    if (then.what == flow::flow_directive::kind::exit) return complete(id, std::move(output));
    f->index = stage_extended;
    s_.ready.push_back({id, task.extended, f->input});
}

}  // namespace pawl::run
