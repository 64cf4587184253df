#include "trial/case_names.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace pawl::trial {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

std::string guess(std::string_view name, const std::vector<std::string>& names) {
    const auto near = closest(name, names);
    return near ? "; did you mean `" + *near + "`?" : std::string();
}

}  // namespace

std::vector<trouble> mistaken_names(const test_case& c, const std::vector<std::shared_ptr<const flow::workflow>>& flows, const std::vector<function_description>& functions) {
    std::vector<std::string> tasks, callable{"run.workflow"};
    for (const auto& f : functions) callable.push_back(f.name);
    for (const auto& flow : flows) {
        for (const auto& task : flow->tasks) {
            tasks.push_back(task.name);
            if (const auto* call = std::get_if<flow::call_task>(&task.body)) callable.push_back(call->function);
        }
    }
    auto both = callable;
    both.insert(both.end(), tasks.begin(), tasks.end());
    std::vector<trouble> out;
    if (const auto* never = c.then.get_object().if_contains("never")) {
        for (std::size_t i = 0; i < never->get_array().size(); ++i) {
            const std::string_view name = never->get_array()[i].get_string();
            if (contains(both, name)) continue;
            out.push_back({c.then_pointer + "/never/" + std::to_string(i), "there is no function and no task `" + std::string(name) + "`, so this would always hold" + guess(name, both)});
        }
    }
    for (const auto& each : c.answers) {
        const bool is_own = each.pointer.starts_with(c.pointer + "/");
        if (!each.call.empty() && !contains(callable, each.call)) {
            out.push_back({each.pointer + "/call", "there is no function `" + each.call + "`, so this answer is never given" + guess(each.call, callable)});
        }
        // An answer of the whole file may be for a task of another case.
        if (is_own && !each.task.empty() && !contains(tasks, each.task)) {
            out.push_back({each.pointer + "/task", "the flow of this case has no task `" + each.task + "`, so this answer is never given" + guess(each.task, tasks)});
        }
    }
    return out;
}

}  // namespace pawl::trial
