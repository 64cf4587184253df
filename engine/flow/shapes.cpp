#include "flow/shapes.hpp"

#include "flow/evaluable_code.hpp"

#include <algorithm>
#include <set>

namespace pawl::flow {
namespace {

using expr::shape;

shape of_document(const json::value& value, const std::string& pointer, std::span<const expr::value_template::part> parts, std::size_t depth) {
    if (depth == 0 || parts.size() > most_shapes) return {};
    if (const auto* text = value.if_string()) {
        const auto found = std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return part.pointer == pointer; });
        if (found == parts.end()) return expr::shape_of(value);
        if (expr::whole_expression(std::string_view(*text))) return expr::shape_of(found->code);
        if (text->find("${") == json::string::npos) return {};  // loose mode: a text when it fails
        shape out;
        out.what = shape::kind::string;
        return out;
    }
    const auto* object = value.if_object();
    if (object == nullptr) {
        auto out = expr::shape_of(value);
        if (holds_expression(value)) out.constant.reset();
        return out;
    }
    if (object->size() > most_shapes) return {};
    shape out;
    out.what = shape::kind::object;
    out.closed = true;
    for (const auto& [key, member] : *object) out.set(std::string(key), of_document(member, pointer + "/" + pointer_token(key), parts, depth - 1));
    return out;
}

}  // namespace

shape shape_of(const evaluable& value) {
    const auto& code = value.code();
    if (const auto* program = std::get_if<expr::program>(&code.code)) return expr::shape_of(*program);
    const auto& document = std::get<expr::value_template>(code.code);
    return of_document(document.source(), "", document.parts(), 32);
}

shape shape_of_schema(const json::value& schema, std::size_t depth) {
    const auto* object = schema.if_object();
    const auto* properties = object != nullptr ? object->if_contains("properties") : nullptr;
    if (depth == 0 || properties == nullptr || !properties->is_object() || properties->get_object().size() > most_shapes) return {};
    for (const auto* more : {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties", "unevaluatedProperties", "dependentSchemas"}) {
        if (object->contains(more)) return {};
    }
    if (const auto* additional = object->if_contains("additionalProperties"); additional != nullptr && *additional != json::value(false)) return {};
    shape out;
    out.what = shape::kind::object;
    out.closed = true;
    out.certain = false;
    for (const auto& [name, member] : properties->get_object()) out.set(std::string(name), shape_of_schema(member, depth - 1));
    return out;
}

const json::value* schema_document(const node& schema) { return schema.at("document").value; }

bool is_known(const shape& each, std::string_view own) {
    const bool foreign = std::any_of(each.rest.begin(), each.rest.end(), [&](const std::string& name) { return own.empty() || name != own; });
    return each.what == shape::kind::object && each.closed && !foreign;
}

std::optional<std::size_t> missing_at(std::vector<const shape*> candidates, std::span<const std::string> path, std::vector<std::string>& known) {
    for (std::size_t depth = 0; depth < path.size(); ++depth) {
        if (candidates.size() > most_shapes || !std::all_of(candidates.begin(), candidates.end(), [](const shape* each) { return is_known(*each, {}); }))
            return std::nullopt;
        std::vector<const shape*> next;
        for (const auto* each : candidates) {
            if (const auto* member = each->member(path[depth])) next.push_back(member);
        }
        if (next.empty()) {
            std::set<std::string> names;
            for (const auto* each : candidates) {
                for (const auto& member : each->members) {
                    if (names.insert(member.name).second) known.push_back(member.name);
                }
            }
            return depth;
        }
        candidates = std::move(next);
    }
    return std::nullopt;
}

}  // namespace pawl::flow
