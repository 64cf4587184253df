#include "schema/keyword.hpp"

#include "base/suggest.hpp"
#include "schema/uri.hpp"

#include <array>

namespace pawl::schema {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> type_names{{
    {"null", type_null},
    {"boolean", type_boolean},
    {"integer", type_integer},
    {"number", type_number | type_integer},
    {"string", type_string},
    {"array", type_array},
    {"object", type_object},
}};

template <class T>
T& made(std::unique_ptr<T>& where) {
    if (!where) where = std::make_unique<T>();
    return *where;
}

/// While a node is filled its properties are in document order: this finds what `properties` and `required` share without a search per name.
class property_index {
public:
    explicit property_index(object_rules& rules) : rules_(rules) {
        for (std::size_t i = 0; i < rules.properties.size(); ++i) at_.emplace(rules.properties[i].name, i);
    }
    property_rule& named(std::string_view name) {
        const auto [known, added] = at_.emplace(name, rules_.properties.size());
        if (added) rules_.properties.push_back({std::string(name), no_node, false});
        return rules_.properties[known->second];
    }

private:
    object_rules& rules_;
    std::unordered_map<std::string, std::size_t> at_;
};

}  // namespace

std::string type_with_article(const json::value& value) {
    const auto name = type_name(value);
    if (name == "null") return "null";
    return (name == "array" || name == "object" ? "an " : "a ") + std::string(name);
}

const std::unordered_map<std::string_view, compiler::keyword>& compiler::keywords() {
    using g = keyword::group;
    using c = compiler;
    static const std::unordered_map<std::string_view, keyword> table{
        {"$ref", {g::core, &c::read_reference}},
        {"$dynamicRef", {g::core, &c::read_dynamic_reference}},
        {"$defs", {g::core, &c::read_definitions}},
        {"allOf", {g::applicator, &c::read_schema_list}},
        {"anyOf", {g::applicator, &c::read_schema_list}},
        {"oneOf", {g::applicator, &c::read_schema_list}},
        {"prefixItems", {g::applicator, &c::read_schema_list}},
        {"not", {g::applicator, &c::read_schema}},
        {"if", {g::applicator, &c::read_schema}},
        {"then", {g::applicator, &c::read_schema}},
        {"else", {g::applicator, &c::read_schema}},
        {"items", {g::applicator, &c::read_schema}},
        {"contains", {g::applicator, &c::read_schema}},
        {"additionalProperties", {g::applicator, &c::read_schema}},
        {"propertyNames", {g::applicator, &c::read_schema}},
        {"properties", {g::applicator, &c::read_properties}},
        {"patternProperties", {g::applicator, &c::read_pattern_properties}},
        {"dependentSchemas", {g::applicator, &c::read_dependent_schemas}},
        {"dependencies", {g::applicator, &c::read_dependencies}},
        {"unevaluatedItems", {g::unevaluated, &c::read_schema}},
        {"unevaluatedProperties", {g::unevaluated, &c::read_schema}},
        {"type", {g::validation, &c::read_type}},
        {"enum", {g::validation, &c::read_enum}},
        {"const", {g::validation, &c::read_enum}},
        {"multipleOf", {g::validation, &c::read_number}},
        {"maximum", {g::validation, &c::read_number}},
        {"exclusiveMaximum", {g::validation, &c::read_number}},
        {"minimum", {g::validation, &c::read_number}},
        {"exclusiveMinimum", {g::validation, &c::read_number}},
        {"maxLength", {g::validation, &c::read_count}},
        {"minLength", {g::validation, &c::read_count}},
        {"maxItems", {g::validation, &c::read_count}},
        {"minItems", {g::validation, &c::read_count}},
        {"maxContains", {g::validation, &c::read_count}},
        {"minContains", {g::validation, &c::read_count}},
        {"maxProperties", {g::validation, &c::read_count}},
        {"minProperties", {g::validation, &c::read_count}},
        {"pattern", {g::validation, &c::read_pattern}},
        {"uniqueItems", {g::validation, &c::read_unique}},
        {"required", {g::validation, &c::read_required}},
        {"dependentRequired", {g::validation, &c::read_dependent_required}},
        {"format", {g::format, &c::read_format}},
    };
    return table;
}

void compiler::read_type(const current& at, const json::value& value) {
    const auto add = [&](const json::value& item) {
        if (!item.is_string()) return wrong(at, "a type name, or an array of type names", item);
        std::vector<std::string> names;
        for (const auto& [name, bits] : type_names) {
            if (item.get_string() == name) {
                at.out.types |= bits;
                return true;
            }
            names.emplace_back(name);
        }
        const auto near = closest(std::string_view(item.get_string()), names);
        library_.fail(at.where.location + "/type", "must be one of null, boolean, integer, number, string, array, object" +
                                                       (near ? "; did you mean \"" + *near + "\"?" : std::string()));
        return false;
    };
    const auto* list = value.if_array();
    if (!list) {
        add(value);
        return;
    }
    if (list->empty()) return library_.fail(at.where.location + "/type", "must name at least one type");
    for (const auto& item : *list) {
        if (!add(item)) return;
    }
}

void compiler::read_enum(const current& at, const json::value& value) {
    if (at.name == "const") {
        at.out.constant_value = value;
        return;
    }
    const auto* list = value.if_array();
    if (!list) return void(wrong(at, "an array", value));
    at.out.has_enum = true;
    at.out.allowed.assign(list->begin(), list->end());
}

void compiler::read_number(const current& at, const json::value& value) {
    const auto n = numeric(at, value);
    if (!n) return;
    auto& rules = made(at.out.numbers);
    if (at.name == "maximum") rules.maximum = n;
    else if (at.name == "minimum") rules.minimum = n;
    else if (at.name == "exclusiveMaximum") rules.exclusive_maximum = n;
    else if (at.name == "exclusiveMinimum") rules.exclusive_minimum = n;
    else if (*n > 0) rules.multiple_of = n;
    else library_.fail(at.where.location + "/multipleOf", "must be greater than 0");
}

void compiler::read_count(const current& at, const json::value& value) {
    const auto n = count(at, value);
    if (!n) return;
    if (at.name == "maxLength") made(at.out.strings).max_length = *n;
    else if (at.name == "minLength") made(at.out.strings).min_length = *n;
    else if (at.name == "maxItems") made(at.out.arrays).max_items = *n;
    else if (at.name == "minItems") made(at.out.arrays).min_items = *n;
    else if (at.name == "maxContains") made(at.out.arrays).max_contains = *n;
    else if (at.name == "minContains") made(at.out.arrays).min_contains = *n;
    else if (at.name == "maxProperties") made(at.out.objects).max_properties = *n;
    else made(at.out.objects).min_properties = *n;
}

void compiler::read_pattern(const current& at, const json::value& value) {
    if (!value.is_string()) return void(wrong(at, "a string", value));
    made(at.out.strings).matches = regular_expression(at, value.get_string());
}

void compiler::read_format(const current& at, const json::value& value) {
    if (!value.is_string()) return void(wrong(at, "a string", value));
    if (!assert_format_ && !at.rules.format_assertion) return;
    if (const auto* rule = find_format(value.get_string())) made(at.out.strings).format = rule;
}

void compiler::read_unique(const current& at, const json::value& value) {
    if (!value.is_bool()) return void(wrong(at, "a boolean", value));
    made(at.out.arrays).unique = value.get_bool();
}

void compiler::read_required(const current& at, const json::value& value) {
    auto& rules = made(at.out.objects);
    property_index index(rules);
    for (const auto& name : string_list(at, value)) {
        index.named(name).required = true;
        ++rules.required;
    }
}

void compiler::read_dependent_required(const current& at, const json::value& value) {
    const auto* object = value.if_object();
    if (!object) return void(wrong(at, "an object of arrays of property names", value));
    for (const auto& [name, names] : *object) made(at.out.objects).dependent_required.emplace_back(name, string_list(at, names));
}

void compiler::read_dependent_schemas(const current& at, const json::value& value) {
    const auto* object = value.if_object();
    if (!object) return void(wrong(at, "an object of schemas", value));
    for (const auto& [name, schema] : *object) {
        if (!schema.is_object() && !schema.is_bool()) return void(wrong(at, "an object of schemas", schema));
        made(at.out.objects).dependent_schemas.emplace_back(name, node_of(schema));
    }
}

void compiler::read_dependencies(const current& at, const json::value& value) {
    // The keyword of earlier drafts, which 2020-12 split in two and lets live on.
    const auto* object = value.if_object();
    if (!object) return void(wrong(at, "an object", value));
    for (const auto& [name, dependency] : *object) {
        if (dependency.is_array()) made(at.out.objects).dependent_required.emplace_back(name, string_list(at, dependency));
        else if (dependency.is_object() || dependency.is_bool()) made(at.out.objects).dependent_schemas.emplace_back(name, node_of(dependency));
        else return void(wrong(at, "an object of schemas and arrays of property names", dependency));
    }
}

void compiler::read_properties(const current& at, const json::value& value) {
    const auto* object = value.if_object();
    if (!object) return void(wrong(at, "an object of schemas", value));
    auto& rules = made(at.out.objects);
    property_index index(rules);
    for (const auto& [name, schema] : *object) {
        if (!schema.is_object() && !schema.is_bool()) {
            return library_.fail(at.where.location + "/properties/" + pointer_token(name),
                                 "must be a schema: an object, `true` or `false`, but is " + type_with_article(schema));
        }
        index.named(name).schema = node_of(schema);
    }
}

void compiler::read_pattern_properties(const current& at, const json::value& value) {
    const auto* object = value.if_object();
    if (!object) return void(wrong(at, "an object of schemas", value));
    for (const auto& [text, schema] : *object) {
        if (!schema.is_object() && !schema.is_bool()) return void(wrong(at, "an object of schemas", schema));
        auto compiled = regular_expression(at, text);
        if (!compiled) return;
        made(at.out.objects).patterns.emplace_back(std::move(*compiled), node_of(schema));
    }
}

void compiler::read_schema(const current& at, const json::value& value) {
    const auto id = node_of(value);
    if (at.name == "not") at.out.negated = id;
    else if (at.name == "if") at.out.condition = id;
    else if (at.name == "then") at.out.when_true = id;
    else if (at.name == "else") at.out.when_false = id;
    else if (at.name == "items") made(at.out.arrays).items = id;
    else if (at.name == "contains") made(at.out.arrays).contains = id;
    else if (at.name == "additionalProperties") made(at.out.objects).additional = id;
    else if (at.name == "propertyNames") made(at.out.objects).names = id;
    else if (at.name == "unevaluatedItems") at.out.unevaluated_items = id;
    else at.out.unevaluated_properties = id;
}

void compiler::read_schema_list(const current& at, const json::value& value) {
    auto list = schema_list(at, value);
    if (at.name == "allOf") at.out.all_of = std::move(list);
    else if (at.name == "anyOf") at.out.any_of = std::move(list);
    else if (at.name == "oneOf") at.out.one_of = std::move(list);
    else made(at.out.arrays).prefix = std::move(list);
}

void compiler::read_reference(const current& at, const json::value& value) {
    if (!value.is_string()) return void(wrong(at, "a string", value));
    standing from = at.where;
    from.location += "/$ref";
    if (const auto* target = library_.find(std::string(value.get_string()), from)) at.out.ref = node_of(*target);
}

void compiler::read_dynamic_reference(const current& at, const json::value& value) {
    if (!value.is_string()) return void(wrong(at, "a string", value));
    standing from = at.where;
    from.location += "/$dynamicRef";
    const std::string reference(value.get_string());
    const auto* target = library_.find(reference, from);
    if (!target) return;
    // Only a reference that first ends at a $dynamicAnchor is dynamic (core, 8.2.3.2); any other is a plain $ref.
    const std::string anchor = percent_decode(split_fragment(reference).second);
    const auto& home = library_.resource_at(library_.standing_of(target).resource);
    const bool dynamic = !anchor.empty() && anchor[0] != '/' && home.dynamic_anchors.contains(anchor);
    if (dynamic) at.out.dynamic = dynamic_target{anchor_number(anchor), node_of(*target)};
    else if (at.out.ref == no_node) at.out.ref = node_of(*target);
    else at.out.all_of.push_back(node_of(*target));
}

void compiler::read_definitions(const current& at, const json::value& value) {
    // Compiled although nothing may refer to them: a mistake in a definition is told at once.
    const auto* object = value.if_object();
    if (!object) return void(wrong(at, "an object of schemas", value));
    if (!at.where.location.empty() && at.where.location[0] != '/') return;
    for (const auto& [name, schema] : *object) {
        if (schema.is_object() || schema.is_bool()) node_of(schema);
        else return library_.fail(at.where.location + "/$defs/" + pointer_token(name), "must be a schema: an object, `true` or `false`, but is " + type_with_article(schema));
    }
}

}  // namespace pawl::schema
