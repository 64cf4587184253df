// What all tasks have in common, and which kind a task is (dsl-reference.md, "Task").
#include "flow/habits.hpp"
#include "flow/parts.hpp"
#include "flow/task_kinds.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

bool is_companion(const task_kind& kind, std::string_view key) {
    return !key.empty() && std::find(kind.companions.begin(), kind.companions.end(), key) != kind.companions.end();
}

const task_kind* kind_that_has(std::string_view companion) {
    for (const auto& kind : task_kinds) {
        if (is_companion(kind, companion)) return &kind;
    }
    return nullptr;
}

/// The kind of the task, after reporting none, several, and keys that do not belong to it.
const task_kind* kind_of(compilation& c, const node& body) {
    const task_kind* kind = nullptr;
    for (const auto& each : task_kinds) {
        const auto key = body.at(each.key);
        if (!key || (kind != nullptr && is_companion(*kind, each.key))) continue;
        if (kind != nullptr) {
            c.report.key_error(
                "several-kinds", key,
                "the task " + quoted(body.name()) + " has both " + quoted(kind->key) + " and " + quoted(each.key) + ", but a task does one thing",
                "make two tasks of it");
            return nullptr;
        }
        kind = &each;
    }
    if (kind != nullptr) return kind;
    std::vector<std::string> kinds;
    for (const auto& each : task_kinds) kinds.emplace_back(each.key);
    std::string hint = "add one of `call`, `do`, `emit`, `for`, `fork`, `listen`, `raise`, `run`, `set`, `switch`, `try`, `wait`";
    for (const auto& member : body.value->get_object()) {
        if (const auto* meant = habit_of_kind(member.key())) {
            c.report.key_error("unknown-key", body.at(member.key()), "unknown key " + quoted(member.key()) + " in the task " + quoted(body.name()),
                               std::string(meant->hint));
            return nullptr;
        }
        if (const auto meant = c.report.did_you_mean(member.key(), kinds); !meant.empty()) {
            c.report.key_error("unknown-key", body.at(member.key()), "unknown key " + quoted(member.key()) + " in the task " + quoted(body.name()),
                               meant);
            return nullptr;
        }
        if (const auto* owner = kind_that_has(member.key()); owner != nullptr)
            hint = quoted(member.key()) + " belongs to " + quoted(owner->key) + ", which is missing";
    }
    std::string foreign;
    for (const auto& member : body.value->get_object()) {
        const bool common = std::find(common_task_keys.begin(), common_task_keys.end(), std::string_view(member.key())) != common_task_keys.end();
        if (!common && kind_that_has(member.key()) == nullptr && foreign.empty()) foreign = ": " + quoted(member.key()) + " is no kind of task";
    }
    if (std::any_of(foreign.begin(), foreign.end(), [](char ch) { return static_cast<unsigned char>(ch) >= 0x80; }))
        hint = "it holds letters that only look like plain ones: write it anew";
    c.report.key_error("no-kind", body, "the task " + quoted(body.name()) + " does not say what to do" + foreign, std::move(hint));
    return nullptr;
}

void check_task_keys(compilation& c, const node& body, const task_kind& kind) {
    std::vector<std::string_view> allowed{kind.key};
    for (const auto companion : kind.companions) {
        if (!companion.empty()) allowed.push_back(companion);
    }
    allowed.insert(allowed.end(), common_task_keys.begin(), common_task_keys.end());
    key_place place{"task", "in the task " + quoted(body.name()), {}, {}};
    place.hint = [](std::string_view key) {
        const auto* owner = kind_that_has(key);
        return owner != nullptr && key != "do" ? quoted(key) + " belongs to " + quoted(owner->key) : std::string{};
    };
    place.otherwise = "a task with " + quoted(kind.key) + " may also have `if`, `input`, `output`, `export`, `timeout`, `then`, `metadata`";
    check_keys(c, body, allowed, place);
}

void compile_common(compilation& c, task_id id, const node& body, const task_scope& scope) {
    const auto locals = c.task_of(id).locals;
    std::optional<evaluable> condition;
    if (const auto n = body.at("if")) condition = compile_condition(c, n, {site::task_entry, locals});
    auto input = compile_filter(c, body.at("input"), "from", site::task_entry, locals);
    auto output = compile_filter(c, body.at("output"), "as", site::output_as, locals);
    auto exported = compile_filter(c, body.at("export"), "as", site::export_as, locals);
    auto timeout = compile_timeout(c, body.at("timeout"), {site::definition, locals});
    const auto then = compile_directive(c, body.at("then"), scope);
    auto& t = c.task_of(id);
    t.condition = std::move(condition);
    t.input = std::move(input);
    t.output = std::move(output);
    t.export_ = std::move(exported);
    t.timeout = std::move(timeout);
    t.then = then;
    if (const auto metadata = body.at("metadata"); metadata && expect_object(c, metadata)) c.task_of(id).metadata = metadata.value->get_object();
}

}  // namespace

void compile_task(compilation& c, task_id id, const task_scope& scope) {
    const auto body = c.notes[id].body;
    if (!body.is_object()) {
        c.report.key_error(
            "wrong-type", body,
            "the task " + quoted(body.name()) + " is " + std::string(describe(*body.value)) + ", but must be a map that says what to do",
            "write for example `call: http` below it, indented");
        return;
    }
    const auto* kind = kind_of(c, body);
    if (kind != nullptr) check_task_keys(c, body, *kind);
    compile_common(c, id, body, scope);
    if (kind == nullptr) return;
    id = weave_extensions(c, id, kind->key);
    if (kind->key == "call") return compile_call(c, id);
    if (kind->key == "do") return compile_do(c, id);
    if (kind->key == "emit") return compile_emit(c, id);
    if (kind->key == "for") return compile_for(c, id);
    if (kind->key == "fork") return compile_fork(c, id);
    if (kind->key == "listen") return compile_listen(c, id);
    if (kind->key == "raise") return compile_raise(c, id);
    if (kind->key == "run") return compile_run(c, id);
    if (kind->key == "set") return compile_set(c, id);
    if (kind->key == "switch") return compile_switch(c, id, scope);
    if (kind->key == "try") return compile_try(c, id, scope);
    if (kind->key == "wait") return compile_wait(c, id);
    unsupported(c, body.at(kind->key), quoted(kind->key));
}

}  // namespace pawl::flow
