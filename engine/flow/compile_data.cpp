// `input`, `output`, `export` and the schemas within (dsl-reference.md, "Input", "Output", "Export", "Schema").
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

std::optional<schema::validator> compile_validator(compilation& c, const json::value& schema, const node& where) {
    auto validator = schema::validator::compile(schema);
    if (validator.has_error()) {
        const auto error = validator.error();  // a copy: result::error() returns by value
        const auto* location = error.extra.if_contains("schemaLocation");
        auto inner = location != nullptr && location->is_string() ? std::string(location->get_string()) : std::string{};
        if (inner.starts_with('#')) inner.erase(0, 1);
        if (!inner.starts_with('/')) inner.clear();
        c.report.at(severity::error, "bad-schema", where.pointer + inner, 0, 1, "this JSON Schema cannot be used: " + error.detail, {});
        return std::nullopt;
    }
    return *validator;
}

std::optional<schema::validator> compile_schema(compilation& c, const node& n) {
    if (!n || !expect_object(c, n)) return std::nullopt;
    if (!n.at("document") && !n.at("resource") && (n.at("type") || n.at("properties") || n.at("$ref"))) {
        c.report.key_error("missing-key", n, "the JSON Schema must stand under `document` in `schema`", "indent it below `document:`");
        return std::nullopt;
    }
    check_keys(c, n, {"format", "document", "resource"});
    if (const auto format = n.at("format");
        format && expect_string(c, format, "`format: json`") && format.text() != "json" && !format.text().starts_with("json:")) {
        c.report.error(
            "unsupported", format,
            "schemas of the format " + quoted(format.text()) + " are part of the workflow language but this version of pawl cannot run them yet",
            "use `format: json` (JSON Schema)");
        return std::nullopt;
    }
    if (const auto inline_schema = n.at("document")) return compile_validator(c, *inline_schema.value, inline_schema);
    require(c, n, "document", "it holds the JSON Schema (or `resource` names a file with it)");
    return std::nullopt;
}

std::optional<schema::validator> compile_resource(compilation& c, const node& n) {
    const auto resource = n.at("resource");
    if (!expect_object(c, resource)) return std::nullopt;
    check_keys(c, resource, {"name", "endpoint"});
    const auto endpoint = require(c, resource, "endpoint", "it says where the schema is");
    if (!endpoint) return std::nullopt;
    const auto file = read_external(c, endpoint, "the schema file");
    if (!file) return std::nullopt;
    const auto document = read_yaml(file->text, file->name);
    if (document.has_error()) {
        c.report.error("bad-schema", endpoint, "the schema file " + quoted(file->name) + " is not readable: " + render(document.error()));
        return std::nullopt;
    }
    return compile_validator(c, document->value, resource);
}

}  // namespace

data_filter compile_filter(compilation& c, const node& n, std::string_view transform_key, site where, const std::vector<std::string>& locals) {
    data_filter out;
    if (!n || !expect_object(c, n)) return out;
    check_keys(c, n, {"schema", transform_key});
    if (const auto schema = n.at("schema"))
        out.schema = schema.at("resource") && !schema.at("document") ? compile_resource(c, schema) : compile_schema(c, schema);
    const auto transform = n.at(transform_key);
    if (!transform) return out;
    const names_in_scope names{where, locals, transform_key == "from"};
    if (transform.is_object()) {
        out.transform = compile_template(c, transform, names);
    } else if (transform.is_string()) {
        out.transform = compile_expression(c, transform, names);
    } else {
        c.report.error("wrong-type", transform,
                       quoted(transform.name()) + " must be an expression or a map, but is " + std::string(describe(*transform.value)),
                       "for example `" + std::string(transform_key) + ": .order`");
    }
    return out;
}

}  // namespace pawl::flow
