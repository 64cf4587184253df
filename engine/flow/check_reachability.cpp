// Tasks that nothing leads to, and effects that a retry would repeat.
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

class list_graph {
public:
    list_graph(const compilation& c, std::span<const task_id> list) : c_(c), list_(list), reached_(list.size(), false) {}

    void reach(std::size_t from) {
        std::vector<std::size_t> open{from};
        while (!open.empty()) {
            const auto at = open.back();
            open.pop_back();
            if (at >= list_.size() || reached_[at]) continue;
            reached_[at] = true;
            const auto targets = successors(at);
            open.insert(open.end(), targets.begin(), targets.end());
        }
    }
    bool is_reached(std::size_t at) const { return reached_[at]; }

private:
    std::size_t target_of(const flow_directive& then, std::size_t at) const {
        switch (then.what) {
            case flow_directive::kind::continue_:
                return at + 1;
            case flow_directive::kind::task:
                return then.target - list_.front();  // the tasks of a list have consecutive ids
            default:
                return list_.size();
        }
    }

    std::vector<std::size_t> successors(std::size_t at) const {
        const auto& t = c_.out.tasks[list_[at]];
        const auto& body = c_.body_of(t);
        std::vector<std::size_t> out;
        if (t.condition) out.push_back(at + 1);  // a skipped task ignores its `then`
        if (std::holds_alternative<raise_task>(body)) return out;
        bool always_chosen = false;
        if (const auto* choice = std::get_if<switch_task>(&body)) {
            for (const auto& each : choice->cases) {
                out.push_back(target_of(each.then, at));
                always_chosen = always_chosen || !each.when;
            }
        }
        if (const auto* attempt = std::get_if<try_task>(&body); attempt != nullptr && attempt->then) out.push_back(target_of(*attempt->then, at));
        if (!always_chosen) out.push_back(target_of(t.then, at));
        return out;
    }

    const compilation& c_;
    std::span<const task_id> list_;
    std::vector<bool> reached_;
};

}  // namespace

void check_reachability(compilation& c, std::span<const task_id> list) {
    if (list.empty() || c.rebuild) return;
    list_graph graph(c, list);
    graph.reach(0);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (graph.is_reached(i)) continue;
        const auto& before = c.task_of(list[i - 1]);
        c.report.key_warning("unreachable-task", c.notes[list[i]].body,
                             "nothing leads to the task " + quoted(c.task_of(list[i]).name) + ", so it never runs",
                             "let a `then` lead to it, or remove it (the task " + quoted(before.name) + " before it goes elsewhere)");
        graph.reach(i);  // what follows only from here is the same finding
    }
}

void check_repeated_effects(compilation& c) {
    if (c.rebuild) return;
    for (const auto& t : c.out.tasks) {
        const auto* call = std::get_if<call_task>(&t.body);
        if (call == nullptr || call->safety != effect_safety::at_most_once) continue;
        for (auto child = t.id; c.task_of(child).parent != no_task; child = c.task_of(child).parent) {
            const auto& around = c.task_of(c.task_of(child).parent);
            const auto* attempt = std::get_if<try_task>(&around.body);
            if (attempt == nullptr || !attempt->retry || c.notes[child].in_handler) continue;
            c.report.warning("repeated-effect", c.notes[t.id].body.at("call"),
                             quoted(call->function) + " has no protection against repetition (at-most-once), but the `retry` of " +
                                 quoted(around.name) + " repeats it: its effect may happen twice",
                             call->function == "http" ? "send an Idempotency-Key header, use `put`, or move the call out of the `try`"
                                                      : "use a tool that takes an idempotency key, or move the call out of the `try`");
            break;
        }
    }
}

}  // namespace pawl::flow
