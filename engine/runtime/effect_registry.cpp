#include "runtime/effect.hpp"

namespace pawl::runtime {

result<void> effect_registry::add(std::shared_ptr<effect> offered) {
    auto functions = offered->functions();
    // All or nothing: look before the first insertion, also at names that one effect offers twice.
    std::map<std::string, entry, std::less<>> added;
    for (auto& f : functions) {
        const auto taken = entries_.find(f.name);
        const auto* before = taken != entries_.end() ? &taken->second.description : nullptr;
        if (const auto twice = added.find(f.name); twice != added.end()) before = &twice->second.description;
        if (before != nullptr) {
            return make_problem(problem_type::configuration, "The function `" + f.name + "` is offered twice, by " + before->origin + " and by " + f.origin +
                                                                 "; remove or rename one of them.");
        }
        auto name = f.name;
        added.emplace(std::move(name), entry{offered, std::move(f)});
    }
    entries_.merge(added);
    return {};
}

const effect_registry::entry* effect_registry::find(std::string_view function) const {
    const auto at = entries_.find(function);
    return at == entries_.end() ? nullptr : &at->second;
}

std::vector<function_description> effect_registry::functions() const {
    std::vector<function_description> all;
    all.reserve(entries_.size());
    for (const auto& [name, each] : entries_) {
        if (each.description.origin != origin_language) all.push_back(each.description);
    }
    return all;
}

}  // namespace pawl::runtime
