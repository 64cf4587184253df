// How data goes from task to task, as far as it is known before the run: paths under `$context` and `$steps` that nothing ever sets, exports that
// replace what is still read, and exports that race.
#include "flow/shapes.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

using expr::shape;

struct context_export {
    const task* from = nullptr;
    node where;             ///< its `as`
    shape made;
    bool reads_context = false;
};

/// `schema` of `input`, `output` or `export`, when it is written there; else what the transformation makes.
shape shape_of_filter(const node& n, const data_filter& filter) {
    if (const auto* document = schema_document(n.at("schema"))) {
        if (auto declared = shape_of_schema(*document); declared.what != shape::kind::unknown) return declared;
    }
    return filter.transform ? shape_of(*filter.transform) : shape{};
}

std::vector<context_export> exports_of(const compilation& c) {
    std::vector<context_export> out;
    for (const auto& t : c.out.tasks) {
        if (!t.export_.transform) continue;
        const auto n = c.notes[t.id].body.at("export");
        out.push_back({&t, n.at("as"), shape_of_filter(n, t.export_), t.export_.transform->uses().has(variable::context)});
    }
    return out;
}

/// Exports of `foreach` in a `listen` belong to no task.
bool has_other_exports(const json::value& value) {
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (key == "foreach" && member.is_object() && member.get_object().contains("export")) return true;
            if (has_other_exports(member)) return true;
        }
    } else if (const auto* array = value.if_array()) {
        return std::any_of(array->begin(), array->end(), has_other_exports);
    }
    return false;
}

std::string shown(std::string_view variable, std::span<const std::string> path) {
    std::string out = "$" + std::string(variable);
    for (const auto& key : path) out += "." + key;
    return "`" + out + "`";
}

void report_missing(compilation& c, const data_use& use, std::string_view variable, std::size_t depth, std::span<const std::string> known, std::string code,
                    std::string why) {
    const auto path = std::span(use.path).first(depth + 1);
    std::size_t length = variable.size() + 1;
    for (const auto& key : path) length += 1 + key.size();
    auto hint = c.report.did_you_mean(path.back(), known);
    if (hint.empty() && !known.empty()) {
        hint = "there is ";
        for (std::size_t i = 0; i < known.size() && i < 8; ++i) hint += (i > 0 ? ", " : "") + quoted(known[i]);
    }
    c.report.at(severity::warning, std::move(code), use.pointer, use.offset, length, shown(variable, path) + " is always null: " + std::move(why), std::move(hint));
}

void check_context_paths(compilation& c, const std::vector<context_export>& exports) {
    std::vector<const shape*> candidates;
    for (const auto& each : exports) candidates.push_back(&each.made);
    for (const auto& use : c.context_uses) {
        std::vector<std::string> known;
        if (use.path.empty()) continue;
        if (const auto depth = missing_at(candidates, use.path, "context", known)) {
            report_missing(c, use, "context", *depth, known, "unknown-context",
                           exports.empty() ? "no task of this workflow exports anything" : "no `export` sets it");
        }
    }
}

/// An export without `$context` drops what others put there.
void check_lost_context(compilation& c, const std::vector<context_export>& exports) {
    for (const auto& each : exports) {
        if (each.reads_context || each.made.what != shape::kind::object || !each.made.closed || !each.made.rest.empty()) continue;
        for (const auto& earlier : exports) {
            if (earlier.from == each.from || !(earlier.from->mark.line < each.from->mark.line) || earlier.where.pointer == each.where.pointer) continue;
            const auto lost = std::find_if(c.context_uses.begin(), c.context_uses.end(), [&](const data_use& use) {
                return !use.path.empty() && earlier.made.member(use.path.front()) != nullptr && each.made.member(use.path.front()) == nullptr &&
                       c.document->mark_of(use.pointer, use.offset).line > each.from->mark.line;
            });
            if (lost == c.context_uses.end()) continue;
            c.report.warning("lost-context", each.where,
                             "this `export` replaces the whole context, so " + quoted(lost->path.front()) + ", which the task " + quoted(earlier.from->name) +
                                 " exports (line " + std::to_string(earlier.from->mark.line) + "), is lost; it is read in line " +
                                 std::to_string(c.document->mark_of(lost->pointer, lost->offset).line),
                             "add to the context: `$context + { ... }`");
            break;
        }
    }
}

/// The branch of `fork` that the task is in; no_task when it is in none.
task_id branch_of(const compilation& c, task_id id, task_id fork) {
    for (auto at = id; at != no_task; at = c.out.tasks[at].parent) {
        if (c.out.tasks[at].parent == fork) return at;
    }
    return no_task;
}

void check_races(compilation& c, const std::vector<context_export>& exports) {
    for (const auto& fork : c.out.tasks) {
        if (!std::holds_alternative<fork_task>(fork.body)) continue;
        for (const auto& each : exports) {
            const auto branch = branch_of(c, each.from->id, fork.id);
            if (branch == no_task || each.reads_context) continue;
            const auto other = std::find_if(exports.begin(), exports.end(), [&](const context_export& e) {
                const auto its = branch_of(c, e.from->id, fork.id);
                return its != no_task && its != branch;
            });
            if (other == exports.end()) continue;
            c.report.warning("concurrent-export", each.where,
                             "the branches " + quoted(c.task_of(branch).name) + " and " + quoted(c.task_of(branch_of(c, other->from->id, fork.id)).name) +
                                 " export at the same time, and this `export` replaces the whole context: what is left depends on which ends last",
                             "add to the context, `$context + { ... }`, or export once after the `fork`");
        }
    }
}

shape shape_of_output(const compilation& c, const task& t) {
    const auto n = c.notes[t.id].body.at("output");
    if (n.at("schema") || t.output.transform) return shape_of_filter(n, t.output);
    const auto& body = c.body_of(t);
    if (const auto* set = std::get_if<set_task>(&body)) return shape_of(set->value);
    if (const auto* call = std::get_if<call_task>(&body)) {
        for (const auto& each : c.options.functions) {
            if (each.name == call->function && each.version == call->version && each.output_schema) return shape_of_schema(*each.output_schema);
        }
    }
    return {};
}

void check_step_paths(compilation& c) {
    std::map<std::string, std::vector<const task*>> by_name;
    for (const auto& t : c.out.tasks) {
        if (!t.is_extended) by_name[t.name].push_back(&t);
    }
    for (const auto& use : c.step_path_uses) {
        const auto found = by_name.find(use.path.front());
        if (found == by_name.end() || use.path.size() < 2) continue;
        std::vector<shape> outputs;
        for (const auto* t : found->second) outputs.push_back(shape_of_output(c, *t));
        std::vector<const shape*> candidates;
        for (const auto& each : outputs) candidates.push_back(&each);
        std::vector<std::string> known;
        if (const auto depth = missing_at(candidates, std::span(use.path).subspan(1), "", known)) {
            report_missing(c, use, "steps", *depth + 1, known, "unknown-output", "the output of the task " + quoted(use.path.front()) + " does not have it");
        }
    }
}

}  // namespace

void check_data(compilation& c) {
    if (c.rebuild) return;
    const auto exports = exports_of(c);
    if (!has_other_exports(c.document->value)) {
        check_context_paths(c, exports);
        check_lost_context(c, exports);
    }
    check_races(c, exports);
    check_step_paths(c);
}

}  // namespace pawl::flow
