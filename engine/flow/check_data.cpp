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

/// The members of the context at its top, by name. Nothing is known of a context when some export is not known.
std::optional<std::map<std::string, std::vector<const shape*>, std::less<>>> known_context(const std::vector<context_export>& exports) {
    std::map<std::string, std::vector<const shape*>, std::less<>> out;
    for (const auto& each : exports) {
        if (!is_known(each.made, "context")) return std::nullopt;
        for (const auto& member : each.made.members) out[member.name].push_back(each.made.member(member.name));
    }
    return out;
}

void check_context_paths(compilation& c, const std::vector<context_export>& exports) {
    const auto context = known_context(exports);
    if (!context) return;
    std::vector<std::string> names;
    for (const auto& [name, members] : *context) names.push_back(name);
    for (const auto& use : c.context_uses) {
        if (use.path.empty()) continue;
        const auto members = context->find(use.path.front());
        std::vector<std::string> known;
        std::optional<std::size_t> depth;
        if (members == context->end()) {
            depth = 0;
        } else if (const auto below = missing_at(members->second, std::span(use.path).subspan(1), known)) {
            depth = *below + 1;
        }
        if (!depth) continue;
        report_missing(c, use, "context", *depth, *depth == 0 ? names : known, "unknown-context",
                       exports.empty() ? "no task of this workflow exports anything" : "no `export` sets it");
    }
}

/// Who reads one member of the context, and who is the first to export it.
struct member_history {
    std::string name;
    std::vector<std::size_t> read_in;  ///< lines
    std::size_t last_read = 0;
    const context_export* first = nullptr;
};

std::vector<member_history> histories_of(const compilation& c, const std::vector<context_export>& exports) {
    std::vector<member_history> out;
    std::map<std::string_view, std::size_t> index;
    for (const auto& use : c.context_uses) {
        if (use.path.empty()) continue;
        const auto [at, fresh] = index.emplace(use.path.front(), out.size());
        if (fresh) out.push_back({use.path.front(), {}, 0, nullptr});
        const auto line = c.document->mark_of(use.pointer, use.offset).line;
        out[at->second].read_in.push_back(line);
        out[at->second].last_read = std::max(out[at->second].last_read, line);
    }
    for (const auto& each : exports) {
        for (const auto& member : each.made.members) {
            const auto at = index.find(member.name);
            if (at == index.end()) continue;
            auto& first = out[at->second].first;
            if (first == nullptr || each.from->mark.line < first->from->mark.line) first = &each;
        }
    }
    return out;
}

/// An export without `$context` drops what others put there.
void check_lost_context(compilation& c, const std::vector<context_export>& exports) {
    const auto histories = histories_of(c, exports);
    for (const auto& each : exports) {
        if (each.reads_context || !is_known(each.made, {})) continue;
        const auto line = each.from->mark.line;
        for (const auto& member : histories) {
            const auto* earlier = member.first;
            if (earlier == nullptr || member.last_read <= line || earlier->from->mark.line >= line || earlier->where.pointer == each.where.pointer) continue;
            if (each.made.member(member.name) != nullptr) continue;
            const auto read = std::find_if(member.read_in.begin(), member.read_in.end(), [&](std::size_t in) { return in > line; });
            c.report.warning("lost-context", each.where,
                             "this `export` replaces the whole context, so " + quoted(member.name) + ", which the task " + quoted(earlier->from->name) +
                                 " exports (line " + std::to_string(earlier->from->mark.line) + "), is lost; it is read in line " + std::to_string(*read),
                             "add to the context: `$context + { ... }`");
            break;
        }
    }
}

struct branch_export {
    const context_export* made;
    task_id branch;
};

/// The exports within each `fork`, with the branch they are in.
std::map<task_id, std::vector<branch_export>> exports_of_forks(const compilation& c, const std::vector<context_export>& exports) {
    std::map<task_id, std::vector<branch_export>> out;
    for (const auto& each : exports) {
        for (auto at = each.from->id; at != no_task; at = c.out.tasks[at].parent) {
            const auto parent = c.out.tasks[at].parent;
            if (parent != no_task && std::holds_alternative<fork_task>(c.out.tasks[parent].body)) out[parent].push_back({&each, at});
        }
    }
    return out;
}

void check_races(compilation& c, const std::vector<context_export>& exports) {
    for (const auto& [fork, all] : exports_of_forks(c, exports)) {
        const auto other_than = [&all](task_id branch) {
            return std::find_if(all.begin(), all.end(), [&](const branch_export& e) { return e.branch != branch; });
        };
        const auto second = other_than(all.front().branch);
        if (second == all.end()) continue;
        for (const auto& each : all) {
            if (each.made->reads_context) continue;
            const auto other = each.branch == all.front().branch ? second : all.begin();
            c.report.warning("concurrent-export", each.made->where,
                             "the branches " + quoted(c.task_of(each.branch).name) + " and " + quoted(c.task_of(other->branch).name) +
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
    std::map<std::string, std::vector<shape>> outputs;
    for (const auto& use : c.step_path_uses) {
        const auto found = by_name.find(use.path.front());
        if (found == by_name.end() || use.path.size() < 2 || found->second.size() > most_shapes) continue;
        auto& of_name = outputs[use.path.front()];
        if (of_name.empty()) {
            for (const auto* t : found->second) of_name.push_back(shape_of_output(c, *t));
        }
        std::vector<const shape*> candidates;
        for (const auto& each : of_name) candidates.push_back(&each);
        std::vector<std::string> known;
        if (const auto depth = missing_at(std::move(candidates), std::span(use.path).subspan(1), known)) {
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
