#include "flow/listens.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

/// Whether entering the task enters its children more than once, as far as the definition tells.
bool repeats_its_children(const task& t) {
    const auto* attempt = std::get_if<try_task>(&t.body);
    return std::holds_alternative<for_task>(t.body) || std::holds_alternative<listen_task>(t.body) || (attempt != nullptr && attempt->retry);
}

/// Which tasks a flow directive can lead back to, by itself or together with what is around it. May name a task too many, and never one too few.
class repetition {
public:
    explicit repetition(const workflow& w) : w_(w), back_(w.tasks.size(), no_task) {
        for (const auto& t : w.tasks) {
            jump(t.id, t.then);
            if (const auto* choice = std::get_if<switch_task>(&t.body)) {
                for (const auto& each : choice->cases) jump(t.id, each.then);
            }
            if (const auto* attempt = std::get_if<try_task>(&t.body); attempt != nullptr && attempt->then) jump(t.id, *attempt->then);
        }
        mark_spans();
    }

    bool of(task_id id) const {
        for (auto at = id; at != no_task; at = w_.tasks[at].parent) {
            if (back_[at] != no_task || (at != id && repeats_its_children(w_.tasks[at]))) return true;
        }
        return false;
    }

private:
    /// Tasks of one list have ascending ids, so a way back leads to an id that is not greater. (An extended task directs for the extension around
    /// it.)
    void jump(task_id from, const flow_directive& then) {
        if (then.what != flow_directive::kind::task) return;
        while (from != no_task && w_.tasks[from].parent != w_.tasks[then.target].parent) from = w_.tasks[from].parent;
        if (from == no_task || then.target > from) return;
        auto& to = back_[from];
        to = std::min(to, then.target);
    }

    /// Everything from where a way back leads until where it begins is done again: marked from the last task to the first, list by list.
    void mark_spans() {
        std::vector<task_id> least(w_.tasks.size() + 1, no_task);  // by parent; the last one: the top level
        for (auto id = static_cast<task_id>(w_.tasks.size()); id-- > 0;) {
            const auto parent = w_.tasks[id].parent;
            auto& open = least[parent == no_task ? w_.tasks.size() : parent];
            open = std::min(open, back_[id]);
            back_[id] = open <= id ? open : no_task;
        }
    }

    const workflow& w_;
    std::vector<task_id> back_;  ///< the first task of a span that the task lies in; no_task: it lies in none
};

void add_types(const event_strategy& strategy, std::set<std::string>& into) {
    if (strategy.filters.empty()) into.insert("");
    for (const auto& filter : strategy.filters) into.insert(filter.type);
    if (strategy.until_events) add_types(*strategy.until_events, into);
}

}  // namespace

std::set<std::string> heard_types(const workflow& w) {
    std::set<std::string> types;
    for (const auto& each : w.listens) types.insert(each.types.begin(), each.types.end());
    if (types.contains("")) return {""};
    return types;
}

std::vector<listen_place> listens_of(const workflow& w) {
    std::vector<listen_place> found;
    std::optional<repetition> repeated;
    for (const auto& t : w.tasks) {
        const auto* listen = std::get_if<listen_task>(&t.body);
        if (listen == nullptr) continue;
        if (!repeated) repeated.emplace(w);
        listen_place place;
        place.task = t.id;
        place.repeats = repeated->of(t.id);
        add_types(listen->to, place.types);
        if (place.types.contains("")) place.types = {""};
        found.push_back(std::move(place));
    }
    return found;
}

}  // namespace pawl::flow
