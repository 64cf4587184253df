#include "runtime/limits.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

void add_rules(limit_index::entries& out, std::string_view what, std::string_view pattern, const std::vector<limit_rule>& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        out.push_back({std::string(what) + " " + std::string(pattern) + "#" + std::to_string(i), &rules[i]});
    }
}

void put_narrowest_first(limit_index::entries& all) {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        if (static_cast<bool>(a.rule->key) != static_cast<bool>(b.rule->key)) return static_cast<bool>(a.rule->key);
        if (a.name.size() != b.name.size()) return a.name.size() > b.name.size();
        return a.name < b.name;
    });
}

}  // namespace

bool fits_pattern(std::string_view pattern, std::string_view name) noexcept {
    if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == name;
}

limit_index::limit_index(std::shared_ptr<const limit_settings> settings)
    : settings_(settings ? std::move(settings) : std::make_shared<const limit_settings>()) {}

const limit_index::entries& limit_index::of_function(std::string_view function) {
    static const entries none;
    if (settings_->tools.empty()) return none;
    if (const auto known = functions_.find(function); known != functions_.end()) return known->second;
    entries all;
    for (const auto& [pattern, rules] : settings_->tools) {
        if (fits_pattern(pattern, function)) add_rules(all, "call", pattern, rules);
    }
    put_narrowest_first(all);
    return functions_.emplace(function, std::move(all)).first->second;
}

const limit_index::entries& limit_index::of_workflow(std::string_view workflow) {
    static const entries none;
    if (settings_->workflows.empty()) return none;
    if (const auto known = workflows_.find(workflow); known != workflows_.end()) return known->second;
    entries all;
    for (const auto& [pattern, limits] : settings_->workflows) {
        if (fits_pattern(pattern, workflow)) add_rules(all, "run", pattern, limits.rules);
    }
    put_narrowest_first(all);
    return workflows_.emplace(workflow, std::move(all)).first->second;
}

unsigned limit_index::priority_of(std::string_view workflow) const {
    unsigned found = 0;
    std::size_t longest = 0;
    for (const auto& [pattern, limits] : settings_->workflows) {
        if (limits.priority == 0 || pattern.size() < longest || !fits_pattern(pattern, workflow)) continue;
        found = limits.priority;
        longest = pattern.size();
    }
    return found;
}

}  // namespace pawl::runtime
