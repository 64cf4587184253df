#include "run/secrecy.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

bool holds(const json::value& value, std::string_view text) {
    if (const auto* string = value.if_string()) return std::string_view(*string).find(text) != std::string_view::npos;
    if (const auto* list = value.if_array()) return std::any_of(list->begin(), list->end(), [&](const auto& item) { return holds(item, text); });
    const auto* object = value.if_object();
    return object != nullptr && std::any_of(object->begin(), object->end(), [&](const auto& member) {
               return std::string_view(member.key()).find(text) != std::string_view::npos || holds(member.value(), text);
           });
}

}  // namespace

problem misplaced_secret() {
    return make_problem(
        problem_type::authorization,
        "Secrets go to calls only: `$secrets` can be read in `input.from` and in `with` of a call, and here what is made of it would be kept.");
}

const std::string* secret_in(const json::value& value, std::string_view run, const flow::workflow& workflow,
                             std::string (*placeholder)(std::string_view run, std::string_view name)) {
    if (placeholder == nullptr) return nullptr;
    const auto found =
        std::find_if(workflow.secrets.begin(), workflow.secrets.end(), [&](const std::string& name) { return holds(value, placeholder(run, name)); });
    return found == workflow.secrets.end() ? nullptr : &*found;
}

std::optional<problem> check_secrets(const json::value& value, const run_state& s, const surroundings& world, std::string_view what) {
    const auto* name = secret_in(value, s.id, *s.workflow, world.secret_placeholder);
    if (name == nullptr) return std::nullopt;
    return make_problem(problem_type::authorization,
                        "The secret `" + *name + "` stands in " + std::string(what) + ", which would be kept; secrets go to calls only.");
}

std::optional<problem> check_secrets(const json::value& value, const flow::task& t, const run_state& s, const surroundings& world,
                                     std::string_view what) {
    if (!t.sees_secrets) return std::nullopt;
    return check_secrets(value, s, world, std::string(what) + " of task `" + t.name + "`");
}

}  // namespace pawl::run
