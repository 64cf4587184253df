// Objects: properties, required, patternProperties, additionalProperties, propertyNames, dependencies, unevaluatedProperties.
#include "schema/evaluator.hpp"
#include "schema/message.hpp"

namespace pawl::schema {
namespace {

std::string_view view(json::string_view s) noexcept { return {s.data(), s.size()}; }

}  // namespace

bool evaluator::check_object(const node& n, const json::object& object, const context& with) {
    const auto& rules = *n.objects;
    bool ok = true;
    if (object.size() < rules.min_properties) {
        ok = explains() ? report(n, "minProperties", with.at, message::size("property", rules.min_properties, object.size(), true), mistake::shape) : false;
    }
    if (object.size() > rules.max_properties) {
        ok = explains() ? report(n, "maxProperties", with.at, message::size("property", rules.max_properties, object.size(), false), mistake::shape) : false;
    }
    if (!ok && !explains()) return false;
    std::size_t required = 0;
    if (!rules.properties.empty() || !rules.patterns.empty() || rules.additional != no_node) {
        std::size_t index = 0;
        for (const auto& member : object) {
            if (!check_member(n, view(member.key()), member.value(), index++, required, with)) {
                ok = false;
                if (!explains() || gave_up_) return false;
            }
        }
    }
    if (required < rules.required) ok = check_missing(n, object, with);
    if (rules.names != no_node && (ok || explains())) ok = check_names(n, object, with) && ok;
    return ok;
}

bool evaluator::check_member(const node& n, std::string_view name, const json::value& value, std::size_t index, std::size_t& required,
                             const context& with) {
    const auto& rules = *n.objects;
    const place at{&with.at, name, 0, false};
    const context inner{at, with.dynamic, nullptr};
    bool known = false, ok = true;
    if (const auto* rule = rules.find(name)) {
        required += rule->required;
        if (rule->schema != no_node) {
            known = true;
            ok = check(rule->schema, value, inner);
        }
    }
    for (const auto& [matches, schema] : rules.patterns) {
        if (!ok && !explains()) return false;
        const auto outcome = matches.search(name);
        if (outcome == match_outcome::no) continue;
        known = true;
        if (outcome == match_outcome::yes) ok = check(schema, value, inner) && ok;
        else ok = explains() ? report(n, "patternProperties", at, message::pattern_mismatch(matches.source(), true)) : false;
    }
    if (!known && rules.additional != no_node) {
        known = true;
        if (table_.nodes[rules.additional].constant == false) {
            if (explains()) report_unknown(n, "additionalProperties", with.at, name);
            ok = false;
        } else {
            ok = check(rules.additional, value, inner) && ok;
        }
    }
    if (known && with.seen) with.seen->add(index);
    return ok;
}

bool evaluator::check_missing(const node& n, const json::object& object, const context& with) {
    if (!explains()) return false;
    for (const auto& rule : n.objects->properties) {
        if (rule.required && !object.contains(rule.name)) report(n, "required", with.at, message::missing(rule.name), mistake::shape);
    }
    return false;
}

bool evaluator::check_names(const node& n, const json::object& object, const context& with) {
    const node_id id = n.objects->names;
    const node& schema = table_.nodes[id];
    bool ok = true;
    for (const auto& member : object) {
        const auto name = view(member.key());
        findings found;
        bool good = false;
        // The common case, a plain string rule, needs no copy of the name.
        const bool plain = !schema.constant && schema.types == 0 && !schema.has_enum && !schema.constant_value && !schema.has_applicators();
        if (plain && !explains()) good = !schema.strings || check_string(schema, name, with);
        else good = attempt(id, json::value(name), {with.at, with.dynamic, nullptr}, explains() ? &found : nullptr);
        if (good) continue;
        ok = false;
        if (!explains() || gave_up_) return false;
        for (const auto& f : found) report(n, "propertyNames", with.at, message::bad_name(name, f.message), mistake::shape);
    }
    return ok;
}

bool evaluator::check_dependencies(const node& n, const json::object& object, const json::value& value, const context& with) {
    const auto& rules = *n.objects;
    bool ok = true;
    for (const auto& [name, needed] : rules.dependent_required) {
        if (!object.contains(name)) continue;
        for (const auto& other : needed) {
            if (object.contains(other)) continue;
            if (!explains()) return false;
            ok = report(n, "dependentRequired", with.at, message::missing_with(other, name), mistake::shape);
        }
    }
    for (const auto& [name, schema] : rules.dependent_schemas) {
        if (!object.contains(name) || check(schema, value, with)) continue;
        ok = false;
        if (!explains() || gave_up_) return false;
    }
    return ok;
}

bool evaluator::unevaluated_properties(const node& n, const json::object& object, const seen_set& seen, const context& with) {
    const bool none = table_.nodes[n.unevaluated_properties].constant == false;
    bool ok = true;
    std::size_t index = 0;
    for (const auto& member : object) {
        if (seen.has(index++)) continue;
        const place at{&with.at, view(member.key()), 0, false};
        if (none) {
            if (explains()) report_unknown(n, "unevaluatedProperties", with.at, view(member.key()));
            ok = false;
        } else if (!check(n.unevaluated_properties, member.value(), {at, with.dynamic, nullptr})) {
            ok = false;
        }
        if (!ok && (!explains() || gave_up_)) return false;
    }
    return ok;
}

}  // namespace pawl::schema
