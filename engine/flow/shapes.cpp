#include "flow/shapes.hpp"

#include "flow/evaluable_code.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

using expr::shape;

shape of_document(const json::value& value, const std::string& pointer, std::span<const expr::value_template::part> parts, std::size_t depth) {
    if (depth == 0) return {};
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
    if (depth == 0 || properties == nullptr || !properties->is_object()) return {};
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

std::optional<std::size_t> missing_at(std::vector<const shape*> candidates, std::span<const std::string> path, std::string_view own,
                                      std::vector<std::string>& known) {
    for (std::size_t depth = 0; depth < path.size(); ++depth) {
        std::vector<const shape*> next;
        known.clear();
        for (const auto* each : candidates) {
            const bool foreign = std::any_of(each->rest.begin(), each->rest.end(), [&](const std::string& name) { return depth > 0 || name != own; });
            if (each->what != shape::kind::object || !each->closed || foreign) return std::nullopt;
            for (const auto& member : each->members) {
                if (std::find(known.begin(), known.end(), member.name) == known.end()) known.push_back(member.name);
            }
            if (const auto* member = each->member(path[depth])) next.push_back(member);
        }
        if (next.empty()) return depth;
        candidates = std::move(next);
    }
    return std::nullopt;
}

}  // namespace pawl::flow
