#include "run/migrate.hpp"

#include <algorithm>
#include <unordered_map>

namespace pawl::run {
namespace {

/// The task's pointer without the positions in lists, which shift when tasks are added: "/do/outer/try/call" of "/do/1/outer/try/0/call".
std::string names_of(const std::string& pointer) {
    std::string out;
    std::size_t at = 0;
    while (at < pointer.size()) {
        const auto end = std::min(pointer.find('/', at + 1), pointer.size());
        const auto token = std::string_view(pointer).substr(at, end - at);
        const bool position = end < pointer.size() && token.size() > 1 && token.find_first_not_of("0123456789", 1) == std::string_view::npos;
        if (!position) out += token;
        at = end;
    }
    return out;
}

/// Names from the outermost task inwards: the same function called from two tasks has two paths.
std::string path_of(const flow::workflow& w, flow::task_id id) {
    std::string path;
    for (auto at = id; at != flow::no_task; at = w.tasks[at].parent) {
        const auto& task = w.tasks[at];
        path = names_of(task.pointer) + (task.is_extended ? " extended" : "") + (task.is_authored() || task.is_extended ? "" : " " + task.name) + "\n" + path;
    }
    return path;
}

class move {
public:
    move(const run_state& s, const flow::workflow& to) : from_(*s.workflow), to_(to), moved_(s) {
        for (flow::task_id id = 0; id < to.tasks.size(); ++id) {
            const auto [at, fresh] = by_path_.emplace(path_of(to, id), id);
            if (!fresh) at->second = flow::no_task;  // two of one path: neither can be told
        }
    }

    std::vector<migration_obstacle> run(run_state& s, std::shared_ptr<const flow::workflow> to) {
        for (auto& f : moved_.frames) move_frame(f);
        for (auto& item : moved_.ready) {
            if (item.task == flow::no_task) continue;  // the next iteration of a frame
            const auto target = target_of(item.task);
            if (target == flow::no_task) refuse(item.task, "It is about to run, and the other definition has no such task there.");
            item.task = target;
        }
        move_visits(moved_.visits);
        move_heard();
        if (obstacles_.empty()) {
            moved_.workflow = std::move(to);
            s = std::move(moved_);
        }
        return std::move(obstacles_);
    }

private:
    flow::task_id target_of(flow::task_id id) const {
        const auto found = by_path_.find(path_of(from_, id));
        return found == by_path_.end() ? flow::no_task : found->second;
    }

    void refuse(flow::task_id id, std::string why) { obstacles_.push_back({from_.tasks[id].name, from_.tasks[id].pointer, std::move(why)}); }

    void move_frame(frame& f) {
        const auto id = f.task;
        const auto target = target_of(id);
        if (target == flow::no_task) return refuse(id, "It is live, and the other definition has no task with this path of names.");
        const auto& before = from_.tasks[id];
        const auto& after = to_.tasks[target];
        if (before.body.index() != after.body.index()) return refuse(id, "It is live, and is a task of another kind in the other definition.");
        if (before.locals != after.locals) return refuse(id, "It is live, and the local names around it (of `for`, `catch` or `foreach`) are others.");
        if (const auto* call = std::get_if<flow::call_task>(&before.body)) {
            const auto& there = std::get<flow::call_task>(after.body);
            if (call->function != there.function) return refuse(id, "It waits for `" + call->function + "`, and calls `" + there.function + "` in the other definition.");
            // What stands for a secret in its arguments is replaced at dispatch only where the definition reads one.
            if (flow::may_give_secrets(before) != flow::may_give_secrets(after)) {
                return refuse(id, "It is under way, and only one of the two definitions gives it a secret.");
            }
        }
        if (std::holds_alternative<flow::listen_task>(before.body) && !same_definition(before, after)) {
            return refuse(id, "It listens, and what it listens for is another in the other definition.");
        }
        if (std::holds_alternative<flow::fork_task>(before.body)) move_branches(f, id, target);
        f.task = target;
        move_visits(f.visits);
    }

    bool same_definition(const flow::task& before, const flow::task& after) const {
        boost::system::error_code none;
        const auto* one = from_.definition.find_pointer(before.pointer, none);
        const auto* other = to_.definition.find_pointer(after.pointer, none);
        return one != nullptr && other != nullptr && *one == *other;
    }

    /// A live fork waits for all its branches, so there must be neither more nor fewer of them.
    void move_branches(frame& f, flow::task_id id, flow::task_id target) {
        const auto& before = std::get<flow::fork_task>(from_.tasks[id].body).branches;
        const auto& after = std::get<flow::fork_task>(to_.tasks[target].body).branches;
        if (before.size() != after.size()) return refuse(id, "It is live, and has another number of branches in the other definition.");
        std::vector<std::optional<value_ref>> results(after.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            const auto at = std::find(after.begin(), after.end(), target_of(before[i]));
            if (at == after.end()) return refuse(before[i], "It is a branch of a live `fork`, and the other definition has no such branch.");
            if (i < f.results.size()) results[static_cast<std::size_t>(at - after.begin())] = f.results[i];
        }
        f.results = std::move(results);
    }

    /// How often tasks were entered: those that are gone are of no interest any more.
    void move_visits(std::vector<visit_count>& visits) const {
        for (auto& visit : visits) visit.task = target_of(visit.task);
        std::erase_if(visits, [](const visit_count& v) { return v.task == flow::no_task; });
    }

    /// Listens that have begun and cannot begin again, also in the other definition.
    void move_heard() {
        std::vector<flow::task_id> heard;
        for (const auto id : moved_.heard) {
            const auto target = target_of(id);
            if (std::any_of(to_.listens.begin(), to_.listens.end(), [&](const auto& each) { return each.task == target && !each.repeats; })) heard.push_back(target);
        }
        std::sort(heard.begin(), heard.end());
        moved_.heard = std::move(heard);
    }

    const flow::workflow& from_;
    const flow::workflow& to_;
    run_state moved_;
    std::unordered_map<std::string, flow::task_id> by_path_;
    std::vector<migration_obstacle> obstacles_;
};

}  // namespace

std::vector<migration_obstacle> migrate(run_state& s, std::shared_ptr<const flow::workflow> to) {
    const auto& target = *to;
    return move(s, target).run(s, std::move(to));
}

}  // namespace pawl::run
